"""Streams of a live room, from real servers: what is sent to whom, by one process and by several."""

import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.app.conftest import INLINE
from tests.app.rooms import MAIL, QUESTION
from tests.app.streams import stream
from tests.app.test_serve import serving


def opened(client: httpx2.Client, step: int = 41) -> tuple[str, str]:
    """A new room, and the cookie that drives it; the client has it too."""
    answer = client.post("/live", data={"run": MAIL, "step": str(step)})
    assert answer.status_code == 303
    return answer.headers["location"], f"driver={client.cookies['driver']}"


def move(client: httpx2.Client, room: str, step: int) -> int:
    answer = client.post(f"{room}/step", data={"run": MAIL, "step": str(step)})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["sequence"])


def test_a_step_goes_to_every_follower_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client), ExitStack() as stack:
        room, _ = opened(client)
        followers = [stack.enter_context(stream(client.base_url, room)) for _ in range(20)]
        for follower in followers:
            assert "text/event-stream" in follower.head
            assert "no-store" in follower.head
            assert follower.state() == {"sequence": 1, "run": MAIL, "step": 41}
        move(client, room, 42)
        assert {follower.state()["step"] for follower in followers} == {42}
        with stream(client.base_url, room) as late:
            assert late.state() == {"sequence": 2, "run": MAIL, "step": 42}


