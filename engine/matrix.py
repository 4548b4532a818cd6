"""A matrix of verdicts: scenarios by kernels, for one property; worked out on the machine's cores, or on a cluster.

With `pip install pagefate[cluster]` and the address of a Dask scheduler the same cells are worked out there: same
command, same verdicts. A worker that dies loses the cell it was at, which another takes up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from engine.errors import EngineError
from engine.explore import Budget
from engine.kernels import find_kernel
from engine.scenario import Scenario, scenario_from_data, to_data
from engine.verdict import Verdict, explore
from engine.what_if import spelt

SECONDS, TRIES = 10, 3
"""How long a cluster may take to answer, and how often a cell is begun whose worker dies."""
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


def on_cores(wanted: Sequence[Job], workers: int = 0) -> Iterator[Cell]:
    """The cells, as they are done. A process that is killed takes its cell with it to a new one, up to three times."""
    left = dict(enumerate(wanted))
    for attempt in range(TRIES):
        try:
            yield from _on_a_pool(left, workers or os.cpu_count() or 1)
        except BrokenProcessPool:
            if attempt == TRIES - 1:
                raise
        else:
            return


def _on_a_pool(left: dict[int, Job], workers: int) -> Iterator[Cell]:
    with ProcessPoolExecutor(min(workers, max(1, len(left))), mp_context=get_context("spawn")) as pool:
        under_way: dict[Future[Cell], int] = {pool.submit(work_out, job): number for number, job in left.items()}
        while under_way:
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                number, found = under_way.pop(future), future.result()
                del left[number]
                yield found


def on_cluster(wanted: Sequence[Job], address: str) -> Iterator[Cell]:
    """The cells, as they are done by the workers of a Dask scheduler. Raises EngineError without the extra."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise EngineError("a cluster needs Dask", cure="pip install 'pagefate[cluster]'") from error
    try:
        client = distributed.Client(address, timeout=SECONDS)
    except (OSError, ValueError) as error:
        cure = "Start `dask scheduler`, and give its address as tcp://HOST:8786"
        raise EngineError(f"no cluster answers at {address}", cure=cure) from error
    with client:
        for future in distributed.as_completed(client.map(work_out, wanted, retries=TRIES, pure=False)):
            yield future.result()
