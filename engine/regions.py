"""A search cut into regions that can be walked apart from each other, and the walk of one, in a worker.

A program's line number never goes back, and who is over stays so. So the lines at which all programs are put the states
in an order: a region is the states with the same lines, a way that leaves it never comes back, and each strongly
connected component lies within one. A worker walks a region from where it is entered, a slice of time after the other,
and tells where ways leave it. A way is told as the numbers of the tasks that go on, a byte for each step.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from uuid import uuid4

from engine.claims import Property, find_property
from engine.errors import Panic
from engine.explore import Budget, Search
from engine.kernel import Kernel
from engine.kernels import find_kernel
from engine.lore import Lore, Shared
from engine.machine import Machine
from engine.moves import Move
from engine.objects.task import DONE, KILLED
from engine.offers import offered
from engine.scenario import Scenario
from engine.setup import build
from engine.telling import Told
from engine.tour import NOBODY, Frame, Report, Tour

OVER = (DONE, KILLED)
Region = tuple[int, ...]
"""At which line each program is; of one that is over, the line after its last."""
LOOK = 64
"""After so many states the clock is looked at."""
MOST_HELD = 4
"""Of so many searches a worker remembers what it has learned and seen; more were left by somebody who has died."""


class Regions:
    """Which region a state of a machine lies in.

    Where there would be more than `most`, only some programs are looked at: small regions are not worth the way to a
    worker.
    """

    def __init__(self, machine: Machine, most: int) -> None:
        """The same for every machine of a scenario."""
        self._cells = machine.journal.cells
        self._programs: list[tuple[str, str, int]] = []
        self._crossing: dict[Move, bool] = {}
        count = 1
        for task in machine.tasks.values():
            last = len(machine.programs[task.task]) + 1
            if task.process is not None and count * (last + 1) <= most:
                count *= last + 1
                self._programs.append((task.addresses["line"], task.addresses["state"], last))
        self._lines = {line for line, _, _ in self._programs}
        self._states = {state for _, state, _ in self._programs}

    def here(self) -> Region:
        """The region of the present state."""
        cells = self._cells
        return tuple(last if cells.get(state) in OVER else cells.get(line, 0) for line, state, last in self._programs)

    def crosses(self, move: Move) -> bool:
        """Whether a move leads from one region to another."""
        known = self._crossing.get(move)
        if known is None:
            known = any(
                at in self._lines or (at in self._states and new in OVER and old not in OVER)
                for at, old, new in move.writes
            )
            if move.remembered:
                self._crossing[move] = known
        return known


def is_before(one: Region, other: Region) -> bool:
    """Whether a way could lead from one region to another, or they are the same."""
    return all(a <= b for a, b in zip(one, other, strict=True))


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched for what, in a form that travels.

    `run` names this search alone, `round` says how often it was begun again, `most` how many regions there may be;
    `lore` is what is known at the beginning of the round, for who has not been told.
    """

    scenario: Scenario
    kernel: str | Kernel
    asked: str | Property
    offers: tuple[str, ...] = ()
    reduced: bool = True
    wanted: int = 1
    run: str = ""
    round: int = 0
    most: int = 64
    lore: Lore | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A slice of work in a region: new ways into it, how many more states and seconds it may take.

    `visit` counts the slices of this region from 0; `over` are regions that nobody comes to any more; `heard` is the
    `token` of what was heard last from the worker.
    """

    question: Question
    region: Region
    visit: int
    ways: tuple[bytes, ...]
    states: int
    seconds: float
    over: tuple[Region, ...]
    heard: str = ""


@dataclass(frozen=True, slots=True)
class Visited:
    """What a region has come to so far, and what is new since the last slice: ways out of it by region and key, lore.

    `lost`: the worker does not remember what it would have to, and has done nothing.
    """

    region: Region
    lost: bool = False
    done: bool = False
    report: Report = field(default_factory=Report)
    found: tuple[tuple[bytes, str], ...] = ()
    exits: tuple[tuple[Region, int, bytes], ...] = ()
    lore: Lore | None = None
    token: str = ""
    panic: Panic | None = None


class RegionTour(Tour):
    """The walk of one region, which can be interrupted and gone on with. The machine is at the beginning in between."""

    def __init__(self, search: Search, regions: Regions) -> None:
        """It was not entered yet."""
        super().__init__(search)
        self.regions = regions
        self.number = {task.task: number for number, task in enumerate(search.tasks)}
        self.visits = 0
        self._frames: list[Frame] = []
        self._waiting: list[bytes] = []
        self._base: list[tuple[Move, Told]] = []
        """The way into the region that is gone on from, with who was told by each of its moves."""
        self._trail = b""
        self._exits: list[tuple[Region, int, bytes]] = []
        self._left: set[int] = set()
        self._most, self._until = 0, 0.0

    def go_on(self, ways: Iterable[bytes], states: int, seconds: float) -> bool:
        """Walk for a slice; whether all was walked that can be reached by the ways so far."""
        self._waiting = sorted([*self._waiting, *ways], reverse=True)  # neighbours have much of their ways in common
        self._most, self._until = len(self.index) + states, time.monotonic() + seconds
        self.report.stopped = ""
        self.visits += 1
        for move in [*(move for move, _ in self._base), *self.path]:
            self.moves.make(move)
        while (self._frames or self._waiting) and not self.report.stopped and not self._has_enough():
            if not self._frames:
                self._arrive(self._waiting.pop())
            self._walk(self._frames)
        for move in [*reversed(self.path), *(move for move, _ in reversed(self._base))]:
            self.moves.unmake(move)
        self.report.states = len(self.index)
        return not self._frames and not self._waiting

    def news(self) -> tuple[tuple[tuple[bytes, str], ...], tuple[tuple[Region, int, bytes], ...]]:
        """What was found in the region so far, and the ways out of it that were not told yet."""
        found = tuple((self._spelt(each.moves), each.says) for each in self.report.found)
        exits, self._exits = tuple(self._exits), []
        return found, exits

    def _has_enough(self) -> bool:
        return len(self.report.found) >= self.search.wanted

    def _arrive(self, way: bytes) -> None:
        """Come to a state at which the region is entered, from the one before by what their ways have in common."""
        before = self._trail
        common = bisect_left(range(min(len(way), len(before))), 1, key=lambda at: way[: at + 1] != before[: at + 1])
        while len(self._base) > common:
            self.moves.unmake(self._base.pop()[0])
        told = self._base[-1][1] if self._base else NOBODY
        for number in way[common:]:
            move = self.moves.of(self.search.tasks[number])
            assert move is not None, "the same way has to lead to the same state"
            self.moves.make(move)
            told = self.search.judge(move, told)[1]
            self._base.append((move, told))
        self._trail = way
        if self.search.key(told) not in self.index:
            self._frames.append(self._enter(told, self.search.standing()))

    def _follow(self, frame: Frame, move: Move) -> Frame | None:
        if move.panic is not None or not self.regions.crosses(move):
            return super()._follow(frame, move)
        self.report.transitions += 1
        self.moves.make(move)
        self.path.append(move)
        says, told = self.search.judge(move, frame.told)
        self._note(says)
        key = self.search.key(told)
        if key not in self._left:
            self._left.add(key)
            self._exits.append((self.regions.here(), key, self._trail + self._spelt(self.path)))
        self.moves.unmake(self.path.pop())
        frame.out = True
        return None

    def _go_on(self, frame: Frame, move: Move) -> bool:
        if self.regions.crosses(move):
            self._follow(frame, move)
            return False
        return super()._go_on(frame, move)

    def _way(self) -> tuple[Move, ...]:
        return (*(move for move, _ in self._base), *self.path)

    def _spelt(self, moves: Iterable[Move]) -> bytes:
        return bytes([self.number[move.task] for move in moves])

    def _look_around(self, states: int) -> None:
        if states >= self._most:
            self.report.stopped = "states"
        elif states % LOOK == 0 and time.monotonic() > self._until:
            self.report.stopped = "seconds"


class _Held:
    """What a worker remembers of a search: what steps do, what was learned, and the regions it has walked in."""

    def __init__(self, question: Question) -> None:
        kernel, asked = question.kernel, question.asked
        world = offered(question.scenario, question.offers)
        machine = build(world, find_kernel(kernel) if isinstance(kernel, str) else kernel)
        prop = find_property(asked) if isinstance(asked, str) else asked
        self.search = Search(machine, prop, Budget(), reduced=question.reduced, symmetric=False, wanted=question.wanted)
        self.search.futures = self.futures = Shared(self.search.moves)
        self.regions, self.round, self.token = Regions(machine, question.most), -1, ""
        self.tours: dict[Region, RegionTour] = {}

    def visit(self, job: Visit) -> Visited:
        """Do a slice."""
        if not self._is_in(job.question):
            return Visited(job.region, lost=True)
        if job.heard != self.token:  # something that was told was not heard
            self.futures.tell_again()
        for region in job.over:
            self.tours.pop(region, None)
        if not job.visit:
            self.tours[job.region] = RegionTour(self.search, self.regions)
        tour = self.tours.get(job.region)
        if tour is None or tour.visits != job.visit:
            return Visited(job.region, lost=True)
        try:
            done = tour.go_on(job.ways, job.states, job.seconds)
        except Panic as panic:
            return Visited(job.region, panic=panic)
        found, exits = tour.news()
        counts = tour.report
        report = Report(
            counts.states, counts.transitions, counts.ends, counts.broken_ends, counts.panics, counts.endless
        )
        lore, self.token = self.futures.news() if job.question.reduced else None, uuid4().hex
        return Visited(job.region, done=done, report=report, found=found, exits=exits, lore=lore, token=self.token)

    def _is_in(self, question: Question) -> bool:
        """A new round begins with nothing but what was learned, here and elsewhere; whether that is known."""
        if question.round != self.round:
            if question.lore is None:
                return False
            self.round = question.round
            self.tours.clear()
            self.futures.forget()
            self.futures.learn(question.lore)
        return True


_held: dict[str, _Held] = {}
_lock = Lock()
"""A worker may have several threads; the searches of one process go on one at a time."""


def visit(job: Visit) -> Visited:
    """Do a slice of work in a region, in a process that may have done others of it."""
    with _lock:
        run = job.question.run
        if run not in _held:
            while len(_held) >= MOST_HELD:
                del _held[next(iter(_held))]
            _held[run] = _Held(job.question)
        found = _held[run].visit(job)
        if found.panic is not None:
            del _held[run]  # its machine stands in the middle of a way
        return found


def let_go(run: str) -> None:
    """Forget a search that is over."""
    with _lock:
        _held.pop(run, None)
