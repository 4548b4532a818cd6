"""What a figure is, and how time is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

ROUNDS = 15


class Figure(NamedTuple):
    """One line of the report; `beside` is the baseline of the same run, or what else one should know."""

    what: str
    measured: str
    budget: str = ""
    beside: str = ""


def timed(action: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Median seconds of processor time of an action, after one warm-up."""
    action()
    return median(once(action) for _ in range(rounds))


def once(action: Callable[[], Any]) -> float:
    """Seconds of processor time of an action, all its threads together: on a shared machine the clock tells of others."""
    began = time.process_time()
    action()
    return time.process_time() - began


def ms(seconds: float) -> str:
    """`1.23 ms`."""
    return f"{seconds * 1e3:.2f} ms"


def kilobytes(count: int) -> str:
    """`12.3 KB`, of 1,000 bytes."""
    return f"{count / 1e3:.1f} KB"
