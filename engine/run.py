"""The front door: run a scenario on a kernel under a schedule, and get a trace.

Tasks run on until told otherwise: a task goes on until it has to wait or is done, or until a preemption of the
schedule names the step it has just made. Then the kernel's own tasks go on if they
have work, else the task that had to wait, as soon as it can, else the first of the order that can. A task on call runs
one line when a preemption calls it, and hands back to the one it came in for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from engine.errors import Panic
from engine.fates import LEAKED, Ledger
from engine.function import LAYOUTS
from engine.kernel import Kernel
from engine.kernels import find_kernel
from engine.machine import KERNEL_TASKS, Machine, Moved
from engine.objects.task import DONE, IDLE, KILLED, Task
from engine.scenario import Scenario
from engine.schedule import Preemption, Schedule
from engine.setup import build
from engine.trace import Delta, Step, Trace, Value
from engine.values import show
from engine.watch import Watch


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a run may go: after so many steps, or so much work, the trace ends, incomplete, and says so.

    `work` counts the cells that steps read and write, the pieces of stores that are judged again, and the long values
    among them. It is the same wherever the run is made; a step of a small run takes about ten.
    """

    steps: int = 20_000
    work: int = 500_000


def run(
    scenario: Scenario,
    kernel: str | Kernel = "linux-2.6.9",
    schedule: Schedule | None = None,
    limits: Limits = Limits(),
    *,
    watch: bool = False,
) -> Trace:
    """Run a scenario to its end. Without a schedule, the scenario's own. `watch` notes which invariants break.

    Raises UnknownKernel, and Panic where the simulated machine reaches a state that must not be.
    """
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    order = scenario.default_schedule() if schedule is None else schedule
    driver = Driver(build(scenario, chosen), order, watch=watch)
    return driver.run(limits)


LONG = 16
"""So many characters of a value in wire form are as much work as a cell."""
PIECE = 8
"""A piece of a store that is judged is as much work as so many cells."""


