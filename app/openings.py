"""Which step of a run an address opens: by number, by the name of what happens in it, or the one that tells most."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from app.events import Event
from app.troubles import Trouble
from engine import Trace
from engine.errors import short
from engine.former import present


def step(trace: Trace, number: str | None, event: str | None) -> tuple[int, str]:
    """The step to open a run on: the number, else what comes nearest to the event, else the one that tells most.

    With it goes a sentence when the address names a step that the run does not have.

    Raises:
        Trouble: when the number is none.
    """
    last = len(trace.steps)
    if number:
        try:
            wanted = int(number[:12])
        except ValueError as error:
            cure = f"Write step=1 to step={last}"
            raise Trouble("bad-request", f"{number[:40]!r} is no number of a step", cure=cure) from error
        return max(0, min(wanted, last)), "" if 0 <= wanted <= last else f"There is no step {wanted}"
    meant = Event.parse(event or "")
    found = _as_now(trace, meant).find(trace.steps) if meant else None
    if found is None:
        return telling(trace), f"Nothing happens at {short(event, 80)}" if event else ""
    return found, ""


def _as_now(trace: Trace, event: Event) -> Event:
    """An event by the present name of its step, where the run knows it only by a former one."""
    if any((step.function, step.name) == (event.function, event.step) for step in trace.steps):
        return event
    function, step = present(event.function, event.step)
    return replace(event, function=function, step=step)


def telling(trace: Trace) -> int:
    """The step that tells most of a run at first sight: where the kernel asks for room, or does not; else the first."""
    for step, after in pairwise(trace.steps):
        if "enough_space" in (step.name, step.function) and after.name != "retry":
            return step.n
    return min(1, len(trace.steps))
