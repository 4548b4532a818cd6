"""What each filesystem does under linux-6.1 and linux-6.18. Expected: the named rows and rules of real-kernels, facts 1e."""

from __future__ import annotations

from typing import Any

import pytest

from engine import NoSuchCombination
from tests.engine.build import MAP, PRIVATE_MAP, Told, play

NOW, THEN = "linux-6.18", "linux-6.1"
FOUR = 'm[0P:4P] = "A"'
SYNC = "msync(m, SYNC)"


def alone(filesystem: str, *script: str, kernel: str = NOW, **world: Any) -> Told:
    """One task of alice's that goes on after a SIGBUS, on a file of holes unless the world says otherwise."""
    world = dict[str, Any]({"blocks": 64, "data": {}, "machine": {"frames": 32}}) | world
    return play({"A": {"on_sigbus": "next", "script": list(script)}}, kernel, type=filesystem, **world)


def number(told: Told, at: str) -> int:
    """A cell that counts, at the end; 0 where it is not there."""
    return int(told.end.get(at) or 0)


def left(told: Told) -> int:
    """What statfs calls free: nobody has it and nobody was promised it."""
    return number(told, "fs.free") - number(told, "fs.delalloc")


def taken(told: Told) -> int:
    """st_blocks of f, in blocks."""
    return number(told, "inode/f.blocks") + number(told, "inode/f.delalloc")


# -- ext4 -------------------------------------------------------------------------------------------------------------

EXT4 = ("ext4", "ext4-resv0", "ext4-nodelalloc")


@pytest.mark.parametrize("kind", EXT4)
def test_two_free_blocks_let_two_pages_in_and_nothing_is_lost(kind: str) -> None:
    # Rule 3; row full-hole-ext4-datajournal.
    told = alone(kind, MAP, "fill(g, leave=2)", FOUR, SYNC, "munmap(m)", "remount()", "x = pread(f, 4, 8190)")
    assert told.results("A")[2:] == ["SIGBUS", "0", "0", "0", "AA.."]
    assert (taken(told), told.outcome) == (2, "refused")


def test_delayed_allocation_promises_at_the_fault_and_allocates_at_writeback() -> None:
    # Row free-hole-exit: 4 stores, free drops by 4 and st_blocks is 32 sectors at once.
    stored = alone("ext4", MAP, FOUR)
    assert (left(stored), taken(stored), stored.end["fs.free"]) == (60, 4, 64)
    assert stored.stores["A.2"].fate == "backed"
    synced = alone("ext4", MAP, FOUR, SYNC)
    assert (left(synced), taken(synced), synced.end["fs.free"]) == (60, 4, 60)
    assert synced.outcome == "kept"


def test_without_delayed_allocation_the_fault_takes_the_blocks() -> None:
    # Row free-write-first.
    told = alone("ext4-nodelalloc", MAP, FOUR)
    assert (told.end["fs.free"], told.end.get("fs.delalloc"), taken(told)) == (60, None, 4)


@pytest.mark.parametrize("kind", EXT4)
def test_a_promise_is_counted_by_the_quota_and_by_write(kind: str) -> None:
    # Rows quota-hard-ext4 and quota-hard-ext4-delalloc: hard limit 4, 6 stores; then write(2).
    stores, write = 'm[0P:6P] = "A"', 'pwrite(f, "B", 6P)'
    told = alone(
        kind, "m = mmap(f, 8P, READ|WRITE, SHARED)", stores, write, SYNC, size="8P", quota={"alice": {"hard": 4}}
    )
    assert told.results("A")[1:] == ["SIGBUS", "EDQUOT", "0"]
    assert (taken(told), told.end["quota/alice.used"], told.end.get("quota/alice.promised")) == (4, 4, None)


def test_root_is_exempt_from_the_quota_at_the_fault() -> None:
    # Row quota-root-exempt.
    task = {"user": "root", "script": [MAP, FOUR, SYNC]}
    told = play({"A": task, "B": ["sync()"]}, NOW, type="ext4", data={}, blocks=64, quota={"alice": {"hard": 2}})
    assert (told.results("A"), told.end["quota/alice.used"]) == (["0", "ok", "0"], 4)


