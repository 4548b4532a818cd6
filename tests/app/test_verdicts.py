"""Verdicts are kept: over a restart, up to a number, the longest unread go first, and never in the way of links."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from app import asking, orders, verdicts
from app.database import StorageError
from app.main import create_app
from app.schema import MIGRATIONS, VERDICTS
from app.settings import Settings
from app.storage import Storage
from app.verdicts import FILE, Verdicts
from tests.app.seeking import until

pytestmark = pytest.mark.timeout(120)
ANSWER: dict[str, Any] = {"verdict": "holds", "states": 7, "witnesses": []}


@pytest.fixture
def kept(tmp_path: Path, database: str) -> Iterator[Verdicts]:
    made = Verdicts(tmp_path, url=database)
    yield made
    made.close()


def test_what_is_put_is_there_again_for_who_opens_it_next(kept: Verdicts, tmp_path: Path, database: str) -> None:
    assert kept.put("a", ANSWER)
    other = Verdicts(tmp_path, url=database)
    found = other.get(["a", "b"])
    other.close()
    assert found == {"a": {**ANSWER, "form": verdicts.FORM}}


def test_a_later_verdict_takes_the_place_of_an_earlier_one(kept: Verdicts) -> None:
    kept.put("a", ANSWER | {"verdict": "undecided"})
    kept.put("a", ANSWER)
    assert kept.get(["a"])["a"]["verdict"] == "holds"


def test_a_thousand_are_read_at_once(kept: Verdicts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "AT_ONCE", 3)
    names = [f"v{number}" for number in range(10)]
    for name in names:
        kept.put(name, ANSWER)
    assert list(kept.get([*names, *names, "none"])) == names


def test_those_that_nobody_has_read_for_longest_go_first(kept: Verdicts) -> None:
    for name in ("old", "read", "new"):
        kept.put(name, ANSWER)
    with kept.database.writing() as connection:
        connection.execute(sa.update(VERDICTS).where(VERDICTS.c.id != "new").values(read="2026-01-01"))
    assert kept.get(["read"]), "who reads a verdict keeps it"
    assert kept.sweep(2) == 1
    assert set(kept.get(["old", "read", "new"])) == {"read", "new"}
    assert kept.sweep() == 0


def test_to_look_or_to_sweep_makes_no_database(tmp_path: Path) -> None:
    none = Verdicts(tmp_path / "none")
    assert none.get(["a"]) == {}
    assert none.sweep(0) == 0
    assert not (tmp_path / "none").exists()


def test_what_an_older_pagefate_kept_in_another_form_is_not_read(kept: Verdicts) -> None:
    kept.put("a", ANSWER)
    with kept.database.writing() as connection:
        connection.execute(sa.update(VERDICTS).values(answer='{"verdict": "holds", "form": 0}'))
    assert kept.get(["a"]) == {}


def test_what_is_too_long_is_not_kept(kept: Verdicts) -> None:
    assert not kept.put("a", ANSWER | {"says": "x" * verdicts.LONGEST})
    assert kept.get(["a"]) == {}


def test_a_full_file_makes_room_by_itself(tmp_path: Path) -> None:
    full = Verdicts(tmp_path, max_bytes=96 * 1024)
    long = ANSWER | {"says": "x" * 4_000}
    assert all(full.put(f"v{number}", long) for number in range(60))
    assert full.get(["v59"])
    assert (tmp_path / FILE).stat().st_size <= 96 * 1024
    full.close()


def test_where_nothing_can_be_written_the_search_answers_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    app = create_app(Settings(data=tmp_path / "file"))  # a folder of that name cannot be made
    with TestClient(app) as client:
        asked = client.post("/api/v1/verdicts", json={"scenario": "mail", "kernel": "linux-2.6.9"})
        here = asked.headers["location"]
        until(lambda: client.get(here).json()["state"] == "done", 60)
        assert client.get(here).json()["verdict"] == "broken"
    assert "a verdict is not kept" in caplog.text


def test_what_can_not_be_read_is_as_if_nothing_were_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text("no database at all, but a text that is long enough to be looked at" * 40)
    broken = Verdicts(tmp_path)
    assert broken.get(["a"]) == {}
    assert "no verdict can be read" in caplog.text
    with pytest.raises(StorageError):
        broken.sweep()


def test_verdicts_take_none_of_the_room_of_links(tmp_path: Path, database: str) -> None:
    storage = Storage(tmp_path, url=database, max_bytes=64 * 1024)
    storage.put("first")
    kept = Verdicts(tmp_path, url=database)
    for number in range(60):
        kept.put(f"v{number}", ANSWER | {"says": "x" * 4_000})
    assert storage.put("second")[1]
    storage.close()
    kept.close()


def test_an_older_database_gets_the_table(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as old:
        for statements in MIGRATIONS[:2]:
            for statement in statements:
                old.execute(statement)
        old.execute("PRAGMA user_version=2")
        old.commit()
    kept = Verdicts(tmp_path)
    assert kept.put("a", ANSWER)
    kept.close()


# -- in a site --------------------------------------------------------------------------------------------------------

ASKED = {"scenario": "mail", "kernel": "linux-2.6.9"}


def site(folder: Path, database: str) -> TestClient:
    return TestClient(create_app(Settings(data=folder, database=database)), follow_redirects=False)


def test_a_verdict_survives_the_server(tmp_path: Path, database: str) -> None:
    with site(tmp_path, database) as first:
        here = first.post("/api/v1/verdicts", json=ASKED).headers["location"]
        until(lambda: first.get(here).json()["state"] == "done", 60)
        before = first.get(here).json()
    with site(tmp_path, database) as second:
        assert second.get(here).json() == before
        again = second.post("/api/v1/verdicts", json=ASKED)
        assert (again.status_code, again.json()) == (200, before)
        assert second.app.state.searches.find(before["id"]) is None  # type: ignore[attr-defined]  # it has a state


def test_another_edition_asks_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    order = orders.order("mail", "linux-2.6.9")
    now = asking.question(order).id
    monkeypatch.setattr("engine.EDITION", 99)
    assert asking.question(orders.Order(order.scenario, order.kernel, edition=99)).id != now


def test_what_was_stopped_is_not_kept(tmp_path: Path) -> None:
    with site(tmp_path, "") as client:
        slow = ASKED | {"kernel": "wli-corrected", "offers": ["writeback", "reclaim", "drop-caches", "take", "free"]}
        asked = client.post("/api/v1/verdicts", json=slow).json()
        client.delete(asked["links"]["cancel"])
        until(lambda: client.get(asked["links"]["self"]).json()["state"] == "cancelled")
    assert Verdicts(tmp_path).get([asked["id"]]) == {}


def test_what_is_kept_is_no_link(tmp_path: Path) -> None:
    with site(tmp_path, "") as client:
        asked = client.post("/api/v1/verdicts", json=ASKED).json()
        until(lambda: client.get(asked["links"]["self"]).json()["state"] == "done", 60)
        assert client.get(f"/s/{asked['id']}").status_code == 404
