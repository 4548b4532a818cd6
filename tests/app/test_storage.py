"""What people hand in is kept: acknowledged is durable, whoever writes at the same time, in a file and on a server."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import links
from app.database import Database, StorageError
from app.dialects import dialect_of
from app.schema import LINKS
from app.storage import FILE, MIGRATIONS, REPORTS_PER_LINK, Storage, StorageFullError
from tests.app.postgresql import fresh_database

WRITER = """
import sys
from pathlib import Path
from app.storage import Storage
folder, url, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
storage = Storage(folder, url=url)
for number in range(40):
    storage.put(f"{name} {number}")
    storage.put(f"both {number}")
"""
ENDLESS = """
import sys
from itertools import count
from pathlib import Path
from app.storage import Storage
storage = Storage(Path(sys.argv[1]), url=sys.argv[2])
for number in count():
    content = f"{number} " * 300
    storage.put(content)
    print(number, flush=True)
"""


@pytest.fixture
def storage(tmp_path: Path, database: str) -> Iterator[Storage]:
    made = Storage(tmp_path, url=database)
    yield made
    made.close()


def test_the_same_content_has_one_link(storage: Storage) -> None:
    first, again, other = storage.put("one"), storage.put("one"), storage.put("two")
    assert first == (links.content_id(b"one"), True)
    assert again == (first[0], False)
    assert other[1]
    kept = storage.get(first[0])
    assert kept is not None
    assert kept.content == "one"


def test_an_unknown_id_is_none(storage: Storage) -> None:
    assert storage.get("abcdefghjkmn") is None


def test_a_taken_id_makes_the_next_one_longer(storage: Storage) -> None:
    usual, longer, _ = links.ids(b"one")
    row = {"id": usual, "content": "something else", "created": "", "opened": "", "secret": "", "withdrawn": ""}
    with storage.database.writing() as connection:
        connection.execute(sa.insert(LINKS), row)
    assert storage.put("one") == (longer, True)
    assert storage.put("one") == (longer, False)


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    Storage(tmp_path / "deep" / "folder")
    assert not (tmp_path / "deep").exists()


def test_a_write_is_on_the_disk_before_it_is_acknowledged(storage: Storage, database: str) -> None:
    storage.put("one")
    with storage.database.reading() as connection:
        if database:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
            assert connection.exec_driver_sql("SHOW fsync").scalar_one() == "on"
        else:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL


def test_several_processes_write_at_once(tmp_path: Path, database: str) -> None:
    names, folder = ["a", "b", "c", "d"], tmp_path / "new"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(folder), database, name]) for name in names]
    assert [writer.wait(50) for writer in writers] == [0] * len(names)
    storage = Storage(folder, url=database)
    for name in (*names, "both"):
        for number in range(40):
            content = f"{name} {number}"
            assert storage.put(content) == (links.content_id(content.encode()), False)
    storage.close()


def test_several_threads_write_at_once(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(storage.put, [f"{number % 20}" for number in range(100)]))
    assert sum(new for _, new in answers) == 20


@pytest.mark.parametrize("after", [1, 7, 40])
def test_a_writer_that_is_killed_loses_nothing_it_acknowledged(tmp_path: Path, database: str, after: int) -> None:
    command = [sys.executable, "-c", ENDLESS, str(tmp_path), database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [next(writer.stdout) for _ in range(after)]
        writer.kill()
        acknowledged += writer.stdout.read().splitlines()
    storage = Storage(tmp_path, url=database)
    for number in map(int, acknowledged):
        content = f"{number} " * 300
        kept = storage.get(links.content_id(content.encode()))
        assert kept is not None, number
        assert kept.content == content
    if not database:
        with storage.database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    storage.close()


# --- its limits --------------------------------------------------------------------------------------------


def test_a_full_store_says_so_and_can_still_be_read(tmp_path: Path, database: str) -> None:
    storage = Storage(tmp_path, url=database, max_bytes=128 * 1024)
    link, _ = storage.put("first")
    with pytest.raises(StorageFullError, match="PAGEFATE_MAX_STORED"):
        any(storage.put(f"{number}" * 1000) is None for number in range(1000))
    kept = storage.get(link)
    assert kept is not None
    assert kept.content == "first"
    storage.close()


def test_links_that_nobody_opens_are_deleted_after_a_while(storage: Storage) -> None:
    old, read, withdrawn, young = (storage.put(name)[0] for name in ("old", "read", "withdrawn", "young"))
    past = datetime.now(UTC) - timedelta(days=40)
    long_ago = {"created": past.isoformat(timespec="seconds"), "opened": past.date().isoformat()}
    with storage.database.writing() as connection:
        connection.execute(sa.update(LINKS).where(LINKS.c.id != young).values(**long_ago))
    assert storage.get(read) is not None, "who opens a link keeps it"
    storage.withdraw(withdrawn, "spam")
    assert storage.expire(30) == 1
    assert [storage.get(link) is None for link in (old, read, withdrawn, young)] == [True, False, False, False]


# --- deleting and reporting --------------------------------------------------------------------------------


def test_a_link_is_deleted_by_its_makers_secret_alone(storage: Storage) -> None:
    link, _ = storage.put("one", secret="of the maker")  # noqa: S106 - of this test
    storage.put("one", secret="of somebody later")  # noqa: S106
    assert [storage.delete(link, wrong) for wrong in ("", "of somebody later")] == [False, False]
    assert storage.delete(link, "of the maker")
    assert storage.get(link) is None
    assert not storage.delete(link, "of the maker")


def test_a_link_without_a_secret_can_not_be_deleted(storage: Storage) -> None:
    link, _ = storage.put("one")
    assert not storage.delete(link, "")


def test_no_secret_is_kept_as_it_is(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.put("one", secret="of the maker")  # noqa: S106 - of this test
    storage.close()
    assert b"of the maker" not in (tmp_path / FILE).read_bytes()


def test_reports_are_kept_once_and_not_without_end(storage: Storage) -> None:
    link, _ = storage.put("one")
    for said in ("spam", " spam ", *(f"again {number}" for number in range(50))):
        storage.report(link, said)
    found = storage.reports()
    assert len(found) == REPORTS_PER_LINK
    assert sum(report.said == "spam" for report in found) == 1


def test_a_withdrawn_link_stays_withdrawn_until_it_is_restored(storage: Storage) -> None:
    link, _ = storage.put("one")
    storage.report(link, "spam")
    assert storage.withdraw(link, "It was spam")
    assert storage.put("one") == (link, False)
    kept = storage.get(link)
    assert kept is not None
    assert kept.withdrawn == "It was spam"
    assert storage.reports() == []
    assert storage.withdraw(link, "")
    kept = storage.get(link)
    assert kept is not None
    assert kept.withdrawn == ""
    assert not storage.withdraw("abcdefghjkmn", "nothing")


# --- versions ----------------------------------------------------------------------------------------------


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path, database: str) -> None:
    kept = Database(dialect_of(database, tmp_path, 1 << 30))
    with kept.writing() as connection:
        kept.dialect.end_migration(connection, len(MIGRATIONS) + 1)
    kept.close()
    with pytest.raises(StorageError, match="newer Pagefate"):
        Storage(tmp_path, url=database).put("one")


def test_a_file_of_the_first_version_is_brought_up_to_date_with_all_its_links(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as raw:
        raw.execute(
            "CREATE TABLE links (id TEXT PRIMARY KEY, content TEXT NOT NULL, created TEXT NOT NULL) WITHOUT ROWID"
        )
        raw.execute("INSERT INTO links VALUES (?, 'one', '2026-11-01T00:00:00+00:00')", (links.content_id(b"one"),))
        raw.execute("PRAGMA user_version=1")
    storage = Storage(tmp_path)
    assert storage.put("one") == (links.content_id(b"one"), False)
    assert storage.put("two", secret="s")[1]  # noqa: S106 - of this test
    storage.close()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_an_empty_database_is_brought_up_to_date_by_many_at_once(tmp_path: Path, database: str) -> None:
    storages = [Storage(tmp_path, url=database) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda storage: storage.put("one"), storages))
    assert sum(new for _, new in made) == 1
    for storage in storages:
        storage.close()


# --- what goes wrong ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"this is no database, " * 400, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_named_with_what_helps(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FILE).write_bytes(damage)
    with pytest.raises(StorageError, match="PAGEFATE_DATA"):
        Storage(tmp_path).get("abcdefghjkmn")


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="PAGEFATE_DATA"):
        Storage(tmp_path / "file" / "folder").check()


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://me:geheim@/none?host={tmp_path}"
    with pytest.raises(StorageError, match="PAGEFATE_DATABASE") as raised:
        Storage(tmp_path, url=url).check()
    assert "geheim" not in str(raised.value)
    assert str(tmp_path) in str(raised.value)


def test_connections_that_the_server_has_ended_are_made_anew(tmp_path: Path, postgresql: str) -> None:
    storage = Storage(tmp_path, url=fresh_database(postgresql, "restarted"))
    link, _ = storage.put("one")
    with pytest.raises(StorageError), storage.database.writing() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    assert storage.get(link) is not None
    storage.close()