@pytest.mark.parametrize("kind", ["ext4-nodelalloc", "ext4-resv0"])
def test_one_byte_wants_the_whole_page_and_what_it_got_stays(kind: str) -> None:
    # Rule 4; rows blk1k-one-byte-have2-ext4 and -delalloc: 2 blocks free, both taken, both stores refused.
    told = alone(kind, "fill(g, leave=2)", MAP, 'm[0] = "A"', 'm[2048] = "B"', SYNC, block_size=1024)
    assert (told.results("A")[2:], left(told), taken(told)) == (["SIGBUS", "SIGBUS", "0"], 0, 2)
    enough = alone(kind, "fill(g, leave=4)", MAP, 'm[0] = "A"', 'm[2048] = "B"', SYNC, block_size=1024)
    assert (enough.results("A")[2:], left(enough), taken(enough)) == (["ok", "ok", "0"], 0, 4)


def test_when_room_is_low_the_fault_allocates_instead_of_promising() -> None:
    # Facts 1e.4: ext4_nonda_switch; the watermark is a sixteenth of the disk here.
    told = alone("ext4-resv0", "fill(g, leave=3)", MAP, 'm[0] = "A"')
    assert (told.end.get("fs.delalloc"), told.end["fs.free"], taken(told)) == (None, 2, 1)


@pytest.mark.parametrize(
    ("last", "promised"), [("ftruncate(f, 1P)", 1), ("punch(f, 1P, 2P)", 2), ("power_fails()", None)]
)
def test_a_promise_goes_back_with_its_page(last: str, promised: int | None) -> None:
    assert alone("ext4", MAP, FOUR, last).end.get("fs.delalloc") == promised


def test_a_fifth_extent_needs_a_leaf_and_gets_block_and_leaf_or_neither() -> None:
    # Facts: four extents in the inode. Five pages that do not touch, blocks left for five: the fifth wants two.
    m = "m = mmap(f, 9P, READ|WRITE, SHARED)"
    stores = [f'm[{page}P] = "A"' for page in (0, 2, 4, 6, 8)]
    short = alone("ext4-nodelalloc", "fill(g, leave=5)", m, *stores, size="9P")
    assert (short.results("A")[2:], short.end["fs.free"]) == (["ok"] * 4 + ["SIGBUS"], 1)
    enough = alone("ext4-nodelalloc", "fill(g, leave=6)", m, *stores, size="9P")
    assert (enough.results("A")[2:], enough.end["fs.free"], taken(enough)) == (["ok"] * 5, 0, 6)


FRAGMENTS = ("fallocate(f, 0, 8P)", "fill(g)", "m = mmap(f, 8P, READ|WRITE, SHARED)",
             *(f'm[{page}P] = "A"' for page in (1, 3, 5)), SYNC, "fsync(f)", "munmap(m)", "remount()",
             "x = pread(f, 1, 5P)")  # fmt: skip


def test_this_should_not_happen_without_a_spare_pool() -> None:
    # Surprises: reserved_clusters=0, a full disk, fallocated, fragmented stores: msync=0, fsync=0, data lost.
    lost = alone("ext4-resv0", *FRAGMENTS, size="8P")
    assert lost.results("A")[6:] == ["0", "0", "0", "0", "."]
    assert lost.outcome == "lost-lied"
    kept = alone("ext4", *FRAGMENTS, size="8P")
    assert (kept.results("A")[6:], kept.outcome) == (["0", "0", "0", "0", "A"], "kept")


@pytest.mark.parametrize("kind", [*EXT4, "xfs"])
def test_fallocate_holds_its_blocks_against_a_full_disk(kind: str) -> None:
    # Row fallocate-then-full-ext4-delalloc: 4 pages fallocated, 5 stored.
    m = "m = mmap(f, 8P, READ|WRITE, SHARED)"
    told = alone(kind, "fallocate(f, 0, 4P)", "fill(g)", m, 'm[0P:5P] = "A"', SYNC, "munmap(m)", "remount()",
                 "x = pread(f, 4, 16382)", size="8P")  # fmt: skip
    assert told.results("A")[3:] == ["SIGBUS", "0", "0", "0", "AA.."]
    assert (left(told) - number(told, "fs.pool"), taken(told)) == (0, 4)


