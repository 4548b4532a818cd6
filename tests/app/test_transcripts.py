"""The whole gallery on every kernel, step by step, as `pagefate run` prints it: a reviewer reads what a change changes.

`make transcripts` rewrites tests/transcripts; read the diff beside kernel-facts.md before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app.orders import order
from app.runs import perform
from app.text import transcript
from engine import Limits, find_scenario, gallery, kernels_of
from tests.conftest import TRANSCRIPTS

SHOWN = ("linux-2.6.9", "wli-posted", "wli-corrected", "linux-6.18")
"""The kernels whose runs are kept, beside the one that a scenario opens on."""
ENDLESS = ("endless-load", "wli-corrected+N2")
"""A run that only ends at the limit of steps: nobody reads twenty thousand lines."""


def runs() -> Iterator[tuple[str, str]]:
    """Each scenario on its own kernel, and on those of the shown ones that have its filesystem."""
    for name, scenario in gallery().items():
        able = kernels_of(scenario)
        shown = (scenario.kernel or able[0], *(kernel for kernel in SHOWN if kernel in able))
        yield from ((name, kernel) for kernel in dict.fromkeys(shown) if (name, kernel) != ENDLESS)


RUNS = tuple(runs())


@pytest.mark.parametrize(("scenario", "kernel"), RUNS)
def test_a_run_is_its_golden_transcript(is_golden: Callable[[str, str], None], scenario: str, kernel: str) -> None:
    made = perform(order(find_scenario(scenario), kernel), Limits())
    is_golden(f"{scenario}.{kernel}", transcript(made))


def test_there_is_no_transcript_of_what_is_no_more() -> None:
    wanted = {f"{scenario}.{kernel}" for scenario, kernel in RUNS}
    assert {path.stem for path in TRANSCRIPTS.glob("*.txt")} == wanted
