"""A search by many workers: who walks which region when, and what comes of it together.

A region is walked by one worker, as soon as a way into it is known, and again when there are more; what it has seen it
remembers. So each distinct state is met once, and counts are those of a search by one. A worker that is lost takes its
regions with it, which others begin again. Steps that one worker took for private are held against what all have
learned; where that refutes one, the search begins again, wiser, as it does alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from engine.crew import TOO_MUCH, TRIES, Crew
from engine.errors import EngineError
from engine.explore import Search
from engine.lore import Shared
from engine.regions import Question, Region, Regions, Visit, Visited, is_before, let_go, visit
from engine.tour import Found, Report

if TYPE_CHECKING:
    from engine.moves import Move

A = TypeVar("A")
REGIONS = 16
"""At most so many regions for each worker."""
FIRST, SLICE = 0.01, 0.25
"""So many seconds a worker walks before it tells where ways lead out: at first in a region, and later at most."""
TICK = 0.1
"""So often, in seconds, whoever asks is told how far the search is."""
PATIENCE = 5.0
"""So long, in seconds, what is under way in the end is waited for."""

_NUMBERS = count(1)
"""Each job has a number of its own: a crew may work for several searches, one after the other."""


class _Place:
    """A region as its walk goes on: the ways into it by key, those not handed out yet, and by whom it is walked."""

    __slots__ = ("busy", "done", "fresh", "lost", "report", "visits", "ways", "worker")

    def __init__(self) -> None:
        self.ways: dict[int, bytes] = {}
        self.fresh: list[bytes] = []
        self.worker = ""
        self.visits = self.lost = 0
        self.busy, self.done = False, True
        self.report = Report()

    @property
    def waits(self) -> bool:
        """Whether there is something to do in it, and nobody is at it."""
        return not self.busy and (bool(self.fresh) or not self.done)

    @property
    def unfinished(self) -> bool:
        """Whether ways may still lead out of it that are not known."""
        return self.busy or self.waits

    def begin_again(self) -> None:
        """Whoever walked here has forgotten it."""
        self.fresh, self.worker, self.visits, self.done, self.report = list(self.ways.values()), "", 0, True, Report()


class Spread:
    """One search by a crew. The search itself stands at the beginning; it learns what all have learned."""

    def __init__(self, search: Search, crew: Crew, question: Question) -> None:
        """`question` says the same as `search`, in a form that travels."""
        self.search, self.crew = search, crew
        search.futures = self.futures = Shared(search.moves)
        self.question = replace(question, run=uuid4().hex, most=REGIONS * len(crew.workers()))
        self.regions = Regions(search.machine, self.question.most)
        self.found: dict[str, bytes] = {}
        self._places: dict[Region, _Place] = {}
        self._under_way: dict[int, tuple[Region, str, int]] = {}
        self._heard: dict[str, str] = {}
        self._kept: set[Region] = set()

    def run(self) -> Report:
        """Search until everything was seen, enough was found, or the budget is spent."""
        if self.search.reduced:
            self.search.look_ahead()
        try:
            while True:
                report = self._round()
                report.begun = self.search.again + 1
                enough = report.stopped or len(report.found) >= self.search.wanted
                if enough or not self.search.reduced or not self.futures.refuted():
                    return self.search.so_far(report) if report.stopped else report
                self.search.begin_again(report)
        finally:
            self.futures.forget()
            for worker in self.crew.workers():
                self._start(let_go, self.question.run, worker)
            with suppress(EngineError):
                self._drain()

    def _round(self) -> Report:
        self._places, self._kept = {}, set()
        self._heard.clear()
        self.question = replace(self.question, round=self.search.again, lore=self.futures.everything())
        self._enter(self.regions.here(), self.search.moves.key, b"")
        stopped = ""
        while not stopped and len(self.found) < self.search.wanted:
            self._hand_out()
            if not self._under_way:
                break
            for number, told in self.crew.finished(TICK):
                self._take(number, told)
            stopped = self._stopped()
        self._drain()
        return self._report(stopped)

    # -- who does what ------------------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        """Give each worker who is free a region of its own, or nobody's yet: the latest, for ways end there soonest."""
        workers = self.crew.workers()
        busy = {worker for _, worker, _ in self._under_way.values()}
        left = self.search.budget.most - self._states() - sum(most for _, _, most in self._under_way.values())
        free = [worker for worker in workers if worker not in busy]
        for at, worker in enumerate(free):
            ready = [
                (sum(region), region)
                for region, place in self._places.items()
                if place.waits and (place.worker == worker or place.worker not in workers)
            ]
            if not ready or left <= 0:
                continue
            most = -(-left // (len(free) - at))
            self._send(max(ready)[1], worker, most)
            left -= most

    def _send(self, region: Region, worker: str, most: int) -> None:
        place = self._places[region]
        if place.worker != worker and place.visits:  # its worker is gone
            self._lose(region)
        ways, place.fresh = tuple(place.fresh), []
        place.worker, place.busy = worker, True
        heard, seconds = self._heard.get(worker, ""), min(SLICE, FIRST * 2**place.visits, self.search.left())
        asked = replace(self.question, lore=None) if heard else self.question
        job = Visit(asked, region, place.visits, ways, most, seconds, self._over(worker), heard)
        place.visits += 1
        self._kept.add(region)
        self._start(visit, job, worker, region, most)

    def _over(self, worker: str) -> tuple[Region, ...]:
        """The regions that a worker may forget: they are walked, and nothing unfinished leads to them."""
        open_ = [region for region, place in self._places.items() if place.unfinished]
        over = tuple(
            region
            for region in self._kept
            if self._places[region].worker == worker and not any(is_before(other, region) for other in open_)
        )
        self._kept.difference_update(over)
        for region in over:
            self._places[region].ways.clear()
        return over

    def _start(self, work: Callable[[A], Any], job: A, worker: str, region: Region = (), most: int = 0) -> None:
        number = next(_NUMBERS)
        self._under_way[number] = region, worker, most
        self.crew.start(number, work, job, worker)

    def _drain(self) -> None:
        """Wait for what is under way, and want none of it."""
        until = time.monotonic() + PATIENCE
        while self._under_way and (left := until - time.monotonic()) > 0:
            for number, _ in self.crew.finished(left):
                self._under_way.pop(number, None)
        self._under_way.clear()

    # -- what comes of it ---------------------------------------------------------------------------------------------

    def _enter(self, region: Region, key: int, way: bytes) -> None:
        place = self._places.get(region)
        if place is None:
            place = self._places[region] = _Place()
        if key not in place.ways:
            place.ways[key] = way
            place.fresh.append(way)

    def _take(self, number: int, told: Visited) -> None:
        """Hear what a worker has done."""
        if number not in self._under_way:  # it was waited for too long, in a round before
            return
        region, worker, _ = self._under_way.pop(number)
        if told.panic is not None:
            raise told.panic
        self._heard[worker] = told.token
        place = self._places[region]
        place.busy = False
        if told.lost:
            self._lose(region)
            return
        place.done, place.report = told.done, told.report
        for way, says in told.found:
            self.found.setdefault(says, way)
        for onward, key, way in told.exits:
            self._enter(onward, key, way)
        if told.lore is not None:
            self.futures.learn(told.lore)

    def _lose(self, region: Region) -> None:
        place = self._places[region]
        place.lost += 1
        if place.lost > TRIES:
            raise EngineError(f"workers were lost {TRIES} times in the same region of the search", cure=TOO_MUCH)
        place.begin_again()

    def _states(self) -> int:
        return sum(place.report.states for place in self._places.values())

    def _stopped(self) -> str:
        """Why the search cannot go on, if it cannot."""
        search, states = self.search, self._states()
        if states >= search.budget.most:
            return search.spent(states)
        if search.is_late():
            return "seconds"
        if not search.goes_on(self._report("")):
            return "asked to"
        return ""

    def _report(self, stopped: str) -> Report:
        """What all workers have met together."""
        reports = [place.report for place in self._places.values()]
        return Report(
            states=sum(each.states for each in reports),
            transitions=sum(each.transitions for each in reports),
            ends=sum(each.ends for each in reports),
            broken_ends=sum(each.broken_ends for each in reports),
            panics=sum(each.panics for each in reports),
            endless=sum(each.endless for each in reports),
            found=[Found(self._moves(way), says) for says, way in self.found.items()],
            stopped=stopped,
        )

    def _moves(self, way: bytes) -> tuple[Move, ...]:
        """The moves of a way that a worker has found."""
        moves, made = self.search.moves, []
        for number in way:
            move = moves.of(self.search.tasks[number])
            assert move is not None, "the same way has to lead to the same state"
            moves.make(move)
            made.append(move)
        for move in reversed(made):
            moves.unmake(move)
        return tuple(made)