def test_fallocated_blocks_read_as_zeroes_whatever_they_held() -> None:
    told = alone("ext4", 'pwrite(f, "S" * 2P, 0)', "fsync(f)", "ftruncate(f, 0)", "sync()", "fallocate(f, 0, 2P)",
                 "sync()", "drop_caches()", "x = pread(f, 4, 0)", "power_fails()", "y = pread(f, 4, 0)")  # fmt: skip
    assert [told.result("A", line) for line in (8, 10)] == ["....", "...."]


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext2-by-ext4", "minix", "jfs", "udf"])
def test_fallocate_is_not_for_block_maps_and_old_filesystems(kind: str) -> None:
    # Row fallocate-block-mapped.
    assert alone(kind, "fallocate(f, 0, 2P)").results("A") == ["EOPNOTSUPP"]


def test_2_6_9_knows_none_of_these_calls() -> None:
    calls = ["fallocate(f, 0, 1P)", "fallocate(f, 0, 1P, KEEP_SIZE)", "punch(f, 0, 1P)", "zero(f, 0, 1P)"]
    assert play({"A": calls}).results("A") == ["ENOSYS"] * 4


@pytest.mark.parametrize(("kind", "pool"), [("ext4", 3), ("ext4-nodelalloc", 3), ("ext4", 0)])
def test_a_scenario_says_how_large_ext4_s_pool_is(kind: str, pool: int) -> None:
    # Row pool-default of performed.json: who stores is refused while the pool is still there.
    told = alone(kind, MAP, "fill(g)", 'm[0] = "A"', reserved_clusters=pool)
    assert (told.result("A", 3), left(told)) == ("SIGBUS", pool)


def test_punch_takes_entry_and_block_and_the_next_store_asks_again() -> None:
    # Row punch-rewrite: full disk, punch page 1, store again.
    data = {"0P": "a", "1P": "a", "2P": "a"}
    m, all_three = "m = mmap(f, 3P, READ|WRITE, SHARED)", 'm[0P:3P] = "{}"'
    begin = ("fill(g)", m, all_three.format("A"), SYNC, "punch(f, 1P, 1P)")
    punched = alone("ext4-nodelalloc", *begin, size="3P", data=data)
    assert (punched.end["fs.free"], taken(punched)) == (1, 2)
    assert "mm/A/pte/0x40001.entry" not in punched.end
    again = alone("ext4-nodelalloc", *begin, "x = m[1P]", all_three.format("B"), SYNC, size="3P", data=data)
    assert (again.results("A")[5:], again.end["fs.free"], again.outcome) == ([".", "ok", "0"], 0, "kept")


def test_a_dirty_page_that_is_punched_gives_its_block_back_too() -> None:
    # Rule 7.
    told = alone("ext4-nodelalloc", MAP, 'm[1P] = "A"', "punch(f, 1P, 1P)")
    assert (told.end["fs.free"], told.stores["A.2"].fate) == (64, "replaced")


def test_a_punch_that_cuts_pages_zeroes_their_parts() -> None:
    # generic/567: X over three pages, punch from 2048 for two pages, Y over the same.
    told = alone("ext4", 'pwrite(f, "X" * 3P, 0)', "punch(f, 2048, 2P)", "fsync(f)", "a = pread(f, 4, 2046)",
                 "b = pread(f, 4, 10238)", "remount()", "c = pread(f, 4, 2046)", "d = pread(f, 4, 10238)",
                 size="3P")  # fmt: skip
    assert [told.result("A", line) for line in (4, 5, 7, 8)] == ["XX..", "..XX", "XX..", "..XX"]
    assert taken(told) == 2


