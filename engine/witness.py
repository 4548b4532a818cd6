"""The shortest way to show it: fewest preemptions first, then fewest steps; and the schedule that makes it run again.

States are taken up in that order (Dijkstra 1959), each with who ran last: to take another task while that one could go
on is a preemption. A way found becomes a schedule (engine/schedule.py), so that a witness is a run like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from engine.errors import EngineError, ScheduleError
from engine.explore import Search
from engine.journal import zobrist
from engine.kernel import Kernel
from engine.moves import Move
from engine.offers import call_of
from engine.run import Limits, run
from engine.scenario import Scenario, scenario_from_data, to_data
from engine.schedule import Schedule, schedule_of
from engine.telling import Told
from engine.tour import GLANCE, NOBODY, Found, Standing, key_of
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
    """A state and who ran last, with the way there; `says` what is wrong with the step that led here."""

    parent: _Node | None
    move: Move | None
    told: Told
    depth: int
    cost: int
    key: int
    says: str = ""


class Ways:
    """Takes up the states of a search in the order of preemptions and steps."""

    def __init__(self, search: Search, progress: Callable[[int], bool] | None = None) -> None:
        """The machine stands at the beginning, and comes back to it. `progress` says whether to go on."""
        self.search, self.moves, self._progress = search, search.moves, progress
        self.states = 0
        self._here = _Node(None, None, NOBODY, 0, 0, search.moves.key)
        self._best: dict[int, tuple[int, int]] = {}
        self._skips = search.reduced and search.prop.at_step is None and search.prop.at_state is None

    def nearest(self, most: int) -> Iterator[Found]:
        """The different ways in which it shows, nearest first, until so many states or all the time is spent."""
        queue: list[tuple[int, int, int, _Node]] = [(0, 0, 0, self._here)]
        count, known = 0, set[str]()
        try:
            while queue and self.states < most and self._may_go_on():
                cost, depth, _, node = heappop(queue)
                if self._best.get(node.key, (cost, depth)) < (cost, depth) and not node.says:
                    continue
                self._go(node)
                self.states += 1
                standing = self.search.standing()
                moves = self.search.enabled(standing)
                says = node.says or (self.search.judge_end(node.told) if self.search.is_end(moves) else "")
                if says and says not in known:
                    known.add(says)
                    yield Found(self._way(node), says)
                for child in self._children(node, self._worth_trying(node, moves, standing)):
                    count += 1
                    heappush(queue, (child.cost, child.depth, count, child))
        finally:
            while self._here.parent is not None:
                self._step_back()

    def _may_go_on(self) -> bool:
        """Now and then: whether there is time, and nobody has said stop."""
        if self.states % GLANCE:
            return True
        return not self.search.is_late() and (self._progress is None or self._progress(self.states))

    def _worth_trying(self, node: _Node, moves: list[Move], standing: Standing) -> list[Move]:
        """To preempt a task before a private step comes to the same as after it: there it just goes on.

        That is so where an end is looked for, to which each of these steps belongs. To a state on the way they may be
        steps too many.
        """
        search, last = self.search, node.move.task if node.move else ""
        if not self._skips:
            return moves
        on = [move for move in moves if move.task == last and move.panic is None and not move.part]
        if not on:
            return moves
        outside = search.futures.outside(last, standing.places)
        return [move for move in on if search.futures.is_private(move, outside)] or moves

    def _children(self, node: _Node, moves: Sequence[Move]) -> Iterator[_Node]:
        last = node.move.task if node.move else ""
        goes_on = any(move.task == last for move in moves)
        for move in moves:
            if move.panic is not None:
                continue
            says, told = "", node.told
            if move.part:
                self.moves.make(move)
                says, told = self.search.judge(move, told)
                self.moves.unmake(move)
            cost, depth = node.cost + (goes_on and move.task != last), node.depth + 1
            key = key_of(self.moves.key ^ move.change, told) ^ zobrist("last", move.task)
            is_best = self._best.get(key, (cost + 1, 0)) > (cost, depth)
            if is_best:
                self._best[key] = cost, depth
            if is_best or says:
                yield _Node(node, move, told, depth, cost, key, says)

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
    """How often a way takes another task while the one that ran last could go on.

    The moves may be those of another machine: of each only the task counts, which has one next move here.
    """
    count, made, last = 0, [], ""
    for move in moves:
        able = {each.task: each for each in search.enabled(search.standing())}
        count += bool(last) and move.task != last and last in able
        search.moves.make(able[move.task])
        made.append(able[move.task])
        last = move.task
    while made:
        search.moves.unmake(made.pop())
    return count


class NoSchedule(EngineError):
    """A way that no schedule of preemptions says. It should not happen; it is better said than hidden."""


def as_run(scenario: Scenario, kernel: Kernel, searched: Scenario, moves: Sequence[Move]) -> tuple[Scenario, Trace]:
    """The scenario and its run under a schedule that goes the way of these moves, and on to its end.

    `searched` is the scenario with what was offered. What the world does becomes a call in the schedule; if it does
    that before anything else, or two things at once, it keeps its tasks. Raises NoSchedule where that does not help.
    """
    try:
        return _steered(scenario, kernel, [(call_of(searched, m.task) or m.task, m.function, m.name) for m in moves])
    except (NoSchedule, ScheduleError):  # the calls of one task cannot come between each other
        world = _with_world(scenario, searched, moves)
        return _steered(world, kernel, [(move.task, move.function, move.name) for move in moves])


def _with_world(scenario: Scenario, searched: Scenario, moves: Sequence[Move]) -> Scenario:
    """The scenario with a task for each thing that the world does; one that begins before all others is not on call."""
    data, early = to_data(scenario), True
    tasks = data["tasks"]
    for move in moves:
        early = early and (move.task not in searched.tasks or searched.tasks[move.task].on_call)
        if call := call_of(searched, move.task):
            tasks.setdefault(move.task, {"user": "root", "on_call": not early, "script": [call]})
    return scenario_from_data({**data, "beats": []}, scenario.id)


def _steered(scenario: Scenario, kernel: Kernel, wanted: Sequence[_Event]) -> tuple[Scenario, Trace]:
    """A run that goes this way: preemptions are added where it would go another."""
    items: dict[int, str] = {}
    first = next((task for task, _, _ in wanted if task in scenario.tasks and not scenario.tasks[task].on_call), "")
    limits = Limits(steps=len(wanted) + 2_000, work=1_000 * len(wanted) + 500_000)
    for _ in range(len(wanted) + 1):
        ordered = [*([first] if first else []), *(items[at] for at in sorted(items))]
        world, switches = called_in(scenario, ordered)
        you = next((task for task in world.tasks if task not in scenario.tasks), WHO)
        trace = run(world, kernel, schedule_of(switches, tasks=world.tasks), limits)
        gone = _where_it_parts(wanted, trace, world, you)
        if gone is None:
            return world, trace
        if gone == 0 or gone - 1 in items:
            break
        to = wanted[gone][0]
        goes_on = to.endswith(")") and any(task == to for task, _, _ in wanted[:gone])
        items[gone - 1] = f"{_place_of(wanted[:gone], you)}>{you if goes_on else to}"
    raise NoSchedule("this way cannot be written as a schedule", where=f"step {len(items)}")


_Event = tuple[str, str, str]
"""Who makes a step (a task, or a call), of which function, its name."""


def _place_of(steps: Sequence[_Event], you: str) -> str:
    """Where the last of these steps is, as preemptions name it: `A@do_no_page.set_pte#2`."""
    named = [(you if task.endswith(")") else task, function, name) for task, function, name in steps]
    who, function, name = named[-1]
    count = named.count(named[-1])
    return f"{who}@{function}.{name}" + (f"#{count}" if count > 1 else "")


def _where_it_parts(wanted: Sequence[_Event], trace: Trace, world: Scenario, you: str) -> int | None:
    """The first step at which a run goes another way than wanted; None if it does not."""
    calls = world.tasks[you].script if you in world.tasks else ()
    for at, event in enumerate(wanted):
        if at >= len(trace.steps):
            return at
        step = trace.steps[at]
        who = calls[step.line - 1] if step.task == you and event[0].endswith(")") else step.task
        if (who, step.function, step.name) != event:
            return at
    return None
