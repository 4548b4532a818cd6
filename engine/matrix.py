"""A matrix of verdicts: scenarios by kernels, for one property; worked out on the machine's cores, or on a cluster.

Same command, same verdicts. A worker that dies loses the cell it was at, which another takes up (engine/crew.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.crew import Crew, each
from engine.errors import EngineError
from engine.explore import Budget
from engine.kernels import find_kernel
from engine.scenario import Scenario, scenario_from_data, to_data
from engine.schedule import Schedule
from engine.verdict import Verdict, explore
from engine.what_if import spelt

NEVER = "never existed"
"""What stands in a cell where the kernel has not the scenario's filesystem."""


@dataclass(frozen=True, slots=True)
class Job:
    """A cell to be worked out, as plain data that travels."""

    scenario: str
    data: dict[str, Any]
    kernel: str
    asked: str
    offers: tuple[str, ...]
    states: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A verdict about one scenario on one kernel; `schedule` is that of its witness, empty without one."""

    scenario: str
    kernel: str
    verdict: str
    states: int
    says: str = ""
    schedule: str = ""


def jobs(
    scenarios: Sequence[Scenario], kernels: Sequence[str], asked: str, offers: Sequence[str], budget: Budget
) -> Iterator[Job | Cell]:
    """What has to be worked out, and the cells that need not be."""
    for scenario in scenarios:
        data = to_data(scenario) | {"beats": []}
        for kernel in kernels:
            if scenario.filesystem.type in find_kernel(kernel).filesystems:
                yield Job(scenario.id, data, kernel, asked, tuple(offers), budget.states, budget.seconds)
            else:
                yield Cell(scenario.id, kernel, NEVER, 0)


def work_out(job: Job) -> Cell:
    """One cell. Whatever goes wrong in it is its verdict, and no reason to lose the others."""
    try:
        scenario = scenario_from_data(job.data, job.scenario)
        budget = Budget(states=job.states, seconds=job.seconds)
        return cell(job, explore(scenario, job.kernel, job.asked, offers=job.offers, budget=budget))
    except EngineError as error:
        return Cell(job.scenario, job.kernel, "failed", 0, str(error))


def cell(job: Job, found: Verdict) -> Cell:
    """A verdict as a cell."""
    witness = found.witness
    if witness is None:
        return Cell(job.scenario, job.kernel, found.verdict, found.states, found.stopped)
    schedule: Schedule = witness.schedule
    return Cell(job.scenario, job.kernel, found.verdict, found.states, witness.says, spelt(witness.scenario, schedule))


def worked_out(wanted: Sequence[Job], crew: Crew | None) -> Iterator[Cell]:
    """The cells, as they are done; without a crew one after the other, here."""
    return map(work_out, wanted) if crew is None else (found for _, found in each(crew, work_out, wanted))