FULL_OF_X = {"0P": "X", "1P": "X", "2P": "X"}
ZEROED = ("fill(g)", "zero(f, 2K, 8K)", "a = pread(f, 4, 2046)", "b = pread(f, 1, 4K)", "sync()", "remount()",
          "c = pread(f, 4, 2046)", "d = pread(f, 1, 4K)", "e = pread(f, 4, 10238)")  # fmt: skip


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext2-by-ext4", "vfat", "tmpfs", "minix"])
def test_zeroing_a_range_is_not_for_block_maps_and_tmpfs(kind: str) -> None:
    # Run on 6.18: ext2 by the ext4 module and tmpfs answer EOPNOTSUPP, and the bytes stay.
    told = alone(kind, "zero(f, 2K, 8K)", "x = pread(f, 1, 4K)", size="3P", data=FULL_OF_X)
    assert told.results("A") == ["EOPNOTSUPP", "X"]


@pytest.mark.parametrize("kind", ["ext4", "ext4-nodelalloc"])
def test_ext4_zeroes_on_a_full_disk_for_the_blocks_stay(kind: str) -> None:
    # Run on 6.18: st_blocks is the same afterwards.
    told = alone(kind, *ZEROED, size="3P", data=FULL_OF_X)
    assert told.results("A")[1:] == ["0", "XX..", ".", "0", "0", "XX..", ".", "..XX"]
    assert (told.end["inode/f.blocks"], told.end.get("inode/f/block/1.unwritten")) == (3, True)


def test_xfs_gives_blocks_back_before_it_asks_so_that_a_full_disk_leaves_a_hole() -> None:
    # Run on 6.18: ENOSPC, and yet the range reads as zeroes; 8 of 24 sectors have gone.
    told = alone("xfs", *ZEROED, size="3P", data=FULL_OF_X)
    assert told.results("A")[1:] == ["ENOSPC", "XX..", ".", "0", "0", "XX..", ".", "..XX"]
    assert told.end["inode/f.blocks"] == 2


def test_btrfs_wants_the_new_blocks_first_so_that_a_full_disk_changes_nothing() -> None:
    # fs/btrfs/file.c btrfs_zero_range: what it reserves comes before what it drops.
    told = alone("btrfs", *ZEROED, size="3P", data=FULL_OF_X)
    assert told.results("A")[1:] == ["ENOSPC", "XXXX", "X", "0", "0", "XXXX", "X", "XXXX"]


@pytest.mark.parametrize("kind", ["ext4", "ext4-nodelalloc", "xfs", "btrfs", "btrfs-nodatacow"])
def test_zeroing_gives_holes_a_place_and_takes_what_was_promised_back(kind: str) -> None:
    # A dirty page over a hole, zeroed with a hole beside it: two blocks, unwritten, and no promise left.
    told = alone(kind, MAP, 'm[0] = "A"', "zero(f, 0, 2P)", "fill(g)", 'm[0P:2P] = "B"', SYNC)
    assert told.results("A")[2:] == ["0", "0", "ok", "0"]
    assert (told.end.get("fs.delalloc"), told.end["inode/f.blocks"], told.stores["A.2"].fate) == (None, 2, "replaced")


def test_zeroing_the_middle_of_a_full_inode_needs_a_leaf() -> None:
    # Four extents; the zeroed part makes the first one three.
    pages = [f'pwrite(f, "A" * {length}P, {page}P)' for page, length in ((0, 3), (4, 1), (6, 1), (8, 1))]
    full = alone("ext4-nodelalloc", *pages, "fill(g)", "zero(f, 1P, 1P)", size="9P")
    assert full.results("A")[-1] == "ENOSPC"
    told = alone("ext4-nodelalloc", *pages, "fill(g, leave=1)", "zero(f, 1P, 1P)", "x = pread(f, 1, 1P)", size="9P")
    assert (told.results("A")[-2:], told.end["inode/f.blocks"]) == (["0", "."], 7)


def test_zeroing_beyond_the_end_makes_the_file_longer() -> None:
    told = alone("ext4", "zero(f, 2P, 4P)", "x = pread(f, 1, 5P)", size="3P", data=FULL_OF_X)
    assert (told.results("A"), told.end["inode/f.size"], told.end["inode/f.blocks"]) == (["0", "."], 6 * 4096, 6)


