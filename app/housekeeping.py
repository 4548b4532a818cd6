"""What a server throws away by itself: old rooms, verdicts beyond a number, and links nobody opens if it is set so."""

from __future__ import annotations

import asyncio
import logging

from anyio import to_thread

from app.database import StorageError
from app.rooms import Rooms
from app.storage import Storage
from app.verdicts import Verdicts

log = logging.getLogger("pagefate")

EVERY = 3600.0
"""Seconds between two rounds; the first comes soon after the start."""
SOON = 30.0


class Housekeeping:
    """Rounds in the background. Several processes may make them at once."""

    def __init__(self, storage: Storage, rooms: Rooms, verdicts: Verdicts, *, keep_days: int) -> None:
        """`keep_days` is how long a link is kept that nobody opens; 0 is for ever."""
        self._storage, self._rooms, self._verdicts, self._days = storage, rooms, verdicts, keep_days
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the event loop that runs."""
        self._task = asyncio.create_task(self._rounds())

    def stop(self) -> None:
        """No more rounds."""
        if self._task is not None:
            self._task.cancel()

    def once(self) -> None:
        """One round. A database that nobody has used yet is not made for it."""
        try:
            self._verdicts.sweep()
        finally:  # links and rooms stand in a file of their own
            self._throw_away()

    def _throw_away(self) -> None:
        if self._storage.path is not None and not self._storage.path.exists():
            return
        if self._days and (count := self._storage.expire(self._days)):
            log.info("%d links that nobody opened for %d days are deleted", count, self._days)
        self._rooms.sweep()

    async def _rounds(self) -> None:
        await asyncio.sleep(SOON)
        while True:
            try:
                await to_thread.run_sync(self.once)
            except StorageError as error:
                log.warning("nothing could be thrown away: %s", error)
            await asyncio.sleep(EVERY)
