"""mtime: write(2) sets it before it asks for room, under every kernel; facts 7.3 S30 and mm/filemap.c, 2.6.9 and 6.x."""

from __future__ import annotations

import pytest

from engine import KERNELS
from tests.engine.build import play


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_write_changes_the_time_under_every_kernel(kernel: str) -> None:
    told = play({"A": ["sleep(7s)", 'pwrite(f, "A", 0)', "sleep(5s)", "x = pread(f, 1, 0)"]}, kernel)
    assert (told.results("A")[1::2], told.end["inode/f.mtime"]) == (["1", "A"], 7)


@pytest.mark.parametrize("filesystem", [name for name in KERNELS["linux-6.18"].filesystems if name != "fuse-short"])
def test_a_write_changes_the_time_on_every_filesystem(filesystem: str) -> None:
    told = play({"A": ["sleep(7s)", 'pwrite(f, "A", 0)']}, "linux-6.18", type=filesystem)
    assert (told.results("A")[1], told.end["inode/f.mtime"]) == ("1", 7)


@pytest.mark.parametrize("kernel", ["linux-2.6.9", "linux-6.18"])
def test_a_write_without_room_has_changed_the_time_all_the_same(kernel: str) -> None:
    told = play({"A": ["fill(g)", "sleep(7s)", 'pwrite(f, "A", 1P)']}, kernel)
    assert (told.results("A")[2], told.end["inode/f.mtime"]) == ("ENOSPC", 7)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_direct_write_changes_the_time_too(kernel: str) -> None:
    """mm/filemap.c generic_file_aio_write_nolock, 2.6.9; run on 6.18 with ext4 and xfs."""
    told = play({"A": ["h = open(f, RDWR|DIRECT)", "sleep(7s)", 'pwrite(h, "A" * 1P, 0)']}, kernel)
    assert (told.results("A")[2], told.end["inode/f.mtime"]) == ("4096", 7)


def test_a_filesystem_that_is_shut_down_changes_no_time() -> None:
    told = play({"A": ["shutdown()", "sleep(7s)", 'pwrite(f, "A", 0)']}, "linux-6.18", type="xfs")
    assert (told.results("A")[2], told.end.get("inode/f.mtime")) == ("EIO", None)
