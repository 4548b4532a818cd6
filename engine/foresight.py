"""Foresight: from which step on a loss can still happen, and from which on nothing can prevent it.

From every state of a run, all that can follow is looked through (as in engine/explore.py): which stores are lost at
some end that is still in reach, and which are not. A step is `safe` when no end in reach loses anything, `doomed` when
every one does, and `at-risk` between. The run is gone through backwards, so that a budget that is spent leaves the
early steps unknown, and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from engine.claims import PROPERTIES
from engine.explore import Budget, Search
from engine.fates import CLEAN_UNSAVED, LOST
from engine.kernel import Kernel
from engine.kernels import find_kernel
from engine.machine import Machine
from engine.moves import Move
from engine.offers import offered
from engine.scenario import Scenario
from engine.setup import build
from engine.telling import fate_of
from engine.tour import NOBODY
from engine.trace import Trace

SAFE, AT_RISK, DOOMED, UNKNOWN = "safe", "at-risk", "doomed", ""
BUDGET = Budget(states=60_000, seconds=20.0)


@dataclass(frozen=True, slots=True)
class Doom:
    """When a store was doomed, and when its loss shows: steps, 0 at the beginning; None for never, or unknown."""

    store: str
    doomed: int | None
    shows: int | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A step at which the outlook changes."""

    step: int
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Foresight:
    """The outlook after each step of a run, 0 first; where it turns; what it says of each store that may be lost.

    `complete` is False where the budget was spent: the outlook of the first steps is empty then.
    """

    outlook: tuple[str, ...]
    stores: tuple[Doom, ...]
    states: int
    complete: bool

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The steps that decide."""
        pairs = enumerate(zip(self.outlook, self.outlook[1:], strict=False), 1)
        return tuple(Turn(step, was, now) for step, (was, now) in pairs if was and was != now)


def foresee(
    scenario: Scenario, kernel: str | Kernel, trace: Trace, budget: Budget = BUDGET, *, offers: Iterable[str] = ()
) -> Foresight:
    """What could still become of a run, at each of its steps. The trace is one of this scenario on this kernel.

    `offers` are what the world may do besides at any moment (engine/offers.py); it need not. What the run calls may
    come at any moment too. Raises UnknownOffer, or EngineError for too many.
    """
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    world = offered(scenario, tuple(offers))
    called = {step.task for step in trace.steps}
    left_out = {name for name, task in scenario.tasks.items() if task.on_call and name not in called}
    oracle = Oracle(build(world, chosen), budget, left_out)
    oracle.search.look_ahead()
    while True:
        found = _go_through(oracle, trace)
        if not oracle.search.futures.refuted():
            return found
        oracle.forget()


def _go_through(oracle: Oracle, trace: Trace) -> Foresight:
    """The outlook of each step, from the last one to the first."""
    path = []
    for step in trace.steps:
        if (move := oracle.go(step.task)) is None:
            break
        path.append(move)
    ends: list[Ends | None] = [None] * (len(path) + 1)
    spent = False
    for n in range(len(path), -1, -1):
        ends[n] = None if spent else oracle.ends()
        spent = ends[n] is None
        if n:
            oracle.back(path[n - 1])
    outlook = tuple(UNKNOWN if each is None else each.outlook for each in ends)
    return Foresight(outlook, tuple(_dooms(oracle, ends, trace)), oracle.states, not spent)


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends in reach: the stores lost at one of them at least, and those kept at one at least, as bits.

    The lowest bit stands for any store at all.
    """

    lost: int
    kept: int

    @property
    def outlook(self) -> str:
        """What that means. A run that can only go round for ever loses nothing."""
        if not self.lost & 1:
            return SAFE
        return AT_RISK if self.kept & 1 else DOOMED

    def dooms(self, bit: int) -> bool:
        """Whether a store is lost at every end."""
        return bool(self.lost & bit) and not self.kept & bit


