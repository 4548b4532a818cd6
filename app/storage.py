"""The short links that people hand in: kept, deleted by their maker, reported by readers, withdrawn by the operator.

An id is taken from the content, so what is handed in twice is one link, and the first who handed it in is its maker.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app import links, tokens
from app.database import Database, StorageError, StorageFullError
from app.dialects import FILE, SQLite, dialect_of
from app.schema import LINKS, MIGRATIONS, REPORTS

__all__ = ["FILE", "MIGRATIONS", "Report", "Storage", "StorageError", "StorageFullError", "Stored"]

REPORTS_PER_LINK = 20
"""How many different reports of one link are kept."""
REPORT_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class Stored:
    """One link as it is kept: its id, its content (canonical JSON) and when it was made (UTC, ISO 8601).

    `withdrawn` is why the operator does not show it any more; empty for a link that is shown.
    """

    id: str
    content: str
    created: str
    withdrawn: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a reader said about a link, and when."""

    link: str
    said: str
    created: str


class Storage:
    """The short links; threads may share it.

    Every method raises StorageError when the database can not be opened, read or written.
    """

    def __init__(self, folder: Path, *, url: str = "", max_bytes: int = 1 << 30) -> None:
        """A file in `folder`, or the server at `url`; nothing is touched yet."""
        self.database = Database(dialect_of(url, folder, max_bytes))

    @property
    def path(self) -> Path | None:
        """The file, where there is one."""
        dialect = self.database.dialect
        return dialect.path if isinstance(dialect, SQLite) else None

    def put(self, content: str, *, secret: str = "") -> tuple[str, bool]:
        """Keep `content`; return its id and whether it is new. It is durable when this returns.

        `secret` is what its maker may delete it by, if it is new.

        Raises:
            StorageFullError: when it is new and there is no room.
        """
        for link in links.ids(content.encode()):
            if self._insert(link, content, secret):
                return link, True
            known = self.get(link)
            if known is not None and known.content == content:
                return link, False
        raise StorageError("Another content has every id that this one may have.")

    def get(self, link: str) -> Stored | None:
        """What is kept under an id, or None."""
        columns = (LINKS.c.id, LINKS.c.content, LINKS.c.created, LINKS.c.withdrawn, LINKS.c.opened)
        with self.database.reading() as connection:
            row = connection.execute(sa.select(*columns).where(LINKS.c.id == link)).one_or_none()
        if row is None:
            return None
        if row.opened != _today():
            self._note_reader(link)
        return Stored(*row[:4])

    def delete(self, link: str, secret: str) -> bool:
        """Delete a link by the secret of its maker; whether it was the right one."""
        with self.database.writing() as connection:
            row = connection.execute(sa.select(LINKS.c.secret).where(LINKS.c.id == link)).one_or_none()
            if row is None or not tokens.fits(secret, row.secret):
                return False
            self._forget(connection, [link])
            return True

    def report(self, link: str, said: str) -> None:
        """Keep what a reader says about a link, once; as much as a person can read."""
        said = said.strip()[:REPORT_LENGTH]
        row = {"link": link, "said": said, "created": _now()}
        with self.database.writing() as connection:
            about = sa.select(sa.func.count()).select_from(REPORTS).where(REPORTS.c.link == link)
            if connection.execute(about).scalar_one() < REPORTS_PER_LINK:
                connection.execute(self.database.insert(REPORTS).on_conflict_do_nothing(), row)

    def reports(self) -> list[Report]:
        """Every report, the newest first."""
        query = sa.select(REPORTS.c.link, REPORTS.c.said, REPORTS.c.created).order_by(REPORTS.c.created.desc())
        with self.database.reading() as connection:
            return [Report(*row) for row in connection.execute(query)]

    def withdraw(self, link: str, why: str) -> bool:
        """Show a link no more, and say why; with an empty `why` show it again. Whether there is such a link."""
        with self.database.writing() as connection:
            done = connection.execute(sa.update(LINKS).where(LINKS.c.id == link).values(withdrawn=why))
            connection.execute(sa.delete(REPORTS).where(REPORTS.c.link == link))
            return done.rowcount == 1

    def expire(self, days: int) -> int:
        """Delete the links that nobody has opened for so many days; how many there were.

        What was withdrawn stays, so that handing it in again does not show it again.
        """
        last = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
        old = sa.select(LINKS.c.id).where(LINKS.c.created < last, LINKS.c.opened < last[:10], LINKS.c.withdrawn == "")
        with self.database.writing() as connection:
            found = list(connection.execute(old).scalars())
            self._forget(connection, found)
        return len(found)

    def note(self, link: str, content: str) -> None:
        """Keep something beside a link, once: what was noted first stays."""
        with self.database.writing() as connection:
            self.database.see_that_there_is_room(connection)
            new = (LINKS.c.id == link) & (LINKS.c.noted == "")
            connection.execute(sa.update(LINKS).where(new).values(noted=content))

    def noted(self, link: str) -> str:
        """What is kept beside a link; empty when nothing is."""
        with self.database.reading() as connection:
            found = connection.execute(sa.select(LINKS.c.noted).where(LINKS.c.id == link)).scalar_one_or_none()
        return found or ""

    def check(self) -> None:
        """Return when the storage can be read: the readiness of the server."""
        with self.database.reading() as connection:
            connection.execute(sa.select(LINKS.c.id).limit(1))

    def complaint(self) -> str:
        """Why the storage can not be used now, as a sentence for the operator; empty when it can."""
        try:
            self.check()
        except StorageError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Let go of the database; using the storage again opens it again."""
        self.database.close()

    def _insert(self, link: str, content: str, secret: str) -> bool:
        """Whether `content` is kept under `link` now, and was not before."""
        row: dict[str, Any] = {"id": link, "content": content, "created": _now(), "opened": _today()}
        row |= {"secret": tokens.digest(secret) if secret else "", "withdrawn": "", "noted": ""}
        insert = self.database.insert(LINKS).on_conflict_do_nothing().returning(LINKS.c.id)
        with self.database.writing() as connection:
            self.database.see_that_there_is_room(connection)
            return connection.execute(insert, row).scalar_one_or_none() is not None

    def _note_reader(self, link: str) -> None:
        """Note that the link is used, once a day. What can be read is shown also where nothing can be written."""
        with suppress(StorageError), self.database.writing() as connection:
            connection.execute(sa.update(LINKS).where(LINKS.c.id == link).values(opened=_today()))

    @staticmethod
    def _forget(connection: sa.Connection, found: list[str]) -> None:
        for link in found:
            connection.execute(sa.delete(REPORTS).where(REPORTS.c.link == link))
            connection.execute(sa.delete(LINKS).where(LINKS.c.id == link))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
