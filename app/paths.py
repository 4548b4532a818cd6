"""Where each step of a run stands, in names that all kernels share: script line, journey, station of the rail, step."""

from __future__ import annotations

from collections.abc import Iterator

from app.alignment import Path
from app.rail import Journey
from app.stacks import stacks_of
from app.stations import place_of
from engine import Step, Trace

ENDS = "do_exit"
"""The function that ends a task, be it called or forced by a signal: its steps are those of no script line."""


def paths(trace: Trace, journeys: tuple[Journey, ...]) -> list[Path]:
    """The path of each step, as `app.alignment.align` takes it. `journeys` has the one that each step belongs to."""
    return list(_paths(trace, journeys))


def _paths(trace: Trace, journeys: tuple[Journey, ...]) -> Iterator[Path]:
    stations, ordinals = dict[int, str](), _Ordinals()
    for step, journey, stack in zip(trace.steps, journeys, stacks_of(trace), strict=False):
        line = ENDS if stack[0] == ENDS else step.line
        stations[id(journey)] = station = _station(step, journey) or stations.get(id(journey), "")
        yield (step.task, line), (journey.kind, ordinals(step, journey)), station, step.name


def _station(step: Step, journey: Journey) -> str:
    """The station of a step; empty for one that stands where the step before it stood, and in a call."""
    if journey.kind == "call":
        return ""
    place = place_of(journey.stations, f"{step.function}.{step.name}")
    return "" if place is None else journey.stations[place].label


class _Ordinals:
    """The how-manieth journey of its kind each one is, on its script line."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str], list[int]] = {}

    def __call__(self, step: Step, journey: Journey) -> int:
        seen = self._known.setdefault((step.task, step.line, journey.kind), [])
        if id(journey) not in seen:
            seen.append(id(journey))
        return seen.index(id(journey))
