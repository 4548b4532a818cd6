"""A matrix of verdicts: on several cores the same cells as one by one, and a worker that dies costs nothing."""

from __future__ import annotations

import multiprocessing
import sys

import pytest

from engine import Budget, EngineError, Scenario, find_scenario
from engine.crew import Cluster, Cores
from engine.matrix import NEVER, Cell, Job, jobs, work_out, worked_out
from tests.engine.build import CORRECTED, MAP, POSTED, STOCK, make

pytestmark = pytest.mark.timeout(120)
TINY = make({"A": [MAP, 'm[2P] = "C"', "msync(m, SYNC)"]}, blocks=1)
KERNELS = [STOCK, POSTED, CORRECTED]


def wanted(*scenarios: Scenario, asked: str = "no-loss") -> list[Job]:
    made = list(jobs(scenarios, KERNELS, asked, (), Budget(states=20_000, seconds=60)))
    return [each for each in made if isinstance(each, Job)]


def by_place(cells: list[Cell]) -> dict[tuple[str, str], Cell]:
    return {(cell.scenario, cell.kernel): cell for cell in cells}


def test_cores_give_the_cells_that_one_gives() -> None:
    work = wanted(TINY, find_scenario("mail"))
    with Cores(2) as crew:
        assert by_place(list(worked_out(work, crew))) == by_place(list(worked_out(work, None)))


def test_the_verdicts_are_those_of_the_facts() -> None:
    # 7.2 rows 1: no room, ext2: stock accepts the store and loses it, the corrected patch refuses it.
    found = by_place([work_out(job) for job in wanted(TINY)])
    assert found[TINY.id, STOCK].verdict == "broken"
    assert found[TINY.id, STOCK].schedule
    assert found[TINY.id, CORRECTED].verdict == "holds"
    assert found[TINY.id, CORRECTED].schedule == ""


def test_a_worker_that_is_killed_costs_nothing() -> None:
    work = wanted(TINY, find_scenario("mail"), find_scenario("last-block"))
    with Cores(2) as crew:
        coming = worked_out(work, crew)
        cells = [next(coming)]
        multiprocessing.active_children()[0].kill()
        cells += coming
    assert len(cells) == len(work)
    assert by_place(cells).keys() == {(job.scenario, job.kernel) for job in work}
    assert all(cell.verdict in ("holds", "broken", "undecided") for cell in cells)


def test_a_kernel_without_the_filesystem_is_not_asked() -> None:
    made = list(jobs([find_scenario("tmpfs-read")], [STOCK], "no-loss", (), Budget()))
    assert made == [Cell("tmpfs-read", STOCK, "no-loss", NEVER, 0)]
    with Cores(2) as crew:
        assert list(worked_out([], crew)) == []


def test_a_cell_that_goes_wrong_says_why_and_the_others_are_there() -> None:
    good, bad = wanted(TINY)[0], wanted(TINY, asked="no-such")[1]
    assert [cell.verdict for cell in (work_out(good), work_out(bad))] == ["broken", "failed"]
    assert "no-such" in work_out(bad).says


def test_a_cluster_needs_dask_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # as where it is not installed
    with pytest.raises(EngineError, match="needs Dask") as refused:
        Cluster("tcp://127.0.0.1:1")
    assert "pip install" in refused.value.cure
