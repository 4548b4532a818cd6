"""A run as CSV: a row a step, or a row for each cell that one step read or wrote."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from app.runs import Run
from engine import Step

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text may begin that a spreadsheet would compute; an apostrophe before it makes it a text again."""
STEPS = ("step", "task", "line", "function", "name", "event", "answer", "caption", "writes", "fates")
CELLS = ("cell", "how", "was", "now")


def steps(run: Run) -> str:
    """A row for each step."""
    return _csv(STEPS, (_step(each) for each in run.trace.steps))


def cells(run: Run, n: int) -> str:
    """A row for each cell that step `n` read or wrote; at the beginning a row for each cell that is there."""
    if n == 0:
        rows: Iterable[Sequence[object]] = ((at, "initial", None, value) for at, value in run.trace.initial.items())
        return _csv(CELLS, rows)
    return _csv(CELLS, _cells(run.trace.steps[n - 1]))


def _step(each: Step) -> tuple[object, ...]:
    writes = "; ".join(f"{at}: {_word(old)} -> {_word(new)}" for at, old, new in each.writes)
    fates = "; ".join(f"{change.store}: {change.new}" for change in each.fates)
    return each.n, each.task, each.line, each.function, each.name, each.event, each.answer, each.caption, writes, fates


def _cells(each: Step) -> Iterator[tuple[object, ...]]:
    yield from ((at, "read", None, None) for at in each.reads)
    yield from ((at, "written", old, new) for at, old, new in each.writes)
    yield from ((at, "follows", old, new) for at, old, new in each.derived)


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(head)
    writer.writerows([_safe(value) for value in row] for row in rows)
    return made.getvalue()


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else _word(value, "")


def _word(value: object, nothing: str = "nothing") -> object:
    """A value as JSON has it: true, not True."""
    return nothing if value is None else str(value).lower() if isinstance(value, bool) else value
