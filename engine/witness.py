"""The shortest way to show it: fewest preemptions first, then fewest steps; and the schedule that makes it run again.

States are taken up in that order (Dijkstra 1959), each with who ran last: to take another task while that one could go
on is a preemption. A way found becomes a schedule (engine/schedule.py), so that a witness is a run like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from engine.errors import EngineError
from engine.explore import NOBODY, Found, Search
from engine.journal import zobrist
from engine.kernel import Kernel
from engine.moves import Move
from engine.offers import call_of
from engine.run import Limits, run
from engine.scenario import Scenario
from engine.schedule import Schedule, schedule_of
from engine.telling import Told
from engine.trace import Trace
from engine.what_if import WHO, called_in


@dataclass(frozen=True, slots=True)
class Witness:
    """A run that shows it: the scenario (with what the world does, if it does anything) and the schedule.

    `says` is what is wrong at its end; `shortest`: no way has fewer preemptions, nor fewer steps with as many.
    """

    scenario: Scenario
    schedule: Schedule
    says: str
    steps: int
    preemptions: int
    shortest: bool


@dataclass(slots=True)
class _Node:
    """A state and who ran last, with the way there."""

    parent: _Node | None
    move: Move | None
    told: Told
    depth: int
    cost: int
    key: int


class Ways:
    """Takes up the states of a search in the order of preemptions and steps."""

    def __init__(self, search: Search) -> None:
        """The machine stands at the beginning, and comes back to it."""
        self.search, self.moves = search, search.moves
        self.states = 0
        self._here = _Node(None, None, NOBODY, 0, 0, search.moves.key)
        self._best: dict[int, tuple[int, int]] = {}

    def nearest(self, most: int) -> Iterator[Found]:
        """The different ways in which it shows, nearest first, until so many states were taken up."""
        queue: list[tuple[int, int, int, _Node]] = [(0, 0, 0, self._here)]
        count, known = 0, set[str]()
        try:
            while queue and self.states < most:
                cost, depth, _, node = heappop(queue)
                if self._best.get(node.key, (cost, depth)) < (cost, depth):
                    continue
                self._go(node)
                self.states += 1
                moves = self.search.enabled()
                if self.search.is_end(moves) and (says := self.search.judge_end(node.told)) and says not in known:
                    known.add(says)
                    yield Found(self._way(node), says)
                for found, child in self._children(node, self._worth_trying(node, moves)):
                    if found and found not in known:
                        known.add(found)
                        yield Found(self._way(child), found)
                    count += 1
                    heappush(queue, (child.cost, child.depth, count, child))
        finally:
            while self._here.parent is not None:
                self._step_back()

    def _worth_trying(self, node: _Node, moves: list[Move]) -> list[Move]:
        """To preempt a task before a private step comes to the same as after it: there it just goes on."""
        search, last = self.search, node.move.task if node.move else ""
        if not search.reduced:
            return moves
        on = (move for move in moves if move.task == last and move.panic is None and not search.visible(move))
        private = [move for move in on if search.futures.is_private(move, search.places)]
        return private or moves

    def _children(self, node: _Node, moves: Sequence[Move]) -> Iterator[tuple[str, _Node]]:
        last = node.move.task if node.move else ""
        goes_on = any(move.task == last for move in moves)
        for move in moves:
            if move.panic is not None:
                continue
            says, told = "", node.told
            if self.search.visible(move) and self.search.prop.fields:
                self.moves.make(move)
                says, told = self.search.judge(move, told)
                self.moves.unmake(move)
            cost = node.cost + (goes_on and move.task != last)
            key = self.moves.key ^ move.change ^ zobrist("last", move.task)
            key ^= zobrist("told", tuple(sorted(told))) if told else 0
            if self._best.get(key, (cost + 1, 0)) > (cost, node.depth + 1):
                self._best[key] = (cost, node.depth + 1)
                yield says, _Node(node, move, told, node.depth + 1, cost, key)

    def _go(self, node: _Node) -> None:
        """Bring the machine to a state, back to where its way and the present one part and on from there."""
        ahead: list[_Node] = []
        while node.depth > self._here.depth:
            ahead.append(node)
            node = node.parent or node
        while self._here.depth > node.depth:
            self._step_back()
        while node is not self._here:
            ahead.append(node)
            node = node.parent or node
            self._step_back()
        for each in reversed(ahead):
            if each.move is not None:
                self.moves.make(each.move)
            self._here = each

    def _step_back(self) -> None:
        if self._here.move is not None and self._here.parent is not None:
            self.moves.unmake(self._here.move)
            self._here = self._here.parent

    @staticmethod
    def _way(node: _Node) -> tuple[Move, ...]:
        moves: list[Move] = []
        at: _Node | None = node
        while at is not None and at.move is not None:
            moves.append(at.move)
            at = at.parent
        return tuple(reversed(moves))


def preemptions(search: Search, moves: Sequence[Move]) -> int:
    """How often a way takes another task while the one that ran last could go on."""
    count, made, last = 0, [], ""
    for move in moves:
        if last and move.task != last:
            count += any(other.task == last for other in search.enabled())
        search.moves.make(move)
        made.append(move)
        last = move.task
    while made:
        search.moves.unmake(made.pop())
    return count


# -- as a schedule ----------------------------------------------------------------------------------------------------


class NoSchedule(EngineError):
    """A way that no schedule of preemptions says. It should not happen; it is better said than hidden."""


def as_run(scenario: Scenario, kernel: Kernel, searched: Scenario, moves: Sequence[Move]) -> tuple[Scenario, Trace]:
    """The scenario and its run under a schedule that goes the way of these moves, and on to its end.

    `searched` is the scenario with what was offered. Preemptions are added where the run would go another way.
    Raises NoSchedule where that does not help.
    """
    wanted = [(_called(searched, move.task), move.function, move.name) for move in moves]
    events = _events(wanted)
    items: dict[int, str] = {}
    first = next((task for task, _, _ in wanted if not task.endswith(")")), "")
    for _ in range(len(wanted) + 1):
        ordered = ([first] if first in scenario.tasks else []) + [items[at] for at in sorted(items)]
        world, switches = called_in(scenario, ordered)
        trace = run(world, kernel, schedule_of(switches, tasks=world.tasks), Limits(steps=len(wanted) + 2_000))
        gone = _where_it_parts(wanted, trace, world)
        if gone is None:
            return world, trace
        if gone == 0 or gone - 1 in items:
            break
        items[gone - 1] = f"{events[gone - 1]}>{wanted[gone][0]}"
    raise NoSchedule("this way cannot be written as a schedule", where=f"step {len(items)}")


def _called(searched: Scenario, task: str) -> str:
    return call_of(searched, task) or task


def _events(wanted: Sequence[tuple[str, str, str]]) -> list[str]:
    """Where each step is, as preemptions name it: `A@do_no_page.set_pte#2`."""
    seen: dict[tuple[str, str, str], int] = {}
    found = []
    for step in wanted:
        task, function, name = step
        who = WHO if task.endswith(")") else task
        key = (who, function, name)
        seen[key] = seen.get(key, 0) + 1
        found.append(f"{who}@{function}.{name}" + (f"#{seen[key]}" if seen[key] > 1 else ""))
    return found


def _where_it_parts(wanted: Sequence[tuple[str, str, str]], trace: Trace, world: Scenario) -> int | None:
    """The first step at which a run goes another way than wanted; None if it does not."""
    for at, (task, function, name) in enumerate(wanted):
        if at >= len(trace.steps):
            return at
        step = trace.steps[at]
        who = world.tasks[WHO].script[step.line - 1] if step.task == WHO and WHO in world.tasks else step.task
        if (who, step.function, step.name) != (task, function, name):
            return at
    return None
