"""A site of its own for each test that wants one, and scenarios that are not of the gallery."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings

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


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a site with an empty folder. What nobody foresaw is an answer, as in real life."""
    app = create_app(Settings(data=tmp_path / "data"))
    yield TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    app.state.storage.close()
