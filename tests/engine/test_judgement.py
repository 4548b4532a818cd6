"""Fates that are kept up step by step are those that judging every byte of every store anew would give."""

from __future__ import annotations

import sys
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import engine
from engine import KERNELS, Scenario, gallery
from engine.fates import LEAKED, LOST, MATTERS, PRIVATE, REFUSED, REPLACED, Ledger, byte_fate
from engine.machine import Machine
from engine.objects.task import Task
from tests.engine.build import MAP, make, possible
from tests.engine.test_laws import choices, kernels, scenarios
from tests.engine.test_random_worlds import randoms, worlds

ORDER = (LOST, "clean-unsaved", "at-risk", "backed", "durable")
law = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def anew(k: Machine) -> dict[str, str]:
    """Every store's fate, from nothing but the state."""
    found = {}
    for at, record in k.stores.items():
        name, size = at.removeprefix("store/"), k.block_size
        if not record.accepted:
            fate = REFUSED if record.refused else None
        elif record.file is None:
            cached = [k.page(pfn).content for mapping in k.mappings.values() for _, pfn in mapping.pages.items()]
            data = [*cached, *(data for _, data in k.disk.data.items())]
            fate = LEAKED if any(run.store == name for some in data for run in some.runs) else PRIVATE
        else:
            runs = [run for run in k.oracles[record.file].data.runs if run.store == name]
            parts = [
                run.cut(low, low + size) for run in runs for low in range(0, run.stop, size) if low + size > run.start
            ]
            fates = {byte_fate(k, record.file, part) for part in parts}
            fate = next((worst for worst in ORDER if worst in fates), REPLACED)
        if fate is not None:
            found[name] = fate
    return found


class Checked(Ledger):
    """A ledger that is compared with one made anew whenever it has judged."""

    def __init__(self, k: Machine) -> None:
        super().__init__(k)
        self.machine = k

    def update(self, writes: list[Any]) -> Any:
        changed = super().update(writes)
        if any(at.endswith(MATTERS) for at, _, _ in writes):
            assert self.fates == anew(self.machine)
        return changed


def follow(k: Machine, picks: list[int]) -> None:
    """Let tasks step as the picks say, then on to the end, with a ledger that is checked at every step."""
    ledger, tasks, moved = Checked(k), list(k.tasks.values()), True

    def step(task: Task) -> bool:
        if k.step(task) is None:
            return False
        ledger.update(k.journal.since_mark())
        return True

    for pick in picks:
        step(tasks[pick % len(tasks)])
    while moved:
        moved = sum(step(task) for task in tasks) > 0


@law
@given(scenarios, kernels, choices)
def test_two_tasks_at_random(scenario: Scenario, kernel: str, picks: list[int]) -> None:
    try:
        follow(engine.build(scenario, KERNELS[kernel]), picks)
    except engine.Panic:
        assert KERNELS[kernel].defects


@law
@given(worlds(), kernels, randoms)
def test_random_worlds(scenario: Scenario, kernel: str, random: Random) -> None:
    try:
        follow(engine.build(scenario, KERNELS[kernel]), [random.randrange(100) for _ in range(400)])
    except engine.Panic:
        assert KERNELS[kernel].defects


@pytest.mark.parametrize(("scenario", "kernel"), possible())
def test_every_gallery_run(monkeypatch: pytest.MonkeyPatch, scenario: str, kernel: str) -> None:
    monkeypatch.setattr(sys.modules["engine.run"], "Ledger", Checked)
    engine.run(gallery()[scenario], kernel)


@pytest.mark.parametrize("kernel", ["linux-2.6.9", "wli-corrected", "linux-2.6.23", "linux-6.1", "linux-6.18"])
def test_a_store_that_a_cut_under_way_has_yet_to_take_goes_with_it(kernel: str) -> None:
    """facts 1a.15, H5: the page is still the file's when it is stored to. Whoever cuts the file takes it away."""
    cut = "shrink" if kernel.startswith("linux-6") else "i_size_write"
    function = "truncate_setsize" if kernel.startswith("linux-6") else "vmtruncate"
    tasks = {"A": [MAP, 'm[2P] = "B"', 'm[2P] = "C"'], "B": ["ftruncate(f, 1P)"]}
    scenario = make(tasks, schedule=["A", "B", "A@2>B", f"B@{function}.unmap_mapping_range>A"], machine={"cpus": 2})
    trace = engine.run(scenario, kernel)
    late = next(step for step in trace.steps if step.task == "A" and step.line == 3 and step.name == "write")
    shrunk = next(step for step in trace.steps if step.name == cut)
    assert shrunk.n < late.n, "the schedule means the moment between the new size and the torn entries"
    assert {store.id: store.fate for store in trace.stores} == {"A.2": "replaced", "A.3": "replaced"}
    assert trace.outcome == "kept"
