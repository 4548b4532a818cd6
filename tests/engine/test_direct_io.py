"""O_DIRECT, as the sources of 2.6.9 and 2.6.18 have it, and as loop devices on a 6.18 showed it. Facts H9, X12, S23."""

from __future__ import annotations

import pytest

from engine.values import EBADF, EINVAL, EIO, ENOSPC
from tests.engine.build import CORRECTED, LATER, MAP, STOCK, Told, play

OPEN = "h = open(f, RDWR|DIRECT)"
PAGE_1 = 'pwrite(h, "D" * 1P, 1P)'
TWO = {"0P": "a", "1P": "b"}
SIX = ("linux-6.1", "linux-6.18")
ON_DISKS = ("ext2", "ext4", "ext2-by-ext4", "xfs", "btrfs", "btrfs-nodatacow")
NEW = [*((kernel, "ext2") for kernel in LATER), *((kernel, kind) for kernel in SIX for kind in ON_DISKS)]
EVERY = [(STOCK, "ext2"), (CORRECTED, "ext2"), *NEW]


def alone(kernel: str, kind: str, *script: str, **world: object) -> Told:
    """One program on a filesystem whose file `f` has two pages, and two pages of hole."""
    return play({"A": list(script)}, kernel, **{"data": TWO, "type": kind, **world})  # type: ignore[arg-type]  # a world


# -- a write over what is there ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "kind"), NEW)
def test_stores_before_and_after_a_direct_write_and_the_write_itself_are_kept(kernel: str, kind: str) -> None:
    # On a 6.18, every filesystem tried: Ma and DD through the mapping and by read(2), SD after the store, and on the disk.
    told = alone(kernel, kind, MAP, 'm[0] = "M"', "x = m[1P]", OPEN, PAGE_1, "y = m[0:2]", "z = m[1P:1P+2]", 'm[1P] = "S"',
                 "msync(m, SYNC)", "p = pread(h, 1P, 1P)", "power_fails()", data=TWO)  # fmt: skip
    assert told.results("A")[2:8] == ["b", "0", "4096", "Ma", "DD", "ok"]
    assert told.result("A", 10) == "S" + "D" * 63
    assert {told.stores[name].fate for name in ("A.2", "A.5", "A.8")} == {"durable"}


@pytest.mark.parametrize(("kernel", "kind"), [(CORRECTED, "ext2"), *NEW])
def test_a_direct_read_sees_what_was_stored_where_a_fault_or_an_unmapping_told_of_it(kernel: str, kind: str) -> None:
    told = alone(kernel, kind, MAP, 'm[0] = "M"', OPEN, "x = pread(h, 1P, 0)")
    seen = "a" if kernel == "linux-2.6.18" else "M"  # 2.6.18 tears entries for writes only, and tracks no dirt
    assert told.result("A", 4) == seen + "a" * 63


def test_2_6_9_reads_past_a_store_that_only_a_page_table_knows() -> None:
    told = alone(STOCK, "ext2", MAP, 'm[0] = "M"', OPEN, "x = pread(h, 1P, 0)", "y = pread(f, 2, 0)")
    assert told.results("A")[3:] == ["a" * 64, "Ma"]


def test_what_was_written_directly_is_durable_when_the_device_has_it() -> None:
    told = alone(STOCK, "ext2", OPEN, PAGE_1, "power_fails()", "x = pread(f, 1, 1P)")
    assert told.fates("A.2") == ["durable"]


# -- H9: what 2.6.9 does to the mappings of the file -------------------------------------------------------------------


def test_2_6_9_leaves_a_mapped_page_in_place_neither_dirty_nor_up_to_date() -> None:
    told = alone(STOCK, "ext2", MAP, 'm[0] = "M"', "x = m[1P]", OPEN, PAGE_1, "y = m[1P]")
    page = told.end["mapping/f/0.page"]
    assert told.result("A", 6) == "b"
    assert told.end.get(f"page/{page}.uptodate") is None
    assert told.fates("A.2") == ["backed", "at-risk"]


def test_whoever_reads_that_page_next_takes_the_store_away() -> None:
    told = alone(STOCK, "ext2", MAP, 'm[0] = "M"', OPEN, PAGE_1, "x = pread(f, 1, 0)", "y = m[0]", "msync(m, SYNC)")
    assert told.results("A")[4:] == ["a", "a", "0"]
    assert (told.stores["A.2"].fate, told.stores["A.2"].told, told.outcome) == ("lost", None, "lost-lied")


