"""Steps of a trace by range and filter, what differs between two of them, and who wrote a cell: for scripts.

select(trace, Wanted(task="A", touches="page/3"))      the steps of A that read or write a cell of page 3
difference(trace, 5, 9)                                [cell, as it is after step 5, as it is after step 9]
history(trace, "page/3.dirty", 43)                     the steps up to 43 that wrote the cell, the last one first
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine import Step, Trace
from engine.trace import Delta, Value


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which steps: numbers `first` to `last` (0: to the end), and what each of them has to be. Empty fits all.

    `touches` is a cell, or the beginning of its address up to a slash or a dot: `page/3`.
    """

    first: int = 1
    last: int = 0
    task: str = ""
    function: str = ""
    name: str = ""
    touches: str = ""

    def fits(self, step: Step) -> bool:
        """Whether a step within the range is one of those."""
        said = ((self.task, step.task), (self.function, step.function), (self.name, step.name))
        if any(wanted and wanted != found for wanted, found in said):
            return False
        return not self.touches or any(within(at, self.touches) for at in _touched(step))


def within(at: str, beginning: str) -> bool:
    """Whether a cell is this one, or one below it: `page/3.dirty` is within `page/3`, and `page/31.dirty` is not."""
    rest = at.removeprefix(beginning)
    return at.startswith(beginning) and (not rest or rest[0] in "./" or beginning[-1:] in ("/", "."))


def _touched(step: Step) -> Iterator[str]:
    yield from step.reads
    yield from (at for at, _, _ in (*step.writes, *step.derived))


def select(trace: Trace, wanted: Wanted) -> Iterator[Step]:
    """The steps that fit, in order."""
    stop = wanted.last or len(trace.steps)
    return (step for step in trace.steps[max(0, wanted.first - 1) : stop] if wanted.fits(step))


def difference(trace: Trace, before: int, after: int, touches: str = "") -> list[Delta]:
    """What stands otherwise after step `after` than after step `before`: [cell, there, here], by cell."""
    then, now = trace.state_at(before), trace.state_at(after)
    cells = sorted({*then, *now}) if not touches else sorted(at for at in {*then, *now} if within(at, touches))
    return [(at, then.get(at), now.get(at)) for at in cells if then.get(at) != now.get(at)]


def history(trace: Trace, cell: str, until: int) -> list[tuple[Step, Value, Value]]:
    """Every step up to `until` that wrote a cell, the last one first, with what the cell was and what it became."""
    return [
        (step, old, new)
        for step in reversed(trace.steps[:until])
        for at, old, new in reversed((*step.writes, *step.derived))
        if at == cell
    ]


def cells_of(trace: Trace) -> set[str]:
    """Every cell that is there at some step."""
    written = {at for step in trace.steps for at, _, _ in (*step.writes, *step.derived)}
    return {*trace.initial, *written}
