"""What a task's next step does, remembered: a step that finds what an earlier one found does what that one did.

A step is determined by the task's stack and by the cells it looks at. So each outcome is kept under what was looked at,
in the order of looking: a tree, whose nodes name a cell and whose branches are the values it had. A search meets the
same step in thousands of states that differ elsewhere; the kernel's own code runs once for all of them.

The statistics that nothing acts on are left out, as they are from a state's key. A step that looks at nearly all there
is, as a power failure does, is made anew each time: it would never find again what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import Panic
from engine.journal import STATISTICS, Table, Write, zobrist

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.task import Task
    from engine.symmetry import Renaming

Seen = str | Table[Any]
"""What a step can look at: a cell, or which entries a table has."""
Shows = Callable[[str, Any, Any], int]
"""What it changes in the key of all that matters to a question when a cell goes from one value to another."""
MOST_LOOKS = 150
"""A step that looks at more is not remembered."""


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """What a step does in the end: the cells it changes, and by what it changes the key of the state.

    `stack` is the number of the stack it begins with. `part` is what it changes in the key of all that
    matters to what is asked; 0: the move does not show. One that is not `remembered` says nothing
    of what it looks at: take it that it looks at everything.
    `blocked_on` is the cell that it waits for, if it can do nothing now; `panic` is why the machine stops. `mirrors` is
    what it changes in the keys of the state under other names (engine/symmetry.py).
    """

    task: str
    stack: int
    function: str
    name: str
    looks: tuple[Seen, ...]
    writes: tuple[Write, ...]
    change: int
    part: int = 0
    remembered: bool = True
    blocked_on: str | None = None
    panic: Panic | None = None
    mirrors: tuple[int, ...] = ()

    @property
    def is_step(self) -> bool:
        """Whether the task can make it, so that there is a state behind it."""
        return self.panic is None and self.blocked_on is None


class Node:
    """A question about the state and the answers met so far: another question, or the move (None: nothing to do)."""

    __slots__ = ("answers", "looks_at", "number")

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.looks_at: Seen | None = None
        self.answers: dict[Any, Node | Move | None] = {}


class Moves:
    """The next moves of the tasks of one machine, and the making and unmaking of them.

    Its journal stands still meanwhile: `key` is kept here, and every move made has to be unmade. `part` is the key
    of what `shows` picks, seen from the beginning: states of equal parts are alike to what is asked.
    """

    def __init__(self, machine: Machine, shows: Shows | None = None, others: Sequence[Renaming] = ()) -> None:
        """The machine stands in the state that the search begins with. `others`: names under which it is the same."""
        self.machine = machine
        self.key, self.part = machine.journal.key, 0
        self._shows, self._others = shows, others
        self.mirrors = [self.key] * len(others)
        """The keys of the state under other names."""
        self.trail: list[Move] = []
        """The moves made, if there are other names."""
        self.made = 0
        """How many steps were run by the kernel's own code."""
        self.alike = False
        """Whether stacks have the same numbers in all processes that search the same: it takes some time."""
        self._cells = machine.journal.cells
        self._known: dict[str, dict[Any, Node]] = {task: {} for task in machine.tasks}
        self._roots: dict[str, dict[int, Node]] = {task: {} for task in machine.tasks}
        machine.journal.thorough = True

    def of(self, task: Task) -> Move | None:
        """What a task would do now; None if it has nothing to do."""
        if self.machine.rests(task):
            return None
        cells = self._cells
        stack = cells.get(task.rests_by[0])
        known = self._known[task.task]
        node: Any = known.get(stack)
        if node is None:
            node = self._root(task.task, stack)
        while type(node) is Node:
            at = node.looks_at
            if at is None:
                return self._learn(task, stack)
            value = cells.get(at) if type(at) is str else tuple(at)
            try:
                node = node.answers[value]
            except KeyError:
                return self._learn(task, stack)
        found: Move | None = node
        return found

    def number(self, task: Task, stack: Any) -> int:
        """The number of a stack of a task."""
        known = self._known[task.task].get(stack)
        return (known or self._root(task.task, stack)).number

    def _root(self, task: str, stack: Any) -> Node:
        """All that is known of a step of a task, from now on."""
        number = number_of(stack) if self.alike else len(self._roots[task]) + 1
        node = self._known[task][stack] = self._roots[task][number] = Node(number)
        return node

    def root(self, task: str, number: int) -> Node | None:
        """All that is known here of the step that begins with the stack of this number."""
        return self._roots[task].get(number)

    def make(self, move: Move) -> None:
        """Change the state as a move does."""
        cells = self._cells
        for at, _, new in move.writes:
            if new is None:
                del cells[at]
            else:
                cells[at] = new
        self.key ^= move.change
        self.part ^= move.part
        if move.mirrors:
            self._mirror(move)
            self.trail.append(move)

    def unmake(self, move: Move) -> None:
        """Take a move back, the last one made first."""
        cells = self._cells
        for at, old, _ in move.writes:
            if old is None:
                del cells[at]
            else:
                cells[at] = old
        self.key ^= move.change
        self.part ^= move.part
        if move.mirrors:
            self._mirror(move)
            self.trail.pop()

    def _mirror(self, move: Move) -> None:
        self.mirrors = [key ^ change for key, change in zip(self.mirrors, move.mirrors, strict=True)]

    def _learn(self, task: Task, stack: Any) -> Move | None:
        """Have the kernel make the step, take it back, and keep what it did under what it looked at."""
        node = self._known[task.task][stack]
        move = self.try_(task, node.number)
        self.made += 1
        if move is not None and not move.remembered:
            return move
        looks = self._looks(move)
        for place, at in enumerate(looks, 1):
            value = self._cells.get(at) if isinstance(at, str) else tuple(at)
            node.looks_at = at
            if place == len(looks):
                node.answers[value] = move
            else:
                below = node.answers.get(value)
                if not isinstance(below, Node):
                    below = node.answers[value] = Node()
                node = below
        return move

    def _looks(self, move: Move | None) -> tuple[Seen, ...]:
        return move.looks if move is not None else tuple(_acting(self.machine.journal.reads))

    def try_(self, task: Task, stack: int = 0) -> Move | None:
        """What a task would do now, by the kernel's own code."""
        machine, journal = self.machine, self.machine.journal
        try:
            moved = machine.step(task)
        except Panic as panic:
            journal.undo()
            return Move(task.task, stack, "", panic.step or "", tuple(_acting(journal.reads)), (), 0, panic=panic)
        remembered = len(journal.reads) <= MOST_LOOKS
        looks = tuple(_acting(journal.reads)) if remembered or moved is None else ()
        if moved is None:
            if machine.blocked_on is None:
                return None
            return Move(task.task, stack, "", "", looks, (), 0, blocked_on=machine.blocked_on)
        writes = tuple(_net(journal.since_mark()))
        journal.undo()
        change, part, mirrors = 0, 0, [0] * len(self._others)
        for at, old, new in writes:
            change ^= zobrist(at, old) ^ zobrist(at, new)
            if self._shows is not None:
                part ^= self._shows(at, old, new)
            for place, other in enumerate(self._others):
                mirrors[place] ^= other.change(at, old, new)
        return Move(
            task.task, stack, moved.function.c_name, moved.name, looks, writes, change, part, remembered,
            mirrors=tuple(mirrors),
        )  # fmt: skip


def number_of(stack: Any) -> int:
    """A number for a stack, never 0, which is the same in every process: 60 bits of its key."""
    return zobrist("stack", stack) >> 68 or 1


def _acting(seen: dict[Seen, None]) -> Iterator[Seen]:
    for at in seen:
        if not isinstance(at, str) or not at.endswith(STATISTICS):
            yield at


def _net(writes: list[Write]) -> Iterator[Write]:
    """Each cell once, from what it was to what it is in the end."""
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for at, old, new in writes:
        first.setdefault(at, old)
        last[at] = new
    for at, new in last.items():
        old = first[at]
        if not (old is new or old == new) and not at.endswith(STATISTICS):
            yield at, old, new
