"""Which steps need not be tried in every order: partial-order reduction from footprints and ownership.

A task's future is what it may touch from where it stands: a graph of its places (script line and stack), each with what
its steps there were seen to look at and to write. A step is private while the futures of all other tasks have nothing
to do with it: it commutes with whatever they do, so it alone has to be tried where it can be made. The graphs are
learned on the way. Decisions that a graph refutes in the end make the search begin again, wiser.
(Clarke, Grumberg, Peled: Model Checking, ch. 10; the conditions C0 to C3 for ample sets.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.objects.task import DONE, KILLED

if TYPE_CHECKING:
    from engine.moves import Move, Moves
    from engine.objects.task import Task

_OVER = (DONE, KILLED)
Place = tuple[str, int, int]
"""Where a task stands: its name, the number of its stack, its script line."""


@dataclass(slots=True)
class _Spot:
    """What a task was seen to do at a place: what it touches there, and where it comes to."""

    looks: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    onward: set[Place] = field(default_factory=set)
    everything: bool = False


Future = tuple[frozenset[str], frozenset[str]] | None
"""The cells that a task may still look at, and those that it may still write. None: all of them."""


class Futures:
    """What each task may still touch, from wherever it stands."""

    def __init__(self, moves: Moves) -> None:
        """Nothing was seen yet."""
        self.moves, self._cells = moves, moves.machine.journal.cells
        self._spots: defaultdict[Place, _Spot] = defaultdict(_Spot)
        self._noted: set[tuple[Move, int]] = set()
        self._futures: dict[Place, Future] = {}
        self._private: dict[tuple[Move, Place], bool] = {}

    def place(self, task: Task, move: Move | None) -> Place | None:
        """Where a task stands, given its next move; None if it has none any more. A resting thread stands at 0."""
        if move is not None:
            return task.task, move.stack, self._cells.get(task.addresses["line"], 0)
        return None if self._cells.get(task.rests_by[1]) in _OVER else (task.task, 0, 0)

    def note(self, task: Task, move: Move) -> None:
        """Learn from a move that can be made now, or has to wait, when it is met on a line for the first time."""
        line = self._cells.get(task.addresses["line"], 0)
        spot = self._spots[task.task, move.stack, line]
        if spot.everything or (move, line) in self._noted:
            return
        if move.remembered:
            self._noted.add((move, line))
        else:
            spot.everything = True
        spot.looks.update(map(str, move.looks))
        spot.looks.update(task.rests_by)
        spot.writes.update(at for at, _, _ in move.writes)
        spot.writes.update(tables(move))
        spot.onward.add(self._behind(task, move, line))
        self._spots[task.task, 0, 0].onward.add((task.task, move.stack, line))

    def _behind(self, task: Task, move: Move, line: int) -> Place:
        """Where a task stands after a move."""
        stack, at = self._cells.get(task.rests_by[0]), task.addresses["line"]
        for cell, _, new in move.writes:
            if cell == task.rests_by[0]:
                stack = new
            elif cell == at:
                line = new or 0
        return task.task, self.moves.number(task, stack), line

    def is_private(self, move: Move, others: Iterable[Place]) -> bool:
        """Whether none of these futures has to do with what a move touches."""
        if not move.remembered:
            return False
        private = self._private
        for place in others:
            if place[0] != move.task:
                known = private.get((move, place))
                if known is None:
                    known = private[move, place] = apart(move, self.of(place))
                if not known:
                    return False
        return True

    def of(self, place: Place) -> Future:
        """What a task may touch from a place on, as far as is known."""
        if place not in self._futures:
            self._futures[place] = self._work_out(place)
        return self._futures[place]

    def _work_out(self, place: Place) -> Future:
        looks, writes, seen, waiting = set[str](), set[str](), {place}, [place]
        while waiting:
            spot = self._spots[waiting.pop()]
            if spot.everything:
                return None
            looks |= spot.looks
            writes |= spot.writes
            new = spot.onward - seen
            seen |= new
            waiting += new
        return frozenset(looks), frozenset(writes)

    def refuted(self) -> bool:
        """Whether a step was taken for private that is not, as far as is known now. Then only the graphs are kept."""
        now = {place: self._work_out(place) for place in self._futures}
        wrong = any(known and not apart(move, now[place]) for (move, place), known in self._private.items())
        self._futures = now
        if wrong:
            self._private.clear()
        return wrong


def apart(move: Move, future: Future) -> bool:
    """Whether a move and a future have nothing to do with each other: neither writes what the other touches."""
    if future is None:
        return False
    looks, writes = future
    if not writes.isdisjoint(map(str, move.looks)):
        return False
    written = [at for at, _, _ in move.writes]
    return writes.isdisjoint(written) and looks.isdisjoint(written) and looks.isdisjoint(tables(move))


def tables(move: Move) -> Sequence[str]:
    """The tables that have an entry more or less after a move: it matters to who goes through all of them."""
    found = []
    for at, old, new in move.writes:
        if old is None or new is None:
            thing, _, name = at.rpartition("/")
            found.append(f"{thing}/*.{name.rpartition('.')[2]}")
    return found