def test_a_page_that_is_written_before_anybody_has_read_it_is_a_bug_in_the_kernel() -> None:
    # fs/mpage.c, 2.6.9: without buffers a page must be up to date when it is written.
    told = play({"A": [MAP, 'm[0] = "M"', OPEN, PAGE_1, "msync(m, SYNC)"], "B": ["pwrite(f, 'x', 0)"]}, STOCK, data=TWO)
    assert told.trace.complete
    assert (told.result("A", 5), told.result("B", 1)) == (None, None)
    assert told.end[f"page/{told.end['mapping/f/0.page']}.locked"] == "A"


def test_a_page_with_buffers_is_written_over_what_came_past_it() -> None:
    # Its buffers are up to date still: nothing is read again, and the old page goes over the new block.
    told = alone(
        STOCK, "ext2", 'pwrite(f, "b" * 1P, 1P)', MAP, "x = m[1P]", OPEN, PAGE_1, 'm[1P] = "S"', "msync(m, SYNC)"
    )
    assert told.stores["A.5"].fate == "lost"
    assert told.outcome == "lost-lied"


def test_a_write_that_is_refused_spoils_the_cache_all_the_same() -> None:
    # generic_file_direct_IO() invalidates whatever came of the transfer.
    told = alone(STOCK, "ext2", MAP, 'm[0] = "M"', OPEN, 'pwrite(h, "D", 1P)', "x = pread(f, 1, 0)")
    assert told.results("A")[3:] == [EINVAL, "a"]
    assert told.stores["A.2"].fate == "lost"


# -- races with a store during the transfer ----------------------------------------------------------------------------

RACE = "A, B, A@2>B, B@{}>A, A@3>B, B@2>A"


def race(kernel: str, step: str, kind: str = "ext2") -> Told:
    """A store to a page of the range, while the device is at work."""
    stores = [MAP, "x = m[0]", 'm[1] = "S"', "msync(m, SYNC)"]
    writes = {"cpu": 1, "script": [OPEN, 'pwrite(h, "D" * 1P, 0)']}
    return play({"A": stores, "B": writes}, kernel, under=RACE.format(step), data=TWO, type=kind)


def test_2_6_18_drops_the_page_with_a_store_of_that_moment() -> None:
    told = race("linux-2.6.18", "blockdev_direct_IO.dio_await_completion")
    assert (told.result("B", 2), told.stores["A.3"].fate, told.outcome) == ("4096", "lost", "lost-lied")


def test_2_6_20_keeps_the_page_and_says_so_of_a_write_that_has_arrived() -> None:
    told = race("linux-2.6.19", "blockdev_direct_IO.dio_await_completion")
    assert (told.result("B", 2), told.stores["A.3"].fate) == (EIO, "durable")


def test_2_6_23_empties_the_cache_before_the_write_and_never_after_it() -> None:
    told = race("linux-2.6.23", "blockdev_direct_IO.dio_bio_submit")
    assert told.result("B", 2) == "4096"
    assert told.stores["B.2"].fate == "lost"


def test_6_18_warns_of_a_page_that_cannot_be_dropped_and_the_next_sync_says_so() -> None:
    told = race("linux-6.18", "iomap_dio_iter.dio_await_completion", "ext4")
    assert (told.result("B", 2), told.result("A", 4)) == ("4096", EIO)


def test_6_18_leaves_a_write_to_the_cache_if_a_page_is_dirty_again_before_it() -> None:
    told = race("linux-6.18", "invalidate_inode_pages2_range.unmap_mapping_range", "ext4")
    assert told.result("A", 4) == "0"
    assert {told.stores[name].fate for name in ("B.2", "A.3")} <= {"durable", "replaced"}


# -- holes, the end of the file, room ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "kind"), EVERY)
def test_a_hole_is_filled_and_the_file_grows(kernel: str, kind: str) -> None:
    told = alone(kernel, kind, OPEN, 'pwrite(h, "D" * 1P, 2P)', 'pwrite(h, "E" * 2P, 4P)', "fsync(h)", "power_fails()",
                 "x = pread(f, 1, 2P)", "y = pread(f, 1, 5P)", "z = pread(f, 1, 3P)")  # fmt: skip
    assert told.results("A") == ["0", "4096", "8192", "0", "0", "D", "E", "."]
    assert told.end["inode/f.size"] == 6 * 4096
    assert told.end["inode/f.blocks"] == 5


