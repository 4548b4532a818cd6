"""Looking one step ahead: at a step of a run, what each task would do next, and who would have to wait for whom."""

from __future__ import annotations

from dataclasses import dataclass

from engine.kernel import Kernel
from engine.kernels import find_kernel
from engine.machine import Machine, Peek
from engine.run import Driver, Limits, wire
from engine.scenario import Scenario
from engine.schedule import Schedule
from engine.setup import build
from engine.trace import Delta


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a task would do next: the step, what it reads and writes; or the cell it waits for, and who has that."""

    task: str
    function: str
    step: str
    reads: tuple[str, ...]
    writes: tuple[Delta, ...]
    waits_for: str | None
    holder: str | None

    @property
    def can_run(self) -> bool:
        """Whether it could go on now."""
        return self.waits_for is None


def ahead(scenario: Scenario, kernel: str | Kernel, schedule: Schedule | None, step: int) -> tuple[Ahead, ...]:
    """What may come after so many steps of a run, a task that has nothing to do left out. Nothing is changed by it."""
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    order = scenario.default_schedule() if schedule is None else schedule
    driver = Driver(build(scenario, chosen), order)
    driver.run(Limits(steps=step, work=Limits().work * 100))
    machine = driver.machine
    peeks = (machine.preview(task) for task in machine.tasks.values())
    return tuple(_ahead(machine, peek) for peek in peeks if peek is not None)


def _ahead(machine: Machine, peek: Peek) -> Ahead:
    holder = machine.journal.cells.get(peek.waits_for) if peek.waits_for else None
    return Ahead(
        peek.task,
        peek.function,
        peek.step,
        tuple(dict.fromkeys(peek.reads)),
        tuple((at, wire(at, old), wire(at, new)) for at, old, new in peek.writes),
        peek.waits_for,
        holder if isinstance(holder, str) else None,
    )
