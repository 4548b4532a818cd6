"""A matrix, a search and a curve on a cluster of two workers: the same as here, also when a worker is killed meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from engine import Budget, EngineError, explore, find_scenario, spread
from engine.crew import Cluster
from engine.curve import curve
from engine.matrix import Cell, Job, jobs, work_out, worked_out
from engine.verdict import Progress
from tests.engine.test_perft import COUNTS, SCENARIOS

if TYPE_CHECKING:
    from distributed import LocalCluster

pytestmark = pytest.mark.timeout(120)

NEEDS = "needs Dask: pip install 'pagefate[cluster]'"
KERNELS = ["linux-2.6.9", "wli-posted", "wli-corrected", "linux-6.18"]


def wanted() -> list[Job]:
    scenarios = [find_scenario(name) for name in ("mail", "fork", "last-block")]
    cells = jobs(scenarios, KERNELS, "no-loss", (), Budget(states=3_000, seconds=60))
    return [each for each in cells if isinstance(each, Job)]


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    distributed = pytest.importorskip("distributed", reason=NEEDS)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as made:
        yield made


def by_name(cells: list[Cell]) -> dict[tuple[str, str], Cell]:
    return {(cell.scenario, cell.kernel): cell for cell in cells}


@pytest.fixture
def crew(cluster: LocalCluster) -> Iterator[Cluster]:
    with Cluster(cluster.scheduler_address) as made:
        yield made


def kill_one(cluster: LocalCluster) -> None:
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)


def test_a_cluster_comes_to_the_same_verdicts(crew: Cluster) -> None:
    found = list(worked_out(wanted(), crew))
    assert by_name(found) == by_name([work_out(job) for job in wanted()])
    assert len(found) == len(wanted())


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(cluster: LocalCluster, crew: Cluster) -> None:
    coming = worked_out(wanted() * 3, crew)
    found = [next(coming)]
    kill_one(cluster)
    found += coming
    assert len(found) == 3 * len(wanted())
    assert by_name(found) == by_name([work_out(job) for job in wanted()])


@pytest.mark.parametrize("kernel", ["wli-posted", "wli-corrected"])
def test_one_search_on_a_cluster_comes_to_the_same_verdict_and_witness(kernel: str, crew: Cluster) -> None:
    alone, several = explore(SCENARIOS["last-block"], kernel), explore(SCENARIOS["last-block"], kernel, crew=crew)
    assert several.verdict == alone.verdict
    assert several.witness == alone.witness


def test_one_search_meets_every_state_once_though_a_worker_is_killed_in_the_middle(
    cluster: LocalCluster, crew: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "SLICE", 0.05)
    killed: list[int] = []

    def kill(made: Progress) -> bool:
        if made.states > 1_000 and not killed:
            killed.append(made.states)
            kill_one(cluster)
        return True

    found = explore(SCENARIOS["last-block"], "wli-corrected", reduced=False, crew=crew, progress=kill)
    assert killed
    assert (found.verdict, found.stopped) == ("holds", "")
    assert (found.states, found.transitions, found.ends, 0) == COUNTS["last-block", "wli-corrected"]


def test_a_curve_on_a_cluster_is_that_of_here(crew: Cluster) -> None:
    scenario = find_scenario("last-block")
    assert list(curve(scenario, "wli-posted", crew=crew)) == list(curve(scenario, "wli-posted"))


def test_a_cluster_without_workers_is_said_with_a_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason=NEEDS)
    monkeypatch.setattr("engine.crew.SECONDS", 1)
    with (
        distributed.LocalCluster(n_workers=0, processes=True, dashboard_address=None, host="127.0.0.1") as empty,
        pytest.raises(EngineError, match=r"has no workers.*dask worker tcp"),
    ):
        Cluster(empty.scheduler_address)


def test_nobody_at_an_address_is_said_with_a_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason=NEEDS)
    monkeypatch.setattr("engine.crew.SECONDS", 1)
    with pytest.raises(EngineError, match=r"no cluster answers.*dask scheduler"):
        Cluster("tcp://127.0.0.1:9")