@pytest.mark.parametrize(("kernel", "kind"), EVERY)
def test_only_filesystems_that_never_show_old_blocks_fill_a_hole_past_the_cache(kernel: str, kind: str) -> None:
    # get_block may not create inside i_size (2.6.9 to today); extents can be unwritten, so ext4 and xfs need no detour.
    told = alone(kernel, kind, OPEN, 'pwrite(h, "D" * 1P, 2P)')
    through = {f"{kind}@{kernel}" for kind in ("ext4", "xfs", "btrfs-nodatacow") for kernel in SIX} | {
        "btrfs@linux-6.1"
    }
    buffered = [step for step in told.steps() if step.endswith(".copy_from_user")]
    assert bool(buffered) == (f"{kind}@{kernel}" not in through)


@pytest.mark.parametrize(("kernel", "kind"), EVERY)
def test_a_full_disk_refuses_holes_and_growth_and_takes_what_has_a_block(kernel: str, kind: str) -> None:
    # As measured on a 6.18 (btrfs needs a new block even for that, unless it is nodatacow).
    told = alone(
        kernel, kind, "fill(g)", OPEN, 'pwrite(h, "D" * 1P, 2P)', 'pwrite(h, "D" * 1P, 4P)', 'pwrite(h, "E" * 1P, 0)'
    )
    assert told.results("A")[2:] == [ENOSPC, ENOSPC, ENOSPC if kind == "btrfs" else "4096"]
    assert told.outcome == "refused"


def test_the_rest_of_a_new_block_is_zeroed_on_the_disk() -> None:
    told = alone(STOCK, "ext2", "take(g, 2)", "free(g, 2)", OPEN, 'pwrite(h, "D" * 512, 4P)', "x = pread(f, 513, 4P)")
    assert told.results("A")[3:] == ["512", "D" * 64]


# -- what a disk can transfer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "kind"), [(k, kind) for k, kind in EVERY if not kind.startswith("btrfs")])
def test_only_whole_sectors_go_to_a_disk(kernel: str, kind: str) -> None:
    told = alone(kernel, kind, OPEN, 'pwrite(h, "D" * 100, 0)', 'pwrite(h, "D" * 512, 100)', "x = pread(h, 100, 0)",
                 'pwrite(h, "D" * 512, 512)', "y = pread(h, 1P, 4P)")  # fmt: skip
    assert told.results("A") == ["0", EINVAL, EINVAL, EINVAL, "512", ""]
    assert told.stores["A.2"].told == EINVAL


@pytest.mark.parametrize("kind", ["btrfs", "btrfs-nodatacow", "tmpfs", "fuse", "nfs"])
def test_others_take_any_bytes(kind: str) -> None:
    told = alone(
        "linux-6.18", kind, OPEN, 'pwrite(h, "D" * 100, 0)', 'pwrite(h, "E" * 512, 100)', "x = pread(h, 102, 0)"
    )
    assert told.results("A") == ["0", "100", "512", "D" * 64]
    assert told.result("A", 2) == "100"


def test_a_broken_disk_says_so_at_once() -> None:
    for kernel, kind in EVERY:
        told = alone(kernel, kind, "disk_error(f, 1P)", OPEN, PAGE_1)
        assert told.result("A", 3) == EIO, (kernel, kind)


# -- who has it --------------------------------------------------------------------------------------------------------


def test_tmpfs_refuses_a_direct_open_before_6_6_and_takes_it_for_nothing_special_since() -> None:
    then, now = (alone(kernel, "tmpfs", OPEN, PAGE_1, "x = pread(h, 1P, 1P)") for kernel in SIX)
    assert then.results("A") == [EINVAL, EBADF, EBADF]
    assert now.results("A") == ["0", "4096", "D" * 64]


def test_minix_opens_and_refuses_every_transfer() -> None:
    assert alone("linux-6.18", "minix", OPEN, PAGE_1, "x = pread(h, 1P, 0)").results("A") == ["0", EINVAL, EINVAL]


def test_a_server_has_a_direct_write_before_the_call_returns() -> None:
    told = alone("linux-6.18", "fuse-writeback", OPEN, PAGE_1, "power_fails()")
    assert told.fates("A.2") == ["durable"]


def test_btrfs_takes_data_with_checksums_through_the_cache_since_6_15() -> None:
    copied = [
        any(step.endswith("copy_from_user") for step in alone(kernel, kind, OPEN, PAGE_1).steps())
        for kernel, kind in (("linux-6.18", "btrfs"), ("linux-6.18", "btrfs-nodatacow"), ("linux-6.1", "btrfs"))
    ]
    assert copied == [True, False, False]
