"""What a commit of ext3 and ext4 does under 6.x, and how files grow there. Seen on a 6.18.44: tests/real/performed.json."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.build import MAP, Told, play

ORDERED = ("ext3", "ext4-nodelalloc")
TWO = (MAP, 'm[0] = "A"', 'm[2P] = "C"')
SIX = ("linux-6.1", "linux-6.18")


def alone(filesystem: str, *script: str, kernel: str = "linux-6.18", **world: Any) -> Told:
    """One program on a file of holes, with an empty file g beside it."""
    world = dict[str, Any]({"blocks": 64, "data": {}, "files": {"g": {"size": 4096}}, "type": filesystem}) | world
    return play({"A": list(script)}, kernel, **world)


def dirty(told: Told) -> list[int]:
    """The pages of f that are dirty at the end."""
    return [page for page in range(4) if told.end.get(f"mapping/f/{page}.dirty")]


# -- one transaction for all files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", SIX)
@pytest.mark.parametrize(("kind", "left"), [*[(kind, []) for kind in ORDERED], ("ext2-by-ext4", [2]), ("ext4", [2])])
def test_msync_of_one_page_writes_what_else_is_new(kernel: str, kind: str, left: list[int]) -> None:
    assert dirty(alone(kind, *TWO, "msync(m[0:1P], SYNC)", kernel=kernel)) == left


@pytest.mark.parametrize("kind", ORDERED)
def test_what_has_a_block_from_before_is_not_ordered(kind: str) -> None:
    told = alone(kind, *TWO, "fsync(f)", 'm[2P] = "D"', 'm[0] = "B"', "msync(m[0:1P], SYNC)")
    assert dirty(told) == [2]


@pytest.mark.parametrize(
    ("kind", "kept"), [*[(kind, True) for kind in ORDERED], ("ext2-by-ext4", False), ("ext4", False)]
)
def test_fsync_of_another_file_saves_new_blocks_from_a_power_cut(kind: str, kept: bool) -> None:
    told = alone(
        kind, *TWO, 'pwrite(g, "G", 0)', "fsync(g)", "power_fails()", "x = pread(f, 1, 0)", "y = pread(f, 1, 2P)"
    )
    assert told.results("A")[6:] == (["A", "C"] if kept else [".", "."])
    assert told.outcome == ("kept" if kept else "lost-unsynced")


def test_a_size_is_committed_no_farther_than_there_are_blocks() -> None:
    # fs/ext4: i_disksize; g's commit takes f's metadata along, and f has delayed blocks alone.
    told = alone(
        "ext4", 'pwrite(f, "A" * 2P, 4P)', 'pwrite(g, "G", 0)', "fsync(g)", "power_fails()", "x = pread(f, 9, 4P)"
    )
    assert (told.results("A")[4], told.end["inode/f.size"]) == ("", 16384)


def test_an_error_of_ordered_data_is_told_to_its_own_file_alone() -> None:
    told = alone("ext4-nodelalloc", *TWO, "disk_error(f, 2P)", "fsync(g)", "fsync(f)", "fsync(f)")
    assert told.results("A")[4:] == ["0", "EIO", "0"]


def test_once_shut_down_nothing_is_committed() -> None:
    told = alone("ext4-nodelalloc", *TWO, "shutdown()", "fsync(g)")
    assert told.results("A")[4] == "EIO"


# -- behind the end ---------------------------------------------------------------------------------------------------

BEHIND = (MAP, 'm[1P+1000] = "B"')
GROWS = {
    "truncate": "ftruncate(f, 3P)",
    "write": 'pwrite(f, "Z" * 1P, 2P)',
    "allocate": "fallocate(f, 2P, 1P)",
}
ZEROED = {
    "ext4": (".", "B"),
    "ext4-nodelalloc": (".", "B"),
    "xfs": (".", "."),
    "btrfs": (".", "."),
    "tmpfs": ("B", "B"),
}


@pytest.mark.parametrize("how", GROWS)
@pytest.mark.parametrize("kind", ZEROED)
def test_what_was_stored_behind_the_end_does_not_come_inside(kind: str, how: str) -> None:
    # ext4 since 6.13 (c7fc0366c656), XFS and btrfs always, tmpfs never.
    for kernel, seen in zip(("linux-6.18", "linux-6.1"), ZEROED[kind], strict=True):
        told = alone(kind, *BEHIND, GROWS[how], "x = m[1P+1000]", kernel=kernel, size=5000)
        assert told.result("A", 4) == seen, kernel


def test_a_file_that_keeps_its_size_exposes_nothing() -> None:
    told = alone("ext4", *BEHIND, "fallocate(f, 2P, 1P, KEEP_SIZE)", "x = m[1P+1000]", size=5000)
    assert (told.results("A")[2:], told.end["inode/f.size"]) == (["0", "B"], 5000)
