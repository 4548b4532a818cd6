"""Every way a scenario can go, asked one question: does a property hold, whoever runs when?

A depth-first search over the states of one machine (engine/moves.py). Where a private step can be made, only it is
tried (engine/reduction.py). What it finds is a way, not yet the shortest: engine/witness.py looks for that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

from engine.claims import Property
from engine.machine import Machine
from engine.moves import Move, Moves
from engine.reduction import Futures, Outside
from engine.symmetry import Symmetry, renamings
from engine.telling import Told, hears
from engine.tour import GLANCE, Report, Standing, Tour, key_of

STATE_BYTES = 260
"""What a state takes in memory while a search goes on: its key, and its places in two tables (measured)."""
WAYS, LONGEST_WAY = 20, 2_000
"""How many ways are gone at random beforehand, and how far."""
MOST_JUDGED = 1 << 16
"""So many judgements of states are remembered."""


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


class Search:
    """A search of one machine for one property."""

    def __init__(  # noqa: PLR0913 - what is asked, of what, and how far to go
        self,
        machine: Machine,
        prop: Property,
        budget: Budget = Budget(),
        *,
        reduced: bool = True,
        symmetric: bool = True,
        wanted: int = 1,
        progress: Callable[[Report], bool] | None = None,
    ) -> None:
        """`wanted`: after so many different ways it ends. `progress` says whether to go on.

        `symmetric`: of equal tasks, if there are any, it does not matter who is who.
        """
        self.machine, self.prop, self.budget = machine, prop, budget
        others = renamings(machine) if symmetric and reduced else ()
        self.symmetry = Symmetry(machine, others) if others else None
        self.moves = Moves(machine, prop.shows if prop.fields else None, others)
        self.futures = Futures(self.moves)
        self.tasks = tuple(machine.tasks.values())
        self.world = frozenset(name for name, task in machine.scenario.tasks.items() if task.on_call)
        self.reduced, self.wanted, self.progress = reduced, wanted, progress
        self.again = 0
        """How often a search was begun again, because a footprint was larger than it seemed."""
        self._given_up = Report()
        """The longest of the walks before."""
        self._judged: dict[int, str] = {}
        self._began = time.monotonic()

    # -- one state ----------------------------------------------------------------------------------------------------

    def standing(self) -> Standing:
        """Where all tasks stand now."""
        nowhere = (None,) * len(self.tasks)
        return self._ask(Standing(nowhere, nowhere, (0,) * len(self.tasks)), range(len(self.tasks)))

    def after(self, before: Standing, move: Move) -> Standing:
        """Where they stand when a move is made: those are asked that it concerns."""
        changes = self.futures.footprints.of(move).changes
        return self._ask(before, [place for place, looks in enumerate(before.looks) if looks & changes])

    def _ask(self, before: Standing, asked: Iterable[int]) -> Standing:
        moves, places, looks = list(before.moves), list(before.places), list(before.looks)
        for each in asked:
            task = self.tasks[each]
            moves[each] = move = self.moves.of(task)
            places[each] = self.futures.place(task, move)
            looks[each] = self.futures.note(task, move)
            if self.symmetry is not None and move is not None:
                self.symmetry.watch(self.moves, move)
        return Standing(moves, places, looks)

    def key(self, told: Told, move: Move | None = None) -> int:
        """The key of the state, or of that behind a move that does not show; one, whatever the names of equal tasks."""
        key = key_of(self.moves.key ^ move.change if move else self.moves.key, told)
        if self.symmetry is None or not self.symmetry.holds:
            return key
        mirrors = self.moves.mirrors
        if move is not None:
            mirrors = [mirror ^ change for mirror, change in zip(mirrors, move.mirrors, strict=True)]
        named = zip(mirrors, self.symmetry.others, strict=True)
        return min(key, *[key_of(mirror, other.told(told)) for mirror, other in named])

    def enabled(self, standing: Standing) -> list[Move]:
        """What may happen now, panics among it. Once the world has begun to do something it is not interrupted."""
        found = []
        for move in standing.moves:
            if move is not None and move.blocked_on is None:
                if move.task in self.world and self._is_inside(move.task):
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
        report = Report()
        while True:
            tour = Tour(self, report.found)
            report = tour.run()
            report.begun = self.again + 1
            done = report.stopped or len(report.found) >= self.wanted or not self.reduced
            if done or not (tour.refuted or self.futures.refuted()):
                return self.so_far(report) if report.stopped else report
            self.begin_again(report)

    def begin_again(self, report: Report) -> None:
        """A walk is given up: a step that was tried alone should not have been, or tasks are not equal."""
        self.again += 1
        if report.states > self._given_up.states:
            self._given_up = report

    def so_far(self, report: Report) -> Report:
        """How far the search got: the longest walk counts, with all that was found."""
        if report.states >= self._given_up.states:
            return report
        return replace(self._given_up, found=report.found, stopped=report.stopped, begun=report.begun)

    def goes_on(self, report: Report) -> bool:
        """Tell how far it is; whether to go on."""
        return self.progress is None or self.progress(self.so_far(report))

    def look_ahead(self) -> None:
        """Go some ways to their ends at random, always the same, to learn what tasks touch."""
        choose = Random(2004)  # noqa: S311 - the same ways every time
        for _ in range(WAYS):
            made: list[Move] = []
            standing = self.standing()
            while len(made) < LONGEST_WAY:
                able = [move for move in self.enabled(standing) if move.panic is None]
                if not able:
                    break
                made.append(choose.choice(able))
                self.moves.make(made[-1])
                standing = self.after(standing, made[-1])
            while made:
                self.moves.unmake(made.pop())

    def ample(
        self, moves: Sequence[Move], standing: Standing, on_path: Collection[int], told: Told
    ) -> tuple[Sequence[Move], Outside | None]:
        """The moves that have to be tried here: one alone if it is private, invisible and leads out of the path.

        With such a one comes what others may do meanwhile.
        """
        if self.reduced and len(moves) > 1:
            for move in moves:
                if self.is_quiet(move) and self.key(told, move) not in on_path:
                    outside = self.futures.outside(move.task, standing.places)
                    if self.futures.is_private(move, outside):
                        return [move], outside
        return moves, None

    def is_quiet(self, move: Move) -> bool:
        """Whether a move may be tried alone, if it is private: nothing of it shows, and it is not the world's."""
        return move.is_step and not move.part and move.task not in self.world

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
