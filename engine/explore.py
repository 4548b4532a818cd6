"""Every way a scenario can go: all interleavings of its tasks, the kernel's own among them, each state met once.

A depth-first walk on one machine. A step is made, its state looked up by the journal's key, and unmade: no state is
ever copied, so memory holds only the keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.errors import Panic
from engine.fates import loses
from engine.kernel import Kernel
from engine.kernels import find_kernel
from engine.machine import Machine
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


@dataclass(slots=True)
class Walk:
    """A walk under way: what was seen, and on the path from the beginning who is left to try at each state."""

    machine: Machine
    seen: set[int] = field(default_factory=set)
    transitions: int = 0
    ends: int = 0
    losing_ends: int = 0
    panics: int = 0

    def run(self, budget: Budget) -> Count:
        """Go on until everything was seen, or the budget is spent."""
        journal, seen, tasks = self.machine.journal, self.seen, tuple(self.machine.tasks.values())
        seen.add(journal.key)
        path, moved = [iter(tasks)], [False]
        while path and len(seen) < budget.states:
            went = self._next_step(path[-1])
            if went is None:
                if not moved[-1]:
                    self._end()
                path.pop()
                moved.pop()
                if path:
                    journal.undo()
                continue
            moved[-1] = True
            if went:
                path.append(iter(tasks))
                moved.append(False)
        return self._count(complete=not path)

    def _next_step(self, left: Iterator[Task]) -> bool | None:
        """Let the next task go that can; whether that leads to a new state. None: there is nobody left to try."""
        machine, journal, seen = self.machine, self.machine.journal, self.seen
        for task in left:
            try:
                moved = machine.step(task)
            except Panic:
                self._panic()
                return False
            if moved is not None:
                self.transitions += 1
                if (key := journal.key) not in seen:
                    seen.add(key)
                    return True
                journal.undo()
                return False
        return None

    def _panic(self) -> None:
        """The machine stops in the middle of a step: take it back, if this kernel is known to do that."""
        if not self.machine.kernel.defects:
            raise  # noqa: PLE0704 -- called where a Panic is handled
        self.machine.journal.undo()
        self.transitions += 1
        self.panics += 1

    def _end(self) -> None:
        self.ends += 1
        self.losing_ends += loses(self.machine)

    def _count(self, *, complete: bool) -> Count:
        return Count(len(self.seen), self.transitions, self.ends, self.losing_ends, self.panics, complete)
