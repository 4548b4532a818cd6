"""What `make bench` measures is there to be measured; nothing here is about time."""

from __future__ import annotations

from engine import find_kernel, gallery, load_scenario
from tests.bench.engine_figures import gallery_runs


def test_every_run_that_is_measured_is_one_that_a_kernel_has() -> None:
    measured = [(load_scenario(text, default_id="bench"), find_kernel(kernel)) for text, kernel in gallery_runs()]
    assert {scenario.title for scenario, _ in measured} == {scenario.title for scenario in gallery().values()}
    assert [s.title for s, kernel in measured if s.filesystem.type not in kernel.filesystems] == []
