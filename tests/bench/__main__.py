"""Print each figure beside its budget and a baseline measured in the same run: medians, units, machine named."""

from __future__ import annotations

import asyncio
import gzip
import os
import platform
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.resources import files
from statistics import median
from typing import Any

import msgspec
from fastapi import FastAPI

from engine import build, find_kernel, find_scenario, load_scenario, run

ROUNDS = 15


def timed(action: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Median seconds of an action, after one warm-up."""
    action()
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        spent.append(time.perf_counter() - began)
    return median(spent)


def steps_per_second() -> float:
    """The engine alone, deltas kept."""
    scenario, kernel, rates = find_scenario("mail-store-first"), find_kernel("linux-2.6.9"), []
    for _ in range(ROUNDS):
        k, count = build(scenario, kernel), 0
        began, moved = time.perf_counter(), True
        while moved:
            moved = False
            for task in k.tasks.values():
                while k.step(task) is not None:
                    moved, count = True, count + 1
        rates.append(count / (time.perf_counter() - began))
    return median(rates)


def generator_steps_per_second() -> float:
    """The baseline: a bare generator that yields one tuple per step."""

    def steps() -> Iterator[tuple[str, int, int]]:
        for i in range(10_000):
            yield ("page/1.count", i, i + 1)

    return 10_000 / timed(lambda: list(steps()))


def trace_json() -> bytes:
    """A gallery text to the whole trace as JSON."""
    text = files("engine").joinpath("scenarios/mail-store-first.yaml").read_text()
    return msgspec.json.encode(run(load_scenario(text, default_id="bench"), "linux-2.6.9"))


async def get(app: Any, path: str) -> bytes:
    """One GET straight through ASGI, no socket."""
    got: list[bytes] = []

    async def send(message: dict[str, Any]) -> None:
        got.append(message.get("body", b""))

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path,
             "raw_path": path.encode(), "query_string": b"", "headers": [(b"host", b"bench")], "scheme": "http",
             "server": ("bench", 80), "client": ("bench", 1), "root_path": ""}  # fmt: skip
    await app(scope, receive, send)
    return b"".join(got)


async def bare(_scope: dict[str, Any], _receive: Any, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """The least ASGI application."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def web() -> list[tuple[str, str, str, str]]:
    """Server time of the page and of a JSON route, beside bare ASGI and a bare FastAPI route."""
    with tempfile.TemporaryDirectory() as data:
        os.environ["PAGEFATE_DATA"] = data
        from app.main import create_app

        site, plain, loop = create_app(), FastAPI(), asyncio.new_event_loop()

        @plain.get("/")
        async def hello() -> dict[str, str]:
            return {"hello": "world"}

        def cost(app: Any, path: str) -> float:
            return timed(lambda: loop.run_until_complete(get(app, path)), 60)

        floor, framework = cost(bare, "/"), cost(plain, "/")
        page, route = cost(site, "/run/mail/linux-2.6.9"), cost(site, "/api/v1/kernels")
        weight = len(gzip.compress(loop.run_until_complete(get(site, "/run/mail/linux-2.6.9"))))
        loop.close()
    beside = f"bare ASGI {floor * 1e3:.2f} ms, bare FastAPI JSON {framework * 1e3:.2f} ms"
    return [
        ("run page, server time (cached run)", f"{page * 1e3:.2f} ms", "≤ 20 ms", beside),
        ("JSON route, server time", f"{route * 1e3:.2f} ms", "", f"{route / framework:.1f} times bare FastAPI JSON"),
        ("run page with its trace, gzipped", f"{weight / 1024:.1f} KB", "≤ 150 KB", ""),
    ]


def rows() -> list[tuple[str, str, str, str]]:
    """All figures: what, measured, budget, beside it."""
    speed, generator, whole = steps_per_second(), generator_steps_per_second(), timed(trace_json)
    engine = f"bare generator {generator:,.0f} steps/s: 1/{generator / speed:.0f} of it"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        ("forward with deltas, engine alone", f"{speed:,.0f} steps/s", "≥ 100,000 steps/s", engine),
        ("gallery text to full trace JSON", f"{whole * 1e3:.1f} ms", "≤ 10 ms", ""),
        ("that trace, gzipped", f"{len(gzip.compress(trace_json())) / 1024:.1f} KB", "≤ 40 KB", ""),
        *web(),
        ("peak memory of this run", f"{memory:.0f} MB", "≤ 150 MB with 1,000 cached runs", "not filled to 1,000 here"),
    ]


if __name__ == "__main__":
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
          f"medians of {ROUNDS} rounds or more")  # fmt: skip
    for what, measured, budget, beside in rows():
        print(f"{what:<36} {measured:>18}   {budget:<32} {beside}")