class Driver:
    """Moves a machine by a schedule and keeps the record."""

    def __init__(self, machine: Machine, schedule: Schedule, *, watch: bool = False) -> None:
        self.machine, self.schedule, self._limits = machine, schedule, Limits()
        self._watch = Watch(machine) if watch else None
        names = (*KERNEL_TASKS, *schedule.complete(machine.scenario.tasks))
        self._order = tuple(machine.tasks[name] for name in names)
        self._switches = {(s.task, s.function, s.step, s.occurrence): s for s in schedule.switches}
        self._pending = dict(self._switches)
        self._on_call = {name for name, task in machine.scenario.tasks.items() if task.on_call}
        self._callers: dict[str, list[Task]] = {name: [] for name in self._on_call}
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._events: Counter[str] = Counter()
        self._ledger = Ledger(machine)
        self._waits: dict[str, str] = {}
        self._turn = next(task for task in self._order[len(KERNEL_TASKS) :] if task.task not in self._on_call)
        self._initial = {at: wire(at, value) for at, value in machine.journal.cells.items()}
        self._shown = dict(self._initial)
        self._touched = 0
        self._panic: Panic | None = None
        self.steps: list[Step] = []

    def run(self, limits: Limits) -> Trace:
        """Step until nobody can move, or a limit is reached. A kernel with known defects may end in a panic."""
        self._limits = limits
        try:
            return self._run(limits)
        except Panic as panic:
            if not self.machine.kernel.defects:
                raise
            self.machine.journal.undo()
            self._panic = panic
            return self._trace(complete=False)

    def _run(self, limits: Limits) -> Trace:
        task: Task | None = self._turn
        while len(self.steps) < limits.steps and self._work() < limits.work:
            moved = self.machine.step(task) if task is not None else None
            if moved is None:
                waiting = task if task is not None and self._is_stuck(task) else None
                task, moved = self._first_that_moves(task)
                if moved is None or task is None:
                    return self._trace(complete=True)
                self._record(moved, waiting)
            else:
                self._record(moved, None)
            task = self._next(moved, task)
        return self._trace(complete=False)

    def _next(self, moved: Moved, task: Task | None) -> Task | None:
        """Who goes on after a step: whom the schedule says, who was preempted for a line that is done, or the same."""
        if switch := self._switch(moved):
            if switch.to in self._on_call:
                self._callers[switch.to].append(self.machine.tasks[moved.task])
            return self.machine.tasks[switch.to]
        if self._callers.get(moved.task) and not self._is_inside(moved.task):
            caller = self._callers[moved.task].pop()
            return task if self._callers[moved.task] else caller
        return task

    def _is_inside(self, task: str) -> bool:
        """Whether a task is in the middle of a script line."""
        return self.machine.journal.cells.get(f"task/{task}.stack") is not None

    def _may_go(self, task: Task) -> bool:
        """Whether a task may be taken up: one on call only while it has not done every line it was called for."""
        return task.task not in self._on_call or bool(self._callers[task.task])

    def _first_that_moves(self, tried: Task | None) -> tuple[Task | None, Moved | None]:
        kernels, others = self._order[: len(KERNEL_TASKS)], self._order[len(KERNEL_TASKS) :]
        for task in (*kernels, self._turn, *others):
            if task is not tried and self._may_go(task) and (moved := self.machine.step(task)) is not None:
                return task, moved
        return None, None

    def _is_stuck(self, task: Task) -> bool:
        """Whether a task that could not move waits for something; if so it is noted for the page."""
        if self.machine.blocked_on is None:
            return False
        self._blocked = (task.task, self.machine.blocked_on)
        return True

    def _switch(self, moved: Moved) -> Preemption | None:
        if moved.task not in KERNEL_TASKS and moved.task not in self._on_call:
            self._turn = self.machine.tasks[moved.task]
        point = (moved.task, moved.function.c_name, moved.name)
        self._seen[point] += 1
        if switch := self._pending.pop((*point, self._seen[point]), None):
            return switch
        if self._is_inside(moved.task):
            return None
        return self._pending.pop((moved.task, "", str(self._line(moved.task)), 1), None)

    def _record(self, moved: Moved, waiting: Task | None) -> None:
        journal, function = self.machine.journal, moved.function.c_name
        reads, answer, writes = tuple(journal.reads), journal.note, journal.since_mark()
        self._touched += 1 + len(reads)
        journal.keep()
        fates, derived = self._ledger.update(writes)
        if self._watch is not None:
            self._watch.after(len(self.steps) + 1, writes)
        waits = tuple(self._wait_deltas(moved, waiting))
        line = self._line(moved.task)
        event = f"{moved.task}.{line}.{function}.{moved.name}"
        self._events[event] += 1
        if self._events[event] > 1:
            event = f"{event}#{self._events[event]}"
        self.steps.append(
            Step(
                n=len(self.steps) + 1,
                task=moved.task,
                function=function,
                name=moved.name,
                caption=LAYOUTS[moved.function].steps[moved.name].caption,
                line=line,
                answer=answer,
                reads=reads,
                writes=tuple([self._show(at, new) for at, _, new in writes]),
                derived=(*derived, *waits),
                fates=fates,
                event=event,
            )
        )

    def _show(self, at: str, new: Any) -> Delta:
        """A write in wire form; the old value was shown when it was written."""
        old, shown = self._shown.get(at), wire(at, new)
        self._shown[at] = shown
        self._touched += 1 + (len(shown) // LONG if isinstance(shown, str) else 0)
        return at, old, shown

    def _work(self) -> int:
        """What the run has taken so far; see Limits."""
        return self._touched + PIECE * self._ledger.judged

    def _line(self, task: str) -> int:
        if task in KERNEL_TASKS:
            return 0
        line: int = self.machine.journal.cells.get(f"task/{task}.line", 0)
        return line

    def _wait_deltas(self, moved: Moved, waiting: Task | None) -> list[Delta]:
        deltas: list[Delta] = []
        if moved.task in self._waits:
            deltas.append((f"task/{moved.task}.waits", self._waits.pop(moved.task), None))
        if waiting is not None:
            name, lock = self._blocked
            if self._waits.get(name) != lock:
                deltas.append((f"task/{name}.waits", self._waits.get(name), lock))
                self._waits[name] = lock
        return deltas

    def _trace(self, *, complete: bool) -> Trace:
        machine = self.machine
        return Trace(
            scenario=machine.scenario.id,
            kernel=machine.kernel.id,
            schedule=self.schedule,
            initial=self._initial,
            steps=tuple(self.steps),
            stores=self._ledger.stores(),
            outcome=self._outcome(complete=complete),
            notes=tuple(self._notes(complete=complete)),
            complete=complete,
            violations=None if self._watch is None else self._watch.breaches(),
        )

    def _outcome(self, *, complete: bool) -> str:
        """The word for the run (DESIGN 2).

        One that was cut short is `open` at best while a program may store more or a store is not settled. What is lost
        stays lost.
        """
        outcome = self._ledger.outcome()
        if complete or outcome.startswith("lost") or self._ledger.is_settled():
            return outcome
        return "open"

    def _notes(self, *, complete: bool) -> list[str]:
        notes = []
        if self._panic is not None:
            notes.append(f"The kernel panics. {self._panic}")
        elif not complete:
            why = "the limit" if self._work() < self._limits.work else "which took as much work as a run may"
            notes.append(f"The run was stopped after {len(self.steps)} steps, {why}. What is shown is its beginning.")
        leaked = [name for name, fate in self._ledger.fates.items() if fate == LEAKED]
        notes += [f"The private store {name} has reached a file: copy-on-write is broken." for name in leaked]
        notes += [f"The preemption {switch} was never reached." for switch in self._pending.values()]
        if complete:
            notes += [self._stuck(task) for task in self._order if self._unfinished(task)]
        return notes

    def _unfinished(self, task: Task) -> bool:
        if task.task in KERNEL_TASKS:
            return task.stack is not None
        return self._may_go(task) and task.state not in (DONE, KILLED, IDLE)

    def _stuck(self, task: Task) -> str:
        self.machine.step(task)
        lock = self.machine.blocked_on
        holder = self.machine.journal.cells.get(lock or "")
        by = f", held by {holder}" if isinstance(holder, str) else ""
        return f"Deadlock: task {task.task} waits for {lock}{by}, for ever."


def wire(at: str, value: Any) -> Value:
    """A cell's wire form; a stack is the names of its functions, outermost first."""
    if value is None or not at.endswith(".stack"):
        return show(value)
    names: list[str] = []
    while value is not None:
        names.append(value[0].c_name)
        value = value[4]
    return ">".join(reversed(names))
