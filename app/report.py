"""A run as a report in Markdown: what was asked, what happened, step by step where it matters, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

import engine
from app import disk, narration, strip, theatre
from app.runs import Run
from app.wire import schedule


def markdown(run: Run, _step: int = 0, base: str = "") -> str:
    """The report. With the address of a site it links to the run, and shows a picture of each telling step."""
    return "\n".join([*_head(run, base), *_scripts(run), *_telling(run, base), *_outcome(run), ""])


def _head(run: Run, base: str) -> Iterator[str]:
    order, scenario = run.order, run.order.scenario
    kernel, kind = engine.find_kernel(order.kernel), engine.FILESYSTEMS[scenario.filesystem.type]
    yield f"# {_text(scenario.title)}"
    yield ""
    yield f"On {_text(kernel.title)} with {kind.title}; schedule {schedule(order) or 'none'}; edition {order.edition}."
    yield from ("", _text(scenario.story)) if scenario.story else ()
    yield from ("", f"**{_text(scenario.question)}**") if scenario.question else ()
    if base:
        address = base + order.link.embed(framed=False).url()
        yield from ("", f"The run: <{address}>")


def _scripts(run: Run) -> Iterator[str]:
    yield from ("", "## The programs")
    for name, task in run.order.scenario.tasks.items():
        yield from ("", f"{name}, user {task.user}:", "")
        yield from (f"    {line}" for line in task.script)


def _telling(run: Run, base: str) -> Iterator[str]:
    """The steps that decide: of each fault one, and of whatever decided over a store."""
    stage, trace = theatre.stage_of(run), run.trace
    told = narration.tell(trace, run.order.scenario, stage.kernel)
    yield from ("", "## What happened")
    for n in strip.frames(stage.trace.steps, stage.view.journeys)[0]:
        step = trace.steps[n - 1]
        yield from ("", f"### Step {n}: `{step.event}`", "", _text(told[n - 1]))
        yield from (f"- {change.store} is **{change.new}**: {_text(change.why)}" for change in step.fates)
        if base:
            link = run.order.link.embed(framed=False)
            yield from ("", f"[![Step {n}]({base}{link.url(step=n, suffix='.svg')})]({base}{link.url(step=n)})")


def _outcome(run: Run) -> Iterator[str]:
    trace, scenario = run.trace, run.order.scenario
    final = trace.state_at(len(trace.steps))
    yield from ("", "## What came of it", "", f"Outcome: **{trace.outcome}**, after {len(trace.steps)} steps.")
    yield from ("", "| store | line | fate | told by |", "|---|---|---|---|")
    for store in trace.stores:
        line = _text(scenario.tasks[store.task].script[store.line - 1])
        yield f"| {store.id} | {line} | {store.fate} | {store.told or 'nobody'} |"
    yield ""
    for file in scenario.files:
        pages = disk.pages_on_disk(final, scenario, file)
        said = ", ".join(f"page {index}: {_text(text)}" for index, text in pages.items()) or "no block"
        yield f"- On the disk, {file}: {said}"
    yield from (f"- {_text(note)}" for note in trace.notes)


def _text(text: str) -> str:
    """Words of a scenario as text, whatever signs they have."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in " ".join(text.split()))
