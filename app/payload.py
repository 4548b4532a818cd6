"""The JSON that a run's page carries for its script: tables of addresses and values, and flat lists of indices.

    {"cells": [...], "values": [...], "initial": [cell, value, ...], "steps": [[cell, value, ...], ...],
     "reads": [[cell, ...], ...], "told": [[task, function, name, event], ...], "faults": [step, ...]}

Raw cells and view cells stand together; what is not there has the value null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from app.cells import Value
from app.view import View
from engine import Trace

HIDDEN = re.compile(r"^(oracle/|ram\.|task/[^.]+\.(stack|line)$|mm/[^.]+\.names$|store/)")
"""Raw cells that nothing on the page shows: what the kernel does not know, or what view cells tell better."""

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def shown(at: str) -> bool:
    """Whether a raw cell belongs on the page."""
    return HIDDEN.match(at) is None


class _Table:
    """Things by number, in the order they are first met."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}
        self.things: list[Any] = []

    def __call__(self, thing: Any) -> int:
        key = (type(thing), thing)
        if key not in self.numbers:
            self.numbers[key] = len(self.things)
            self.things.append(thing)
        return self.numbers[key]


def payload(trace: Trace, view: View) -> str:
    """The JSON text, with nothing in it that could end a script element."""
    text = json.dumps(data(trace, view), ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda match: _UNSAFE[match[0]], text)


def data(trace: Trace, view: View) -> dict[str, Any]:
    """The payload as plain data."""
    cells, values = _Table(), _Table()

    def flat(pairs: Iterable[tuple[str, Value]]) -> list[int]:
        return [number for at, value in pairs if shown(at) for number in (cells(at), values(value))]

    initial = flat([*trace.initial.items(), *view.initial.items()])
    steps = [
        flat([*_last(step.writes), *_last(step.derived), *((at, new) for at, _, new in more)])
        for step, more in zip(trace.steps, view.steps, strict=True)
    ]
    reads = [[cells(at) for at in step.reads if shown(at)] for step in trace.steps]
    told = [[step.task, step.function, step.name, step.event] for step in trace.steps]
    return {
        "cells": cells.things,
        "values": values.things,
        "initial": initial,
        "steps": steps,
        "reads": reads,
        "told": told,
        "faults": [step.n for step in trace.steps if f"{step.function}.{step.name}" == "do_page_fault.read_cr2"],
    }


def _last(deltas: Iterable[tuple[str, Value, Value]]) -> list[tuple[str, Value]]:
    """The value each cell has after a step, where one is written more than once."""
    return list({at: new for at, _, new in deltas}.items())