@pytest.mark.parametrize("kind", ["ext4", "ext4-nodelalloc", "xfs"])
def test_a_write_that_fails_leaves_the_page_clean_and_readable(kind: str) -> None:
    # Facts 1e.8; row dm-error-writes.
    told = alone(kind, "disk_error(f, 0)", MAP, 'm[0] = "A"', SYNC, SYNC, "x = pread(f, 1, 0)", "munmap(m)",
                 "drop_caches()", "y = pread(f, 1, 0)")  # fmt: skip
    assert told.results("A")[3:] == ["EIO", "0", "A", "0", "0", "."]
    assert told.outcome == "lost-told"


@pytest.mark.parametrize("kind", ["ext4", "ext4-nodelalloc", "xfs", "btrfs", "tmpfs"])
def test_populate_write_says_efault_where_a_store_would_get_sigbus(kind: str) -> None:
    # Rule 1.
    told = alone(kind, "fill(g)", MAP, "madvise(m, POPULATE_WRITE)")
    assert told.results("A") == ["0", "0", "EFAULT"]


# -- XFS and btrfs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", [THEN, NOW])
def test_xfs_six_free_blocks_are_one_page(kernel: str) -> None:
    # Row full-hole-xfs: free 6, 0 after the first store, 5 after msync; st_blocks 8 sectors.
    stored = alone("xfs", "fill(g, leave=6)", MAP, FOUR, kernel=kernel)
    assert (stored.result("A", 3), left(stored), taken(stored)) == ("SIGBUS", 0, 1)
    synced = alone("xfs", "fill(g, leave=6)", MAP, FOUR, SYNC, kernel=kernel)
    assert (synced.result("A", 4), left(synced), taken(synced)) == ("0", 5, 1)


@pytest.mark.parametrize(("free", "result"), [(8, "SIGBUS"), (10, "SIGBUS"), (11, "ok")])
def test_xfs_with_small_blocks_wants_a_page_and_seven_for_metadata_or_nothing(free: int, result: str) -> None:
    # Rows blk1k-one-byte-have2-xfs and -have4-xfs: 8 and 10 free, refused, and free stays as it was.
    told = alone("xfs", f"fill(g, leave={free})", MAP, 'm[0] = "A"', block_size=1024)
    assert (told.result("A", 3), left(told)) == (result, free if result == "SIGBUS" else 0)


def test_xfs_neighbours_share_the_metadata() -> None:
    told = alone("xfs", MAP, 'm[0] = "A"', 'm[1P] = "A"', 'm[3P] = "A"')
    assert (told.end["inode/f.delalloc"], told.end["inode/f.indlen"]) == (3, 10)


@pytest.mark.parametrize("kernel", [THEN, NOW])
def test_btrfs_overwriting_needs_a_block(kernel: str) -> None:
    # Surprises, generic/173; with one block free old blocks come back by committing.
    data = {"0P": "a", "1P": "a"}
    full = alone("btrfs", "fill(g)", MAP, 'm[0P:2P] = "B"', 'pwrite(f, "C", 0)', kernel=kernel, data=data)
    assert full.results("A")[2:] == ["SIGBUS", "ENOSPC"]
    one = alone("btrfs", "fill(g, leave=1)", MAP, 'm[0P:2P] = "B"', SYNC, kernel=kernel, data=data)
    assert (one.results("A")[2:], one.end["fs.free"], one.outcome) == (["ok", "0"], 1, "kept")


@pytest.mark.parametrize(("kernel", "result"), [(THEN, "SIGBUS"), (NOW, "ok")])
def test_btrfs_overwriting_in_place_needs_none_since_it_learned(kernel: str, result: str) -> None:
    # Surprises, generic/211: nodatacow refused on 6.1, let in on 6.18; fallocate helps on 6.18 alone.
    data = {"0P": "a"}
    assert alone("btrfs-nodatacow", "fill(g)", MAP, 'm[0] = "B"', kernel=kernel, data=data).result("A", 3) == result
    given = alone("btrfs", "fallocate(f, 0, 1P)", "fill(g)", MAP, 'm[0] = "B"', kernel=kernel)
    assert given.result("A", 4) == result


