"""What people hand in is kept: acknowledged is durable, whoever writes at the same time."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from app import links
from app.storage import FILE, MIGRATIONS, Storage, StorageError, StorageFullError

WRITER = """
import sys
from pathlib import Path
from app.storage import Storage
folder, name = Path(sys.argv[1]), sys.argv[2]
storage = Storage(folder)
for number in range(40):
    storage.put(f"{name} {number}")
    storage.put(f"both {number}")
"""


def test_the_same_content_has_one_link(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    first, again, other = storage.put("one"), storage.put("one"), storage.put("two")
    assert first == (links.content_id(b"one"), True)
    assert again == (first[0], False)
    assert other[1]
    kept = storage.get(first[0])
    assert kept is not None
    assert kept.content == "one"
    storage.close()


def test_an_unknown_id_is_none(tmp_path: Path) -> None:
    assert Storage(tmp_path).get("abcdefghjkmn") is None


def test_a_taken_id_makes_the_next_one_longer(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    usual, longer, _ = links.ids(b"one")
    storage.check()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as raw:
        raw.execute("INSERT INTO links (id, content, created) VALUES (?, 'something else', '')", (usual,))
    assert storage.put("one") == (longer, True)
    assert storage.put("one") == (longer, False)


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    Storage(tmp_path / "deep" / "folder")
    assert not (tmp_path / "deep").exists()


def test_a_write_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.put("one")
    with storage.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "new"), name]) for name in names]
    assert [writer.wait(50) for writer in writers] == [0] * len(names)
    storage = Storage(tmp_path / "new")
    for name in (*names, "both"):
        for number in range(40):
            content = f"{name} {number}"
            assert storage.put(content) == (links.content_id(content.encode()), False)


def test_several_threads_write_at_once(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(storage.put, [f"{number % 20}" for number in range(100)]))
    assert sum(new for _, new in answers) == 20


def test_a_full_store_says_so_and_can_still_be_read(tmp_path: Path) -> None:
    storage = Storage(tmp_path, max_bytes=64 * 1024)
    link, _ = storage.put("first")
    with pytest.raises(StorageFullError, match="PAGEFATE_MAX_STORED"):
        any(storage.put(f"{number}" * 1000) is None for number in range(1000))
    kept = storage.get(link)
    assert kept is not None
    assert kept.content == "first"


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as raw:
        raw.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    with pytest.raises(StorageError, match="newer Pagefate"):
        Storage(tmp_path).put("one")


def test_an_empty_file_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / FILE).close()
    assert Storage(tmp_path).put("one")[1]
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


@pytest.mark.parametrize("damage", [b"this is no database, " * 400, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_named_with_what_helps(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FILE).write_bytes(damage)
    with pytest.raises(StorageError, match="PAGEFATE_DATA"):
        Storage(tmp_path).get("abcdefghjkmn")


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="PAGEFATE_DATA"):
        Storage(tmp_path / "file" / "folder").check()
