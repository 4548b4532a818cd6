"""Short links after they were made: deleted by their maker, reported by readers, withdrawn by the operator, forgotten."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli import cli
from app.database import StorageError
from app.housekeeping import Housekeeping
from app.links import RunLink
from app.main import create_app
from app.rooms import Rooms
from app.schema import LINKS, ROOMS
from app.settings import Settings
from app.storage import Storage
from app.verdicts import Verdicts
from tests.app.conftest import INLINE
from tests.app.rooms import MAIL, follower, opened

RUN = {"scenario": "mail", "kernel": "linux-2.6.9"}
JSON = {"Accept": "application/json"}


def made(client: TestClient) -> dict[str, Any]:
    answer = client.post("/api/v1/links", json={"scenario": INLINE, "kernel": "linux-2.6.9"})
    assert answer.status_code == 201
    found: dict[str, Any] = answer.json()
    return found


def test_the_secret_is_told_once_to_who_made_the_link(client: TestClient) -> None:
    link = made(client)
    assert len(link["secret"]) > 40
    again = client.post("/api/v1/links", json={"scenario": INLINE, "kernel": "linux-2.6.9"})
    assert "secret" not in again.json()
    for path in (link["url"], f"{link['url']}.json", f"/s/{link['id']}/about", f"/api/v1/links/{link['id']}"):
        assert link["secret"] not in client.get(path).text


def test_a_link_is_deleted_by_its_secret_alone(client: TestClient) -> None:
    link = made(client)
    path = f"/api/v1/links/{link['id']}"
    for headers in ({}, {"X-Link-Secret": "no"}, {"X-Link-Secret": link["secret"], "Sec-Fetch-Site": "cross-site"}):
        assert client.delete(path, headers=headers).status_code == 403
    assert client.get(link["url"]).status_code == 200
    assert client.delete(path, headers={"X-Link-Secret": link["secret"]}).status_code == 204
    assert client.get(link["url"]).status_code == 404
    assert client.delete(path, headers={"X-Link-Secret": link["secret"]}).status_code == 404


def test_a_browser_deletes_what_it_made_and_nothing_else(client: TestClient) -> None:
    answer = client.post("/links", data=RUN)
    link = answer.headers["location"].partition("?")[0]
    assert all(word in answer.headers["set-cookie"] for word in ("HttpOnly", "SameSite=strict", f"Path={link};"))
    assert "set-cookie" not in follower(client).post("/links", data=RUN).headers
    assert 'name="secret"' in follower(client).get(f"{link}/about").text
    assert follower(client).post(f"{link}/delete").status_code == 403
    assert 'name="secret"' not in client.get(f"{link}/about").text
    assert client.post(f"{link}/delete").status_code == 303
    assert client.get(link).status_code == 404


def test_a_link_is_deleted_on_its_page_with_the_secret(client: TestClient) -> None:
    link = made(client)
    assert client.post(f"/s/{link['id']}/delete", data={"secret": f" {link['secret']} "}).status_code == 303
    assert client.get(link["url"]).status_code == 404


def test_a_reader_reports_a_link_and_the_operator_withdraws_it(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEFATE_DATA", str(tmp_path / "data"))
    link = made(client)
    sent = client.post(f"/s/{link['id']}/report", data={"reason": "It says\nsomething rude"})
    assert "Thank you" in client.get(sent.headers["location"]).text
    listed = CliRunner().invoke(cli, ["links", "reports"]).output
    assert re.fullmatch(rf"{link['id']}\t\S+\tIt says something rude\n", listed)
    assert CliRunner().invoke(cli, ["links", "withdraw", link["id"], "--why", "It was rude"]).exit_code == 0
    answer = client.get(link["url"], headers=JSON)
    assert (answer.status_code, answer.json()["detail"]) == (410, "This link was withdrawn: It was rude")
    again = client.post("/api/v1/links", json={"scenario": INLINE, "kernel": "linux-2.6.9"})
    assert again.status_code == 200
    assert client.get(link["url"]).status_code == 410, "handing it in again does not bring it back"
    assert CliRunner().invoke(cli, ["links", "restore", link["id"]]).exit_code == 0
    assert client.get(link["url"]).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["withdraw", "abcdefghjkmn", "--why", "x"], 2, "no link 'abcdefghjkmn' is kept here"),
        (["withdraw", "abcdefghjkmn", "--why", " "], 2, "--why is empty"),
        (["restore", "/s/abc"], 2, "an id has the letters behind /s/ alone"),
        (["expire", "--days", "3"], 0, "0 deleted"),
    ],
)
def test_the_operator_is_told_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.setenv("PAGEFATE_DATA", str(tmp_path))
    result = CliRunner().invoke(cli, ["links", *arguments])
    assert result.exit_code == code
    assert said in result.output


def test_a_storage_that_can_not_be_used_is_named_to_the_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PAGEFATE_DATA", str(tmp_path / "file"))
    result = CliRunner().invoke(cli, ["links", "reports"])
    assert (result.exit_code, "PAGEFATE_DATA" in result.output) == (70, True)


@pytest.mark.parametrize("part", ["about", "delete", "report"])
def test_what_is_not_kept_can_not_be_deleted_or_reported(client: TestClient, part: str) -> None:
    path = f"/s/abcdefghjkmn/{part}"
    answer = client.get(path) if part == "about" else client.post(path, data={"reason": "x", "secret": "x"})
    assert answer.status_code == 404


def test_a_report_that_says_nothing_is_refused(client: TestClient) -> None:
    assert client.post(f"/s/{made(client)['id']}/report", data={"reason": " "}).status_code == 422


def test_the_server_throws_away_old_links_and_rooms_and_nothing_else(client: TestClient, tmp_path: Path) -> None:
    link, room = made(client), opened(client)
    storage = Storage(tmp_path / "data")
    rooms = Rooms(storage.database, hours=1, most=9)
    verdicts = Verdicts(tmp_path / "data")
    house = Housekeeping(storage, rooms, verdicts, keep_days=30)
    house.once()
    assert (client.get(link["url"]).status_code, client.get(room).status_code) == (200, 200)
    past = (datetime.now(UTC) - timedelta(days=31)).isoformat(timespec="milliseconds")
    with storage.database.writing() as connection:
        connection.execute(sa.update(LINKS).values(created=past, opened=past[:10]))
        connection.execute(sa.update(ROOMS).values(expires=past))
    Housekeeping(storage, rooms, verdicts, keep_days=0).once()
    assert rooms.get(room.rpartition("/")[2]) is None
    assert storage.get(link["id"]) is not None, "without the setting a link is kept for ever, and was read now"
    with storage.database.writing() as connection:
        connection.execute(sa.update(LINKS).values(opened=past[:10]))
    house.once()
    assert client.get(link["url"]).status_code == 404
    storage.close()


def test_old_links_go_also_where_verdicts_cannot_be_thrown_away(client: TestClient, tmp_path: Path) -> None:
    class Broken(Verdicts):
        def sweep(self, most: int = 0) -> int:
            raise StorageError(f"the disk has an error, {most} are kept")

    link, storage = made(client), Storage(tmp_path / "data")
    with storage.database.writing() as connection:
        connection.execute(sa.update(LINKS).values(created="2004-09-05T00:00:00.000+00:00", opened="2004-09-05"))
    house = Housekeeping(storage, Rooms(storage.database, hours=1, most=9), Broken(tmp_path / "data"), keep_days=30)
    with pytest.raises(StorageError):
        house.once()
    assert storage.get(link["id"]) is None
    storage.close()


def test_throwing_away_makes_no_database(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path / "none", keep_days=1))
    Housekeeping(app.state.storage, app.state.rooms, app.state.verdicts, keep_days=1).once()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "url",
    [
        "/run/mail/linux-2.6.9",
        "/run/mail/wli-corrected+N4?fs=ext4&switch=A@do_no_page.enough_space>B",
        "/s/abcdefghjkmn?kernel=wli-corrected%2BN4&fs=ext4",
    ],
)
def test_the_address_of_a_run_is_read_as_it_is_spelt(url: str) -> None:
    link = RunLink.parse(url)
    assert link is not None
    assert RunLink.parse(link.url()) == link
    assert RunLink.parse(f"{link.url(step=3)}&voice=developer") == link


@pytest.mark.parametrize(
    "url", ["", "/", "/run/mail", "/run//linux", "/s/no", "//evil/run/a/b", "https://a/run/a/b", MAIL + "/x"]
)
def test_what_leads_to_no_run_is_none(url: str) -> None:
    assert RunLink.parse(url) is None


@pytest.mark.parametrize("said", ["mysql://me@host/db", "host/db", "sqlite:///file"])
def test_a_database_that_is_none_of_ours_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="postgresql"):
        Settings(database=said)


def test_a_password_of_the_database_stays_as_it_is() -> None:
    said = "postgresql://me:p%40ss@host/db"
    assert Settings(database=said).database == "postgresql+psycopg://me:p%40ss@host/db"
