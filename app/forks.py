"""What if, from here: what may happen to the machine at a step, and the address of the run that comes of it.

A fork is the same run with one more item in its schedule (engine/what_if.py): what was asked for stands in the address,
and up to the step nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import engine
from app import orders
from app.links import RunLink
from app.runs import Run
from app.troubles import Trouble
from engine import FILESYSTEMS, Preemption, Scenario, Step, Trace
from engine.operations import Fill, Take

RIVAL = "rival"
"""Who takes a block, where the scenario has nobody who did."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that may happen: what an address says of it, a title, and a hint; `task` is who would run."""

    to: str
    title: str
    hint: str
    task: str = ""


def offers(scenario: Scenario) -> dict[str, list[Offer]]:
    """What may happen to a scenario's machine, in groups with their titles; some only where the disk is one."""
    groups = {
        "To the machine": _to_the_machine(scenario),
        "To its space": _to_its_space(scenario),
        "Who runs": _who_runs(scenario),
    }
    return {title: found for title, each in groups.items() if (found := list(each))}


def _to_the_machine(scenario: Scenario) -> Iterator[Offer]:
    yield Offer("power_fails()", "The power fails", "what the disk has is all that is left")
    yield Offer("reclaim()", "Memory gets short", "kswapd looks for pages to take away")
    yield Offer("writeback()", "The flusher wakes", "dirty pages that are known to be dirty are written")
    yield Offer("drop_caches()", "Clean pages are dropped", "whoever reads them next reads the disk")
    if not FILESYSTEMS[scenario.filesystem.type].in_memory:
        for file in scenario.files:
            yield Offer(f"disk_error({file})", f"The disk fails under {file}", "writing there fails from now on")
        yield Offer("device_room(0)", "The device below is full", "a block that was never written finds no place there")


def _to_its_space(scenario: Scenario) -> Iterator[Offer]:
    rivals = [line.operation.name for task in scenario.tasks for line in scenario.lines(task)
              if isinstance(line.operation, Fill | Take)]  # fmt: skip
    rival = rivals[0] if rivals else RIVAL
    yield Offer(f"take({rival},1)", "Somebody takes a block", f"{rival} grows by one")
    if rivals:
        yield Offer(f"free({rival},1)", "Somebody frees a block", f"{rival} shrinks by one")
    for user, quota in scenario.filesystem.quota.items():
        if limit := quota.hard or quota.soft:
            for more, word in ((-1, "shrinks"), (1, "grows")):
                to = f"quota({user},{'hard' if quota.hard else 'soft'}={max(0, limit + more)})"
                yield Offer(to, f"{user}'s quota {word}", f"from {limit} to {max(0, limit + more)} blocks")


def _who_runs(scenario: Scenario) -> Iterator[Offer]:
    able = [name for name, task in scenario.tasks.items() if not task.on_call]
    for name in able if len(able) > 1 else ():
        yield Offer(name, f"{name} runs first", "until it has to wait or is done", task=name)


def fork(run: Run, n: int, to: str) -> tuple[RunLink, int]:
    """The run in which `to` happens after step n: a call, as power_fails(), or a task's name. And the step it comes at.

    Before the first step a task can be let first; a call has to wait until that step is done.

    Raises:
        Trouble: when nothing can be put in there.
    """
    trace, scenario = run.trace, run.order.scenario
    if not (0 if trace.steps else 1) <= n <= len(trace.steps):
        cure = f"Go to a step from 0 to {len(trace.steps)}"
        raise Trouble("bad-request", f"There is no step {n} that could go on differently", cure=cure)
    if n == 0 and to in scenario.tasks:
        items = _led(run, to)
    else:
        n = max(1, n)
        point = _point(trace, _free(run, n))
        before = list(_kept(run, n))
        items = [item for item in before if not item.startswith(f"{point}>")]
        if to != trace.steps[n - 1].task or items == before:  # else it goes on when nobody comes in
            items.append(f"{point}>{to}")
    orders.see_that_it_runs(scenario, items)
    return replace(run.order.link, switch=",".join(items)), n + 1


def _free(run: Run, n: int) -> Step:
    """Step n, if something can be put in behind it."""
    step = run.trace.steps[n - 1]
    if step.task in on_call(run.order.scenario):
        later = next((after.n for after in run.trace.steps[n:] if after.task != step.task), None)
        cure = "Go on to a step of another task" if later is None else f"Go on to step {later}, when it is done"
        raise Trouble("bad-request", "What you asked for is still going on", cure=cure)
    return step


def _led(run: Run, first: str) -> list[str]:
    """The items of a run's schedule with a task before all others, and with no call: those would come later."""
    schedule = run.order.schedule or run.order.scenario.default_schedule()
    able = [name for name in run.order.scenario.tasks if name not in on_call(run.order.scenario)]
    others = [name for name in schedule.complete(able) if name != first]
    return [".".join([first, *others]), *(item for item in _kept(run, 0) if "@" in item)]


def on_call(scenario: Scenario) -> list[str]:
    """The tasks that run a line when they are called."""
    return [name for name, task in scenario.tasks.items() if task.on_call]


def _point(trace: Trace, step: Step) -> str:
    """A step as a schedule names it: `A@do_no_page.set_pte#2`."""
    place = (step.task, step.function, step.name)
    times = sum((other.task, other.function, other.name) == place for other in trace.steps[: step.n])
    return f"{step.task}@{step.function}.{step.name}" + (f"#{times}" if times > 1 else "")


def _kept(run: Run, n: int) -> Iterator[str]:
    """The items of a run's schedule that hold in the fork as well: all but the calls that come later than step n."""
    scenario = run.order.scenario
    schedule = run.order.schedule or scenario.default_schedule()
    items = engine.split_schedule(engine.spelt(scenario, schedule))
    switches = iter(schedule.switches)
    for item in filter(None, items):
        switch = next(switches) if "@" in item else None
        if switch is None or "(" not in item or _fired(run.trace, switch) <= n:
            yield item


def _fired(trace: Trace, switch: Preemption) -> int:
    """The step after which a preemption came; beyond the end if it never did."""
    if not switch.function:
        own = [step.n for step in trace.steps if (step.task, str(step.line)) == (switch.task, switch.step)]
        return own[-1] if own else len(trace.steps) + 1
    place = (switch.task, switch.function, switch.step)
    found = [step.n for step in trace.steps if (step.task, step.function, step.name) == place]
    return found[switch.occurrence - 1] if len(found) >= switch.occurrence else len(trace.steps) + 1