def test_btrfs_reads_the_rest_of_a_block_before_a_part_of_it_is_written() -> None:
    # Any filesystem: what a write(2) leaves alone stays, though copy on write puts the block elsewhere.
    script = ('pwrite(f, "D", 1)', "fsync(f)", "drop_caches()", "x = pread(f, 3, 0)")
    assert alone("btrfs", *script, data={"0P": "a"}).result("A", 4) == "aDa"


def test_btrfs_keeps_the_old_extent_when_the_write_fails() -> None:
    # Facts 1e.8.
    told = alone("btrfs", "disk_error(f, 0)", MAP, 'm[0] = "B"', SYNC, "munmap(m)", "drop_caches()", "x = pread(f, 1, 0)",
                 "power_fails()", "y = pread(f, 1, 0)", data={"0P": "a"})  # fmt: skip
    assert told.results("A")[3:] == ["EIO", "0", "0", "a", "0", "a"]
    assert told.end["fs.free"] == 63


def test_btrfs_loses_nothing_old_in_a_power_cut_before_the_commit() -> None:
    told = alone("btrfs", MAP, 'm[0] = "B"', "writeback()", "power_fails()", "x = pread(f, 1, 0)", data={"0P": "a"})
    assert (told.result("A", 5), told.outcome, told.end["fs.free"]) == ("a", "lost-unsynced", 63)


# -- tmpfs and vfat ---------------------------------------------------------------------------------------------------


def test_tmpfs_a_load_takes_a_block() -> None:
    # Row tmpfs-read-takes-space.
    told = alone("tmpfs", "fill(g, leave=2)", MAP, "x = m[0P]", "x = m[1P]", "x = m[2P]", 'm[0P] = "A"', 'm[3P] = "A"')
    assert told.results("A")[2:] == [".", ".", "SIGBUS", "ok", "SIGBUS"]
    assert (told.end["fs.free"], taken(told), told.end["task/A.min_flt"]) == (0, 2, 2)


def test_tmpfs_read_takes_none() -> None:
    # Row tmpfs-read2-takes-none.
    told = alone("tmpfs", "fill(g, leave=2)", "x = pread(f, 4P, 0)", MAP, 'm[0P:3P] = "A"')
    assert (told.result("A", 4), told.end["fs.free"], taken(told)) == ("SIGBUS", 0, 2)


def test_tmpfs_a_private_store_takes_a_block_of_the_file() -> None:
    # Row private-tmpfs-full.
    told = alone(
        "tmpfs", "fill(g, leave=1)", PRIVATE_MAP, 'm[0P] = "P"', "x = m[0P]", "x = m[1P]", "y = pread(f, 1, 0)"
    )
    assert (told.results("A")[2:], told.end["fs.free"]) == (["ok", "P", "SIGBUS", "."], 0)


def test_tmpfs_keeps_its_pages_and_writes_nothing() -> None:
    # Row full-overwrite-tmpfs: overwriting on a full one; drop_caches takes nothing, remount is not for it.
    data = {"0P": "a", "1P": "a", "2P": "a"}
    told = alone("tmpfs", "fill(g)", MAP, "x = m[0P]", 'm[0P:3P] = "B"', SYNC, 'm[0P:1P] = "C"', SYNC, "munmap(m)",
                 "drop_caches()", "reclaim()", "y = pread(f, 4, 4094)", "remount()", data=data)  # fmt: skip
    assert told.results("A")[2:] == ["a", "ok", "0", "ok", "0", "0", "0", "0", "CCBB", "n/a"]
    assert {told.stores[store].fate for store in ("A.4", "A.6")} == {"backed"}


def test_tmpfs_is_gone_after_a_power_cut_and_msync_never_promised() -> None:
    told = alone("tmpfs", MAP, FOUR, SYNC, "power_fails()", "x = pread(f, 1, 0)")
    assert (told.results("A")[2:], told.outcome, told.end["fs.free"]) == (["0", "0", ""], "lost-unsynced", 64)


