"""The outcome matrix of the facts (7.2), row by row: a store to a hole, the disk full, ext2, blocks of a page.

Each row is a short scenario of its own, so that it does not hang on the gallery's wording. `.` is a byte of zero.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.build import CORRECTED, MAP, POSTED, STOCK, play

STORE = [MAP, 'm[2P] = "C"']
READ = "x = pread(f, 1, 2P)"


def test_stock_with_msync_by_the_user() -> None:
    # 7.2 row 1: store ok, msync -ENOSPC, then 0; others read new data until eviction, then zeros.
    told = play(
        {"A": [*STORE, "msync(m, SYNC)", "msync(m, SYNC)", "exit()"], "B": [READ, "drop_caches()", READ]}, blocks=1
    )
    assert told.results("A") == ["0", "ok", "ENOSPC", "0", "0"]
    assert told.results("B") == ["C", "0", "."]
    assert told.fates("A.2") == ["at-risk", "clean-unsaved", "lost"]
    assert told.stores["A.2"].told == "A.3: ENOSPC"


def test_stock_without_msync_nobody_is_told() -> None:
    # 7.2 row 2: pdflush meets the error; the flag stays in the file and no call has asked.
    told = play({"A": [*STORE, "exit()"], "B": ["writeback()", READ, "drop_caches()", READ]}, blocks=1)
    assert told.results("B") == ["0", "C", "0", "."]
    assert told.stores["A.2"].told is None
    assert told.end["mapping/f.enospc"] is True
    assert told.outcome == "lost-silent"


def test_somebody_who_asks_while_the_inode_is_in_core_is_told() -> None:
    # 7.2 row 2, last column; 1a.14: the first fsync by any process, and everybody later gets 0.
    told = play({"A": [*STORE, "exit()"], "B": ["writeback()", "fsync(f)", "fsync(f)"]}, blocks=1)
    assert told.results("B") == ["0", "ENOSPC", "0"]


def test_the_flag_is_lost_with_the_inode() -> None:
    # 1a.14: inode evicted before anyone asked.
    told = play({"A": [*STORE, "exit()"], "B": ["writeback()", "remount()", "fsync(f)", READ]}, blocks=1)
    assert told.results("B") == ["0", "0", "0", "."]
    assert told.outcome == "lost-lied"


def test_the_root_reserve_saves_what_pdflush_writes_first() -> None:
    # 7.2 row 3: -ENOSPC in the user's context, saved if pdflush came first.
    by_user = play({"A": [*STORE, "msync(m, SYNC)"]}, blocks=2, reserved=1)
    assert by_user.result("A", 3) == "ENOSPC"
    by_pdflush = play(
        {"A": [*STORE, "munmap(m)"], "B": ["writeback()"], "C": ["fsync(f)", "drop_caches()", READ]},
        blocks=2,
        reserved=1,
    )
    assert by_pdflush.results("C") == ["0", "0", "C"]
    assert by_pdflush.outcome == "kept"


def test_over_quota_is_edquot_directly_then_zero() -> None:
    # 7.2 row 4, 1a.14: the caller that triggers the failing write gets -EDQUOT itself.
    told = play({"A": [*STORE, "msync(m, SYNC)", "msync(m, SYNC)"]}, quota={"alice": {"hard": 1}})
    assert told.results("A")[2:] == ["EDQUOT", "0"]


def test_over_quota_is_eio_after_a_background_failure() -> None:
    # 7.2 row 4, 1a.13 (anything but ENOSPC sets AS_EIO), 1a.12 (direct reclaim has the allocating process's rights).
    told = play(
        {
            "A": [*STORE, "munmap(m)"],
            "B": {"user": "bob", "script": ["n = mmap(ANON, 4P, READ|WRITE, PRIVATE)", 'n[0:3P] = "b"', "exit()"]},
            "C": ["fsync(f)", "fsync(f)", READ],
        },
        machine={"frames": 4},
        quota={"alice": {"hard": 1}},
    )
    assert told.results("B") == ["0", "ok", "0"]
    assert "pageout.handle_write_error" in told.steps("B")
    assert told.results("C") == ["EIO", "0", "."]


def test_reclaim_shows_zeros_in_the_same_pass() -> None:
    # 7.2 row 5.
    told = play({"A": [*STORE, "reclaim()", "x = m[2P]", "msync(m, SYNC)", "msync(m, SYNC)"]}, blocks=1)
    assert told.results("A") == ["0", "ok", "0", ".", "ENOSPC", "0"]


@pytest.mark.parametrize("kernel", [POSTED, CORRECTED])
@pytest.mark.parametrize("why", [{"blocks": 1}, {"quota": {"alice": {"hard": 1}}}, {"blocks": 2, "reserved": 1}])
def test_where_the_fault_asks_the_store_is_refused_and_calls_have_nothing_to_say(
    kernel: str, why: dict[str, Any]
) -> None:
    # 7.2 rows posted and corrected: SIGBUS, not executed; msync 0, 0; old data; zeros.
    script = [*STORE, "msync(m, SYNC)", "msync(m, SYNC)", "x = m[2P]"]
    told = play({"A": {"on_sigbus": "next", "script": script}, "B": [READ]}, kernel, **why)
    assert told.results("A") == ["0", "SIGBUS", "0", "0", "."]
    assert told.result("B", 1) == "."
    assert told.outcome == "refused"


def test_a_refused_store_is_not_executed() -> None:
    # 7.2 row corrected; 1a.1 step 7: SIGBUS, and the process dies before its next line.
    told = play({"A": [*STORE, "exit()"]}, CORRECTED, blocks=1)
    assert told.result("A", 3) is None
    assert told.end["task/A.state"] == "killed"
    assert told.end["task/A.signal"] == "SIGBUS"
    assert told.stores["A.2"].accepted == 0


@pytest.mark.parametrize("how", ["munmap(m)", "exit()"])
def test_unmapping_and_leaving_report_nothing(how: str) -> None:
    # 1a.14, who sees the error: msync(MS_ASYNC), munmap, close, exit, sync: nothing.
    told = play({"A": [*STORE, "msync(m, ASYNC)", how]}, blocks=1)
    assert told.results("A") == ["0", "ok", "0", "0"]


def test_close_reports_nothing() -> None:
    # 1a.11: ext2 has no ->flush.
    told = play({"A": ["h = open(f, RDWR)", *STORE, "munmap(m)", "close(h)"], "B": ["writeback()"]}, blocks=1)
    assert told.result("A", 5) == "0"


def test_readers_see_unsaved_data_until_eviction() -> None:
    # 1a.14: plain read(2) and mmap readers.
    told = play({"A": [*STORE, "msync(m, SYNC)"], "B": ["n = mmap(f, 4P, READ, SHARED)", "x = n[2P]", READ]}, blocks=1)
    assert told.results("B") == ["0", "C", "C"]


def test_the_asking_kernels_agree_with_stock_where_there_is_room() -> None:
    # 1a.13 step 5: the block is found, end_io puts the bytes on the disk; 1c.2: pte 0x67 as in stock.
    for kernel in (STOCK, POSTED, CORRECTED):
        told = play({"A": [*STORE, "msync(m, SYNC)"], "B": {"user": "root", "script": ["power_fails()", READ]}}, kernel)
        assert told.results("A")[1:] == ["ok", "0"]
        assert told.result("B", 2) == "C"
        assert told.outcome == "kept"
