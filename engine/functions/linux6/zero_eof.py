"""A file grows: what lies behind its old end in the last block becomes zero before it comes inside. After 6.x.

A program may store there through a mapping, and until somebody writes the page nobody takes it away. XFS and btrfs have
always zeroed it; ext4 since 6.13 (c7fc0366c656), for truncate(2), write(2) and fallocate(2) alike. tmpfs never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.xfs import XfsBmapiReserveDelalloc, homeless
from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret, tail
from engine.functions.linux6.folio_clear_dirty_for_io import write_protect
from engine.functions.linux6.punch_hole import ZeroPageRange
from engine.functions.page_flags import fill, mark_buffers_dirty
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.page import Page


@dataclass
class Ext4BlockTruncatePage(ZeroPageRange):
    """Zeroes bytes [low, high) of a file: from its end to the end of the page."""

    c_name = "ext4_block_truncate_page"
    source = "fs/ext4/inode.c ext4_block_truncate_page, mm/truncate.c pagecache_isize_extended, 6.18"

    @may_sleep
    def zero_block(self, k: Machine) -> Next:
        """Read it if it is not there, and clear what lies behind the end. A page of several blocks is tied down too."""
        if self.page is None:
            return ret(OK)
        tied = k.block_size == k.page_size or write_protect(k, self.page)
        if self.page.writeback or not tied:
            k.blocked_on = k.blocked_on or f"{self.page}.writeback"
            return WAIT
        self._clear(k, self.page)

    def _clear(self, k: Machine, page: Page) -> None:
        self._know_blocks(k, page)
        fill(k, page)
        page.data = page.content.zero(self.low % k.page_size, k.page_size)
        low = self.low % k.page_size
        mark_buffers_dirty(k, page, low, low + 1)


@dataclass
class BtrfsTruncateBlock(Ext4BlockTruncatePage):
    """Zeroes bytes [low, high) of a file: from its end to the end of the page."""

    c_name = "btrfs_truncate_block"
    source = "fs/btrfs/inode.c btrfs_cont_expand, btrfs_truncate_block, 6.x"


@dataclass
class IomapZeroRange(Ext4BlockTruncatePage):
    """Zeroes bytes [low, high) of a file: from its end to the end of the page."""

    c_name = "iomap_zero_range"
    source = "fs/xfs/xfs_iomap.c xfs_zero_range, fs/iomap/buffered-io.c iomap_zero_range, 6.x"


@dataclass
class XfsZeroRange(KernelFunction):
    """Zeroes bytes [low, high) of a file: from its end to the end of the page. Returns "0", ENOSPC or EDQUOT."""

    source = "fs/xfs/xfs_iomap.c xfs_zero_range, xfs_buffered_write_iomap_begin, 6.x"
    file: str
    low: int
    high: int
    error: str = OK

    def xfs_buffered_write_iomap_begin(self, k: Machine) -> Next:
        """Is the block shared? Then its rest is zeroed in a new one, which is asked for."""
        inode, iblock = k.inodes[self.file], self.low // k.block_size
        shared = homeless(k, inode, range(iblock, iblock + 1))
        k.answer("yes" if shared else "no")
        if shared:
            return call(XfsBmapiReserveDelalloc(inode, iblock, iblock + 1), into="error")

    def iomap_zero_range(self, k: Machine) -> Next:
        """Zero it, if there is room for that."""
        if self.error != OK:
            k.answer(f"no: {self.error}")
            return ret(self.error)
        return tail(IomapZeroRange(self.file, self.low, self.high))


@dataclass
class XfsSetattrSize(KernelFunction):
    """The same where a file grows by truncate(2) or fallocate(2): the page is written at once, and waited for.

    Returns "0", ENOSPC or EDQUOT.
    """

    source = "fs/xfs/xfs_iops.c xfs_setattr_size, 6.x"
    file: str
    low: int
    high: int
    error: str = OK
    written: str = OK

    def xfs_zero_range(self, k: Machine) -> Next:
        """Zero it."""
        return call(XfsZeroRange(self.file, self.low, self.high), into="error")

    def filemap_write_and_wait_range(self, k: Machine) -> Next:
        """The new size will be logged: what lies before it has to be on the disk."""
        if self.error != OK:
            return ret(self.error)
        first = self.low // k.page_size
        return call(k.ops.writepages(k.mappings[self.file], True, first, last=first + 1), into="written")

    @may_sleep
    def wait_on_page_writeback(self, k: Machine) -> Next:
        """Wait for it."""
        mapping = k.mappings[self.file]
        if mapping.tag_writeback[self.low // k.page_size]:
            k.blocked_on = f"{mapping}.tag_writeback"
            return WAIT
        return ret(OK)


def zeroing(k: Machine, file: str, size: int, *, by_write: bool = False) -> KernelFunction | None:
    """What has to be called before a file reaches `size` bytes.

    It returns "0" or an errno. None where nothing is to be done: the end is a block's, in a hole or an unwritten one.
    """
    make = k.ops.zero_eof if by_write else k.ops.set_size or k.ops.zero_eof
    inode, mapping = k.inodes[file], k.mappings[file]
    old, first = inode.size, inode.size // k.block_size
    if make is None or size <= old or not old % k.block_size:
        return None
    page = k.cached(mapping, old // k.page_size)
    promised = page is not None and page.private and page.bh[first % k.blocks_per_page].delay
    if not promised and (k.map.lookup(inode, first) is None or inode.unwritten[first]):
        return None
    return make(file, old, -(-old // k.page_size) * k.page_size)
