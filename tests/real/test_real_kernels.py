"""The simulator agrees with what real kernels did: every row of real-kernels.json that our language can say.

Rows come from ../shared/field/real-kernels.json where that is beside the tree, else from the copy here; $PAGEFATE_ROWS
names another file of the same format. A row that is left out is skipped with its reason. performed.json holds further
rows, made up and performed on a 6.18.44 by `make real`; there free blocks of XFS and btrfs are not compared (tier 2).
"""

import json
import os
from pathlib import Path

import pytest

from engine import KERNELS
from tests.real.compare import differences
from tests.real.filesystems import LeftOut, Row
from tests.real.observe import observe
from tests.real.translate import translate

HERE = Path(__file__).parent
PLACES = (os.environ.get("PAGEFATE_ROWS"), HERE.parents[2] / "shared/field/real-kernels.json", HERE / "rows.json")
ROWS: list[Row] = json.loads(next(Path(place) for place in PLACES if place and Path(place).exists()).read_text("utf-8"))
PERFORMED: list[Row] = json.loads((HERE / "performed.json").read_text("utf-8"))
RUNS = [(row, kernel) for row in (*ROWS, *PERFORMED) for kernel in row["observed"]]


@pytest.mark.parametrize(("row", "kernel"), RUNS, ids=[f"{row['name']}-{kernel}" for row, kernel in RUNS])
def test_the_simulator_does_what_the_real_kernel_did(row: Row, kernel: str) -> None:
    assert kernel in KERNELS
    try:
        play = translate(row)
    except LeftOut as reason:
        pytest.skip(str(reason))
    trace, seen = observe(row, play, kernel)
    assert trace.complete, trace.notes
    assert differences(row, kernel, trace, seen) == []


def test_nothing_of_tier_one_is_left_out() -> None:
    left_out = {}
    for row in ROWS:
        try:
            translate(row)
        except LeftOut as reason:
            left_out[row["name"]] = (row["tier"], str(reason))
    assert [name for name, (tier, _) in left_out.items() if tier == 1] == []
