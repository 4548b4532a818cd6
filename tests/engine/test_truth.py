"""Places where 2.6.9 is not what one would think, each held to the facts and to what its source does. Facts 1a.

What is not in the facts was read in linux-2.6.9 itself; the function stands beside it.
"""

from __future__ import annotations

import pytest

from tests.engine.build import BASE, CORRECTED, MAP, PRIVATE_MAP, STOCK, Stage, make, play

STORE = [MAP, 'm[2P] = "C"']
HOLE = BASE + 2


# -- faults ----------------------------------------------------------------------------------------------------------


def test_a_spurious_load_fault_does_not_write_the_entry() -> None:
    # 1a.2 step 3: i386's ptep_set_access_flags writes only for a store.
    reader = {"thread_of": "A", "cpu": 1, "script": ["y = m[0]"]}
    s = Stage(make({"A": {"cpu": 0, "script": [MAP, "x = m[0]"]}, "B": reader}))
    s.lines("A").until("B", "do_page_fault.down_read").lines("A").until("B", "handle_pte_fault.pte_none")
    writes = s.k.preview(s.k.tasks["B"])
    assert writes is not None
    assert writes.step == "ptep_set_access_flags"
    assert [at for at, _, _ in writes.writes if ".entry" in at] == []


def test_the_file_s_page_is_copied_before_the_lock_is_taken_again() -> None:
    # 1a.3 steps 6 and 7: early COW, then page_table_lock.
    steps = play({"A": [PRIVATE_MAP, 'm[0] = "x"']}).steps("A")
    assert steps.index("do_no_page.copy_user_page") < steps.index("do_no_page.retake_lock")


# -- msync, madvise --------------------------------------------------------------------------------------------------


def test_msync_invalidate_collects_dirty_bits_and_writes_nothing() -> None:
    # 1a.10 step 3; mm/msync.c msync_interval: filemap_sync comes before MS_SYNC is looked at.
    s = Stage(make({"A": [*STORE, "msync(m, INVALIDATE)"]})).lines("A", 3)
    assert (s.pte("A", HOLE), s.page(2).dirty, s.k.disk.queue) == (0x27, True, None)
    assert s.result("A", 3) == "0"


def test_msync_of_a_mapping_with_a_gap_writes_the_rest_and_says_enomem_at_the_end() -> None:
    # 1a.10 step 1.
    told = play({"A": [*STORE, "munmap(m, 0P, 1P)", "msync(m, SYNC)"]})
    assert told.result("A", 4) == "ENOMEM"
    assert told.stores["A.2"].fate == "durable"


def test_msync_tells_of_the_failed_write_rather_than_of_the_gap() -> None:
    # mm/msync.c sys_msync: an error of msync_interval ends the loop.
    told = play({"A": [*STORE, "munmap(m, 0P, 1P)", "msync(m, SYNC)"]}, blocks=1)
    assert told.result("A", 4) == "ENOSPC"


def test_msync_holds_mmap_sem_while_the_disk_works_and_takes_i_sem_inside() -> None:
    # 1a.10 steps 1 and 5: M, then S, M still held during all the I/O.
    s = Stage(make({"A": [*STORE, "msync(m, SYNC)"]})).lines("A", 2).until("A", "mpage_writepage.submit_bio")
    assert s.k.tasks["A"].locks == ("mm/A.mmap_sem:r", "inode/f.i_sem")


@pytest.mark.parametrize(("advice", "result"), [("POPULATE_WRITE", "EINVAL"), ("WILLNEED", "0"), ("DONTNEED", "0")])
def test_madvise_knows_no_populate_in_2_6_9(advice: str, result: str) -> None:
    # mm/madvise.c madvise_vma.
    told = play({"A": [MAP, f"madvise(m, {advice})"]})
    assert told.results("A")[1:] == [result]


# -- writeback and its errors ----------------------------------------------------------------------------------------


def test_sync_looks_at_dirty_files_only_so_an_older_error_waits_for_fsync() -> None:
    # 1a.11, fs/fs-writeback.c sync_sb_inodes: after pdflush has failed, the inode is clean, on inode_in_use (1a.14).
    told = play({"A": [*STORE, "munmap(m)", "writeback()", "sync()", "fsync(f)", "fsync(f)"]}, blocks=1)
    assert told.results("A")[2:] == ["0", "0", "0", "ENOSPC", "0"]


def test_sync_itself_takes_away_what_its_own_first_round_met() -> None:
    # 1a.11: pass 1 fails and parks the inode (WB_SYNC_HOLD), pass 2 waits and consumes AS_ENOSPC.
    s = Stage(make({"A": [*STORE, "munmap(m)", "sync()"]}, blocks=1)).lines("A", 3)
    s.until("A", "sys_sync.unlock_inode")
    assert s.k.mappings["f"].enospc
    s.until("A", "sys_sync.unlock_inode")
    assert s.k.mappings["f"].enospc is None


