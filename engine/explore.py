"""Every way a scenario can go, asked one question: does a property hold, whoever runs when?

A depth-first search over the states of one machine (engine/moves.py). Where a private step can be made, only it is
tried (engine/reduction.py); of loops that nobody can leave it says how many there are, found as strongly connected
components (Tarjan 1972). What it finds is a way, not yet the shortest: engine/witness.py looks for that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from random import Random

from engine.claims import Property
from engine.errors import Panic
from engine.journal import zobrist
from engine.machine import Machine
from engine.moves import Move, Moves
from engine.reduction import Futures, Place
from engine.telling import Told, hears

STATE_BYTES = 260
"""What a state takes in memory while a search goes on: its key, and its places in two tables (measured)."""
GLANCE = 256
"""After so many states the clock is looked at, and progress is told."""
WAYS, LONGEST_WAY = 20, 2_000
"""How many ways are gone at random beforehand, and how far."""
MOST_JUDGED = 1 << 16
"""So many judgements of states are remembered."""
NOBODY: Told = frozenset()


@dataclass(frozen=True, slots=True)
class Budget:
    """How far a search may go: distinct states, seconds of time, bytes of memory (estimated from the states)."""

    states: int = 1_000_000
    seconds: float = 60.0
    memory: int = 512 << 20

    @property
    def most(self) -> int:
        """The states that fit."""
        return min(self.states, self.memory // STATE_BYTES)


@dataclass(frozen=True, slots=True)
class Found:
    """A way to break a property (or to do what it asks for): the moves from the beginning, and what is wrong then.

    Ways are different where what they come to is told in other words.
    """

    moves: tuple[Move, ...]
    says: str


@dataclass(slots=True)
class Report:
    """What a search met. `stopped` says why it is incomplete: states, seconds, memory, or asked to.

    `broken_ends` are those of the ends at which something is wrong.
    """

    states: int = 0
    transitions: int = 0
    ends: int = 0
    broken_ends: int = 0
    panics: int = 0
    endless: int = 0
    begun: int = 0
    found: list[Found] = field(default_factory=list)
    stopped: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything was seen."""
        return not self.stopped


class Search:
    """A search of one machine for one property."""

    def __init__(  # noqa: PLR0913 - what is asked, of what, and how far to go
        self,
        machine: Machine,
        prop: Property,
        budget: Budget = Budget(),
        *,
        reduced: bool = True,
        wanted: int = 1,
        progress: Callable[[Report], bool] | None = None,
    ) -> None:
        """`wanted`: after so many different ways it ends. `progress` says whether to go on."""
        self.machine, self.prop, self.budget = machine, prop, budget
        self.moves = Moves(machine, prop.shows if prop.fields else None)
        self.futures = Futures(self.moves)
        self.places: list[Place] = []
        """Where the tasks stand in the state that was looked at last."""
        self.tasks = tuple(machine.tasks.values())
        self.world = frozenset(name for name, task in machine.scenario.tasks.items() if task.on_call)
        self.reduced, self.wanted, self.progress = reduced, wanted, progress
        self.again = 0
        """How often a search was begun again, because a footprint was larger than it seemed."""
        self._judged: dict[int, str] = {}
        self._began = time.monotonic()

    # -- one state ----------------------------------------------------------------------------------------------------

    def enabled(self) -> list[Move]:
        """What may happen now, panics among it. Once the world has begun to do something it is not interrupted."""
        found, self.places = [], []
        for task in self.tasks:
            move = self.moves.of(task)
            if (place := self.futures.place(task, move)) is not None:
                self.places.append(place)
            if move is None:
                continue
            self.futures.note(task, move)
            if move.blocked_on is None:
                if task.task in self.world and self._is_inside(task.task):
                    return [move]
                found.append(move)
        return found

    def is_end(self, moves: Collection[Move]) -> bool:
        """Whether nobody has to go on: what the world may still do, it need not."""
        return all(move.task in self.world and not self._is_inside(move.task) for move in moves)

    def judge(self, move: Move, told: Told) -> tuple[str, Told]:
        """What is wrong just after a move, and who was told by then. Only of a move that shows."""
        prop, machine = self.prop, self.machine
        if not move.part:
            return "", told
        says = prop.at_step(machine, move.writes, told) if prop.at_step else ""
        if prop.at_state and not says:
            says = self._judge_state(prop.at_state)
        return says, hears(machine, move.writes, told)[0] if prop.listens else told

    def _judge_state(self, at_state: Callable[[Machine], str]) -> str:
        """What is wrong now, remembered by all that it depends on."""
        judged, part = self._judged, self.moves.part
        says = judged.get(part)
        if says is None:
            if len(judged) >= MOST_JUDGED:
                judged.clear()
            says = judged[part] = at_state(self.machine)
        return says

    def judge_end(self, told: Told) -> str:
        """What is wrong at an end."""
        return self.prop.at_end(self.machine, told) if self.prop.at_end else ""

    def _is_inside(self, task: str) -> bool:
        return self.machine.journal.cells.get(f"task/{task}.stack") is not None

    # -- all of them --------------------------------------------------------------------------------------------------

    def run(self) -> Report:
        """Search until everything was seen, enough was found, or the budget is spent."""
        if self.reduced:
            self.look_ahead()
        while True:
            report = Tour(self).run()
            report.begun = self.again + 1
            if report.stopped or len(report.found) >= self.wanted or not self.reduced or not self.futures.refuted():
                return report
            self.again += 1

    def look_ahead(self) -> None:
        """Go some ways to their ends at random, always the same, to learn what tasks touch."""
        choose = Random(2004)  # noqa: S311 - the same ways every time
        for _ in range(WAYS):
            made: list[Move] = []
            while len(made) < LONGEST_WAY:
                able = [move for move in self.enabled() if move.panic is None]
                if not able:
                    break
                made.append(choose.choice(able))
                self.moves.make(made[-1])
            while made:
                self.moves.unmake(made.pop())

    def ample(self, moves: list[Move], on_path: Collection[int], key: int) -> list[Move]:
        """The moves that have to be tried here: one alone if it is private, invisible and leads out of the path."""
        if not self.reduced or len(moves) < 2:
            return moves
        for move in moves:
            if move.panic is not None or move.task in self.world or move.part:
                continue
            if key ^ move.change not in on_path and self.futures.is_private(move, self.places):
                return [move]
        return moves

    def spent(self, states: int) -> str:
        """Which part of the budget is used up, if one is."""
        if states >= self.budget.most:
            return "states" if self.budget.states <= self.budget.most else "memory"
        return "seconds" if states % GLANCE == 0 and self.is_late() else ""

    def is_late(self) -> bool:
        """Whether the time is up."""
        return self.left() < 0

    def left(self) -> float:
        """The seconds that are left."""
        return self._began + self.budget.seconds - time.monotonic()


