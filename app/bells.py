"""How a process learns that another one has changed a room: PostgreSQL tells it, a SQLite file is asked.

A bell says the id of the room, or nothing where any may have changed. What has changed is read from the database.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

from app.dialects import BELL, PostgreSQL, SQLite

log = logging.getLogger("pagefate")

LOOK = 0.1
"""Seconds between two looks at a file; one takes some millionths of a second."""
AGAIN = 2.0
"""Seconds until a lost server is tried again."""


class Bell(Protocol):
    """Rings for rooms."""

    def rings(self, is_wanted: Callable[[], bool]) -> AsyncIterator[str]:
        """The room of each ring, "" for any; it need not ring while nobody wants it."""


class FileBell:
    """SQLite counts the commits of a file. The count is the same for all processes, and costs no lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def rings(self, is_wanted: Callable[[], bool]) -> AsyncIterator[str]:
        """Ring when anything in the file has changed."""
        while True:
            await asyncio.sleep(LOOK)
            if not (is_wanted() and self._path.exists()):
                continue
            try:
                with closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True)) as connection:
                    async for _ in self._changes(connection, is_wanted):
                        yield ""
            except sqlite3.Error as error:
                log.warning("rooms of other processes are not seen: %s", error)
                await asyncio.sleep(AGAIN)

    @staticmethod
    async def _changes(connection: sqlite3.Connection, is_wanted: Callable[[], bool]) -> AsyncIterator[None]:
        known = None
        while is_wanted():
            count = connection.execute("PRAGMA data_version").fetchone()
            if count != known:
                yield  # the first time as well: something may have changed before anybody looked
            known = count
            await asyncio.sleep(LOOK)


class ServerBell:
    """PostgreSQL's LISTEN, on a connection of its own: a ring carries the room and the number of its sequence."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def rings(self, is_wanted: Callable[[], bool]) -> AsyncIterator[str]:  # noqa: ARG002 - it costs nothing
        """Ring for each room that changes, and for any after the server was lost for a while."""
        import psycopg  # noqa: PLC0415 - only who has a server needs it

        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True)
                async with connection:
                    await connection.execute(f"LISTEN {BELL}".encode())
                    yield ""
                    async for ring in connection.notifies():
                        yield ring.payload.partition(" ")[0]
            except psycopg.Error as error:
                log.warning("rooms of other processes are not heard: %s", error)
            await asyncio.sleep(AGAIN)


def bell_of(dialect: SQLite | PostgreSQL) -> Bell:
    """The bell of a database."""
    return FileBell(dialect.path.absolute()) if isinstance(dialect, SQLite) else ServerBell(dialect.listening)