def test_the_dirty_tag_outlives_pg_dirty_until_the_page_is_under_writeback() -> None:
    # 1a.13 steps 3 and 5, I2.
    s = Stage(make({"A": [*STORE, "msync(m, SYNC)"]})).lines("A", 2)
    page, mapping = s.page(2), s.k.mappings["f"]
    s.until("A", "mpage_writepages.clear_page_dirty_for_io")
    assert (page.dirty, mapping.tag_dirty[2], mapping.tag_writeback[2]) == (None, True, None)
    s.until("A", "mpage_writepage.submit_bio")
    assert (page.writeback, mapping.tag_dirty[2], mapping.tag_writeback[2]) == (True, None, True)
    s.until("A", "filemap_fdatawait.wait_on_page_writeback")
    assert (page.writeback, mapping.tag_writeback[2]) == (None, None)


def test_a_page_under_writeback_that_is_dirtied_again_keeps_its_dirty_tag() -> None:
    # 1a.13 step 5: set_page_writeback clears the tag only if the page is not dirty; 1a.9: munmap dirties it again.
    told = play(
        {"A": [*STORE, "msync(m, ASYNC)", 'm[2P] = "D"', "munmap(m)", "fsync(f)"],
         "B": ["fsync(f)"]},
        under="A.B,A@sys_msync.up_read>B,B@mpage_writepage.submit_bio>A",
    )  # fmt: skip
    assert told.results("A") == ["0", "ok", "0", "ok", "0", "0"]
    assert told.stores["A.4"].fate == "durable"


def test_all_the_pages_of_a_pagevec_share_one_answer_and_the_last_good_one_hides_the_first() -> None:
    # 1a.13 end: ret is overwritten; AS_ENOSPC survives and filemap_fdatawait brings it to the same caller.
    script = [MAP, 'm[1P] = "x"', 'm[3P] = "y"', "msync(m, SYNC)"]
    s = Stage(make({"A": script}, blocks=1, data={"3P": "d"})).lines("A", 3)
    s.until("A", "sys_msync.f_op_fsync")
    frame = s.k.tasks["A"].stack
    assert frame is not None
    assert s.k.mappings["f"].enospc
    assert "ENOSPC" not in frame[2]
    assert s.lines("A").result("A", 4) == "ENOSPC"


# -- reclaim ---------------------------------------------------------------------------------------------------------


def test_an_entry_used_again_after_reclaim_looked_is_left_and_its_a_bit_cleared() -> None:
    # 1a.9 (refuses if young); mm/rmap.c try_to_unmap_one: ptep_clear_flush_young, SWAP_FAIL.
    other = {"thread_of": "A", "cpu": 1, "script": ["y = m[2P]", "y = m[2P]"]}
    s = Stage(make({"A": {"cpu": 0, "script": [*STORE, "reclaim()"]}, "B": other})).lines("A", 2).lines("B")
    s.until("A", "wake.wake_up").until("kswapd", "shrink_list.page_referenced")
    assert s.pte("A", HOLE) == 0x47
    assert (s.tlb(0, HOLE), s.tlb(1, HOLE)) == (None, None)
    s.lines("B")
    assert s.pte("A", HOLE) == 0x67
    s.until("kswapd", "try_to_unmap.unmap_one")
    assert s.pte("A", HOLE) == 0x47
    s.until("kswapd", "shrink_list.keep")
    assert s.page(2).dirty is None


def test_reclaim_waits_for_the_page_table_lock() -> None:
    # 1a.9: try_to_unmap runs under X and P.
    s = Stage(make({"A": [*STORE, 'm[3P] = "D"'], "B": ["reclaim()"]})).lines("A", 2)
    s.until("A", "do_no_page.set_pte").until("B", "wake.wake_up").until("kswapd", "shrink_list.trylock_page")
    assert s.k.step(s.k.tasks["kswapd"]) is None
    assert s.k.blocked_on == "mm/A.page_table_lock"


def test_truncate_tears_entries_under_i_mmap_lock() -> None:
    # 1a.15: X, truncate_count++, zap.
    s = Stage(make({"A": STORE, "B": ["ftruncate(f, 1P)"]})).lines("A", 2).until("B", "zap_pte_range.zap_pte")
    assert list(s.k.tasks["B"].locks or ()) == ["inode/f.i_sem", "mapping/f.i_mmap_lock", "mm/A.page_table_lock"]
    assert s.k.mappings["f"].truncate_count == 1
    s.until("B", "vmtruncate.truncate_page")
    assert list(s.k.tasks["B"].locks or ()) == ["inode/f.i_sem"]


def test_a_dirty_page_that_somebody_holds_is_not_written_for_reclaim() -> None:
    # mm/vmscan.c is_page_cache_freeable: cache and reclaim alone may hold it.
    reader = {"user": "bob", "script": [MAP, "x = m[2P]"]}
    s = Stage(make({"A": [*STORE, "munmap(m)", "reclaim()"], "B": reader})).lines("A", 3)
    s.lines("B").until("B", "filemap_nopage.find_get_page").until("A", "wake.wake_up")
    s.until("kswapd", "pageout.is_page_cache_freeable").until("kswapd", "shrink_list.keep")
    assert s.page(2).dirty


