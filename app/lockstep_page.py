"""The page of a comparison: its cells as JSON for the script, its lanes, its links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice, pairwise, permutations
from typing import Any

import msgspec

from app import catalogue, lockstep
from app.comparison import Column, Comparison
from app.links import CompareLink
from app.lockstep import GATES, Reel
from app.others import OUTCOMES, result_of
from app.payload import UNSAFE, Flat
from app.timeline import SHAPES, percent
from engine import KERNELS, FilesystemKind, Kernel, Scenario, Step

LETTER = 0.64
"""How much of the timeline a letter of a label takes, in per cent, on the narrowest screen that shows labels."""

ORDERS = 12
"""How many orders of tasks are proposed for a schedule."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a lane: from where and how wide in per cent, the worst fate so far, and whether the run waits in it."""

    x: str
    width: str
    fate: str
    waits: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A change of the worst fate at a beat: its place in per cent, the fate, and its shape as an SVG path."""

    beat: int
    x: str
    fate: str
    path: str


@dataclass(frozen=True, slots=True)
class Label:
    """Where a script line begins: its beat, its place in per cent, whose it is, and what it says if there is room."""

    beat: int
    x: str
    task: str
    hue: int
    text: str


@dataclass(frozen=True)
class LockstepPage:
    """A comparison as its page shows it."""

    comparison: Comparison

    gates = range(GATES)

    @cached_property
    def reel(self) -> Reel:
        """The cells of every beat."""
        return lockstep.reel(self.comparison)

    @property
    def length(self) -> int:
        """The last beat."""
        return self.comparison.length

    @property
    def link(self) -> CompareLink:
        """Its address, with all that it was left to choose."""
        return self.comparison.lineup.link

    @property
    def scenario(self) -> Scenario:
        """The scenario, on the first column's filesystem."""
        return self.comparison.columns[0].stage.scenario

    @property
    def columns(self) -> tuple[Column, ...]:
        """The runs."""
        return self.comparison.columns

    @property
    def opening(self) -> int:
        """The beat to open on: the first difference, else the end."""
        found = self.comparison.difference
        return found.beat if found else self.length

    def outcome(self, column: Column) -> tuple[str, str]:
        """What comes of a run: a fate for its colour, and words."""
        outcome = result_of(column.run.trace).outcome
        return outcome, OUTCOMES.get(outcome, outcome)

    # -- for the script ---------------------------------------------------------------------------------------------

    @cached_property
    def payload(self) -> str:
        """The cells as the page carries them, in the form that static/js/trace.js reads; safe in a script element."""
        text = msgspec.json.encode(self._data()).decode()
        for unsafe, safe in UNSAFE.items():
            text = text.replace(unsafe, safe)
        return text

    def _data(self) -> dict[str, Any]:
        flat = Flat()
        initial, steps = flat.write(self.reel.initial.items()), [flat.write(each.items()) for each in self.reel.changes]
        return {
            "cells": flat.cells, "values": flat.values, "initial": initial, "steps": steps,
            "reads": [[] for _ in steps], "told": [], "faults": self.faults,
        }  # fmt: skip

    @property
    def faults(self) -> list[int]:
        """The beats at which a fault begins in some column."""
        every = range(1, self.length + 1)
        return [beat for beat in every if any(step.name == "read_cr2" for _, step in self.comparison.moved(beat))]

    # -- the timeline -----------------------------------------------------------------------------------------------

    def lane(self, place: int) -> Iterator[Stretch]:
        """The stretches of a column's lane."""
        fates, waits = (self.reel.history(f"col/{place}/{cell}")[1:] for cell in ("badge.fate", "run.waits"))
        tints = [(str(fate or ""), wait is not None) for fate, wait in zip(fates, waits, strict=True)]
        end = 0
        for (fate, wait), stretch in groupby(tints):
            start, end = end, end + len(list(stretch))
            yield Stretch(self.x(start), self.x(end - start), fate, wait)

    def marks(self, place: int) -> Iterator[Mark]:
        """Where the worst fate of a column changes."""
        fates = self.reel.history(f"col/{place}/badge.fate")
        for beat, (before, now) in enumerate(pairwise(fates), 1):
            if now != before and now in SHAPES:
                yield Mark(beat, self.x(beat), str(now), SHAPES[str(now)])

    def labels(self) -> list[Label]:
        """Where script lines begin. The longest stretches have their line said, as far as there is room."""
        starts = list(self._starts())
        ends = [beat for beat, _ in starts[1:]] + [self.length + 1]
        longest = sorted(range(len(starts)), key=lambda at: starts[at][0] - ends[at])
        said: dict[int, tuple[float, float]] = {}
        for at in longest:
            beat, step = starts[at]
            line = self.comparison.line((step.task, step.line))
            x = 100 * (beat - 1) / self.length
            end = x + (len(step.task) + len(line) + 3) * LETTER
            if line and end < 100 and all(end < other or x > over for other, over in said.values()):
                said[at] = x, end
        return [self._label(beat, step, said=at in said) for at, (beat, step) in enumerate(starts)]

    def _starts(self) -> Iterator[tuple[int, Step]]:
        """The beats at which another script line goes on, with the first step there."""
        last = None
        for beat in range(1, self.length + 1):
            step = self.comparison.moved(beat)[0][1]
            if (step.task, step.line) != last:
                yield beat, step
            last = step.task, step.line

    def _label(self, beat: int, step: Step, *, said: bool) -> Label:
        line = self.comparison.line((step.task, step.line)) if said else ""
        return Label(beat, self.x(beat - 1), step.task, self.columns[0].stage.hue(step.task), line)

    def x(self, beat: int) -> str:
        """Where a beat stands on the timeline, in per cent."""
        return percent(beat, self.length)

    # -- what else there is -----------------------------------------------------------------------------------------

    def href(self, beat: int) -> str:
        """The address of a beat."""
        return self.link.url(step=max(0, min(beat, self.length)))

    def kernels(self) -> Iterator[tuple[Kernel, bool, str]]:
        """Every kernel, whether it is compared here, and the reason why it can not be."""
        chosen = [KERNELS.get(name) for name in self.link.kernels]
        for kernel in KERNELS.values():
            yield kernel, kernel in chosen, catalogue.why_not(kernel, self.scenario.filesystem.type)

    def filesystems(self) -> Iterator[tuple[FilesystemKind, bool]]:
        """Every filesystem that some kernel has, and whether it is compared here."""
        own = (self.comparison.lineup.scenario.filesystem.type,)
        for _, names in catalogue.shelves():
            yield from ((kind, kind.id in (self.link.filesystems or own)) for kind in names)

    @property
    def schedules(self) -> list[str]:
        """What is written where schedules are chosen: those that are compared, and room for as many as there may be."""
        said = list(self.link.switches) or [""]
        return said + [""] * (catalogue.COLUMNS[-1] - len(said))

    @property
    def own_schedule(self) -> str:
        """The schedule of the scenario itself."""
        return str(self.comparison.lineup.scenario.default_schedule())

    @property
    def orders(self) -> list[str]:
        """Orders in which the tasks could go, as many as can be looked through."""
        tasks = [name for name, task in self.scenario.tasks.items() if not task.on_call]
        return [".".join(order) for order in islice(permutations(tasks), ORDERS)] if len(tasks) > 1 else []
