"""A real server: what it acknowledged is there after the worst, and it needs no configuration but a port."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.app.conftest import INLINE


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """`pagefate serve` on a free port, and a client of it; killed at the end if it still lives."""
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", "0"]
    environment = {**os.environ, "PAGEFATE_DATA": str(folder), "PYTHONUNBUFFERED": "1"} | settings
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            with httpx2.Client(base_url=address(process), timeout=20) as client:
                yield process, client
        finally:
            process.kill()


def address(process: subprocess.Popen[str]) -> str:
    """Where the server says that it listens."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise AssertionError("the server ended before it listened")


def test_an_acknowledged_link_survives_kill_9(tmp_path: Path) -> None:
    bodies = [{"scenario": {**INLINE, "title": f"Title {number}"}, "kernel": "wli-corrected"} for number in range(20)]
    with serving(tmp_path) as (process, client):
        made = [client.post("/api/v1/links", json=body) for body in bodies]
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert [response.status_code for response in made] == [201] * len(bodies)
    with serving(tmp_path) as (_, client):
        for body, response in zip(bodies, made, strict=True):
            assert client.get(response.json()["url"] + "?step=2").status_code == 200
            again = client.post("/api/v1/links", json=body)
            assert (again.status_code, again.json()) == (200, _without_secret(response.json()))


def _without_secret(made: dict[str, Any]) -> dict[str, Any]:
    assert made.pop("secret"), "who makes a link is told what deletes it"
    return made


def test_several_servers_share_a_folder(tmp_path: Path) -> None:
    bodies = [{"scenario": {**INLINE, "title": f"Title {number % 15}"}} for number in range(30)]
    with serving(tmp_path) as (_, one), serving(tmp_path) as (_, other), ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(
                lambda pair: pair[0].post("/api/v1/links", json=pair[1]), zip([one, other] * 15, bodies, strict=True)
            )
        )
        assert {response.status_code for response in made} <= {200, 201}
        urls = {response.json()["url"] for response in made}
        assert len(urls) == 15
        assert sum(response.status_code == 201 for response in made) == 15
        for url in urls:
            assert one.get(url).status_code == other.get(url).status_code == 200


def test_a_server_that_is_asked_to_stop_stops(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, client):
        assert client.get("/healthz").status_code == 200
        client.close()
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.mark.parametrize(("variable", "value"), [("PAGEFATE_PORT", "http"), ("PAGEFATE_MAX_BODY", "-1")])
def test_a_setting_that_does_not_fit_stops_the_server_with_a_sentence(
    tmp_path: Path, variable: str, value: str
) -> None:
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
    environment = {**os.environ, "PAGEFATE_DATA": str(tmp_path), variable: value}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f"{variable}: ")
    assert "Traceback" not in result.stderr
