"""How far one press goes: a step, a kernel function, or a whole fault. Where each of them stops in a run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from app.rail import Journey
from engine import Step

ZOOMS: Final = {"step": "by step", "function": "by function", "fault": "by fault"}
"""Each with its name on the page; a step is the closest, and needs not be said in an address."""


def stops(zoom: str, steps: Sequence[Step], journeys: Sequence[Journey]) -> list[int]:
    """The steps to stop at, in order: the beginning, the last of each unit, and so the end."""
    units: dict[str, list[object]] = {
        "step": [step.n for step in steps],
        "function": [(step.task, step.function) for step in steps],
        "fault": [id(journey) for journey in journeys],
    }
    return [0, *(n for n, (unit, after) in enumerate(pairwise([*units[zoom], None]), start=1) if unit != after)]


def beside(stops: Sequence[int], n: int) -> tuple[int, int]:
    """The stops before and after step n; the first and the last where there is none."""
    before = [stop for stop in stops if stop < n]
    after = [stop for stop in stops if stop > n]
    return (before or stops)[-1 if before else 0], (after or stops)[0 if after else -1]
