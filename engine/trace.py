"""What running a scenario gives: plain frozen data. Values are in wire form (engine.values.show)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.schedule import Schedule

Value = int | str | bool | None
Delta = tuple[str, Value, Value]


@dataclass(frozen=True, slots=True)
class FateChange:
    """A store's fate changed: from what to what (None: not made yet), and why, in a sentence."""

    store: str
    old: str | None
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """One atomic step. `writes` are the journal's; `derived` follows from them: fates, who was told, who waits.

    `n` counts from 1, `line` is the script line (1-based; 0 for the kernel's own tasks), `event` names the step.
    """

    n: int
    task: str
    function: str
    name: str
    caption: str
    line: int
    answer: str | None
    reads: tuple[str, ...]
    writes: tuple[Delta, ...]
    derived: tuple[Delta, ...]
    fates: tuple[FateChange, ...]
    event: str


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """One write by a program and what became of it. Byte range in the file, or in the address space (file None)."""

    id: str
    task: str
    line: int
    file: str | None
    start: int
    stop: int
    text: str
    accepted: int
    refused: str | None
    fate: str
    told: str | None


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold: its id, the address of the cell that is wrong, what is and what should be.

    `level` is that of an alarm about data: yellow, orange or red.
    """

    invariant: str
    where: str
    found: str
    wanted: str
    level: str = ""

    def __str__(self) -> str:
        alarm = f" ({self.level})" if self.level else ""
        return f"{self.invariant} broken{alarm}: {self.found}; {self.wanted}."


@dataclass(frozen=True, slots=True)
class Breach:
    """A violation and how long it lasted: from after step `first` until step `last` mended it, None if none did."""

    violation: Violation
    first: int
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """A run: where it began, its steps, its outcome. `complete` is False where a limit cut it (see `notes`).

    `violations` are the invariants that broke, in order of steps; None where nobody watched.
    """

    scenario: str
    kernel: str
    schedule: Schedule
    initial: dict[str, Value]
    steps: tuple[Step, ...]
    stores: tuple[StoreInfo, ...]
    outcome: str
    notes: tuple[str, ...]
    complete: bool
    violations: tuple[Breach, ...] | None = None

    def state_at(self, n: int) -> dict[str, Value]:
        """Every cell after step n (0: before the first), derived ones included; cells that are not there are absent."""
        state = dict(self.initial)
        for step in self.steps[:n]:
            apply(state, step.writes)
            apply(state, step.derived)
        return state

    def find(self, event: str) -> int | None:
        """The number of the step with this event name."""
        return next((step.n for step in self.steps if step.event == event), None)


def apply(state: dict[str, Value], deltas: Iterable[Delta]) -> None:
    """Move a state forward by deltas."""
    for at, _, new in deltas:
        if new is None:
            state.pop(at, None)
        else:
            state[at] = new
