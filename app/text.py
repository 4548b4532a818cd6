"""A run as plain text: a task a column, a step a line. For terminals, curl, diffs and golden files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import engine
from app import disk, links, narration
from app.runs import Run
from app.wire import schedule
from engine import Step

GAP = 2
WIDEST = 30  # a longer entry may run into the columns beside it, which are empty there
INDENT = 5  # the width of the step's number, and a blank


def transcript(run: Run, *, watch: bool = False, voice: str = "") -> str:
    """The whole run; with `watch`, the invariants that broke on the way; with a `voice`, what it says of each step."""
    return "\n".join(
        [*_head(run), "", *_steps(run, _sentences(run, voice)), "", *_end(run), *(_broken(run) if watch else ()), ""]
    )


def moment(run: Run, n: int, picture: str = "") -> str:
    """One step, in both voices, with everything it did; step 0 is the beginning. `picture` is the picture in words."""
    if n == 0:
        return "\n".join([*_head(run), "", "The beginning: nothing was done yet.", ""])
    step = run.trace.steps[n - 1]
    plain = narration.tell(run.trace, run.order.scenario, engine.find_kernel(run.order.kernel))[n - 1]
    lines = [*_head(run), "", f"{n}/{len(run.trace.steps)} {step.event}", plain, ""]
    lines += [f"  kernel  {narration.developer(step)}"]
    lines += [f"  picture {picture}"] if picture else []
    lines += [f"  answer  {step.answer}"] if step.answer else []
    lines += [f"  reads   {cell}" for cell in step.reads]
    lines += [f"  writes  {cell}: {_said(old)} -> {_said(new)}" for cell, old, new in step.writes]
    lines += [_fate(change.store, change.old, change.new, change.why) for change in step.fates]
    return "\n".join([*lines, ""])


def _head(run: Run) -> list[str]:
    order, scenario = run.order, run.order.scenario
    return [
        f"{scenario.title} ({scenario.id})",
        f"kernel {order.kernel}, filesystem {scenario.filesystem.type}, schedule {schedule(order) or 'none'}",
    ]


def _sentences(run: Run, voice: str) -> Sequence[str]:
    """What a voice says of each step; nothing without one."""
    if voice == links.VOICES[0]:
        return narration.tell(run.trace, run.order.scenario, engine.find_kernel(run.order.kernel))
    return [narration.developer(step) for step in run.trace.steps] if voice else ()


def _steps(run: Run, sentences: Sequence[str] = ()) -> Iterator[str]:
    """A column for each task that ever does something, in order of their names in the scenario, the kernel's last."""
    steps = run.trace.steps
    acting = {step.task for step in steps}
    tasks = [name for name in run.order.scenario.tasks if name in acting]
    tasks += sorted(acting - set(tasks))
    widths = {task: GAP + min(WIDEST, max(len(task), *map(len, _cells(run, task)))) for task in tasks}
    yield (" " * INDENT + "".join(f"{task:{widths[task]}}" for task in tasks)).rstrip()
    lines = dict.fromkeys(tasks, 0)
    for step in steps:
        before = " " * (INDENT + sum(widths[task] for task in tasks[: tasks.index(step.task)]))
        if step.line != lines[step.task]:
            lines[step.task] = step.line
            if step.line:
                yield before + _line(run, step.task, step.line)
        yield f"{step.n:{INDENT - 1}}{before[INDENT - 1 :]}{_cell(step)}"
        if sentences:
            yield f"{' ' * INDENT}{sentences[step.n - 1]}"
        for change in step.fates:
            yield _fate(change.store, change.old, change.new, change.why)


def _cells(run: Run, task: str) -> Iterator[str]:
    for step in run.trace.steps:
        if step.task == task:
            yield _cell(step)
            yield _line(run, task, step.line)


def _cell(step: Step) -> str:
    answer = f": {step.answer}" if step.answer else ""
    return f"{step.function}.{step.name}{answer}"


def _line(run: Run, task: str, line: int) -> str:
    """A script line as it heads its steps; the kernel's own tasks have none."""
    spec = run.order.scenario.tasks.get(task)
    return f"{line}> {spec.script[line - 1]}" if spec is not None and line else ""


def _fate(store: str, old: str | None, new: str, why: str) -> str:
    return f"{' ' * INDENT}* {store} {f'{old} -> ' if old else ''}{new}: {why}"


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)


def _end(run: Run) -> Iterator[str]:
    """The outcome, then what became of each store, each call and each file."""
    trace, scenario = run.trace, run.order.scenario
    final = trace.state_at(len(trace.steps))
    yield f"outcome  {trace.outcome}"
    yield from (f"note     {note}" for note in trace.notes)
    for store in trace.stores:
        op = scenario.tasks[store.task].script[store.line - 1]
        yield f"store    {store.id} {op}: {store.fate}{f', told by {store.told}' if store.told else ''}"
    for task, spec in scenario.tasks.items():
        for line, op in enumerate(spec.script, 1):
            result = final.get(f"line/{task}.{line}.result")
            yield f"call     {task}.{line} {op}: {_result(result)}"
    for file in scenario.files:
        pages = disk.pages_on_disk(final, scenario, file)
        said = ", ".join(f"page {index}: {text}" for index, text in pages.items()) or "no block"
        yield f"disk     {file} ({disk.size_on_disk(final, file)} bytes): {said}"


def _broken(run: Run) -> Iterator[str]:
    """Each invariant that broke, and for how long."""
    breaches = run.trace.violations or ()
    for each in breaches:
        until = "to the end" if each.last is None else f"until {each.last}"
        yield f"step     {each.first} {until}: {each.violation}"
    if not breaches:
        yield "no invariant broke"


def _result(result: object) -> str:
    return "not reached" if result is None else "ok" if result == "0" else str(result)