class Tour:
    """One depth-first walk of a search, from the beginning."""

    def __init__(self, search: Search) -> None:
        """Nothing is seen yet."""
        self.search, self.moves, self.report = search, search.moves, Report()
        self.index: dict[int, int] = {}
        """When each state was met, by its key."""
        self.on_path: set[int] = set()
        self.open: list[int] = []
        """States whose component is not known yet, in the order in which they were met."""
        self.unsettled: set[int] = set()
        self.path: list[Move] = []
        self.found: set[str] = set()

    def run(self) -> Report:
        """Go on until there is a reason to stop; the machine is then where it was."""
        self._walk([self._enter(NOBODY)])
        while self.path:
            self.moves.unmake(self.path.pop())
        self.report.states = len(self.index)
        return self.report

    def _walk(self, frames: list[Frame]) -> None:
        """Go on from the last of these frames until none is left, or there is a reason to stop."""
        report = self.report
        while frames and not report.stopped and len(report.found) < self.search.wanted:
            frame = frames[-1]
            if frame.left:
                child = self._follow(frame, frame.left.pop())
                if child is not None:
                    frames.append(child)
                continue
            frames.pop()
            self._leave(frame, frames[-1] if frames else None)

    def _enter(self, told: Told) -> Frame:
        """Come to a new state: what can be done here, and whether it is an end."""
        key = key_of(self.moves.key, told)
        self.index[key] = place = len(self.index)
        self.open.append(key)
        self.unsettled.add(key)
        self.on_path.add(key)
        self._look_around(place + 1)
        moves = self.search.enabled()
        end = self.search.is_end(moves)
        if end:
            self.report.ends += 1
            says = self.search.judge_end(told)
            self.report.broken_ends += bool(says)
            self._note(says)
        left = self.search.ample(moves, self.on_path, key)
        return Frame(key, told, left[::-1], place, out=end)

    def _follow(self, frame: Frame, move: Move) -> Frame | None:
        """Try a move; the frame of the state behind it, if that is new."""
        self.report.transitions += 1
        if move.panic is not None:
            self._panic(move.panic)
            frame.out = True
            return None
        self.moves.make(move)
        self.path.append(move)
        says, told = self.search.judge(move, frame.told)
        key = key_of(self.moves.key, told)
        self._note(says)
        if key not in self.index:
            return self._enter(told)
        if key in self.unsettled:
            frame.low = min(frame.low, self.index[key])
        else:
            frame.out = True
        self.moves.unmake(self.path.pop())
        return None

    def _leave(self, frame: Frame, above: Frame | None) -> None:
        """All was tried here: if this state is the first of its component, that is complete."""
        self.on_path.discard(frame.key)
        if frame.low == self.index[frame.key]:
            while self.open[-1] != frame.key:
                self.unsettled.discard(self.open.pop())
            self.unsettled.discard(self.open.pop())
            self.report.endless += not frame.out
            if above is not None:
                above.out = True
        elif above is not None:
            above.low, above.out = min(above.low, frame.low), above.out or frame.out
        if self.path:
            self.moves.unmake(self.path.pop())

    def _note(self, says: str) -> None:
        if says and says not in self.found:
            self.found.add(says)
            self.report.found.append(Found(self._way(), says))

    def _way(self) -> tuple[Move, ...]:
        """The moves from the beginning to here."""
        return tuple(self.path)

    def _panic(self, panic: Panic) -> None:
        """The machine stops in the middle of a step, if this kernel is known to do that."""
        if not self.search.machine.kernel.defects:
            raise panic
        self.report.panics += 1

    def _look_around(self, states: int) -> None:
        self.report.stopped = self.search.spent(states)
        if states % GLANCE == 0 and self.search.progress is not None:
            self.report.states = states
            if not self.search.progress(self.report):
                self.report.stopped = "asked to"


def key_of(key: int, told: Told) -> int:
    """The key of a state in which somebody was told of something."""
    return key ^ zobrist("told", tuple(sorted(told))) if told else key


@dataclass(slots=True)
class Frame:
    """A state on the path: the moves left to try, the earliest open state it leads back to, whether a way leads out."""

    key: int
    told: Told
    left: list[Move]
    low: int
    out: bool
