"""Live rooms as they are kept: which run and step a class looks at, what it is asked, who drives.

A room is driven by who has its token; only the digest of that is kept. Each change gives it the next number of its
sequence, and rings the bell for other processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app import tokens
from app.database import Database
from app.schema import ROOMS, VOTES
from app.troubles import Trouble

ID_LENGTH = 8
CODE_MINUTES = 10
CODE_TRIES = 5
"""How often a wrong code may be given before the right one is worth nothing."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a class is asked before it is shown `step`; `right` is the place of the right choice, from 0."""

    step: int
    text: str
    choices: tuple[str, ...]
    right: int


@dataclass(frozen=True, slots=True)
class Room:
    """A room at one moment; nothing in it is secret but `question.right`.

    `expires` is UTC, ISO 8601; `shift` says how often the room was handed over.
    """

    id: str
    run: str
    step: int
    sequence: int
    question: Question | None
    expires: str
    shift: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the room has expired, or was closed."""
        return self.expires <= now()

    @property
    def is_asked(self) -> bool:
        """Whether votes count: the question was asked, and its answer was not shown."""
        return self.question is not None and self.step == self.question.step - 1


class Rooms:
    """All rooms of a database; threads may share it. Every method may raise StorageError."""

    def __init__(self, database: Database, *, hours: float, most: int) -> None:
        """A room lives so many hours after its teacher last did something in it; there are so many at most."""
        self.database, self._hours, self._most = database, hours, most

    def open(self, run: str, step: int) -> tuple[Room, str]:
        """A new room on a run, and the token that drives it.

        Raises:
            Trouble: when there are as many rooms as there may be.
        """
        secret, room = tokens.token(), Room(tokens.letters(ID_LENGTH), run, step, 1, None, self._expiry())
        with self.database.writing() as connection:
            self.database.see_that_there_is_room(connection)
            living = sa.select(sa.func.count()).select_from(ROOMS).where(ROOMS.c.expires > now())
            if connection.execute(living).scalar_one() >= self._most:
                cure = "Try again when a room has ended; the operator sets PAGEFATE_MAX_ROOMS"
                raise Trouble("no-room", f"There are {self._most} live rooms, and that is the most", cure=cure)
            row = {"code": "", "code_expires": "", "code_tries": 0, "driver": tokens.digest(secret)}
            connection.execute(sa.insert(ROOMS), row | _row(room))
        return room, secret

    def get(self, room: str) -> Room | None:
        """The room of this id as it is now, or None."""
        return next(iter(self.all([room])), None)

    def all(self, ids: Iterable[str]) -> list[Room]:
        """Those of these rooms that there are."""
        with self.database.reading() as connection:
            return [_room(row) for row in connection.execute(sa.select(ROOMS).where(ROOMS.c.id.in_(list(ids))))]

    def drives(self, room: str, token: str) -> bool:
        """Whether this token drives the room."""
        with self.database.reading() as connection:
            kept = connection.execute(sa.select(ROOMS.c.driver).where(ROOMS.c.id == room)).scalar_one_or_none()
        return tokens.fits(token, kept or "")

    # -- what the driver does ------------------------------------------------------------------------------------

    def move(self, room: str, token: str, run: str, step: int) -> Room:
        """Show a step. A question stays for as long as the class stands before it, or at its answer.

        Raises:
            Trouble: as every method below, when the room is none, is over, or is not driven by this token.
        """
        with self._driven(room, token) as (connection, was):
            asked = was.question
            stays = asked is not None and run == was.run and step in (asked.step - 1, asked.step)
            return self._change(connection, was, run=run, step=step, question=asked if stays else None)

    def ask(self, room: str, token: str, question: Question) -> Room:
        """Ask the class what comes next; what it said to another question is forgotten."""
        with self._driven(room, token) as (connection, was):
            connection.execute(sa.delete(VOTES).where(VOTES.c.room == room))
            return self._change(connection, was, step=question.step - 1, question=question)

    def end(self, room: str, token: str) -> Room:
        """Close the room for everybody."""
        with self._driven(room, token) as (connection, was):
            return self._change(connection, was, question=None, expires=now())

    def code(self, room: str, token: str) -> str:
        """A code by which another browser may take over, once, within the next minutes; earlier ones are void."""
        made = tokens.letters(tokens.CODE_LENGTH)
        until = _after(timedelta(minutes=CODE_MINUTES))
        with self._driven(room, token) as (connection, was):
            said = {"code": tokens.digest(made), "code_expires": until, "code_tries": 0}
            connection.execute(sa.update(ROOMS).where(ROOMS.c.id == was.id).values(**said))
        return made

    def take(self, room: str, code: str) -> tuple[Room, str]:
        """Drive the room from now on, by a code; the token that did so before is worth nothing.

        Raises:
            Trouble: when the code is not the one that was made last, was used, or is too old.
        """
        secret = tokens.token()
        with self._open_room(room) as (connection, row):
            here = sa.update(ROOMS).where(ROOMS.c.id == room)
            usable = row.code_expires > now() and row.code_tries < CODE_TRIES
            if usable and tokens.fits(code, row.code):
                connection.execute(here.values(driver=tokens.digest(secret), code="", code_expires=""))
                return self._change(connection, _room(row), shift=row.shift + 1), secret
            connection.execute(here.values(code_tries=ROOMS.c.code_tries + 1))
        cure = f"Ask who drives for a new one; it works once, for {CODE_MINUTES} minutes"
        raise Trouble("wrong-code", "This code does not hand over the room", cure=cure)

    # -- what followers do ---------------------------------------------------------------------------------------

    def vote(self, room: str, browser: str, choice: int) -> Room:
        """Count the vote of a browser, in place of one it gave before.

        Raises:
            Trouble: when nothing is asked, or there is no such choice.
        """
        with self._open_room(room) as (connection, row):
            found = _room(row)
            if found.question is None or not found.is_asked:
                raise Trouble("not-asked", "Nothing is asked in this room now", cure="Wait for the next question")
            if not 0 <= choice < len(found.question.choices):
                cure = f"Choose 0 to {len(found.question.choices) - 1}"
                raise Trouble("bad-request", f"The question has no choice {choice}", cure=cure)
            said = {"room": room, "browser": tokens.digest(browser), "choice": choice}
            insert = self.database.insert(VOTES).values(**said)
            connection.execute(
                insert.on_conflict_do_update(index_elements=["room", "browser"], set_={"choice": choice})
            )
            self.database.dialect.ring(connection, room, found.sequence)
        return found

    def counts(self, room: Room) -> list[int]:
        """How many chose each choice of the present question."""
        if room.question is None:
            return []
        query = sa.select(VOTES.c.choice, sa.func.count()).where(VOTES.c.room == room.id).group_by(VOTES.c.choice)
        with self.database.reading() as connection:
            said = {int(choice): int(count) for choice, count in connection.execute(query)}
        return [said.get(choice, 0) for choice in range(len(room.question.choices))]

    def sweep(self, kept: timedelta = timedelta(days=1)) -> int:
        """Forget the rooms that have been over for a while, with their votes; how many there were."""
        past = _after(-kept)
        old = sa.select(ROOMS.c.id).where(ROOMS.c.expires < past)
        with self.database.writing() as connection:
            connection.execute(sa.delete(VOTES).where(VOTES.c.room.in_(old)))
            return connection.execute(sa.delete(ROOMS).where(ROOMS.c.expires < past)).rowcount

    # -- within --------------------------------------------------------------------------------------------------

    @contextmanager
    def _open_room(self, room: str) -> Iterator[tuple[sa.Connection, Any]]:
        """The row of a room that is not over, which nobody else changes meanwhile."""
        with self.database.writing() as connection:
            row = connection.execute(sa.select(ROOMS).where(ROOMS.c.id == room).with_for_update()).one_or_none()
            see_that_it_is_open(None if row is None else _room(row))
            yield connection, row

    @contextmanager
    def _driven(self, room: str, token: str) -> Iterator[tuple[sa.Connection, Room]]:
        with self._open_room(room) as (connection, row):
            if not tokens.fits(token, row.driver):
                cure = "Who drives it can hand it over to you, by a code"
                raise Trouble("not-driver", "Another browser drives this room", cure=cure)
            yield connection, _room(row)

    def _change(self, connection: sa.Connection, was: Room, **changes: Any) -> Room:
        """The room with these changes, under the next number of its sequence."""
        room = replace(was, **{"sequence": was.sequence + 1, "expires": self._expiry(), **changes})
        connection.execute(sa.update(ROOMS).where(ROOMS.c.id == room.id).values(**_row(room)))
        self.database.dialect.ring(connection, room.id, room.sequence)
        return room

    def _expiry(self) -> str:
        return _after(timedelta(hours=self._hours))


def see_that_it_is_open(room: Room | None) -> Room:
    """The room, if there is one and it goes on.

    Raises:
        Trouble: when it is over, or there never was one.
    """
    if room is None:
        raise unknown()
    if room.is_over:
        raise Trouble("room-over", "This live room is over", cure=f"What it showed stays at {room.run}")
    return room


def unknown() -> Trouble:
    """What is said of a room that nobody has opened, or that was forgotten."""
    cure = "Look at its letters one by one (there is no 0, o, 1 or l), or ask for the address again"
    return Trouble("unknown-room", "There is no such live room", cure=cure)


def now() -> str:
    """This moment, as rooms keep it: texts of equal length, which compare as times do."""
    return _after(timedelta())


def _after(span: timedelta) -> str:
    return (datetime.now(UTC) + span).isoformat(timespec="milliseconds")


def _room(row: Any) -> Room:
    said = json.loads(row.question) if row.question else None
    question = Question(said["step"], said["text"], tuple(said["choices"]), said["right"]) if said else None
    return Room(row.id, row.run, row.step, row.sequence, question, row.expires, row.shift)


def _row(room: Room) -> dict[str, Any]:
    asked = room.question
    said = {"step": asked.step, "text": asked.text, "choices": asked.choices, "right": asked.right} if asked else None
    return {
        "id": room.id, "run": room.run, "step": room.step, "sequence": room.sequence, "expires": room.expires,
        "shift": room.shift, "question": json.dumps(said) if said else "",
    }  # fmt: skip