def test_vfat_has_no_holes() -> None:
    # Rule 11.
    told = alone(
        "vfat", "fill(g, leave=2)", "ftruncate(f, 7P)", "ftruncate(f, 6P)", MAP, FOUR, SYNC, "ftruncate(f, 1P)"
    )
    assert (told.results("A")[1:3], told.results("A")[4:]) == (["ENOSPC", "0"], ["ok", "0", "0"])
    assert (told.end["fs.free"], taken(told), told.outcome) == (5, 1, "refused")  # one ftruncate was


# -- those that never ask ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jfs", "reiserfs", "udf"])
def test_natives_accept_four_stores_keep_two_and_tell_each_open_file_once(kind: str) -> None:
    # Rule 9; row bug-msync-jfs.
    told = alone(kind, "fill(g, leave=2)", MAP, "h = open(f, RDWR)", FOUR, SYNC, SYNC, "fsync(h)", "fsync(h)",
                 "munmap(m)", "drop_caches()", "x = pread(f, 4, 8190)", kernel=THEN)  # fmt: skip
    assert told.results("A")[3:] == ["ok", "ENOSPC", "0", "ENOSPC", "0", "0", "0", "AA.."]
    assert told.outcome == "lost-told"


def test_minix_loses_the_block_that_needs_an_index_block() -> None:
    # Row bug-exit-minix: 8 blocks of 1K, 7 direct; 1 is left, and page 1 keeps 3072 bytes.
    told = alone("minix", "fill(g, leave=8)", MAP, FOUR, "munmap(m)", "close(f)", "sync()", "drop_caches()",
                 "x = pread(f, 4, 7166)", kernel=THEN, block_size=1024)  # fmt: skip
    assert told.results("A")[2:] == ["ok", "0", "0", "0", "0", "AA.."]
    assert (told.end["fs.free"], told.outcome) == (1, "lost-silent")


def test_udf_asks_in_later_kernels_and_reiserfs_is_gone() -> None:
    # Facts 1e.4: udf_page_mkwrite.
    assert alone("udf", "fill(g)", MAP, FOUR).result("A", 3) == "SIGBUS"
    with pytest.raises(NoSuchCombination, match=r"removed in 6\.13"):
        alone("reiserfs", MAP)


# -- FUSE and NFS -----------------------------------------------------------------------------------------------------

SERVERS = ("fuse", "fuse-writeback", "fuse-nokeep", "nfs")
LOW = "fill(g, leave=2)"


@pytest.mark.parametrize("kind", SERVERS)
def test_four_pages_are_one_write_and_none_of_them_is_kept(kind: str) -> None:
    # Rows bug-msync-fuse, fuse-coalesced, bug-msync-fuse-writeback: 2 blocks free stay free.
    told = alone(kind, LOW, MAP, "h = open(f, RDWR)", FOUR, SYNC, SYNC, "fsync(f)", "fsync(h)", "fsync(h)",
                 "x = m[0P]", "munmap(m)", "drop_caches()", "y = pread(f, 1, 0)")  # fmt: skip
    assert told.results("A")[3:] == ["ok", "ENOSPC", "0", "0", "ENOSPC", "0", "A", "0", "0", "."]
    assert (told.end["fs.free"], told.outcome) == (2, "lost-told")


def test_page_by_page_two_of_them_fit() -> None:
    # Row fuse-one-by-one.
    script = [line for page in range(4) for line in (f'm[{page}P:{page + 1}P] = "A"', SYNC)]
    told = alone("fuse", LOW, MAP, *script, "munmap(m)", "drop_caches()", "x = pread(f, 4, 8190)")
    assert told.results("A")[2:] == ["ok", "0", "ok", "0", "ok", "ENOSPC", "ok", "ENOSPC", "0", "0", "AA.."]


def test_a_short_answer_tells_nobody() -> None:
    # Row fuse-short-write.
    told = alone(
        "fuse-short", LOW, MAP, FOUR, SYNC, SYNC, "fsync(f)", "munmap(m)", "drop_caches()", "x = pread(f, 4, 8190)"
    )
    assert told.results("A")[3:] == ["0", "0", "0", "0", "0", "AA.."]
    assert (told.end["fs.free"], told.outcome) == (0, "lost-lied")


