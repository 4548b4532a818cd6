"""A matrix of verdicts: scenarios by kernels, for one property; worked out on the machine's cores, or on a cluster.

Same command, same verdicts. A worker that dies loses the cell it was at, which another takes up (engine/crew.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.crew import Crew, each
from engine.errors import EngineError
from engine.explore import Budget
from engine.kernels import find_kernel
from engine.scenario import Scenario, scenario_from_data, to_data
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
    """A verdict about one scenario on one kernel; `schedule` is that of its witness, empty without one.

    `found` is all that the search came to, in so many `seconds`; None where nothing was searched.
    """

    scenario: str
    kernel: str
    asked: str
    verdict: str
    states: int
    says: str = ""
    schedule: str = ""
    found: Verdict | None = None
    seconds: float = field(default=0.0, compare=False)


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
                yield Cell(scenario.id, kernel, asked, NEVER, 0)


def work_out(job: Job) -> Cell:
    """One cell. Whatever goes wrong in it is its verdict, and no reason to lose the others."""
    began = time.monotonic()
    try:
        scenario = scenario_from_data(job.data, job.scenario)
        budget = Budget(states=job.states, seconds=job.seconds)
        found = explore(scenario, job.kernel, job.asked, offers=job.offers, budget=budget)
        return cell(job, found, time.monotonic() - began)
    except EngineError as error:
        return Cell(job.scenario, job.kernel, job.asked, "failed", 0, str(error))


def cell(job: Job, found: Verdict, seconds: float) -> Cell:
    """A verdict as a cell."""
    says, schedule, witness = found.stopped, "", found.witness
    if witness is not None:
        says, schedule = witness.says, spelt(witness.scenario, witness.schedule)
    return Cell(job.scenario, job.kernel, job.asked, found.verdict, found.states, says, schedule, found, seconds)


def worked_out(wanted: Sequence[Job], crew: Crew | None) -> Iterator[Cell]:
    """The cells, as they are done; without a crew one after the other, here."""
    return map(work_out, wanted) if crew is None else (found for _, found in each(crew, work_out, wanted))
