"""A room for tests: opened as a teacher's browser does it, and a follower beside."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

MAIL = "/run/mail/linux-2.6.9"
QUESTION = 42
"""A step of MAIL that there is a question about; its right answer is the first of three."""


def opened(client: TestClient, *, run: str = MAIL, step: int = 41) -> str:
    """The address of a new room; `client` drives it."""
    answer = client.post("/live", data={"run": run, "step": str(step)})
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    assert re.fullmatch(r"/live/[2-9a-z]{8}", address)
    return str(address)


def follower(client: TestClient) -> TestClient:
    """Another browser of the same site."""
    return TestClient(client.app, raise_server_exceptions=False, follow_redirects=False)
