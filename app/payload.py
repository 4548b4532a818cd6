"""The JSON of a run for the script that plays it: tables of addresses and values, and flat lists of indices.

    {"cells": [...], "values": [...], "initial": [cell, value, ...], "steps": [[cell, value, ...], ...],
     "reads": [[cell, ...], ...], "told": [event, ...], "faults": [step, ...],
     "stops": {"function": [step, ...], "fault": [step, ...]}, "beats": [step, ...],
     "asks": [[step, number of the right choice], ...]}

Raw cells and view cells stand together; what is not there has the value null. In `initial` and `steps`, read in this
order, n is the n-th of the table, and 0 the next that was not met before: most are new, and zeros pack well. `reads`
has the places in the table, from 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from app.cells import Value
from app.view import View
from app.zoom import stops
from engine import Trace

HIDDEN = re.compile(r"^(oracle/|ram\.|task/[^.]+\.(stack|line)$|mm/[^.]+\.names$|store/)")
"""Raw cells that nothing on the page shows: what the kernel does not know, or what view cells tell better."""

UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What could end a script element, and how JSON spells it."""


@lru_cache(maxsize=8192)
def shown(at: str) -> bool:
    """Whether a raw cell belongs on the page."""
    return HIDDEN.match(at) is None


class _Cells(dict[str, int]):
    """The number of each cell that belongs on the page, in the order they are first met; -1 for one that does not."""

    def __init__(self, belongs: Callable[[str], bool]) -> None:
        super().__init__()
        self.things: list[str] = []
        self._belongs = belongs

    def __missing__(self, at: str) -> int:
        self[at] = number = len(self.things) if self._belongs(at) else -1
        if number >= 0:
            self.things.append(at)
        return number


class _Numbers(dict[Value, int]):
    """The number of each value, in the order they are first met; `things` has what is numbered so far."""

    def __init__(self, things: list[Value]) -> None:
        super().__init__()
        self._things = things

    def __missing__(self, value: Value) -> int:
        self[value] = number = len(self._things)
        self._things.append(value)
        return number


class Flat:
    """Writes cells as flat lists of numbers, and has the tables that these mean."""

    def __init__(self, belongs: Callable[[str], bool] = lambda _: True) -> None:
        """Cells that do not belong there are left out."""
        self.values: list[Value] = []
        self._cells = _Cells(belongs)
        self._numbers, self._truths = _Numbers(self.values), _Numbers(self.values)  # a dict takes True for 1

    @property
    def cells(self) -> list[str]:
        """The addresses, in the order they were first met."""
        return self._cells.things

    def write(self, pairs: Iterable[tuple[str, Value]]) -> list[int]:
        """Addresses and values in turn, as numbers."""
        found: list[int] = []
        for at, value in pairs:
            cells, values = len(self.cells), len(self.values)
            cell = self._cells[at]
            if cell >= 0:
                number = (self._truths if value is True or value is False else self._numbers)[value]
                found += cell + 1 if cell < cells else 0, number + 1 if number < values else 0
        return found

    def places(self, ats: Iterable[str]) -> list[int]:
        """The places of addresses in the table, from 0."""
        return [cell for at in ats if (cell := self._cells[at]) >= 0]


def payload(trace: Trace, view: View) -> str:
    """The JSON text, with nothing in it that could end a script element."""
    text = msgspec.json.encode(data(trace, view)).decode()
    for unsafe, safe in UNSAFE.items():
        text = text.replace(unsafe, safe)
    return text


def data(trace: Trace, view: View) -> dict[str, Any]:
    """The payload as plain data."""
    flat = Flat(shown)
    initial = flat.write(chain(trace.initial.items(), view.initial.items()))
    steps = [
        flat.write(chain(_last(step.writes), _last(step.derived), _last(more)))
        for step, more in zip(trace.steps, view.steps, strict=True)
    ]
    reads = [flat.places(step.reads) for step in trace.steps]
    return {
        "cells": flat.cells,
        "values": flat.values,
        "initial": initial,
        "steps": steps,
        "reads": reads,
        "told": [step.event for step in trace.steps],
        "faults": [step.n for step in trace.steps if step.name == "read_cr2"],
        "stops": {by: stops(by, trace.steps, view.journeys) for by in ("function", "fault")},
        "beats": [beat.step for beat in view.beats],
        "asks": [[question.step, question.right] for question in view.questions],
    }


def _last(deltas: Iterable[tuple[str, Value, Value]]) -> Iterable[tuple[str, Value]]:
    """The value each cell has after a step, where one is written more than once."""
    return {at: new for at, _, new in deltas}.items()
