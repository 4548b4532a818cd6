"""The whole gallery on every kernel, step by step, as `pagefate run` prints it: a reviewer reads what a change changes.

`make transcripts` rewrites tests/transcripts; read the diff beside kernel-facts.md before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.orders import order
from app.runs import perform
from app.text import transcript
from engine import Limits, find_scenario
from tests.conftest import TRANSCRIPTS
from tests.engine.build import possible


@pytest.mark.parametrize(("scenario", "kernel"), possible())
def test_a_run_is_its_golden_transcript(is_golden: Callable[[str, str], None], scenario: str, kernel: str) -> None:
    made = perform(order(find_scenario(scenario), kernel), Limits())
    is_golden(f"{scenario}.{kernel}", transcript(made))


def test_there_is_no_transcript_of_what_is_no_more() -> None:
    wanted = {f"{scenario}.{kernel}" for scenario, kernel in possible()}
    assert {path.stem for path in TRANSCRIPTS.glob("*.txt")} == wanted
