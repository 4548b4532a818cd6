"""A site of its own for each test that wants one, and scenarios that are not of the gallery."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.app.postgresql import cluster, fresh_database, why_not
from tests.conftest import is_browser_required

INLINE: dict[str, Any] = {
    "title": "One page too many",
    "filesystem": {"blocks": 1},
    "files": {"f": {"owner": "alice", "size": "2P"}},
    "tasks": {
        "A": {
            "user": "alice",
            "script": ["m = mmap(f, 2P, READ|WRITE, SHARED)", 'm[0] = "C"', 'm[1P] = "D"', "msync(m, SYNC)"],
        }
    },
}
INLINE_YAML = """\
title: One page too many
filesystem: {blocks: 1}
files:
  f: {owner: alice, size: 2P}
tasks:
  A:
    user: alice
    script:
      - m = mmap(f, 2P, READ|WRITE, SHARED)
      - m[0] = "C"
      - m[1P] = "D"
      - msync(m, SYNC)
"""


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a running PostgreSQL. Where there is none, skip and say why; under CI fail with the same sentence."""
    if reason := why_not():
        if is_browser_required():
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """What PAGEFATE_DATABASE says: nothing, for the file; and then the address of an empty database on a server."""
    if request.param == "sqlite":
        return ""
    return fresh_database(request.getfixturevalue("postgresql"), f"test_{secrets.token_hex(6)}")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a site with an empty folder. What nobody foresaw is an answer, as in real life."""
    app = create_app(Settings(data=tmp_path / "data"))
    yield TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    app.state.storage.close()
