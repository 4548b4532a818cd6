"""Every way a scenario can go: all interleavings of its tasks, the kernel's own among them, each state met once.

A depth-first walk on one machine. A move is made, its state looked up by its key, and unmade: no state is ever copied,
so memory holds only the keys. What a step does is worked out once and remembered (engine/moves.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.errors import Panic
from engine.fates import loses
from engine.kernel import Kernel
from engine.kernels import find_kernel
from engine.machine import Machine
from engine.moves import Move, Moves
from engine.objects.task import Task
from engine.scenario import Scenario
from engine.setup import build


@dataclass(frozen=True, slots=True)
class Budget:
    """How far a walk may go, in distinct states."""

    states: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Count:
    """What a walk met: distinct states, steps between them, ends (nobody can go on), and those that lose data.

    An end loses where an accepted byte is gone, or is in memory alone with nobody left to write it. `panics` are steps
    at which a kernel with defects stops; `complete` is False where the budget was spent first.
    """

    states: int
    transitions: int
    ends: int
    losing_ends: int
    panics: int = 0
    complete: bool = True


def walk(scenario: Scenario, kernel: str | Kernel, budget: Budget = Budget()) -> Count:
    """Count every state that any schedule of the tasks reaches.

    Raises Panic where a kernel without known defects reaches a state that must not be.
    """
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    return Walk(build(scenario, chosen)).run(budget)


class Walk:
    """A walk under way: what was seen, and on the path from the beginning who is left to try at each state."""

    def __init__(self, machine: Machine) -> None:
        """The machine stands at the beginning."""
        self.machine, self.moves = machine, Moves(machine)
        self.seen: set[int] = set()
        self.transitions = self.ends = self.losing_ends = self.panics = 0

    def run(self, budget: Budget) -> Count:
        """Go on until everything was seen, or the budget is spent."""
        moves, seen, tasks = self.moves, self.seen, tuple(self.machine.tasks.values())
        seen.add(moves.key)
        path: list[Move] = []
        left, moved = [iter(tasks)], [False]
        while left and len(seen) < budget.states:
            move = self._next(left[-1])
            if move is not None:
                moved[-1] = True
                if move.panic is not None:
                    self._panic(move.panic)
                    continue
                moves.make(move)
                if moves.key in seen:
                    moves.unmake(move)
                    continue
                seen.add(moves.key)
                path.append(move)
                left.append(iter(tasks))
                moved.append(False)
                continue
            if not moved[-1]:
                self._end()
            left.pop()
            moved.pop()
            if path:
                moves.unmake(path.pop())
        while path:
            moves.unmake(path.pop())
        return self._count(complete=not left)

    def _next(self, left: Iterator[Task]) -> Move | None:
        """The move of the next task that can make one, or panics; None: there is nobody left to try."""
        of = self.moves.of
        for task in left:
            move = of(task)
            if move is not None and move.blocked_on is None:
                self.transitions += 1
                return move
        return None

    def _panic(self, panic: Panic) -> None:
        """The machine stops in the middle of a step: no state is behind it, if this kernel is known to do that."""
        if not self.machine.kernel.defects:
            raise panic
        self.panics += 1

    def _end(self) -> None:
        self.ends += 1
        self.losing_ends += loses(self.machine)

    def _count(self, *, complete: bool) -> Count:
        return Count(len(self.seen), self.transitions, self.ends, self.losing_ends, self.panics, complete)
