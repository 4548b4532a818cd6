"""The timeline: a lane for each task, its stretches, and marks where a fate changes; in per cent of the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import engine
from app.moments import Run, broken
from engine import FateChange, Scenario, Step, Trace

DIAMOND, TRIANGLE, SQUARE = "M0-6 6 0 0 6-6 0Z", "M0-6 6.5 5h-13Z", "M-5-5H5V5H-5Z"
CIRCLE = "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z"
CROSS = "M-7-4-4-7 0-3 4-7 7-4 3 0 7 4 4 7 0 3-4 7-7 4-3 0Z"
BOLT = "M2-7-5 1H-1L-2 7 5-1H1Z"
SHAPES = {
    "at-risk": TRIANGLE,
    "clean-unsaved": DIAMOND,
    "lost": CROSS,
    "leaked": CROSS,
    "refused": SQUARE,
    "durable": CIRCLE,
    "broken": BOLT,
}
"""The fates that have a mark, and its shape as an SVG path."""

LABELS = {"clean-unsaved": "not on disk", "lost": "lost", "leaked": "in a file", "refused": "refused"}
CROWDED = 0.13
"""Labels nearer to each other than this part of the timeline would overlap."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a task: the key of its cell, where it begins and how wide it is."""

    key: int
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One task's stretches."""

    name: str
    hue: int
    segments: tuple[Segment, ...]
    waits: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A change of a fate at step n, or an invariant that breaks there (fate "broken"), in the lane with that number.

    `left` has the label end there.
    """

    n: int
    x: str
    lane: int
    fate: str
    path: str
    title: str
    label: str
    left: bool


def lanes(trace: Trace, scenario: Scenario, runs: Sequence[Run], hues: dict[str, int]) -> tuple[Lane, ...]:
    """A lane for every task that runs."""
    total, waits = len(trace.steps), _waits(trace)
    found = []
    for name in (*scenario.tasks, *engine.KERNEL_TASKS):
        segments = tuple(_segment(run, total) for run in runs if run.task == name)
        if segments:
            found.append(Lane(name, hues.get(name, 0), segments, waits.get(name, ())))
    return tuple(found)


def _waits(trace: Trace) -> dict[str, tuple[Segment, ...]]:
    """By task, the stretches in which it could not go on because another had what it needs."""
    since: dict[str, int] = {}
    found: dict[str, tuple[Segment, ...]] = {}
    for step in trace.steps:
        for at, _, lock in step.derived:
            if not at.endswith(".waits"):
                continue
            task = at.removeprefix("task/").removesuffix(".waits")
            if lock is not None:
                since.setdefault(task, step.n - 1)
            elif task in since:
                start = since.pop(task)
                part = Segment(start, percent(start, len(trace.steps)), percent(step.n - 1 - start, len(trace.steps)))
                found[task] = (*found.get(task, ()), part)
    return found


def _segment(run: Run, total: int) -> Segment:
    return Segment(run.key, percent(run.first - 1, total), percent(run.last - run.first + 1, total))


def marks(trace: Trace, rows: Sequence[Lane]) -> tuple[Mark, ...]:
    """The moments at which a fate changes; of labels that would lie over each other the later, graver one stays."""
    places = {lane.name: place for place, lane in enumerate(rows)}
    found: list[Mark] = []
    said: int | None = None
    told = broken(trace)
    for step in trace.steps:
        if step.n in told:
            found.append(_broken(step, told[step.n][0], places[step.task], len(trace.steps)))
        change = next((change for change in reversed(step.fates) if change.new in SHAPES), None)
        if change is None:
            continue
        mark = _mark(step, change, places[step.task], len(trace.steps))
        between = CROWDED * (2 if mark.left and said is not None and not found[said].left else 1)
        if mark.label and said is not None and step.n - found[said].n < len(trace.steps) * between:
            if mark.fate == found[said].fate:
                mark = replace(mark, label="")
            else:
                found[said] = replace(found[said], label="")
        found.append(mark)
        said = len(found) - 1 if mark.label else said
    return tuple(found)


def _broken(step: Step, said: str, lane: int, total: int) -> Mark:
    """An invariant breaks here. It has no label, so that those of fates keep their room."""
    left = step.n > total * (1 - CROWDED)
    return Mark(step.n, percent(step.n, total), lane, "broken", SHAPES["broken"], said, "", left)


def _mark(step: Step, change: FateChange, lane: int, total: int) -> Mark:
    return Mark(
        n=step.n,
        x=percent(step.n, total),
        lane=lane,
        fate=change.new,
        path=SHAPES[change.new],
        title=f"{change.store}: {change.new}",
        label=f"{change.store} {LABELS[change.new]}" if change.new in LABELS else "",
        left=step.n > total * (1 - CROWDED),
    )


def percent(part: int, total: int) -> str:
    """A part of the whole as SVG has it: "12.5"."""
    return f"{100 * part / max(1, total):.3f}".rstrip("0").rstrip(".")
