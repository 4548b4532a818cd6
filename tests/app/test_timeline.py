"""The marks of the timeline: no label lies over another."""

from itertools import pairwise

import pytest

from app import orders, runs, theatre
from app.timeline import CROWDED
from engine import Limits


@pytest.mark.parametrize(
    ("scenario", "kernel"),
    [("mail", "linux-2.6.9"), ("quota", "linux-6.18"), ("msync-twice", "linux-2.6.9"), ("last-block", "wli-posted")],
)
def test_no_label_lies_over_another(scenario: str, kernel: str) -> None:
    # A label takes at most that part of the timeline: to the right of its mark, near the end to the left of it.
    stage = theatre.make_stage(runs.perform(orders.order(scenario, kernel), Limits()))
    width = len(stage.trace.steps) * CROWDED
    spans = [(mark.n - width, mark.n) if mark.left else (mark.n, mark.n + width) for mark in stage.marks if mark.label]
    assert spans
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
