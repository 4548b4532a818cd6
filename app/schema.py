"""The tables of what people hand in, and how an older database becomes one of today."""

from __future__ import annotations

import sqlalchemy as sa

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    ("CREATE TABLE links (id TEXT PRIMARY KEY, content TEXT NOT NULL, created TEXT NOT NULL)",),
    (
        "ALTER TABLE links ADD COLUMN opened TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE links ADD COLUMN secret TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE links ADD COLUMN withdrawn TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE links ADD COLUMN noted TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE reports
            (link TEXT NOT NULL, said TEXT NOT NULL, created TEXT NOT NULL, PRIMARY KEY (link, said))""",
        """CREATE TABLE rooms
            (id TEXT PRIMARY KEY, driver TEXT NOT NULL, run TEXT NOT NULL, step INTEGER NOT NULL,
             sequence INTEGER NOT NULL, shift INTEGER NOT NULL, question TEXT NOT NULL, expires TEXT NOT NULL,
             code TEXT NOT NULL, code_expires TEXT NOT NULL, code_tries INTEGER NOT NULL)""",
        """CREATE TABLE votes
            (room TEXT NOT NULL, browser TEXT NOT NULL, choice INTEGER NOT NULL, PRIMARY KEY (room, browser))""",
    ),
    ("CREATE TABLE verdicts (id TEXT PRIMARY KEY, answer TEXT NOT NULL, read TEXT NOT NULL)",),
)
"""The statements of step n bring a database from version n to n + 1, in the SQL that SQLite and PostgreSQL share.

A released step is never changed and there is no way back: new steps are added.
"""

_metadata = sa.MetaData()

LINKS = sa.Table(
    "links",
    _metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
    sa.Column("opened", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("withdrawn", sa.Text, nullable=False),
    sa.Column("noted", sa.Text, nullable=False),
)
"""`opened` is the day of the last reader, `secret` the digest of what deletes it, `withdrawn` why it is not shown.

`noted` is what the link showed when it was made.
"""

REPORTS = sa.Table(
    "reports",
    _metadata,
    sa.Column("link", sa.Text, primary_key=True),
    sa.Column("said", sa.Text, primary_key=True),
    sa.Column("created", sa.Text, nullable=False),
)

ROOMS = sa.Table(
    "rooms",
    _metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("driver", sa.Text, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("shift", sa.Integer, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("expires", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("code_expires", sa.Text, nullable=False),
    sa.Column("code_tries", sa.Integer, nullable=False),
)
"""`driver` and `code` are digests: who reads the database can not drive a room. `run` is an address."""

VOTES = sa.Table(
    "votes",
    _metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("browser", sa.Text, primary_key=True),
    sa.Column("choice", sa.Integer, nullable=False),
)
"""The votes on the question that a room is asked now; the next question takes them away."""

VERDICTS = sa.Table(
    "verdicts",
    _metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("read", sa.Text, nullable=False),
)
"""What searches have found, under the id of the question; `read` is the day of the last reader."""
