"""One depth-first walk through all states of a search, each met once.

Where a private step is tried alone, the walk goes on in the same frame: what the others may do stays what it is. Of
loops that nobody can leave it says how many there are (strongly connected components, Tarjan 1972).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import Panic
from engine.journal import zobrist
from engine.moves import Move
from engine.telling import Told

if TYPE_CHECKING:
    from engine.explore import Search
    from engine.reduction import Outside, Place

GLANCE = 256
"""After so many states the clock is looked at, and progress is told."""
FIRST_DOUBT = 16_384
"""At so many states, and whenever they have doubled, it is asked whether the steps tried alone still are private."""
NOBODY: Told = frozenset()


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


class Standing(NamedTuple):
    """Where all tasks stand in a state, in their order: the next move of each, its place, the cells it depends on."""

    moves: Sequence[Move | None]
    places: Sequence[Place | None]
    looks: Sequence[int]


@dataclass(slots=True)
class Frame:
    """States on the path, of which only the last has a choice: the moves left to try there, and how all stand.

    `first` is when the first of them was met, `low` the earliest open state that they lead back to, `out` whether a way
    leads out of the component.
    """

    keys: list[int]
    first: int
    told: Told
    standing: Standing
    left: list[Move]
    low: int
    out: bool = False


class Lone:
    """Picks the moves that have to be tried alone, one after the other: as long as it can, of the same task."""

    __slots__ = ("_outside", "_place", "_search")

    def __init__(self, search: Search) -> None:
        """No move is picked yet."""
        self._search, self._place = search, 0
        self._outside: Outside | None = None

    def next(self, standing: Standing, on_path: Collection[int], told: Told) -> Move | None:
        """The next move of the task that went on last, if that has to be tried alone again."""
        outside, search = self._outside, self._search
        if outside is None:
            return None
        move = standing.moves[self._place]
        self._outside = None
        if move is None or not search.is_quiet(move) or search.key(told, move) in on_path:
            return None
        return self._picked(move, outside) if search.futures.is_private(move, outside) else None

    def of(self, moves: Sequence[Move], standing: Standing, on_path: Collection[int], told: Told) -> Move | None:
        """That of these moves which has to be tried alone, if there is one."""
        left, outside = self._search.ample(moves, standing, on_path, told)
        if outside is None:
            return None
        self._place = standing.moves.index(left[0])
        return self._picked(left[0], outside)

    def _picked(self, move: Move, outside: Outside) -> Move:
        written = self._search.futures.footprints.of(move).writes
        self._outside = None if written & outside.future.waits else outside
        return move


class Tour:
    """One depth-first walk of a search, from the beginning."""

    def __init__(self, search: Search, found: Sequence[Found] = ()) -> None:
        """Nothing is seen yet. Ways `found` before stay ways, whatever was wrong with the walk that met them."""
        self.search, self.moves, self.report = search, search.moves, Report(found=list(found))
        self.index: dict[int, int] = {}
        """When each state was met, by its key."""
        self.on_path: set[int] = set()
        self.open: list[int] = []
        """States whose component is not known yet, in the order in which they were met."""
        self.unsettled: set[int] = set()
        self.path: list[Move] = []
        self.found = {way.says for way in found}
        self.symmetric = search.symmetry is not None and search.symmetry.holds
        self.refuted = False
        """Whether a step that was tried alone should not have been, or tasks that were taken for equal are not."""

    def run(self) -> Report:
        """Go on until there is a reason to stop; the machine is then where it was."""
        self._walk([self._enter(NOBODY, self.search.standing())])
        while self.path:
            self.moves.unmake(self.path.pop())
        self.report.states = len(self.index)
        return self.report

    def _walk(self, frames: list[Frame]) -> None:
        """Go on from the last of these frames until none is left, or there is a reason to stop."""
        report = self.report
        while frames and not report.stopped and not self.refuted and len(report.found) < self.search.wanted:
            frame = frames[-1]
            if frame.left:
                child = self._follow(frame, frame.left.pop())
                if child is not None:
                    frames.append(child)
                continue
            frames.pop()
            self._leave(frame, frames[-1] if frames else None)

    def _enter(self, told: Told, standing: Standing) -> Frame:
        """Come to a new state, and go on to where there is a choice, or something that shows."""
        search, first = self.search, len(self.index)
        frame, lone = Frame([], first, told, standing, [], first), Lone(search)
        while True:
            self._meet(frame, search.key(told))
            move = lone.next(frame.standing, self.on_path, told)
            if move is None:
                moves = search.enabled(frame.standing)
                move = lone.of(moves, frame.standing, self.on_path, told)
                if move is None:
                    self._look_for_an_end(frame, moves)
                    frame.left = moves[::-1]
                    break
            if self.report.stopped or self.refuted:
                frame.left = [move]
                break
            if not self._go_on(frame, move):
                break
            frame.standing = search.after(frame.standing, move)
        return frame

    def _meet(self, frame: Frame, key: int) -> None:
        self.index[key] = frame.low = len(self.index)
        self.open.append(key)
        self.unsettled.add(key)
        self.on_path.add(key)
        frame.keys.append(key)
        self._look_around(len(self.index))

    def _go_on(self, frame: Frame, move: Move) -> bool:
        """Make a move that is tried alone; whether the state behind it is new."""
        self.report.transitions += 1
        self.moves.make(move)
        key = self.search.key(frame.told)
        if key not in self.index:
            self.path.append(move)
            return True
        self._back_to(frame, key)
        self.moves.unmake(move)
        return False

    def _look_for_an_end(self, frame: Frame, moves: list[Move]) -> None:
        if self.search.is_end(moves):
            frame.out = True
            self.report.ends += 1
            says = self.search.judge_end(frame.told)
            self.report.broken_ends += bool(says)
            self._note(says)

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
        key = self.search.key(told)
        self._note(says)
        if key not in self.index:
            return self._enter(told, self.search.after(frame.standing, move))
        self._back_to(frame, key)
        self.moves.unmake(self.path.pop())
        return None

    def _back_to(self, frame: Frame, key: int) -> None:
        """A move leads to a state that was met before."""
        if key in self.unsettled:
            frame.low = min(frame.low, self.index[key])
        else:
            frame.out = True

    def _leave(self, frame: Frame, above: Frame | None) -> None:
        """All was tried here: if the component begins in this frame, it is complete."""
        self.on_path.difference_update(frame.keys)
        if frame.low >= frame.first:
            while self.open[-1] != frame.keys[0]:
                self.unsettled.discard(self.open.pop())
            self.unsettled.discard(self.open.pop())
            self.report.endless += not frame.out
            if above is not None:
                above.out = True
        elif above is not None:
            above.low, above.out = min(above.low, frame.low), above.out or frame.out
        for _ in frame.keys:
            if self.path:  # nothing led to the beginning
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
        if states >= FIRST_DOUBT and not states & (states - 1):  # the longer the walk, the dearer a late doubt
            self.refuted = self.search.futures.refuted()
        symmetry = self.search.symmetry
        self.refuted = self.refuted or (symmetry is not None and self.symmetric != symmetry.holds)
        if states % GLANCE == 0:
            self.report.states = states
            if not self.search.goes_on(self.report):
                self.report.stopped = "asked to"


def key_of(key: int, told: Told) -> int:
    """The key of a state in which somebody was told of something."""
    return key ^ zobrist("told", tuple(sorted(told))) if told else key