def test_who_is_slow_gets_the_last_step_and_not_all_of_them(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        room, _ = opened(client)
        with stream(client.base_url, room) as follower:
            for step in range(1, 60):
                move(client, room, step)
            assert follower.until(step=59)["sequence"] == 60


def test_only_the_driver_is_told_who_follows_and_what_they_say(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        room, cookie = opened(client)
        with stream(client.base_url, room, cookie=cookie) as driver, stream(client.base_url, room) as follower:
            assert driver.until(followers=1)
            client.post(f"{room}/ask", data={"step": str(QUESTION)})
            asked = follower.until(step=QUESTION - 1, sequence=2)
            for browser in "abc":
                said = {"Cookie": f"browser={browser}"}
                assert (
                    httpx2.post(f"{client.base_url}{room}/votes", data={"choice": "1"}, headers=said).status_code == 303
                )
            counted = driver.state()
            while counted["ask"]["counts"] != [0, 3, 0]:
                counted = driver.state()
            move(client, room, QUESTION)
            told = follower.state()
            assert [set(asked["ask"]), told["ask"]["counts"], told["ask"]["right"]] == [
                {"step", "text", "choices"}, [0, 3, 0], 0,
            ]  # fmt: skip
            assert "followers" not in told


def test_who_drove_before_gets_a_followers_stream_after_the_hand_over(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        room, cookie = opened(client)
        with stream(client.base_url, room, cookie=cookie) as driver:
            driver.until(followers=0)
            code = client.post(f"{room}/code").text
            assert httpx2.post(f"{client.base_url}{room}/driver", data={"code": code}).status_code == 303
            assert b"0\r\n\r\n" in driver.end(), "it ends, and the browser comes back"
        with stream(client.base_url, room, cookie=cookie) as again:
            assert "followers" not in again.state()


def test_the_stream_of_a_room_that_ends_ends_with_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        room, _ = opened(client)
        with stream(client.base_url, room) as follower:
            follower.state()
            client.post(f"{room}/end")
            assert follower.until(over=True)
            follower.end()


def test_a_room_expires_under_its_followers(tmp_path: Path) -> None:
    with serving(tmp_path, PAGEFATE_ROOM_HOURS=str(2 / 3600)) as (_, client):
        room, _ = opened(client)
        with stream(client.base_url, room) as follower:
            assert follower.state()["step"] == 41
            assert follower.until(over=True)


def test_a_server_with_followers_stops_at_once_when_asked(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, client):
        room, _ = opened(client)
        with stream(client.base_url, room) as follower:
            follower.state()
            client.close()
            process.send_signal(signal.SIGTERM)
            follower.end()
            process.wait(30)
            assert process.stderr is not None
            assert "graceful shutdown exceeded" not in process.stderr.read(), "it does not wait in vain"


def test_who_leaves_is_counted_no_more(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        room, cookie = opened(client)
        with stream(client.base_url, room, cookie=cookie) as driver:
            with stream(client.base_url, room) as follower:
                follower.state()
                driver.until(followers=1)
            driver.until(followers=0)


# --- several processes -------------------------------------------------------------------------------------


def test_processes_that_share_a_database_share_their_rooms(tmp_path: Path, database: str) -> None:
    shared = {"PAGEFATE_DATABASE": database}
    with serving(tmp_path, **shared) as (_, one), serving(tmp_path, **shared) as (_, other):
        room, cookie = opened(one)
        with stream(other.base_url, room) as follower, stream(other.base_url, room, cookie=cookie) as driver:
            assert follower.state()["step"] == 41
            for step in (3, 4, 5):
                move(one, room, step)
                follower.until(step=step)
            one.post(f"{room}/ask", data={"step": str(QUESTION)})
            follower.until(step=QUESTION - 1)
            assert one.post(f"{room}/votes", data={"choice": "2"}).status_code == 303
            counted = driver.state()
            while "ask" not in counted or counted["ask"]["counts"] != [0, 0, 1]:
                counted = driver.state()
            one.post(f"{room}/end")
            follower.until(over=True)


def test_the_bell_of_postgresql_carries_only_room_and_sequence(tmp_path: Path, postgresql: str) -> None:
    import psycopg

    from app.dialects import BELL
    from app.rooms import Question, Rooms
    from app.storage import Storage
    from tests.app.postgresql import fresh_database

    url = fresh_database(postgresql, "bell")
    storage = Storage(tmp_path, url=url)
    rooms = Rooms(storage.database, hours=1, most=10)
    room, token = rooms.open(MAIL, 1)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"LISTEN {BELL}".encode())
        rooms.move(room.id, token, MAIL, 2)
        rooms.ask(room.id, token, Question(5, "What?", ("a", "b"), 1))
        rooms.vote(room.id, "somebody", 1)
        rings = [ring.payload for ring in connection.notifies(timeout=10, stop_after=3)]
    assert rings == [f"{room.id} 2", f"{room.id} 3", f"{room.id} 3"]
    storage.close()


# --- the worst ---------------------------------------------------------------------------------------------


@pytest.mark.timeout(120)
def test_a_server_killed_in_the_middle_of_writes_loses_nothing_it_acknowledged(tmp_path: Path, database: str) -> None:
    shared = {"PAGEFATE_DATABASE": database}
    urls: list[str] = []
    sequences: list[int] = []
    with serving(tmp_path, **shared) as (process, client):
        room, cookie = opened(client)
        base = str(client.base_url)
        writers = [
            *[threading.Thread(target=_make_links, args=(base, name, urls)) for name in "abc"],
            threading.Thread(target=_drive, args=(base, room, cookie, sequences)),
        ]
        for writer in writers:
            writer.start()
        while len(urls) < 25 or len(sequences) < 10:
            time.sleep(0.01)
        process.kill()
        for writer in writers:
            writer.join()
    with serving(tmp_path, **shared) as (_, client):
        lost = [url for url in urls if client.get(f"{url}.txt").status_code != 200]
        now = client.get(f"{room}/state").json()
    assert lost == []
    assert now["sequence"] >= max(sequences)


def _make_links(base: str, name: str, urls: list[str]) -> None:
    """Hand in links until the server is gone; note those that it acknowledged."""
    number = 0
    with httpx2.Client(base_url=base, timeout=20) as client:
        while True:
            number += 1
            body: dict[str, Any] = {"scenario": {**INLINE, "title": f"{name} {number}"}}
            try:
                answer = client.post("/api/v1/links", json=body)
            except httpx2.TransportError:
                return
            assert answer.status_code == 201
            urls.append(answer.json()["url"])


def _drive(base: str, room: str, cookie: str, sequences: list[int]) -> None:
    """Step until the server is gone; note what it acknowledged."""
    with httpx2.Client(base_url=base, timeout=20, headers={"Cookie": cookie}) as client:
        while True:
            try:
                sequences.append(move(client, room, len(sequences) % 100))
            except httpx2.TransportError:
                return


def test_a_follower_comes_back_to_the_next_server_where_the_class_was(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, client):
        room, cookie = opened(client)
        move(client, room, 50)
        process.kill()
    with serving(tmp_path) as (_, client), stream(client.base_url, room) as follower:
        assert follower.state()["step"] == 50
        with httpx2.Client(base_url=client.base_url, headers={"Cookie": cookie}) as teacher:
            assert move(teacher, room, 51) == 3
        assert follower.until(step=51)
