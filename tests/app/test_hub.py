"""The hub misses no change, whenever it comes: also between a room's being read and its being watched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from app.bells import FileBell
from app.hub import Hub
from app.rooms import Room, Rooms
from app.storage import Storage

RUN = "/run/mail/linux-2.6.9"


class Silence:
    """A bell that never rings."""

    async def rings(self, is_wanted: Callable[[], bool]) -> AsyncIterator[str]:
        if is_wanted():
            yield ""


def test_a_change_while_a_room_is_read_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(tmp_path)
    rooms = Rooms(storage.database, hours=1, most=9)
    opened, token = rooms.open(RUN, 1)
    read = rooms.get

    def slow(room: str) -> Room | None:
        found = read(room)
        rooms.move(room, token, RUN, 2)
        return found

    monkeypatch.setattr(rooms, "get", slow)

    async def watch() -> int:
        channel = await Hub(rooms, Silence()).channel(opened.id)
        assert channel is not None
        return channel.room.step

    with start_blocking_portal() as portal:
        assert portal.call(watch) == 2
    storage.close()


def test_the_bell_of_a_file_rings_at_first_and_at_each_change_of_others(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.put("one")
    path = storage.path
    assert path is not None

    async def listen() -> list[str]:
        heard = []
        async for ring in FileBell(path).rings(lambda: True):
            heard.append(ring)
            if len(heard) == 3:
                break
            storage.put(f"again {len(heard)}")
        return heard

    with start_blocking_portal() as portal:
        assert portal.call(listen) == ["", "", ""]
    storage.close()
