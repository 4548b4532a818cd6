"""The web without a socket: what the server spends on an answer, and what a page weighs."""

from __future__ import annotations

import asyncio
import gzip
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from fastapi import FastAPI

from app.links import RunLink
from app.main import create_app
from app.settings import Settings
from tests.bench.figures import Figure, kilobytes, ms, once, timed

RUN = RunLink("mail", "linux-2.6.9")
STEP = RUN.moment(43)
ROUNDS = 60


def web_figures(different: list[RunLink]) -> list[Figure]:
    """A link opened first and again, a step as data, and the weight of a page; beside bare ASGI and bare FastAPI."""
    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory() as data:
        site = create_app(Settings(data=Path(data)))
        served = site.router.lifespan_context(site)  # warmed up, with the collector as the server sets it
        loop.run_until_complete(served.__aenter__())

        def get(app: Any, path: str) -> bytes:
            return loop.run_until_complete(_get(app, path))

        answer = msgspec.json.decode(get(site, STEP))
        framework = _framework(answer)
        floor, plain = timed(lambda: get(bare, "/"), ROUNDS), timed(lambda: get(framework, "/"), ROUNDS)
        beside = f"bare ASGI {ms(floor)}, bare FastAPI JSON {ms(plain)} (the answer of the step route)"
        first, spent, traces = zip(*[loop.run_until_complete(_visit(site, link)) for link in different], strict=True)
        others = [once(lambda: get(site, link.others())) for link in different]  # noqa: B023 - called at once
        again = timed(lambda: get(site, RUN.url()), ROUNDS)
        step = timed(lambda: get(site, STEP), ROUNDS)
        page, whole = _weights(lambda path: get(site, path))
        loop.run_until_complete(served.__aexit__(None, None, None))
    loop.close()
    return [
        Figure("a link nobody opened before, first byte", ms(median(first)), "≤ 20 ms", _slowest(first, beside)),
        Figure("the same, to the last byte", ms(median(spent)), "≤ 60 ms", f"the slowest {ms(max(spent))}"),
        Figure("its trace, asked for by that page", ms(median(traces)), "", f"the slowest {ms(max(traces))}"),
        Figure(
            "its other kernels, asked for by that page",
            ms(median(others)),
            "≤ 60 ms",
            _slowest(others, "those that say most, six at most"),
        ),
        Figure("a link opened again, server time", ms(again), "≤ 20 ms", f"{again / floor:.0f} times bare ASGI"),
        Figure("a step as JSON, server time", ms(step), "", f"{step / plain:.1f} times bare FastAPI JSON"),
        Figure("the whole page, gzipped", kilobytes(whole), "≤ 150 KB", f"{kilobytes(page)} of it the page itself"),
    ]


def _slowest(spent: Sequence[float], beside: str) -> str:
    return f"of {len(spent)} uncached; the slowest {ms(max(spent))}; {beside}"


def _weights(get: Callable[[str], bytes]) -> tuple[int, int]:
    """Bytes of the packed page, and of that with all it loads: sheets, scripts, what those import, and its late parts."""
    page = get(RUN.url())
    paths = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.decode()))
    paths |= set(re.findall(r'hx-get="(/[^"]+)"[^>]* hx-trigger="load"', page.decode()))
    folder = next(path for path in paths if path.endswith("fault-theatre.js")).rpartition("/")[0]
    paths |= {
        f"{folder}/{name}" for name in re.findall(r"from '\./([^']+)'", get(f"{folder}/fault-theatre.js").decode())
    }
    alone = len(gzip.compress(page))
    return alone, alone + sum(len(gzip.compress(get(path))) for path in paths)


def _framework(answer: Any) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def step() -> dict[str, Any]:
        found: dict[str, Any] = answer
        return found

    return app


async def bare(_scope: dict[str, Any], _receive: Any, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """The least ASGI application."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def _visit(app: Any, link: RunLink) -> tuple[float, float, float]:
    """Seconds of processor time for a page as `_first_and_last` says, and for the trace that it asks for then."""
    first, last = await _first_and_last(app, link.url())
    began = time.process_time()
    await _get(app, link.part("trace"))
    return first, last, time.process_time() - began


async def _first_and_last(app: Any, url: str) -> tuple[float, float]:
    """Seconds of processor time until the first byte of an answer's body, packed as browsers want it, and the last."""
    began, came = time.process_time(), list[float]()
    await _get(app, url, came=came)
    return came[0] - began, time.process_time() - began


async def _get(app: Any, url: str, *, came: list[float] | None = None) -> bytes:
    """One GET straight through ASGI, no socket.

    Raises:
        AssertionError: when the answer is not 200.
    """
    got: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        got.append(message)
        if came is not None and message.get("body"):
            came.append(time.process_time())

    asked: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not asked:
            await asyncio.Future()  # the client stays until it has its answer
        return asked.pop()

    path, _, query = url.partition("?")
    headers = [*SCOPE["headers"], *([] if came is None else [(b"accept-encoding", b"gzip")])]
    await app(
        {**SCOPE, "headers": headers, "path": path, "raw_path": path.encode(), "query_string": query.encode()},
        receive,
        send,
    )
    assert got[0]["status"] == 200, (url, got[0])
    return b"".join(message.get("body", b"") for message in got)


SCOPE = {
    "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
    "headers": [(b"host", b"bench")], "server": ("bench", 80), "client": ("bench", 1), "root_path": "",
}  # fmt: skip
