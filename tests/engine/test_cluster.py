"""A matrix on a cluster of two workers: the same verdicts as here, also when a worker is killed in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from engine import Budget, EngineError, find_scenario
from engine.matrix import Cell, Job, jobs, on_cluster, work_out

if TYPE_CHECKING:
    from distributed import LocalCluster

pytestmark = pytest.mark.timeout(120)

KERNELS = ["linux-2.6.9", "wli-posted", "wli-corrected", "linux-6.18"]


def wanted() -> list[Job]:
    scenarios = [find_scenario(name) for name in ("mail", "fork", "last-block")]
    cells = jobs(scenarios, KERNELS, "no-loss", (), Budget(states=3_000, seconds=60))
    return [each for each in cells if isinstance(each, Job)]


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as made:
        yield made


def by_name(cells: list[Cell]) -> dict[tuple[str, str], Cell]:
    return {(cell.scenario, cell.kernel): cell for cell in cells}


def test_a_cluster_comes_to_the_same_verdicts(cluster: LocalCluster) -> None:
    found = list(on_cluster(wanted(), cluster.scheduler_address))
    assert by_name(found) == by_name([work_out(job) for job in wanted()])
    assert len(found) == len(wanted())


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(cluster: LocalCluster) -> None:
    coming = on_cluster(wanted() * 3, cluster.scheduler_address)
    found = [next(coming)]
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
    found += coming
    assert len(found) == 3 * len(wanted())
    assert by_name(found) == by_name([work_out(job) for job in wanted()])


def test_nobody_at_an_address_is_said_with_a_cure() -> None:
    with pytest.raises(EngineError, match="no cluster answers"):
        list(on_cluster(wanted()[:1], "tcp://127.0.0.1:9"))
