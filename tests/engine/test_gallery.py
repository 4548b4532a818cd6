"""The gallery as a whole: each scenario has something that the facts say of it, and is shown where it can be shown."""

from __future__ import annotations

import pytest

from engine import KERNELS, find_kernel, gallery, kernels_of, run
from tests.engine import (
    test_gallery_chapters,
    test_gallery_incidents,
    test_gallery_real_tests,
    test_gallery_today,
    test_outcomes,
    test_outcomes_2_6,
)

STATED = (test_gallery_chapters, test_gallery_incidents, test_gallery_real_tests, test_gallery_today)
NEVER_ENDS = "endless-load"


def said() -> set[tuple[str, str]]:
    """Which scenario has a row on which kernel."""
    old = (*test_outcomes.ROWS, *test_outcomes_2_6.NEWER, *test_outcomes_2_6.RESERVING)
    new = [row for module in STATED for row in module.ROWS if not row.on]
    return {(row.scenario, kernel) for row in (*old, *new) for kernel in row.kernels}


@pytest.mark.parametrize("name", gallery())
def test_the_facts_say_something_of_every_scenario_on_its_own_kernel(name: str) -> None:
    assert (name, gallery()[name].kernel or kernels_of(gallery()[name])[0]) in said()


@pytest.mark.parametrize("name", gallery())
def test_a_scenario_can_be_shown_where_it_wants_to_be(name: str) -> None:
    scenario = gallery()[name]
    kernel = find_kernel(scenario.kernel or "linux-2.6.9")
    assert scenario.filesystem.type in kernel.filesystems
    trace = run(scenario, kernel)
    assert trace.complete or name == NEVER_ENDS
    assert not [note for note in trace.notes if "never reached" in note]


def test_every_switch_has_a_scenario_that_shows_it() -> None:
    switches = {f"{kernel.id}+{name}" for kernel in KERNELS.values() for name in kernel.switches}
    assert switches == {kernel for _, kernel in said() if "+" in kernel}
