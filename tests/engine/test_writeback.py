"""How "dirty" travels from the entry to the page to the disk, and what a failed writepage leaves. Facts 1a.9 to 1a.15."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.build import BASE, MAP, Stage, make, play

STORE = [MAP, 'm[2P] = "C"']
HOLE = BASE + 2
SMALL: dict[str, Any] = {"machine": {"page_size": 64}, "block_size": 16}
"""Four blocks to a page, in toy sizes."""


def stage(*script: str, **world: Any) -> Stage:
    return Stage(make({"A": list(script)}, **world)).lines("A", len(script))


# -- 1a.9: the ways of a dirty bit -----------------------------------------------------------------------------------


def test_a_store_is_known_to_the_page_table_alone() -> None:
    s = stage(*STORE)
    page = s.page(2)
    assert s.pte("A", HOLE) == 0x67
    assert (page.dirty, s.k.mappings["f"].tag_dirty[2], s.k.inodes["f"].dirty_pages) == (None, None, None)


def test_a_page_that_gets_its_buffers_late_keeps_all_that_is_dirty() -> None:
    # fs/buffer.c create_empty_buffers: a dirty page gives dirty buffers.
    script = ["m = mmap(f, 1P, READ|WRITE, SHARED)", 'm[2B] = "C"', "msync(m, ASYNC)", 'pwrite(f, "w", 0)', "fsync(f)"]
    told = play({"A": script}, size="1P", data={}, **SMALL)
    assert told.stores["A.2"].fate == "durable"


def test_a_block_that_was_cut_off_is_not_written_again() -> None:
    # fs/buffer.c block_invalidatepage, of a part of a page: the buffers beyond the end are unmapped.
    script = ['pwrite(f, "x" * 64, 0)', "ftruncate(f, 16)", "ftruncate(f, 64)", 'pwrite(f, "y", 63)', "fsync(f)"]
    s = stage(*script, size="1P", data={}, blocks=4, **SMALL)
    assert [bh.block is not None for bh in s.page(0).bh] == [True, False, False, True]
    assert s.k.space.free == 2
    assert s.k.inodes["f"].blocks == 2


@pytest.mark.parametrize("how", ["munmap(m)", "exit()", "madvise(m, DONTNEED)"])
def test_zapping_moves_the_dirty_bit_to_the_page(how: str) -> None:
    s = stage(*STORE, how)
    page = s.page(2)
    assert s.pte("A", HOLE) is None
    assert (page.dirty, page.referenced, s.k.mappings["f"].tag_dirty[2]) == (True, True, True)
    assert s.k.inodes["f"].dirty_pages
    assert (page.count, page.mapcount, s.k.mms["A"].rss) == (1, -1, 0)
    assert s.k.disk.queue is None


def test_msync_async_moves_the_dirty_bit_and_starts_no_io() -> None:
    # 1a.10 step 4, H2; 1a.9: clears only D, RW stays.
    s = stage(*STORE, "msync(m, ASYNC)")
    assert s.pte("A", HOLE) == 0x27
    assert s.tlb(0, HOLE) is None
    assert s.page(2).dirty
    assert s.k.disk.queue is None
    assert s.result("A", 3) == "0"


def test_msync_writes_the_whole_file_not_only_its_range() -> None:
    # 1a.10 step 5.
    told = play({"A": [MAP, 'm[1P] = "x"', "msync(m, ASYNC)", 'm[2P] = "y"', "msync(m[2P:3P], SYNC)"]})
    assert [told.stores[name].fate for name in ("A.2", "A.4")] == ["durable", "durable"]


def test_fsync_does_not_look_at_page_tables() -> None:
    # 1a.9 last lines, H3: fsync=0, crash, loss.
    told = play({"A": [*STORE, "fsync(f)"], "B": {"user": "root", "script": ["power_fails()", "x = pread(f, 1, 2P)"]}})
    assert told.result("A", 3) == "0"
    assert told.result("B", 2) == "."
    assert told.outcome == "lost-lied"


@pytest.mark.parametrize("call", ["writeback()", "fsync(f)", "sync()"])
def test_nothing_but_the_listed_events_finds_a_dirty_entry(call: str) -> None:
    # 1a.9: pdflush, fsync(fd), sync(2) never look at ptes.
    s = stage(*STORE, call)
    assert s.pte("A", HOLE) == 0x67
    assert s.page(2).dirty is None


def test_writing_back_leaves_entries_writable_so_the_next_store_does_not_trap() -> None:
    # 1a.13 step 3: ptes are not touched in 2.6.9.
    told = play({"A": [*STORE, "msync(m, SYNC)", 'm[2P] = "D"']})
    assert {s.function for s in told.trace.steps if s.task == "A" and s.line == 4} == {"store"}


def test_memory_that_a_fork_shares_has_two_dirty_bits_to_collect() -> None:
    # H8.
    child = {"child_of": "A", "script": ['m[2P+1] = "D"', "exit()"]}
    s = Stage(make({"A": [*STORE, "fork(B)", "exit()"], "B": child})).lines("A", 3).lines("B")
    assert (s.pte("A", HOLE), s.pte("B", HOLE)) == (0x67, 0x67)
    s.rest("B")
    assert s.page(2).dirty
    assert s.pte("A", HOLE) == 0x67


# -- 1a.13, 1a.14: one hole page, and no block for it ----------------------------------------------------------------


def test_a_failed_writepage_leaves_exactly_this() -> None:
    s = stage(*STORE, "msync(m, ASYNC)", "writeback()", blocks=1)
    page, mapping, inode = s.page(2), s.k.mappings["f"], s.k.inodes["f"]
    assert page.dirty is None
    assert mapping.tag_dirty[2] is None
    assert (page.writeback, mapping.tag_writeback[2]) == (None, None)
    assert page.private
    assert [(bh.dirty, bh.block) for bh in page.bh] == [(None, None)]
    assert page.uptodate
    assert page.error
    assert (mapping.enospc, mapping.eio) == (True, None)
    assert s.pte("A", HOLE) == 0x27
    assert (inode.dirty_pages, inode.blocks) == (None, 1)
    assert (page.count, page.mapcount) == (3, 0)
    assert page.locked.holder is None


def test_a_store_after_the_failure_is_seen_by_the_next_msync_and_fails_again() -> None:
    # 1a.14, re-dirtying.
    told = play({"A": [*STORE, "msync(m, SYNC)", 'm[2P] = "D"', "msync(m, SYNC)", "msync(m, SYNC)"]}, blocks=1)
    assert told.results("A")[2:] == ["ENOSPC", "ok", "ENOSPC", "0"]


def test_the_error_mark_on_a_page_outlives_its_cause() -> None:
    # 1a.14 PG_error, H19: a later good write caught in filemap_fdatawait reports EIO.
    told = play({"A": [*STORE, "msync(m, SYNC)", "free(g, 1)", 'm[2P] = "D"', "msync(m, SYNC)"], "B": ["fill(g)"]},
                blocks=4, under="B.A")  # fmt: skip
    assert told.results("A")[2:] == ["ENOSPC", "0", "ok", "EIO"]
    assert told.stores["A.5"].fate == "durable"


def test_reclaim_frees_the_page_in_the_pass_that_failed_to_write_it() -> None:
    # 1a.14: "the page is removed and freed in the very same pass"; the entry was torn by try_to_unmap.
    s = Stage(make({"A": [*STORE, "reclaim()", "x = m[2P]"]}, blocks=1)).lines("A", 2)
    frame = s.frame("A", HOLE)
    s.until("A", "wake.wake_up").until("kswapd", "pageout.handle_write_error").until(
        "kswapd", "shrink_list.remove_mapping"
    )
    assert frame.count is None
    assert s.k.mappings["f"].pages[2] is None
    assert s.pte("A", HOLE) is None
    assert (s.k.mms["A"].rss, s.k.mappings["f"].enospc) == (0, True)
    s.rest("A")
    assert s.result("A", 4) == "."


def test_reclaim_that_finds_a_block_waits_for_the_disk_and_frees_the_page_then() -> None:
    # shrink_list writes the page, not the inode: until somebody writes that too, a power cut would still lose it.
    told = play({"A": [*STORE, "reclaim()", "x = m[2P]", "fsync(f)"]})
    assert told.result("A", 4) == "C"
    assert told.fates("A.2") == ["at-risk", "backed", "durable"]
    assert play({"A": [*STORE, "reclaim()"]}).fates("A.2") == ["at-risk", "backed"]


def test_reclaim_leaves_anonymous_memory_alone() -> None:
    # 1a.9: only pages of files have somewhere to go; without swap add_to_swap fails (mm/vmscan.c shrink_list).
    told = play({"A": ["m = mmap(ANON, 1P, READ|WRITE, PRIVATE)", 'm[0] = "x"', "reclaim()", "x = m[0]"]})
    assert told.result("A", 4) == "x"


def test_the_last_page_written_overwrites_the_error_of_the_first_but_the_flag_survives() -> None:
    # 1a.13 end. Page 1 is a hole over quota (EDQUOT), page 3 has its block: what is left is the flag, and that is EIO.
    script = [MAP, 'm[1P] = "x"', 'm[3P] = "y"', "msync(m, SYNC)", "msync(m, SYNC)"]
    told = play({"A": script}, data={"3P": "d"}, quota={"alice": {"hard": 1}})
    assert told.results("A")[3:] == ["EIO", "0"]
    only = play({"A": [MAP, 'm[1P] = "x"', "msync(m, SYNC)"]}, data={"3P": "d"}, quota={"alice": {"hard": 1}})
    assert only.results("A")[2:] == ["EDQUOT"]


def test_a_failing_page_ends_the_round_after_its_pagevec_of_sixteen() -> None:
    # 1a.13 end: done=1, but the current pagevec is finished; what lies behind waits for another round.
    script = ["m = mmap(f, 20P, READ|WRITE, SHARED)", 'm[0:20P] = "x"', "munmap(m)", "fsync(f)"]
    s = stage(*script, size="20P", data={f"{i}P": "d" for i in range(1, 20)}, blocks=20, block_size=64,
              machine={"frames": 32, "page_size": 64}, quota={"alice": {"hard": 1}})  # fmt: skip
    assert s.result("A", 4) == "EIO"
    assert [i for i, _ in s.k.mappings["f"].tag_dirty.items()] == [16, 17, 18, 19]


def test_a_disk_that_fails_marks_the_page_clean_and_tells_the_first_who_asks() -> None:
    # 1a.11, H11.
    told = play({"A": [MAP, "disk_error(f, 0)", 'm[0] = "x"', "msync(m, SYNC)", "msync(m, SYNC)"]})
    assert told.results("A")[3:] == ["EIO", "0"]
    assert told.stores["A.3"].fate == "clean-unsaved"


def test_sync_takes_the_flag_away_and_tells_nobody() -> None:
    # 1a.11, S15.
    told = play({"A": [*STORE, "munmap(m)", "sync()", "fsync(f)"]}, blocks=1)
    assert told.results("A")[2:] == ["0", "0", "0"]


# -- 3.6: blocks smaller than pages ----------------------------------------------------------------------------------


def test_a_page_can_be_half_written() -> None:
    # 1a.13 recover step 4, 3.6.3: mapped buffers are still submitted, the others are marked clean.
    told = play(
        {"A": ["m = mmap(f, 1P, READ|WRITE, SHARED)", 'm[0:1P] = "x"', "msync(m, SYNC)"],
         "B": {"user": "root", "script": ["power_fails()", "x = pread(f, 64, 0)"]}},
        blocks=1, size="1P", data={"0B": "a"}, **SMALL,
    )  # fmt: skip
    assert told.result("A", 3) == "ENOSPC"
    assert told.result("B", 2) == "x" * 16 + "." * 48


def test_a_write_that_finds_no_block_leaves_the_rest_of_the_page_as_it_was() -> None:
    # 7.2 says nothing of write(2): mm/filemap.c asks prepare_write before it copies a byte.
    told = play({"A": ['pwrite(f, "x", 1B)', "x = pread(f, 32, 0)"]}, blocks=1, size="1P", data={"0B": "a"}, **SMALL)
    assert told.results("A") == ["ENOSPC", "a" * 16 + "." * 16]


def test_a_write_beside_a_dirty_hole_does_not_forget_the_hole() -> None:
    # fs/buffer.c __block_commit_write marks what was written; other dirty buffers stay dirty.
    script = ["m = mmap(f, 1P, READ|WRITE, SHARED)", 'm[2B] = "C"', "msync(m, ASYNC)", 'pwrite(f, "w", 0)', "fsync(f)"]
    told = play({"A": script}, size="1P", data={"0B": "a"}, **SMALL)
    assert told.result("A", 5) == "0"
    assert told.stores["A.2"].fate == "durable"


def test_what_lies_beyond_the_end_of_the_file_is_zeroed_at_every_writepage() -> None:
    # 1a.13 block_write_full_page, H6.
    script = ["m = mmap(f, 1P, READ|WRITE, SHARED)", 'm[8:64] = "x"', "msync(m, SYNC)", "x = m[0:64]"]
    told = play({"A": script}, size="16", data={"0P": "a"}, **SMALL)
    assert told.results("A")[2:] == ["0", "a" * 8 + "x" * 8 + "." * 48]


# -- 1a.15: truncate -------------------------------------------------------------------------------------------------


def test_truncate_takes_entries_then_pages_then_blocks() -> None:
    s = Stage(make({"A": [MAP, 'm[1P] = "x"', "msync(m, SYNC)"], "B": ["ftruncate(f, 1P)"]}, blocks=4)).lines("A", 3)
    assert s.k.space.free == 2
    s.until("B", "vmtruncate.truncate_page")
    assert s.pte("A", BASE + 1) is None
    assert s.k.space.free == 2
    s.rest("B")
    assert (s.k.space.free, s.k.mappings["f"].pages[1], s.k.mappings["f"].truncate_count) == (3, None, 1)


def test_a_load_beyond_the_new_end_is_a_sigbus() -> None:
    # H4, S18.
    assert play({"A": [MAP, 'm[2P] = "x"', "ftruncate(f, 1P)", "x = m[2P]"]}).result("A", 4) == "SIGBUS"


def test_truncate_discards_private_copies_too() -> None:
    # H4, with even_cows set.
    private = "m = mmap(f, 4P, READ|WRITE, PRIVATE)"
    assert play({"A": [private, 'm[2P] = "x"', "ftruncate(f, 1P)", "x = m[2P]"]}).result("A", 4) == "SIGBUS"


def test_growing_a_file_touches_no_entries() -> None:
    # 1a.15 last line.
    s = stage(MAP, 'm[0] = "x"', "ftruncate(f, 8P)")
    assert s.pte("A") == 0x67


def test_what_was_cut_off_reads_as_zero_after_growing_again() -> None:
    # generic/029 in toy sizes.
    told = play({"A": ["ftruncate(f, 8)", "ftruncate(f, 64)", "x = pread(f, 64, 0)"]}, size="1P", **SMALL)
    assert told.result("A", 3) == "a" * 8 + "." * 56


# -- power -----------------------------------------------------------------------------------------------------------


def test_after_a_power_cut_the_machine_works_again() -> None:
    # 6 H1: what was not on the disk is gone; what is stored after the boot is written as ever.
    told = play(
        {
            "A": [*STORE, "msync(m, SYNC)"],
            "B": {"user": "root", "script": ["power_fails()", MAP, 'm[1P] = "D"', "munmap(m)", "writeback()"]},
        },
        under="A,pdflush@wb_kupdate.lock_inode>B",
    )
    assert told.results("B") == ["0", "0", "ok", "0", "0"]
    assert told.stores["B.3"].fate == "durable"


def test_power_that_fails_in_the_middle_of_writeback_leaves_the_kernel_threads_able_to_work() -> None:
    # As above, with the inode locked (I_LOCK) by a pdflush that is no more.
    told = play(
        {
            "A": [*STORE, "munmap(m)", "writeback()"],
            "B": {"user": "root", "script": ["power_fails()", MAP, 'm[1P] = "D"', "munmap(m)", "writeback()"]},
        },
        under="A,pdflush@wb_kupdate.lock_inode>B",
    )
    assert told.results("B") == ["0", "0", "ok", "0", "0"]
    assert told.stores["B.3"].fate == "durable"


def test_a_truncation_that_was_not_written_is_undone_by_a_power_cut() -> None:
    # The inode on the disk still leads to the block, so the block is in use again.
    told = play(
        {"A": ["ftruncate(f, 1P)"], "B": {"user": "root", "script": ["power_fails()", "x = pread(f, 1, 1P)"]}},
        blocks=4, data={"0P": "a", "1P": "b"}, quota={"alice": {"hard": 4}},
    )  # fmt: skip
    assert told.result("B", 2) == "b"
    assert (told.end["fs.free"], told.end["quota/alice.used"], told.end["inode/f.blocks"]) == (2, 2, 2)


def test_drop_caches_leaves_what_is_mapped_or_dirty() -> None:
    # 1a.14 eviction; mm/truncate.c invalidate_mapping_pages passes by what is dirty, under writeback or mapped.
    told = play({"A": [MAP, "x = m[0]", 'pwrite(f, "w", 1P)', "x = pread(f, 1, 2P)", "drop_caches()"]})
    assert [told.end.get(f"mapping/f/{i}.page") is not None for i in range(3)] == [True, True, False]


@pytest.mark.parametrize("filesystem", ["ext2", "ext4", "xfs", "fuse-writeback"])
def test_today_msync_writes_its_range_and_leaves_the_rest_dirty(filesystem: str) -> None:
    # mm/msync.c, 6.x: vfs_fsync_range(file, fstart, fend).
    script = [MAP, 'm[1P] = "x"', 'm[2P] = "y"', 'm[3P] = "z"', "msync(m[2P:3P], SYNC)"]
    s = Stage(make({"A": script}, type=filesystem, blocks=16), "linux-6.18").lines("A", len(script))
    assert s.result("A", 5) == "0"
    assert [bool(s.page(index).dirty) for index in (1, 2, 3)] == [True, False, True]