class Oracle:
    """Knows which ends are in reach of a state. The machine moves along a run; what was found of states is kept."""

    def __init__(self, machine: Machine, budget: Budget, left_out: Collection[str] = ()) -> None:
        """The machine stands at the beginning. Tasks that are `left_out` do nothing."""
        self._left_out = left_out
        self.machine, self.budget = machine, budget
        self.search = Search(machine, PROPERTIES["no-loss"], budget, symmetric=False)
        self.moves = self.search.moves
        self.bits: dict[str, int] = {}
        self._known: dict[int, Ends] = {}

    def forget(self) -> None:
        """Begin again: a step was taken for private that is not."""
        self._known.clear()

    @property
    def states(self) -> int:
        """How many states were looked through."""
        return len(self._known)

    def go(self, task: str) -> Move | None:
        """Go one step of the run; None at a panic."""
        move = self.moves.of(self.machine.tasks[task])
        if move is None or not move.is_step:
            return None
        self.moves.make(move)
        return move

    def back(self, move: Move) -> None:
        """Go back a step."""
        self.moves.unmake(move)

    def ends(self) -> Ends | None:
        """What is in reach from here; None when the budget is spent."""
        if self.moves.key not in self._known and not self._look():
            return None
        return self._known[self.moves.key]

    def _look(self) -> bool:
        """Go through all states in reach that are not known (Tarjan 1972): those of a component share their ends."""
        index, open_keys = {self.moves.key: 0}, [self.moves.key]
        frames, path = [_Frame(self.moves.key, 0, *self._look_around(index))], list[Move]()
        while frames:
            if self.search.spent(len(self._known) + len(index)):
                for move in reversed(path):
                    self.moves.unmake(move)
                return False
            frame = frames[-1]
            if frame.left:
                move = frame.left.pop()
                self.moves.make(move)
                key = self.moves.key
                if key not in self._known and key not in index:
                    index[key] = len(index)
                    open_keys.append(key)
                    path.append(move)
                    frames.append(_Frame(key, index[key], *self._look_around(index)))
                    continue
                if key in self._known:
                    frame.join(self._known[key])
                else:
                    frame.low = min(frame.low, index[key])
                self.moves.unmake(move)
                continue
            frames.pop()
            if frame.low == index[frame.key]:
                self._settle(frame, open_keys, index)
            if frames:
                frames[-1].low = min(frames[-1].low, frame.low if frame.key in index else frames[-1].low)
                frames[-1].join(Ends(frame.lost, frame.kept))
                self.moves.unmake(path.pop())
        return True

    def _settle(self, frame: _Frame, open_keys: list[int], index: dict[int, int]) -> None:
        """A component is complete."""
        ends = Ends(frame.lost, frame.kept)
        while True:
            key = open_keys.pop()
            self._known[key] = ends
            del index[key]
            if key == frame.key:
                return

    def _look_around(self, under_way: Collection[int]) -> tuple[list[Move], int, int]:
        """The moves that have to be tried here, and what is lost and kept if this is an end."""
        standing = self.search.standing()
        able = self.search.enabled(standing)
        moves = [move for move in able if move.panic is None and move.task not in self._left_out]
        if not self.search.is_end(moves):
            return list(self.search.ample(moves, standing, under_way, NOBODY)[0]), 0, 0
        lost = kept = 0
        for name, record in self.machine.stores.items():
            bit = self.bits.setdefault(name.removeprefix("store/"), 2 << len(self.bits))
            gone = fate_of(self.machine, name.removeprefix("store/"), record) in (LOST, CLEAN_UNSAVED)
            lost, kept = (lost | bit, kept) if gone else (lost, kept | bit)
        return moves, lost | bool(lost), kept | (not lost)


class _Frame:
    """A state on the path of the search, and what is in reach of it as far as that is known."""

    __slots__ = ("kept", "key", "left", "lost", "low")

    def __init__(self, key: int, low: int, left: list[Move], lost: int, kept: int) -> None:
        self.key, self.low, self.left, self.lost, self.kept = key, low, left, lost, kept

    def join(self, ends: Ends) -> None:
        """These ends are in reach as well."""
        self.lost |= ends.lost
        self.kept |= ends.kept


def _dooms(oracle: Oracle, ends: list[Ends | None], trace: Trace) -> Iterator[Doom]:
    """Each store that some end loses or that the run has lost, in the order of the run."""
    shows: dict[str, int] = {}
    for step in trace.steps:
        for change in step.fates:
            if change.new in (LOST, CLEAN_UNSAVED):
                shows.setdefault(change.store, step.n)
    for store in trace.stores:
        bit = oracle.bits.get(store.id, 0)
        steps = [n for n, each in enumerate(ends) if each is not None and each.dooms(bit)]
        known_from = next((n for n, each in enumerate(ends) if each is not None), 0)
        doomed = steps[0] if steps and (steps[0] > known_from or known_from == 0) else None
        if store.id in shows or doomed is not None:
            yield Doom(store.id, doomed, shows.get(store.id))
