"""What searches have found, kept under the ids of their questions, so that nobody has to wait for it again.

An id has the edition of the engine in it: a new edition asks anew. All of it can be worked out again, so it stands in a
file beside that of the links, takes none of their room, and the verdict that nobody has read for longest goes first.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.database import Database, StorageError, StorageFullError
from app.dialects import SQLite, dialect_of
from app.schema import VERDICTS

log = logging.getLogger("pagefate")

FILE = "verdicts.sqlite3"
MOST = 20_000
"""So many are kept."""
MAX_BYTES = 256 << 20
"""How large the file may get; when it is full, half of the verdicts go."""
LONGEST = 128 << 10
"""A verdict of more characters is not kept."""
FORM = 1
"""Of the answers; what an older Pagefate kept in another form is not read."""
AT_ONCE = 500
"""So many ids go into one statement."""


class Verdicts:
    """Verdicts that are over; threads may share it. Where they cannot be read or kept, the log says so and no more."""

    def __init__(self, folder: Path, *, url: str = "", max_bytes: int = MAX_BYTES) -> None:
        """A file in `folder`, or the server at `url`; nothing is touched yet."""
        self.database = Database(dialect_of(url, folder, max_bytes, FILE))

    @property
    def is_there(self) -> bool:
        """Whether anything was ever kept: to look does not make a file."""
        dialect = self.database.dialect
        return not isinstance(dialect, SQLite) or dialect.path.exists()

    def get(self, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Those of these verdicts that are kept, by id. Who reads a verdict keeps it."""
        wanted = list(dict.fromkeys(ids))
        if not wanted or not self.is_there:
            return {}
        try:
            rows = [row for some in _batches(wanted) for row in self._read(some)]
            self._note_reader([row.id for row in rows if row.read != _today()])
        except StorageError as error:
            log.warning("no verdict can be read: %s", error)
            return {}
        found = {row.id: json.loads(row.answer) for row in rows}
        return {name: answer for name, answer in found.items() if answer.get("form") == FORM}

    def put(self, name: str, answer: Mapping[str, Any]) -> bool:
        """Keep a verdict under an id, in place of one that was there; whether it is kept."""
        said = json.dumps({**answer, "form": FORM}, ensure_ascii=False, separators=(",", ":"))
        if len(said) > LONGEST:
            return False
        try:
            try:
                self._write(name, said)
            except StorageFullError:
                self.sweep(self._count() // 2)
                self._write(name, said)
        except StorageError as error:
            log.warning("a verdict is not kept: %s", error)
            return False
        return True

    def sweep(self, most: int = MOST) -> int:
        """Keep only so many, those that were read last; how many went.

        Raises:
            StorageError: when the database cannot be written.
        """
        if not self.is_there:
            return 0
        newest = sa.select(VERDICTS.c.id).order_by(VERDICTS.c.read.desc(), VERDICTS.c.id).limit(most)
        with self.database.writing() as connection:
            return connection.execute(sa.delete(VERDICTS).where(VERDICTS.c.id.not_in(newest))).rowcount

    def close(self) -> None:
        """Let go of the database; using the verdicts again opens it again."""
        self.database.close()

    def _read(self, ids: list[str]) -> list[sa.Row[tuple[str, str, str]]]:
        query = sa.select(VERDICTS.c.id, VERDICTS.c.answer, VERDICTS.c.read).where(VERDICTS.c.id.in_(ids))
        with self.database.reading() as connection:
            return list(connection.execute(query))

    def _write(self, name: str, said: str) -> None:
        row = {"answer": said, "read": _today()}
        insert = self.database.insert(VERDICTS).values(id=name, **row)
        with self.database.writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=row))

    def _note_reader(self, ids: list[str]) -> None:
        """Once a day. What can be read is shown also where nothing can be written."""
        try:
            for some in _batches(ids):
                with self.database.writing() as connection:
                    connection.execute(sa.update(VERDICTS).where(VERDICTS.c.id.in_(some)).values(read=_today()))
        except StorageError as error:
            log.warning("that verdicts were read is not noted: %s", error)

    def _count(self) -> int:
        with self.database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(VERDICTS)).scalar_one())


def _batches(ids: list[str]) -> Iterator[list[str]]:
    return (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
