"""The hub of a process: every change of a room goes to each browser that follows it here.

An event is encoded once, and the same bytes go to all. A room that somebody follows or asks about is watched: kept in
memory, and brought up to date when the bell says that another process has changed it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from anyio import to_thread

from app import letters
from app.bells import Bell
from app.database import StorageError
from app.mailboxes import Mailbox
from app.rooms import Room, Rooms

log = logging.getLogger("pagefate")

WATCHED = 60.0
"""Seconds a room is watched after somebody has asked about it."""
PINGS = 20
"""Seconds between two signs of life in a stream; each second one part of the followers gets its own."""
PAUSE = 0.2
"""Seconds between two counts of votes, so that a class that votes at once is counted a few times only."""

T = TypeVar("T")


class Channel:
    """A room as this process knows it, and who follows it here."""

    def __init__(self, room: Room) -> None:
        self.room, self.counts = room, list[int]()
        self.boxes: dict[Mailbox, None] = {}
        self.asked = time.monotonic()
        self.is_stale = False
        """Whether votes have come that are not counted yet."""

    @property
    def followers(self) -> int:
        """How many browsers follow here, the driver's not counted."""
        return sum(not box.is_driver for box in self.boxes)

    def state(self, *, is_driver: bool) -> bytes:
        """What a follower, or the driver, is told."""
        return letters.state(self.room, self.counts, followers=self.followers if is_driver else None)

    def letter(self, *, is_driver: bool) -> bytes:
        """The same as an event."""
        return letters.event(self.room.sequence, self.state(is_driver=is_driver))

    def publish(self) -> None:
        """Give everybody the state, encoded once for followers and once for drivers."""
        public, private = self.letter(is_driver=False), self.letter(is_driver=True)
        for box in self.boxes:
            if box.shift is None:
                box.put(public)
            elif box.shift == self.room.shift:
                box.put(private)
            else:
                box.close()  # who drove before comes back as a follower

    def tell_drivers(self) -> None:
        """Give drivers what only they see: votes, and how many follow."""
        drivers = [box for box in self.boxes if box.is_driver]
        if drivers:
            letter = self.letter(is_driver=True)
            for box in drivers:
                box.put(letter)


class Hub:
    """All rooms that are watched by this process. It belongs to one event loop; `start` is called in it."""

    def __init__(self, rooms: Rooms, bell: Bell) -> None:
        self.rooms, self._bell = rooms, bell
        self._channels: dict[str, Channel] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._second = 0

    def start(self) -> None:
        """Listen to the bell, and look after the rooms."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look_after())]

    def close(self) -> None:
        """End every stream, so that the server can stop; browsers come back to its successor."""
        for task in self._tasks:
            task.cancel()
        for channel in self._channels.values():
            for box in channel.boxes:
                box.close()

    async def channel(self, room: str) -> Channel | None:
        """The room, watched from now on; None if there is none."""
        found = self._channels.get(room)
        if found is None:
            kept = await self._apart(lambda: self.rooms.get(room))
            if kept is None:
                return None
            found = self._channels.setdefault(room, Channel(kept))
            await self._refresh([room])  # what has changed since it was read, and before it was watched
            await self._count(found)
        found.asked = time.monotonic()
        return found

    async def changed(self, room: Room) -> None:
        """Tell everybody here of a change that was made, unless a later one is known already."""
        channel = self._channels.get(room.id)
        if channel is None or room.sequence <= channel.room.sequence:
            return
        asked, channel.room = channel.room.question, room
        if room.question != asked or (room.question is not None and not room.is_asked):
            await self._count(channel)
        channel.publish()

    def voted(self, room: str) -> None:
        """Count again soon."""
        if room in self._channels:
            self._channels[room].is_stale = True

    def join(self, channel: Channel, *, is_driver: bool) -> Mailbox:
        """A mailbox for one more follower, with the present state in it."""
        box = Mailbox(channel.room.shift if is_driver else None)
        channel.boxes[box] = None
        box.put(channel.letter(is_driver=is_driver))
        channel.is_stale = True
        return box

    def leave(self, channel: Channel, box: Mailbox) -> None:
        """One less."""
        channel.boxes.pop(box, None)
        channel.is_stale, channel.asked = True, time.monotonic()

    # -- the bell ------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async for room in self._bell.rings(lambda: bool(self._channels)):
            try:
                await self._refresh([room] if room else list(self._channels))
            except StorageError as error:
                log.warning("rooms can not be read: %s", error)

    async def _refresh(self, ids: Iterable[str]) -> None:
        """Read these rooms again, as far as they are watched."""
        watched = [room for room in ids if room in self._channels]
        for room in await self._apart(lambda: self.rooms.all(watched)) if watched else ():
            self.voted(room.id)
            await self.changed(room)

    # -- housekeeping --------------------------------------------------------------------------------------------

    async def _look_after(self) -> None:
        beat = 0
        while True:
            await asyncio.sleep(PAUSE)
            beat += 1
            try:
                for channel in [each for each in self._channels.values() if each.is_stale]:
                    channel.is_stale = False
                    await self._count(channel)
                    channel.tell_drivers()
            except StorageError as error:
                log.warning("votes can not be counted: %s", error)
            if beat * PAUSE >= 1:
                beat = 0
                self._every_second()

    def _every_second(self) -> None:
        """Signs of life, the end of rooms that are over, and no more watching of those that nobody wants."""
        self._second = (self._second + 1) % PINGS
        old = time.monotonic() - WATCHED
        for name, channel in list(self._channels.items()):
            for box in list(channel.boxes)[self._second :: PINGS]:
                box.remind(letters.PING)
            if channel.room.is_over and channel.boxes:
                channel.publish()
                for box in channel.boxes:
                    box.close()
            elif not channel.boxes and channel.asked < old:
                del self._channels[name]

    async def _count(self, channel: Channel) -> None:
        room = channel.room
        channel.counts = await self._apart(lambda: self.rooms.counts(room)) if room.question else []

    @staticmethod
    async def _apart(work: Callable[[], T]) -> T:
        """Ask the database while others are served."""
        return await to_thread.run_sync(work)
