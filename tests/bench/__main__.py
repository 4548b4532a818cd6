"""Print each figure beside its budget and a baseline measured in the same run: medians, units, machine named."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

from tests.bench.browser_figures import browser_figures
from tests.bench.engine_figures import engine_figures
from tests.bench.figures import Figure
from tests.bench.memory_figures import different_runs, memory_figures
from tests.bench.room_figures import room_figures
from tests.bench.search_figures import search_figures
from tests.bench.web_figures import web_figures


def figures() -> Iterator[Figure]:
    """All that DESIGN 7 has a budget for and that is there to be measured."""
    yield from engine_figures()
    yield from search_figures()
    links = different_runs()
    yield from web_figures(links[:60])
    yield from browser_figures()
    yield from memory_figures(links)
    yield from room_figures()


def machine() -> str:
    """What it was measured on: the processor, its cores, the system, Python."""
    about = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = next((line.partition(": ")[2] for line in about.splitlines() if line.startswith("model name")), "")
    cores = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    return f"{model or platform.machine()}, {cores}, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    print(f"{machine()}. Medians of processor time; 1 KB is 1,000 bytes.")
    for figure in figures():
        print(f"{figure.what:<44} {figure.measured:>18}   {figure.budget:<18} {figure.beside}".rstrip(), flush=True)