def test_munmap_writes_and_close_tells() -> None:
    # Row bug-exit-fuse.
    told = alone("fuse", LOW, MAP, FOUR, "munmap(m)", "close(f)", "sync()", "drop_caches()", "x = pread(f, 1, 0)")
    assert told.results("A")[3:] == ["0", "ENOSPC", "0", "0", "."]
    assert "fuse_vma_close.write_inode_now" in told.steps("A")
    assert told.outcome == "lost-told"


@pytest.mark.parametrize("kind", ["fuse-writeback", "nfs"])
def test_sync_tells_nobody_and_close_still_does(kind: str) -> None:
    # Row fuse-close-tells; facts 1e.4 of NFS: reported at fsync or close.
    told = alone(kind, "fill(g)", MAP, 'm[0P:2P] = "A"', "sync()", "munmap(m)", "close(f)")
    assert told.results("A")[3:] == ["0", "0", "ENOSPC"]


@pytest.mark.parametrize(("kind", "quota", "kept"), [("nfs", "EDQUOT", "ENOSPC"), ("fuse-writeback", "0", "0")])
def test_a_server_that_writes_as_the_user_meets_quota_and_reserve(kind: str, quota: str, kept: str) -> None:
    # Facts 1e.4, NFS: ENOSPC/EDQUOT arrives with WRITE or COMMIT. A FUSE daemon of root's passes both (rule 10).
    script = [MAP, 'm[0P:2P] = "A"', SYNC, SYNC]
    told = alone(kind, *script, quota={"alice": {"hard": 1}})
    assert told.results("A") == ["0", "ok", quota, "0"]
    told = alone(kind, *script, blocks=5, reserved=4)
    assert told.results("A") == ["0", "ok", kept, "0"]


def test_close_says_nothing_when_fsync_has_told() -> None:
    # Row fuse-writeback-write2.
    writes = [f'pwrite(f, "W" * 1P, {page}P)' for page in range(4)]
    told = alone("fuse-writeback", LOW, *writes, "fsync(f)", "close(f)", "drop_caches()", "x = pread(f, 1, 0)")
    assert told.results("A")[1:] == ["4096", "4096", "4096", "4096", "ENOSPC", "0", "0", "."]


def test_write_goes_through_and_is_refused_at_once() -> None:
    # Row fuse-write2.
    writes = [f'pwrite(f, "W" * 1P, {page}P)' for page in range(4)]
    told = alone("fuse", LOW, *writes, "fsync(f)", "close(f)", "drop_caches()", "x = pread(f, 4, 8190)")
    assert told.results("A")[1:] == ["4096", "4096", "ENOSPC", "ENOSPC", "0", "0", "0", "WW.."]
    assert (told.stores["A.2"].fate, told.outcome) == ("durable", "refused")


def test_without_keep_cache_an_open_throws_the_failed_pages_away() -> None:
    # Row fuse-reopen-drops.
    first = [LOW, MAP, FOUR, SYNC, "x = m[0P]", "h = open(f, RDWR)", "y = m[0P]"]
    assert alone("fuse-nokeep", *first).results("A")[3:] == ["ENOSPC", "A", "0", "."]
    assert alone("fuse", *first).results("A")[3:] == ["ENOSPC", "A", "0", "A"]


def test_a_competitor_takes_the_room_between_store_and_writeback() -> None:
    # Row bug-competitor-fuse.
    told = alone("fuse", LOW, MAP, 'm[0P:2P] = "A"', "take(h, 2)", "fsync(f)", "fsync(f)")
    assert (told.results("A")[2:], told.end["fs.free"]) == (["ok", "0", "ENOSPC", "0"], 0)


def test_what_the_server_has_answered_for_survives_a_power_cut_here() -> None:
    told = alone("fuse", MAP, 'm[0] = "A"', SYNC, 'pwrite(f, "B", 1P)', "power_fails()", "x = pread(f, 1, 0)",
                 "y = pread(f, 1, 1P)")  # fmt: skip
    assert (told.results("A")[5:], told.outcome) == (["A", "B"], "kept")
