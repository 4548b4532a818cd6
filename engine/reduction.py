"""Which steps need not be tried in every order: partial-order reduction from footprints and ownership.

A task's future is what it may touch from where it stands: a graph of its places (script line and stack), each with what
its steps there were seen to look at and to write. A step of a task is private if it has nothing to do with all that the
others may do before it: it commutes with that, so it alone has to be tried where it can be made.

Before it, its task stands still. So who waits for a lock that this task holds, or for a thread that rests, comes no
further, and what lies behind is left out of the others' futures. That holds as long as none of them writes what is
waited for; where one may, the waiting is taken for over.

The graphs are learned on the way. Decisions that a graph refutes in the end make the search begin again, wiser.
(Clarke, Grumberg, Peled: Model Checking, ch. 10; the conditions C0 to C3 for ample sets.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from engine.footprints import EVERYTHING, Footprints
from engine.moves import Node
from engine.objects.task import DONE, KILLED

if TYPE_CHECKING:
    from engine.moves import Move, Moves
    from engine.objects.task import Task

_OVER = (DONE, KILLED)
Place = tuple[str, int, int]
"""Where a task stands: its name, the number of its stack (0: it rests), its script line."""


@dataclass(slots=True)
class _Spot:
    """What a task was seen to do at a place: what it touches there, and where it comes to."""

    looks: int = 0
    writes: int = 0
    onward: set[Place] = field(default_factory=set)


@dataclass(frozen=True, slots=True, eq=False)
class Future:
    """The cells that a task may still look at, those that it may write, and those that it is taken to wait for.

    `spots` are the places that this was read from.
    """

    looks: int
    writes: int
    waits: int
    spots: frozenset[Place] = frozenset()


Gates = Mapping[str, Any]
"""Cells for which somebody may have to wait, and what they hold."""
_UNKNOWN = object()
_Situation = tuple[tuple[Place, ...], tuple[str, ...], tuple[Any, ...]]
"""Where the others stand, the gates before them, and what those hold."""


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """What others may do while a task stands still, and the moves of it that were found private by that.

    It is still true after such a move, unless that writes one of the cells for which somebody waits. `parts` are the
    futures of the others, one by one.
    """

    future: Future
    parts: tuple[Future, ...]
    relied: set[Move] = field(default_factory=set)


class Futures:
    """What each task may still touch, from wherever it stands."""

    knows_waits = True
    """Whether it is taken into account at which steps who waits for what; of threads that rest it always is."""

    def __init__(self, moves: Moves) -> None:
        """Nothing was seen yet."""
        self.moves, self._cells = moves, moves.machine.journal.cells
        self.footprints = Footprints()
        tasks = moves.machine.tasks
        self._own = {name: _own(task) for name, task in tasks.items()}
        self._rests = {name: self.footprints.mask(task.rests_by) for name, task in tasks.items()}
        self._woken = {name: self.footprints.mask(task.rests_by[1:]) for name, task in tasks.items()}
        self._spots: defaultdict[Place, _Spot] = defaultdict(_Spot)
        self._noted: dict[tuple[Move, int], int] = {}
        self._grown: set[Place] = set()
        """The places of which more is known since it was last asked whether a decision is refuted."""
        self._outside: dict[_Situation, Outside] = {}
        """What was decided, and must not be refuted."""
        self._work_out_anew()

    def _work_out_anew(self) -> None:
        """What follows from the graphs is worked out when it is asked for."""
        self._gates_at: dict[tuple[str, int], frozenset[str]] = {}
        self._gates_of: dict[Place, tuple[str, ...]] = {}
        self._gates_on: dict[tuple[Place, ...], tuple[str, ...]] = {}
        self._futures: dict[tuple[Place, tuple[Any, ...], int], Future] = {}

    # -- learning -----------------------------------------------------------------------------------------------------

    def place(self, task: Task, move: Move | None) -> Place | None:
        """Where a task stands, given its next move; None if it has none any more. A resting thread stands at 0."""
        if move is not None:
            return task.task, move.stack, self._cells.get(task.addresses["line"], 0)
        return None if self._cells.get(task.rests_by[1]) in _OVER else (task.task, 0, 0)

    def note(self, task: Task, move: Move | None) -> int:
        """Learn from a move that can be made now, or has to wait. The cells on which a task's next step depends."""
        rests = self._rests[task.task]
        if move is None:
            return rests
        line = self._cells.get(task.addresses["line"], 0)
        known = self._noted.get((move, line))
        if known is not None:
            return known
        place = task.task, move.stack, line
        looks, _, changes = self.footprints.of(move)
        self._grow(place, looks | rests, changes if move.remembered else EVERYTHING, self._behind(task, move, line))
        self._grow((task.task, 0, 0), 0, 0, place)
        if move.remembered:
            self._noted[move, line] = looks | rests
        return looks | rests

    def _grow(self, place: Place, looks: int, writes: int, onward: Place) -> None:
        """More is known of a place. Where it is on the way to a wait, any step counts, for it may be none."""
        spot = self._spots[place]
        known = spot.looks | looks == spot.looks and spot.writes | writes == spot.writes and onward in spot.onward
        if not known or self._gates_at.get(place[:2]):
            self._grown.add(place)
            spot.looks |= looks
            spot.writes |= writes
            spot.onward.add(onward)

    def _behind(self, task: Task, move: Move, line: int) -> Place:
        """Where a task stands after a move."""
        stack, at = self._cells.get(task.rests_by[0]), task.addresses["line"]
        for cell, _, new in move.writes:
            if cell == task.rests_by[0]:
                stack = new
            elif cell == at:
                line = new or 0
        return task.task, self.moves.number(task, stack), line

    # -- deciding -----------------------------------------------------------------------------------------------------

    def outside(self, task: str, places: Iterable[Place | None]) -> Outside:
        """What all others may do before a task goes on."""
        standing, cells = tuple([place for place in places if place is not None and place[0] != task]), self._cells
        gates = self._gates_on.get(standing)
        if gates is None:
            found = {at for place in standing for at in self._gates(place)}
            gates = self._gates_on[standing] = tuple(sorted(found))
        key = standing, gates, tuple([cells.get(at) for at in gates])
        outside = self._outside.get(key)
        if outside is None:
            outside = self._outside[key] = self._others(*key)
        return outside

    def is_private(self, move: Move, outside: Outside) -> bool:
        """Whether a move has nothing to do with what others may do: neither writes what the other touches."""
        private = self._is_apart(move, outside.future)
        if private:
            outside.relied.add(move)
        return private

    def refuted(self) -> bool:
        """Whether a step was taken for private that is not, as far as is known now. Then only the graphs are kept."""
        old = {id(future) for future in self._futures.values() if not future.spots.isdisjoint(self._grown)}
        self._grown.clear()
        self._futures = {key: future for key, future in self._futures.items() if id(future) not in old}
        for key, outside in self._outside.items():
            if old.isdisjoint(map(id, outside.parts)):
                continue
            now = self._outside[key] = self._others(*key)
            if not all(self.is_private(move, now) for move in outside.relied):
                self.forget()
                return True
        return False

    def forget(self) -> None:
        """Take nothing for granted any more; the graphs are kept."""
        self._outside.clear()
        self._work_out_anew()

    def _is_apart(self, move: Move, future: Future) -> bool:
        looks, writes, changes = self.footprints.of(move)
        return not future.writes & (looks | writes) and not future.looks & changes

    def _others(self, standing: Iterable[Place], gates: Iterable[str], held: Iterable[Any]) -> Outside:
        """All that others may touch. Where one of them may write a gate, nobody is taken to wait for it."""
        values, opened = dict(zip(gates, held, strict=True)), 0
        while True:
            looks = writes = waits = 0
            parts = tuple([self._future(place, values, opened) for place in standing])
            for part in parts:
                looks, writes, waits = looks | part.looks, writes | part.writes, waits | part.waits
            if not writes & waits:
                return Outside(Future(looks, writes, waits), parts)
            opened |= writes & waits

    def _future(self, place: Place, gates: Gates, opened: int) -> Future:
        """What a task may touch from a place on, as far as is known, while these gates hold what they hold."""
        key = place, tuple([gates.get(at, _UNKNOWN) for at in self._gates(place)]), opened
        found = self._futures.get(key)
        if found is None:
            found = self._futures[key] = self._work_out(place, gates, opened)
        return found

    def _work_out(self, place: Place, gates: Gates, opened: int) -> Future:
        looks, writes, waits, seen, to_go = 0, 0, 0, {place}, [place]
        while to_go:
            here = to_go.pop()
            waiting = self._waits(here, gates)
            if waiting and not waiting & opened:
                waits |= waiting
                continue
            spot = self._spots[here]
            looks |= spot.looks
            writes |= spot.writes
            new = spot.onward - seen
            seen |= new
            to_go += new
        return Future(looks, writes, waits, frozenset(seen))

    # -- waiting ------------------------------------------------------------------------------------------------------

    def _waits(self, place: Place, gates: Gates) -> int:
        """The cells, if any, that keep a task waiting at a place as long as they do not change."""
        task, number, _ = place
        if not number:
            return self._woken[task]
        if not self._gates_before(task, number):
            return 0
        return self._blocked(self.moves.root(task, number), place, gates) or 0

    def _blocked(self, node: Any, place: Place, gates: Gates) -> int | None:
        """The cells by which all that is known below a node is a wait; None if something is not."""
        if not isinstance(node, Node):
            return 0 if node is not None and node.blocked_on is not None else None
        at = node.looks_at
        if at in self._own[place[0]]:
            below = [self._blocked(each, place, gates) for each in node.answers.values()]
            return None if None in below or not below else reduce(or_, below)
        value = gates.get(at, _UNKNOWN) if isinstance(at, str) else _UNKNOWN
        if not isinstance(at, str) or value not in node.answers:
            return None
        found = self._blocked(node.answers[value], place, gates)
        return None if found is None else found | self.footprints.mask([at])

    def _gates(self, place: Place) -> tuple[str, ...]:
        """The cells for which a task may ever have to wait from a place on."""
        found = self._gates_of.get(place)
        if found is None:
            seen, to_go = {place}, [place]
            while to_go:
                new = self._spots[to_go.pop()].onward - seen
                seen |= new
                to_go += new
            every = {at for task, number, _ in seen if number for at in self._gates_before(task, number)}
            found = self._gates_of[place] = tuple(sorted(every))
        return found

    def _gates_before(self, task: str, number: int) -> frozenset[str]:
        """The cells on which it depends whether a step waits."""
        if not self.knows_waits:
            return frozenset()
        found = self._gates_at.get((task, number))
        if found is None:
            found = self._gates_at[task, number] = frozenset(
                _gates_below(self.moves.root(task, number), self._own[task]) or ()
            )
        return found


def _own(task: Task) -> frozenset[str]:
    """The cells of a task that nobody else writes."""
    return frozenset(task.addresses[field] for field in ("stack", "line", "locks"))


def _gates_below(node: Any, own: Collection[str]) -> set[str] | None:
    """The cells that are looked at on the ways to a wait; None if there is no wait below a node."""
    if not isinstance(node, Node):
        return set() if node is not None and node.blocked_on is not None else None
    below = [each for each in (_gates_below(each, own) for each in node.answers.values()) if each is not None]
    if not below or not isinstance(node.looks_at, str):
        return None
    found = set[str]().union(*below)
    return found if node.looks_at in own else found | {node.looks_at}
