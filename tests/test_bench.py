"""What `make bench` measures is there to be measured; nothing here is about time."""

from __future__ import annotations

from engine import find_kernel, gallery, load_scenario
from tests.bench.engine_figures import gallery_runs
from tests.bench.memory_figures import SITE, serving
from tests.bench.room_figures import follow


def test_every_run_that_is_measured_is_one_that_a_kernel_has() -> None:
    measured = [(load_scenario(text, default_id="bench"), find_kernel(kernel)) for text, kernel in gallery_runs()]
    assert {scenario.title for scenario, _ in measured} == {scenario.title for scenario in gallery().values()}
    assert [s.title for s, kernel in measured if s.filesystem.type not in kernel.filesystems] == []


def test_every_follower_of_a_room_that_is_measured_gets_every_step() -> None:
    with serving(SITE, "serve", "--port", "0") as (process, client):
        took, spent = follow(client, process.pid, count=30, steps=3)
    assert len(took) == 90
    assert min(took) > 0
    assert spent >= 0
