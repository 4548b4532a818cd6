"""The database behind what people hand in: opened at first use, brought up to date, and explained when it fails.

SQLite in a folder by default, PostgreSQL by its address; the code above this module does not know which. Every write
is on the disk before it is acknowledged, and several processes may write at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from app.dialects import Insert, PostgreSQL, SQLite
from app.schema import MIGRATIONS


class StorageError(Exception):
    """The storage can not be opened, read or written; the text is a sentence for the operator."""


class StorageFullError(StorageError):
    """There is no room for more: the limit of the settings, or the disk."""


class Database:
    """Transactions on a database; threads may share it.

    Every method raises StorageError when the database can not be opened, read or written.
    """

    def __init__(self, dialect: SQLite | PostgreSQL) -> None:
        """Touch nothing yet: a site that only shows the gallery needs no database."""
        self.dialect = dialect
        self._engine: sa.Engine | None = None
        self._opening = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that only reads."""
        with self._explained(), self._open().begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes; when it ends without an exception, what it wrote is durable."""
        with self._explained(), self._open().begin() as connection:
            self.dialect.begin(connection)
            yield connection

    def insert(self, table: sa.Table) -> Insert:
        """An INSERT that may say what to do about a conflict."""
        return self.dialect.insert(table)

    def see_that_there_is_room(self, connection: sa.Connection) -> None:
        """Raise StorageFullError when no more may be added."""
        if self.dialect.is_full(connection):
            raise StorageFullError("No room for another link. Raise PAGEFATE_MAX_STORED, or delete some.")

    def close(self) -> None:
        """Let go of the database; using it again opens it again."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def _open(self) -> sa.Engine:
        with self._opening:
            if self._engine is None:
                engine = self.dialect.engine()
                try:
                    with engine.connect() as connection:
                        self._migrate(connection)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine = engine
            return self._engine

    def _migrate(self, connection: sa.Connection) -> None:
        """Bring the schema up to date, once, whoever else opens the database at the same time."""
        version = self.dialect.begin_migration(connection)
        if version > len(MIGRATIONS):
            raise StorageError(
                f"The links were written by a newer Pagefate (version {version} of the database, this one knows "
                f"{len(MIGRATIONS)}). Run that one; or: {self.dialect.cure}."
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.exec_driver_sql(statement)
        if version < len(MIGRATIONS):
            self.dialect.end_migration(connection, len(MIGRATIONS))
        connection.commit()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the driver's errors into a sentence: its words, the place, and what helps."""
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())
            if self.dialect.is_lack_of_room(error):
                cure = "Raise PAGEFATE_MAX_STORED, or free space"
                raise StorageFullError(f"No room for another link: {reason}. {cure}.") from error
            said = f"The links in {self.dialect.place} can not be used: {reason}. {self.dialect.cure}."
            raise StorageError(said) from error
        except ModuleNotFoundError as error:
            cure = "Install it: pip install 'pagefate[postgresql]'"
            raise StorageError(f"A PostgreSQL database needs {error.name}, which is not here. {cure}.") from error
