"""Live rooms over HTTP: who drives, who follows, what is asked, and that nothing that drives reaches a follower."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from app import links
from app.mailboxes import Mailbox
from app.main import create_app
from app.settings import Settings
from app.storage import FILE
from app.tokens import digest
from tests.app.rooms import MAIL, QUESTION, follower, opened

FOREIGN = {"Sec-Fetch-Site": "cross-site"}


def state(client: TestClient, room: str) -> dict[str, Any]:
    answer = client.get(f"{room}/state")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def moved(client: TestClient, room: str, step: int, run: str = MAIL) -> int:
    return client.post(f"{room}/step", data={"run": run, "step": str(step)}).status_code


def kind(answer: Any) -> str:
    return str(answer.json()["type"].rpartition("#")[2])


def test_who_joins_late_sees_exactly_the_step_of_the_teacher(client: TestClient) -> None:
    room = opened(client)
    assert moved(client, room, 53) == 200
    other = follower(client)
    assert state(other, room) == {"sequence": 2, "run": MAIL, "step": 53}
    page = other.get(room).text
    assert 'data-step="53"' in page
    assert 'data-role="follower"' in page


def test_a_run_of_another_kernel_can_be_shown_in_the_same_room(client: TestClient) -> None:
    room = opened(client)
    assert moved(client, room, 7, "/run/mail/wli-posted?predict=1") == 200
    assert state(follower(client), room)["run"] == "/run/mail/wli-posted"


def test_a_short_link_can_be_shown(client: TestClient) -> None:
    made = client.post("/links", data={"scenario": "mail", "kernel": "linux-2.6.9"})
    run = made.headers["location"].partition("?")[0]
    assert state(client, opened(client, run=run, step=3))["run"] == run


def test_only_who_opened_the_room_drives_it(client: TestClient) -> None:
    room, other = opened(client), follower(client)
    for part, said in (("step", {"run": MAIL, "step": "3"}), ("ask", {"step": "42"}), ("code", {}), ("end", {})):
        answer = other.post(f"{room}/{part}", data=said, headers={"Accept": "application/json"})
        assert (answer.status_code, kind(answer)) == (403, "not-driver")
    opened(other)
    assert moved(other, room, 3) == 403
    assert state(client, room)["step"] == 41


def test_no_other_site_can_make_a_browser_open_drive_or_vote(client: TestClient) -> None:
    room = opened(client)
    for path, said in (
        ("/live", {"run": MAIL, "step": "1"}),
        (f"{room}/step", {"run": MAIL, "step": "1"}),
        (f"{room}/ask", {"step": "42"}),
        (f"{room}/votes", {"choice": "0"}),
        (f"{room}/code", {}),
        (f"{room}/driver", {"code": "abcdefgh"}),
        (f"{room}/end", {}),
    ):
        assert client.post(path, data=said, headers=FOREIGN).status_code == 403, path
    assert state(client, room)["sequence"] == 1


def test_what_drives_a_room_reaches_no_follower_and_no_page(client: TestClient, tmp_path: Path) -> None:
    answer = client.post("/live", data={"run": MAIL, "step": "41"})
    cookie = answer.headers["set-cookie"]
    room, token = answer.headers["location"], client.cookies["driver"]
    assert token not in room
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", f"Path={room}"))
    client.post(f"{room}/ask", data={"step": str(QUESTION)})
    code = client.post(f"{room}/code").text
    other = follower(client)
    other.post(f"{room}/votes", data={"choice": "0"})
    secrets = (token, digest(token), code, digest(code), other.cookies["browser"])
    for reader in (other, client):
        for part in ("", "/state"):
            shown = reader.get(room + part)
            assert shown.status_code == 200
            said = shown.text + str(shown.headers.raw)
            assert [secret for secret in secrets if secret in said] == []
    with closing(sqlite3.connect(tmp_path / "data" / FILE)) as raw:
        rows = str(raw.execute("SELECT * FROM rooms").fetchall() + raw.execute("SELECT * FROM votes").fetchall())
    assert [secret for secret in (token, code, other.cookies["browser"]) if secret in rows] == []


def test_the_right_answer_reaches_no_follower_before_it_is_shown(client: TestClient) -> None:
    room, other = opened(client, step=3), follower(client)
    assert client.post(f"{room}/ask", data={"step": str(QUESTION)}).status_code == 200
    asked = state(other, room)
    assert asked["step"] == QUESTION - 1, "the class stands before the question"
    assert asked["ask"].keys() == {"step", "text", "choices"}
    assert "data-right" not in other.get(room).text
    assert moved(client, room, QUESTION) == 200
    assert state(other, room)["ask"] | {"text": "", "choices": []} == {
        "step": QUESTION, "text": "", "choices": [], "right": 0, "counts": [0, 0, 0],
    }  # fmt: skip
    assert moved(client, room, QUESTION + 1) == 200
    assert "ask" not in state(other, room)


def test_votes_are_one_a_browser_and_counted_for_who_drives(client: TestClient) -> None:
    room = opened(client)
    client.post(f"{room}/ask", data={"step": str(QUESTION)})
    first, second = follower(client), follower(client)
    for browser, choice in ((first, 1), (second, 0), (first, 2), (first, 0)):
        assert browser.post(f"{room}/votes", data={"choice": str(choice)}).status_code == 303
    assert "counts" not in state(first, room)["ask"]
    assert moved(client, room, QUESTION) == 200
    assert state(first, room)["ask"]["counts"] == [2, 0, 0]
    late = first.post(f"{room}/votes", data={"choice": "0"}, headers={"Accept": "application/json"})
    assert (late.status_code, kind(late)) == (409, "not-asked")


def test_a_later_question_begins_without_votes(client: TestClient) -> None:
    room = opened(client)
    client.post(f"{room}/ask", data={"step": str(QUESTION)})
    assert follower(client).post(f"{room}/votes", data={"choice": "1"}).status_code == 303
    client.post(f"{room}/ask", data={"step": str(QUESTION)})
    moved(client, room, QUESTION)
    assert state(client, room)["ask"]["counts"] == [0, 0, 0]


def test_a_code_hands_the_room_over_once(client: TestClient) -> None:
    room, other, third = opened(client), follower(client), follower(client)
    code = client.post(f"{room}/code").text
    assert other.post(f"{room}/driver", data={"code": f" {code[:4].upper()} {code[4:]} "}).status_code == 303
    assert 'data-role="driver"' in other.get(room).text
    assert 'data-role="follower"' in client.get(room).text
    assert (moved(other, room, 5), moved(client, room, 6)) == (200, 403)
    assert third.post(f"{room}/driver", data={"code": code}).status_code == 403


def test_a_code_can_not_be_guessed(client: TestClient) -> None:
    room, other = opened(client), follower(client)
    code = client.post(f"{room}/code").text
    for _ in range(5):
        assert other.post(f"{room}/driver", data={"code": "22222222"}).status_code == 403
    assert other.post(f"{room}/driver", data={"code": code}).status_code == 403, "void after five wrong ones"
    again = client.post(f"{room}/code").text
    assert other.post(f"{room}/driver", data={"code": again}).status_code == 303


def test_a_room_that_was_ended_is_over_for_everybody(client: TestClient) -> None:
    room, other = opened(client), follower(client)
    assert client.post(f"{room}/end").status_code == 200
    assert state(other, room)["over"] is True
    for answer in (other.get(room), other.get(f"{room}/events"), client.post(f"{room}/end")):
        assert answer.status_code == 410
    assert MAIL in other.get(room, headers={"Accept": "text/html"}).text, "it says where the run is"


def test_a_room_expires_when_its_teacher_does_nothing(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, room_hours=1e-9))
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    assert client.get(opened(client)).status_code == 410
    app.state.storage.close()


def test_there_are_only_so_many_rooms(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, max_rooms=2))
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    first, _ = opened(client), opened(client)
    answer = client.post("/live", data={"run": MAIL, "step": "1"}, headers={"Accept": "application/json"})
    assert (answer.status_code, kind(answer)) == (503, "no-room")
    assert "PAGEFATE_MAX_ROOMS" in answer.text
    client.get(first)
    assert client.get("/live/abcdefgh").status_code == 404
    app.state.storage.close()


def test_only_so_many_follow_a_room(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, max_followers=1))
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    room = opened(client)
    channel = app.state.hub._channels  # noqa: SLF001 - a stream that stays open needs a server; see test_streams.py
    state(client, room)
    channel[room.rpartition("/")[2]].boxes[Mailbox()] = None
    assert follower(client).get(f"{room}/events").status_code == 503
    app.state.storage.close()


@pytest.mark.parametrize(
    ("part", "said", "status"),
    [
        ("step", {"run": MAIL, "step": "999"}, 404),
        ("step", {"run": MAIL, "step": "-1"}, 422),
        ("step", {"run": MAIL}, 422),
        ("step", {"run": "/kernel/linux-2.6.9", "step": "1"}, 422),
        ("step", {"run": "https://example.org/run/mail/linux-2.6.9", "step": "1"}, 422),
        ("step", {"run": "/run/nope/linux-2.6.9", "step": "1"}, 404),
        ("step", {"run": "/s/abcdefghjkmn", "step": "1"}, 404),
        ("ask", {"step": "5"}, 422),
        ("votes", {"choice": "0"}, 409),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_cure(
    client: TestClient, part: str, said: dict[str, str], status: int
) -> None:
    room = opened(client)
    answer = client.post(f"{room}/{part}", data=said, headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert answer.json()["cure"]
    assert state(client, room)["sequence"] == 1


def test_a_choice_that_is_none_is_refused(client: TestClient) -> None:
    room = opened(client)
    client.post(f"{room}/ask", data={"step": str(QUESTION)})
    answer = client.post(f"{room}/votes", data={"choice": "3"}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["cure"]) == (422, "Choose 0 to 2")


@pytest.mark.parametrize(
    "room", ["/live/nope", "/live/abcdefgh", "/live/%00", "/live/abcdefgh/state", "/live/abcdefgh/events"]
)
def test_an_unknown_room_says_so(client: TestClient, room: str) -> None:
    answer = client.get(room, headers={"Accept": "application/json"})
    assert (answer.status_code, kind(answer)) == (404, "unknown-room")


def test_a_room_is_found_by_its_letters(client: TestClient) -> None:
    room = opened(client)
    letters = room.rpartition("/")[2]
    assert client.get("/live", params={"room": f" {letters[:4].upper()} {letters[4:]}"}).headers["location"] == room
    assert client.get("/live").status_code == 200


def test_the_state_is_asked_for_again_for_nothing_while_nothing_changes(client: TestClient) -> None:
    room, other = opened(client), follower(client)
    tag = other.get(f"{room}/state").headers["etag"]
    assert other.get(f"{room}/state", headers={"If-None-Match": tag}).status_code == 304
    moved(client, room, 2)
    assert other.get(f"{room}/state", headers={"If-None-Match": tag}).status_code == 200


def test_the_head_of_a_stream_ends(client: TestClient) -> None:
    answer = client.head(f"{opened(client)}/events")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_page_for_followers_is_made_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    room = opened(client)
    first = follower(client).get(room)
    monkeypatch.setattr("app.templating.render", None)
    assert follower(client).get(room).text == first.text


def test_the_teacher_gets_a_qr_code_and_the_letters(client: TestClient) -> None:
    room = opened(client)
    page = client.get(room).text
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page
    assert 'class="qr"' in page
    assert f"http://testserver{room}" in page
    assert "style=" not in page[page.index('class="qr"') : page.index("</svg>", page.index('class="qr"'))]
    assert 'class="qr"' not in follower(client).get(room).text


def test_every_part_of_a_room_is_an_address_of_links() -> None:
    parts = {re.sub(r"^/live/\{room\}/?", "", path) for path in _paths() if path.startswith("/live/")} - {""}
    assert parts == set(links.LIVE_PARTS)


def _paths() -> list[str]:
    from app.live import live

    return [str(getattr(route, "path", "")) for route in live.routes]


def test_a_state_is_one_line_of_json(client: TestClient) -> None:
    room = opened(client)
    client.post(f"{room}/ask", data={"step": str(QUESTION)})
    body = client.get(f"{room}/state").content
    assert b"\n" not in body
    assert msgspec.json.decode(body)["followers"] == 0
