"""What SQLite and PostgreSQL do differently: how each is opened and locked, and keeps its version, size and bell."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

FILE = "pagefate.sqlite3"
PAGE_SIZE = 4096
WAIT_MS = 5_000
"""How long a writer waits for others."""
BELL = "pagefate"
"""The channel on which PostgreSQL tells every process that a room has changed."""
_LOCK = 0x5061_6765_6661_7465  # "Pagefate": who migrates holds it

Insert = sqlite.Insert | postgresql.Insert


class Dialect(Protocol):
    """One kind of database."""

    place: str
    """Where it is, for the operator; without a password."""
    cure: str
    """What helps when it can not be used."""

    def engine(self) -> sa.Engine:
        """Connections that lose nothing that was acknowledged."""

    def begin(self, connection: sa.Connection) -> None:
        """Begin to write, so that what is read is still so when it is written."""

    def begin_migration(self, connection: sa.Connection) -> int:
        """Be the only one that migrates, and say which version the database has; 0 is an empty one."""

    def end_migration(self, connection: sa.Connection, version: int) -> None:
        """Note the version that it has now."""

    def insert(self, table: sa.Table) -> Insert:
        """An INSERT that knows what to do about a conflict."""

    def is_full(self, connection: sa.Connection) -> bool:
        """Whether the limit of the settings is reached; one that the database holds by itself is an error there."""

    def ring(self, connection: sa.Connection, room: str, sequence: int) -> None:
        """Tell other processes of a change, once it is committed."""

    def is_lack_of_room(self, error: Exception) -> bool:
        """Whether an error means that there is no room."""


class SQLite:
    """A file in a folder, which several processes of one machine may share."""

    cure = "PAGEFATE_DATA names another folder"

    def __init__(self, folder: Path, max_bytes: int, file: str = FILE) -> None:
        self.path, self._max_bytes = folder / file, max_bytes
        self.place = str(self.path)

    def engine(self) -> sa.Engine:
        """Make the folder, and open the file in it."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = sa.create_engine(f"sqlite:///{self.path}")
        sa.event.listen(engine, "connect", self._configure)
        return engine

    def _configure(self, connection: Any, _record: object) -> None:
        """Set a new connection: wait for other writers, lose nothing that was acknowledged, stay in bounds."""
        for pragma in (
            f"busy_timeout={WAIT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            f"max_page_count={self._max_bytes // PAGE_SIZE}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    def begin(self, connection: sa.Connection) -> None:
        """Take the write lock now: a transaction that has read and then finds others writing could only fail."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def begin_migration(self, connection: sa.Connection) -> int:
        """The version stands in the file's header."""
        self.begin(connection)
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    def end_migration(self, connection: sa.Connection, version: int) -> None:
        """Write it there, in the same transaction."""
        connection.exec_driver_sql(f"PRAGMA user_version={version}")

    def insert(self, table: sa.Table) -> Insert:
        """SQLite's."""
        return sqlite.insert(table)

    def is_full(self, connection: sa.Connection) -> bool:  # noqa: ARG002 - max_page_count sees to it
        """Never by itself: the file refuses to grow."""
        return False

    def ring(self, connection: sa.Connection, room: str, sequence: int) -> None:
        """Nothing to do: the file counts its changes, and app/bells.py watches the count."""

    def is_lack_of_room(self, error: Exception) -> bool:
        """The file may not grow, or the disk is full."""
        return "disk is full" in str(error) or getattr(error, "errno", None) == errno.ENOSPC


class PostgreSQL:
    """A server, for several processes on several machines."""

    cure = "PAGEFATE_DATABASE names it"

    def __init__(self, url: str, max_bytes: int) -> None:
        self._url, self._max_bytes = sa.make_url(url), max_bytes
        self.place = self._url.render_as_string(hide_password=True)

    def engine(self) -> sa.Engine:
        """Connections that are tried before use, so that a restarted server is found again."""
        options = f"-c synchronous_commit=on -c lock_timeout={WAIT_MS} -c statement_timeout={2 * WAIT_MS}"
        arguments = {"options": options, "connect_timeout": WAIT_MS // 1000, "application_name": "pagefate"}
        return sa.create_engine(self._url, pool_pre_ping=True, connect_args=arguments)

    @property
    def listening(self) -> str:
        """The address for a connection of its own that listens to the bell; it has the password."""
        return self._url.set(drivername="postgresql").render_as_string(hide_password=False)

    def begin(self, connection: sa.Connection) -> None:
        """Rows are locked where they are read to be written."""

    def begin_migration(self, connection: sa.Connection) -> int:
        """The version stands in a table of one row."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS pagefate_version (version INTEGER NOT NULL)")
        return int(connection.exec_driver_sql("SELECT version FROM pagefate_version").scalar_one_or_none() or 0)

    def end_migration(self, connection: sa.Connection, version: int) -> None:
        """Write it there, in the same transaction."""
        connection.exec_driver_sql("DELETE FROM pagefate_version")
        connection.execute(sa.text("INSERT INTO pagefate_version VALUES (:version)"), {"version": version})

    def insert(self, table: sa.Table) -> Insert:
        """PostgreSQL's."""
        return postgresql.insert(table)

    def is_full(self, connection: sa.Connection) -> bool:
        """Measure the links with their index: a server's disk is not ours to fill."""
        size = sa.func.pg_total_relation_size("links")
        return int(connection.execute(sa.select(size)).scalar_one()) >= self._max_bytes

    def ring(self, connection: sa.Connection, room: str, sequence: int) -> None:
        """Part of the transaction: nobody hears of what is not committed."""
        connection.execute(sa.select(sa.func.pg_notify(BELL, f"{room} {sequence}")))

    def is_lack_of_room(self, error: Exception) -> bool:
        """The server calls it disk_full."""
        return str(getattr(getattr(error, "orig", None), "sqlstate", "") or "") == "53100"


def dialect_of(url: str, folder: Path, max_bytes: int, file: str = FILE) -> SQLite | PostgreSQL:
    """The database that the settings mean: a server's address, or without one a file in the folder."""
    return PostgreSQL(url, max_bytes) if url else SQLite(folder, max_bytes, file)
