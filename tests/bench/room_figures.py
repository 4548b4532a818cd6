"""How long a step takes from the teacher's request to the last of a thousand followers, and of five thousand.

Server, followers and teacher are processes of their own; the clock starts before the teacher sends.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles

import httpx2

from tests.bench.figures import Figure
from tests.bench.memory_figures import SITE, resident, serving

CLASSES = ((100, ""), (1_000, "≤ 50 ms"), (5_000, "≤ 250 ms"))
"""How many follow, and what the slowest hundredth may take."""
STEPS = 20
PAUSE = 0.5
RUN = "/run/mail/linux-2.6.9"


def room_figures() -> Iterator[Figure]:
    """The p99 over all followers and steps, in rooms of three sizes."""
    for count, budget in CLASSES:
        with serving(SITE, "serve", "--port", "0") as (process, client):
            took, spent = follow(client, process.pid, count)
            memory = resident(process)
        cuts = quantiles(took, n=100)
        beside = (
            f"median {cuts[49] * 1e3:.1f} ms, the slowest {max(took) * 1e3:.0f} ms; "
            f"{spent / len(took) * 1e6:.0f} µs of processor each; {memory:.0f} MB"
        )
        yield Figure(f"a step to {count:,} followers, p99", f"{cuts[98] * 1e3:.1f} ms", budget, beside)


def follow(client: httpx2.Client, server: int, count: int, steps: int = STEPS) -> tuple[list[float], float]:
    """Seconds from the teacher's request to each follower, of every step, and what the server spent on all of them."""
    room = client.post("/live", data={"run": RUN, "step": "0"}).headers["location"]
    client.cookies = httpx2.Cookies({"driver": client.cookies["driver"]})
    took: list[float] = []
    with followers(client.base_url.port or 80, f"{room}/events", count) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        began = processor(server)
        for step in range(1, steps + 1):
            time.sleep(PAUSE)
            process.stdin.write(f"{step + 1}\n")
            process.stdin.flush()
            sent = time.monotonic()
            client.post(f"{room}/step", data={"run": RUN, "step": str(step)}).raise_for_status()
            came = [float(when) for when in process.stdout.readline().split()]
            assert len(came) == count, f"{count - len(came)} of {count} followers missed step {step}"
            took += [when - sent for when in came]
        return took, processor(server) - began


@contextmanager
def followers(port: int, path: str, count: int) -> Iterator[subprocess.Popen[str]]:
    """So many followers in a process of their own."""
    command = [sys.executable, "-m", "tests.bench.followers", str(port), path, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def processor(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as opened:  # noqa: PTH123 - one of the system's, not a path of ours
        fields = opened.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
