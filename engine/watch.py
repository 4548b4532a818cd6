"""Watching a run for broken invariants: which broke at which step, and which step mended it.

A clause is judged again only when a step has written one of the cells it depends on, and as soon as it can be judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.properties import INVARIANTS, Clause
from engine.trace import Breach, Violation

if TYPE_CHECKING:
    from engine.journal import Write
    from engine.machine import Machine

_CLAUSES = tuple(clause for invariant in INVARIANTS.values() for clause in invariant.clauses)
_BY_FIELD = {
    field: tuple(place for place, clause in enumerate(_CLAUSES) if field in clause.fields)
    for field in sorted({field for clause in _CLAUSES for field in clause.fields})
}
Where = tuple[int, str, str]
"""What a breach is known by while it lasts: the clause, the cell, the level of alarm."""


class Watch:
    """Follows the invariants of one machine. `after` is told of each step."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._due: set[int] = set()
        self._open: dict[Where, int] = {}
        self._breaches: list[Breach] = []

    def after(self, step: int, writes: Iterable[Write]) -> None:
        """Judge what the writes of a step may have changed."""
        due = self._due
        for at, _, _ in writes:
            due.update(_BY_FIELD.get(at[at.rfind(".") + 1 :], ()))
        for place in sorted(due):
            clause = _CLAUSES[place]
            if clause.judged(self._machine):
                due.discard(place)
                self._judge(place, clause, step)

    def _judge(self, place: int, clause: Clause, step: int) -> None:
        found = {(place, each.where, each.level): each for each in clause.find(self._machine)}
        for key in [key for key in self._open if key[0] == place and key not in found]:
            number = self._open.pop(key)
            before = self._breaches[number]
            self._breaches[number] = Breach(before.violation, before.first, step)
        for key, violation in found.items():
            if key not in self._open:
                self._open[key] = len(self._breaches)
                self._breaches.append(Breach(violation, step))

    @property
    def now(self) -> list[Violation]:
        """What is broken, as far as it was judged."""
        return [self._breaches[number].violation for number in self._open.values()]

    def breaches(self) -> tuple[Breach, ...]:
        """All that broke so far, in order of steps."""
        return tuple(self._breaches)
