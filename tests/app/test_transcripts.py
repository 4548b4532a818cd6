"""The whole gallery on every kernel, step by step, as `pagefate run` prints it: a reviewer reads what a change changes.

`make transcripts` rewrites tests/transcripts; read the diff beside kernel-facts.md before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app.orders import order
from app.runs import perform
from app.text import transcript
from engine import KERNELS, Limits, find_scenario, gallery
from tests.conftest import TRANSCRIPTS

SHOWN = ("linux-2.6.9", "wli-posted", "wli-corrected", "linux-6.18")
"""The kernels whose runs are kept; where a scenario's filesystem is in none of them, the first that has it."""


def runs() -> Iterator[tuple[str, str]]:
    """Each scenario on those of the shown kernels that have its filesystem."""
    for name, scenario in gallery().items():
        able = [kernel.id for kernel in KERNELS.values() if scenario.filesystem.type in kernel.filesystems]
        yield from ((name, kernel) for kernel in [k for k in SHOWN if k in able] or able[:1])


RUNS = tuple(runs())


@pytest.mark.parametrize(("scenario", "kernel"), RUNS)
def test_a_run_is_its_golden_transcript(is_golden: Callable[[str, str], None], scenario: str, kernel: str) -> None:
    made = perform(order(find_scenario(scenario), kernel), Limits())
    is_golden(f"{scenario}.{kernel}", transcript(made))


def test_there_is_no_transcript_of_what_is_no_more() -> None:
    wanted = {f"{scenario}.{kernel}" for scenario, kernel in RUNS}
    assert {path.stem for path in TRANSCRIPTS.glob("*.txt")} == wanted
