"""What people hand in, kept in an embedded SQLite: today the short links.

Every write is on the disk before it is acknowledged (WAL, synchronous=FULL), and several processes may write
at once. The version of the schema stands in `PRAGMA user_version`; opening an older file brings it up to date.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from app import links

FILE = "pagefate.sqlite3"
PAGE_SIZE = 4096
BUSY_MS = 5_000

MIGRATIONS = ("CREATE TABLE links (id TEXT PRIMARY KEY, content TEXT NOT NULL, created TEXT NOT NULL) WITHOUT ROWID",)
"""Statement n brings a file from version n to n + 1. A released one is never changed; new ones are added."""

_LINKS = sa.Table(
    "links",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
)


class StorageError(Exception):
    """The storage can not be opened, read or written; the text is a sentence for the operator."""


class StorageFullError(StorageError):
    """There is no room for another link: the limit of the settings, or the disk."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One link as it is kept: its id, its content (canonical JSON) and when it was made (UTC, ISO 8601)."""

    id: str
    content: str
    created: str


class Storage:
    """The short links in a file of `folder`, which is opened at first use; threads may share it.

    Every method raises StorageError when the file can not be opened, read or written.
    """

    def __init__(self, folder: Path, *, max_bytes: int = 1 << 30) -> None:
        """Touch nothing yet: a site that only shows the gallery needs no folder."""
        self.path = folder / FILE
        self._max_bytes = max_bytes
        self._engine: sa.Engine | None = None
        self._opening = threading.Lock()

    def put(self, content: str) -> tuple[str, bool]:
        """Keep `content`; return its id and whether it is new. It is durable when this returns.

        Raises:
            StorageFullError: when it is new and there is no room.
        """
        for link in links.ids(content.encode()):
            if self._insert(link, content):
                return link, True
            known = self.get(link)
            if known is not None and known.content == content:
                return link, False
        raise StorageError("Another content has every id that this one may have.")

    def get(self, link: str) -> Stored | None:
        """What is kept under an id, or None."""
        query = sa.select(_LINKS).where(_LINKS.c.id == link)
        with self._transaction() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Stored(*row)

    def note(self, link: str, content: str) -> None:
        """Keep something beside a link, once: what was noted first stays."""
        self._insert(links.beside(link), content)

    def noted(self, link: str) -> str:
        """What is kept beside a link; empty when nothing is."""
        found = self.get(links.beside(link))
        return "" if found is None else found.content

    def check(self) -> None:
        """Return when the storage can be read: the readiness of the server."""
        self.get("")

    def complaint(self) -> str:
        """Why the storage can not be used now, as a sentence for the operator; empty when it can."""
        try:
            self.check()
        except StorageError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Let go of the file; using the storage again opens it again."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def _insert(self, link: str, content: str) -> bool:
        """Whether `content` is kept under `link` now, and was not before."""
        row = {"id": link, "content": content, "created": datetime.now(UTC).isoformat(timespec="seconds")}
        with self._transaction() as connection:
            return connection.execute(insert(_LINKS).on_conflict_do_nothing(), row).rowcount == 1

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._open().begin() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise _explained(error, self.path) from error

    def _open(self) -> sa.Engine:
        with self._opening:
            if self._engine is None:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                engine = sa.create_engine(f"sqlite:///{self.path}")
                sa.event.listen(engine, "connect", self._configure)
                with engine.connect() as connection:
                    _migrate(connection)
                self._engine = engine
            return self._engine

    def _configure(self, connection: Any, _record: object) -> None:
        """Set a new connection: wait for other writers, lose nothing that was acknowledged, stay in bounds."""
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            f"max_page_count={self._max_bytes // PAGE_SIZE}",
        ):
            connection.execute(f"PRAGMA {pragma}")


def _migrate(connection: sa.Connection) -> None:
    """Bring the schema up to date, once, whoever else opens the file at the same time."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > len(MIGRATIONS):
        raise StorageError(
            f"The links were written by a newer Pagefate (version {version} of the file, this one knows "
            f"{len(MIGRATIONS)}). Run that one, or name another folder: PAGEFATE_DATA."
        )
    for statement in MIGRATIONS[version:]:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA user_version={len(MIGRATIONS)}")
    connection.commit()


def _explained(error: Exception, path: Path) -> StorageError:
    """What went wrong, for the operator: the driver's words, the file, and what helps."""
    reason = str(getattr(error, "orig", None) or error)
    if "disk is full" in reason or getattr(error, "errno", None) == errno.ENOSPC:
        return StorageFullError(f"No room for another link: {reason}. Raise PAGEFATE_MAX_STORED, or free space.")
    return StorageError(f"The links in {path} can not be used: {reason}. PAGEFATE_DATA names another folder.")
