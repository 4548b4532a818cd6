"""SPIN, asked about the same race, comes to the verdicts that ours does, and that the facts state."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.verdict import explore
from tests.engine.build import CORRECTED, MAP, POSTED, STOCK, make
from tests.peers import spin

RACE = make(
    {"A": [MAP, 'm[1P] = "A"', "msync(m, SYNC)"], "B": {"cpu": 1, "script": [MAP, 'm[2P] = "B"', "msync(m, SYNC)"]}},
    blocks=2,
)
"""Two programs, each with a hole, and one block."""


@pytest.mark.skipif(bool(spin.missing()), reason=spin.missing() or "SPIN is there")
@pytest.mark.parametrize(
    ("model", "kernel", "verdict"),
    [
        ("ask_nobody", STOCK, "broken"),  # 7.2: nobody is asked, so one of the two has no block
        ("ask_without_taking", POSTED, "broken"),  # 1b X4
        ("take_while_answering", CORRECTED, "holds"),  # 1c.5
    ],
)
def test_spin_comes_to_our_verdict(model: str, kernel: str, verdict: str, tmp_path: Path) -> None:
    assert spin.check(model, tmp_path).verdict == verdict
    assert explore(RACE, kernel).verdict == verdict
    assert spin.MODELS[model] == kernel


@pytest.mark.skipif(bool(spin.missing()), reason=spin.missing() or "SPIN is there")
def test_the_whole_of_a_model_is_looked_at_though_an_assertion_fails(tmp_path: Path) -> None:
    first, whole = spin.check("ask_nobody", tmp_path), spin.check("ask_nobody", tmp_path, whole=True)
    assert first.broken
    assert whole.broken
    assert first.states < whole.states <= whole.transitions


def test_every_model_is_measured_but_what_they_share() -> None:
    assert {path.stem for path in spin.HERE.glob("*.pml")} == {*spin.MODELS, "race"}
