"""What the tests of searches have in common: a question that takes long, and which processes search."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

LONG = ["writeback", "reclaim", "drop-caches", "take", "free"]
"""Offered to the mail's experiment on the corrected patch, where nothing is lost, these leave much to look through."""
QUESTION = {"scenario": "mail", "kernel": "wli-corrected", "offers": LONG, "states": 2_000_000, "seconds": 120}


def workers() -> list[int]:
    """The processes below this one that search."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            command = (each / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if parent == os.getpid() and b"app.search_worker" in command:
            found.append(int(each.name))
    return sorted(found)


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is true."""
    latest = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < latest, "that took too long"
        time.sleep(0.05)