def test_a_page_that_reclaim_writes_is_marked_and_comes_first_when_it_is_written() -> None:
    # mm/vmscan.c pageout, mm/swap.c rotate_reclaimable_page: PG_reclaim.
    s = Stage(make({"A": [*STORE, "x = m[3P]", "munmap(m)", "reclaim()"]})).lines("A", 4)
    s.until("A", "wake.wake_up").until("kswapd", "block_write_full_page.submit_bh")
    page = s.page(2)
    assert (page.reclaim, page.writeback) == (True, True)
    s.until("disk", "end_page_writeback.end_io")
    assert (page.reclaim, page.writeback, s.k.ram.lru[0]) == (None, None, page.pfn)


def test_who_needs_a_frame_waits_for_pages_under_writeback_before_memory_is_out() -> None:
    # mm/vmscan.c try_to_free_pages: blk_congestion_wait.
    told = play(
        {"A": [MAP, 'm[0P:3P] = "C"', "munmap(m)", "exit()"],
         "B": {"user": "bob", "script": ["n = mmap(ANON, 3P, READ|WRITE, PRIVATE)", 'n[0:3P] = "b"']}},
        machine={"frames": 4},
    )  # fmt: skip
    assert told.results("B") == ["0", "ok"]
    assert {store.fate for store in told.stores.values()} == {"backed", "private"}


# -- write(2) --------------------------------------------------------------------------------------------------------

TOY = {"page_size": 64}


def test_the_file_grows_when_a_write_is_committed_not_when_it_is_copied() -> None:
    # fs/buffer.c generic_commit_write.
    s = Stage(make({"A": ['pwrite(f, "x", 4P)']})).until("A", "generic_file_buffered_write.copy_from_user")
    assert s.k.inodes["f"].size == 4 * 4096
    s.until("A", "generic_file_buffered_write.commit_write")
    assert s.k.inodes["f"].size == 4 * 4096 + 1


def test_a_write_that_fails_beyond_the_end_gives_its_first_blocks_back() -> None:
    # mm/filemap.c generic_file_buffered_write: "prepare_write() may have instantiated a few blocks outside i_size".
    told = play({"A": ['pwrite(f, "x" * 64, 1P)']}, size="1P", data={}, blocks=2, block_size=16, machine=TOY)
    assert told.results("A") == ["ENOSPC"]
    assert (told.end["fs.free"], told.end.get("inode/f.blocks")) == (2, None)


def test_a_write_that_fails_inside_the_file_keeps_its_first_blocks_and_zeroes_none() -> None:
    # fs/buffer.c __block_prepare_write, 2.6.9: BH_New is cleared before the error path looks for it.
    told = play(
        {"A": ['pwrite(g, "s" * 32, 0)', "fsync(g)", "ftruncate(g, 0)", "fsync(g)", 'pwrite(f, "x" * 64, 0)', "fsync(f)"],
         "R": {"user": "root", "script": ["power_fails()", "x = pread(f, 64, 0)"]}},
        size="1P", data={}, blocks=2, block_size=16, machine=TOY, files={"g": {"owner": "alice", "size": 0}},
    )  # fmt: skip
    assert told.result("A", 5) == "ENOSPC"
    assert told.result("R", 2) == "s" * 32 + "." * 32


def test_a_write_under_way_is_never_called_lost_to_writeback() -> None:
    assert play({"A": ['pwrite(f, "x", 1P)', "fsync(f)"]}).fates("A.1") == ["backed", "durable"]


# -- the idea corrected ----------------------------------------------------------------------------------------------


def test_corrected_blocks_of_a_page_that_was_refused_show_nobody_what_was_there_before() -> None:
    # 1c.4 with blocks smaller than pages; later kernels' page_zero_new_buffers.
    told = play(
        {"A": {"on_sigbus": "next", "script": [
            'pwrite(g, "s" * 32, 0)', "fsync(g)", "ftruncate(g, 0)", "fsync(g)",
            "m = mmap(f, 1P, READ|WRITE, SHARED)", 'm[0] = "x"', "munmap(m)", "fsync(f)"]},
         "R": {"user": "root", "script": ["power_fails()", "x = pread(f, 64, 0)"]}},
        CORRECTED, size="1P", data={}, blocks=2, block_size=16, machine=TOY, files={"g": {"owner": "alice", "size": 0}},
    )  # fmt: skip
    assert told.result("A", 6) == "SIGBUS"
    assert told.result("R", 2) == "." * 64


@pytest.mark.parametrize("kernel", [STOCK, CORRECTED])
def test_a_private_page_is_reused_only_by_its_last_user(kernel: str) -> None:
    # 1a.6 step 2: the page cache counts as a user, so a file's page is always copied.
    s = Stage(make({"A": [PRIVATE_MAP, "x = m[0]", 'm[0] = "x"']}), kernel).lines("A", 2)
    page = s.page(0)
    s.lines("A")
    assert s.frame("A") is not page
    assert page.content.text(1) == "a"
