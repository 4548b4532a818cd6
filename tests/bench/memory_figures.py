"""The memory of a fresh server that was asked for a thousand different runs, each as a page and as data."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

import engine
from app import orders
from app.links import RunLink
from tests.bench.figures import Figure

RUNS = 1_000
SITE = "from app.cli import main; main()"
PLAIN = "import fastapi, uvicorn; uvicorn.run(fastapi.FastAPI(), port=0)"


def memory_figures(links: list[RunLink]) -> list[Figure]:
    """Resident memory after it was asked; beside it, before that, and of a FastAPI application with no route."""
    with serving(PLAIN) as (process, _):
        plain = resident(process)
    with serving(SITE, "serve", "--port", "0") as (process, client):
        before = resident(process)
        for link in links:
            assert client.get(link.url()).status_code == client.get(link.url(suffix=".json")).status_code == 200
        after = resident(process)
    beside = f"{before:.0f} MB before the first; a FastAPI server with no route {plain:.0f} MB"
    return [Figure(f"server with {len(links):,} cached runs, resident", f"{after:.0f} MB", "≤ 150 MB", beside)]


def different_runs(count: int = RUNS) -> list[RunLink]:
    """So many runs, no two alike: gallery scenarios on the kernels that have them, each preempted at a step of its own."""
    found = {}
    for scenario in engine.gallery().values():
        tasks = list(scenario.tasks)
        for kernel in engine.kernels_of(scenario) if len(tasks) > 1 else ():
            for step in engine.run(scenario, kernel).steps:
                if step.task in tasks:
                    other = tasks[tasks.index(step.task) - 1]
                    link = RunLink(scenario.id, kernel, switch=f"{step.task}@{step.function}.{step.name}>{other}")
                    found[orders.at_address(link).id] = link
    return random.Random(count).sample(list(found.values()), count)  # noqa: S311 - the same ones each time


@contextmanager
def serving(program: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """A server in a process of its own, with nothing in its caches, and a client of it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PAGEFATE_DATA": folder}
        log = Path(folder, "log")
        command = [sys.executable, "-c", program, *arguments]
        with (
            log.open("w") as opened,
            subprocess.Popen(command, stdout=opened, stderr=opened, text=True, env=environment) as process,
        ):
            try:
                with httpx2.Client(base_url=_address(process, log), timeout=20) as client:
                    yield process, client
            finally:
                process.kill()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    while process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
    raise AssertionError(f"the server ended: {log.read_text()}")


def resident(process: subprocess.Popen[str]) -> float:
    """Megabytes (of 1,000,000 bytes) of a process that are in memory."""
    [line] = [line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024 / 1e6
