"""XFS: delayed extents, each with the metadata it may need at worst. After fs/xfs/libxfs/xfs_bmap.c, 6.x.

A page on a hole makes a delayed extent, and promises as many blocks of metadata as the extent tree has levels; so the
last few free blocks let fewer pages in than they could hold. A neighbour makes the extent longer and keeps one promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs import delalloc
from engine.fs.ext2 import Ext2SyncFile
from engine.fs.extentmap import ExtentMap
from engine.function import KernelFunction, Next, may_sleep, ret
from engine.objects.mapping import Inode
from engine.values import EIO, OK

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.page import Page

MAX_EXTENTS = 2**31
"""XFS_MAX_EXTCNT_DATA_FORK_SMALL."""
SMALLEST_BLOCK = 512


def bm_maxlevels(block_size: int) -> int:
    """xfs_bmap_compute_maxlevels(): how high an extent tree can grow, 5 with blocks of 4096 bytes, 7 with 1024.

    Toy blocks are smaller than any that XFS has, and count as 4096.
    """
    size = block_size if block_size >= SMALLEST_BLOCK else 4096
    least, levels, blocks = (size - 72) // 16 // 2, 1, MAX_EXTENTS
    blocks = -(-blocks // least)
    while blocks > 1:
        blocks = 1 if blocks <= 9 else -(-blocks // least)
        levels += 1
    return levels


def settle(k: Machine, inode: Inode, extra: int = 0) -> None:
    """xfs_bmap_worst_indlen(): metadata for each delayed extent; one that was cut in two shares what it had."""
    runs = sum(not inode.delayed[iblock - 1] for iblock in inode.delayed)
    had = inode.indlen or 0
    want = min(runs * bm_maxlevels(k.block_size), had + extra)
    if want > had:
        k.space.promise(want - had)
    elif want < had:
        k.space.forget(had - want)
    inode.indlen = want or None


@dataclass
class XfsGetBlock(KernelFunction):
    """Returns the disk block (int), or None for a hole. Nothing is asked for here."""

    c_name = "xfs_read_iomap_begin"
    source = "fs/xfs/xfs_iomap.c xfs_read_iomap_begin, 6.x"
    inode: Inode
    iblock: int
    create: bool

    @may_sleep
    def xfs_bmapi_read(self, k: Machine) -> Next:
        """Search the extents: does this part of the file have a block?"""
        block = k.map.lookup(self.inode, self.iblock)
        k.answer("a hole" if block is None else f"block {block}")
        return ret(block)


@dataclass
class XfsBmapiReserveDelalloc(KernelFunction):
    """File blocks [first, end) have their blocks, or delayed ones. Returns "0" or an errno; all or nothing."""

    source = "fs/xfs/xfs_iomap.c xfs_bmapi_reserve_delalloc, 6.x"
    inode: Inode
    first: int
    end: int

    def xfs_iext_lookup_extent(self, k: Machine) -> Next:
        """Which of them are holes that nothing was promised for? A filesystem that is shut down gives no answer."""
        if k.space.down:
            k.answer(f"no: {EIO}")
            return ret(EIO)
        holes = self._holes(k)
        k.answer(f"{len(holes)} holes")
        if not holes:
            return ret(OK)

    def xfs_dec_fdblocks(self, k: Machine) -> Next:
        """Quota first; then the blocks, and with each new extent the metadata it may need at worst."""
        holes, levels = self._holes(k), bm_maxlevels(k.block_size)
        extents = sum(iblock - 1 not in holes for iblock in holes)
        if (refusal := delalloc.refusal(k, self.inode, len(holes), extents * levels)) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        for iblock in holes:
            delalloc.reserve(k, self.inode, iblock)
        settle(k, self.inode, extents * levels)
        k.answer(f"yes: {len(holes)}, and {self.inode.indlen} for metadata")
        return ret(OK)

    def _holes(self, k: Machine) -> list[int]:
        blocks, inode = range(self.first, self.end), self.inode
        return [i for i in blocks if k.map.lookup(inode, i) is None and not inode.delayed[i]]


@dataclass
class XfsBmapiConvertDelalloc(KernelFunction):
    """The delayed extent around a file block gets its blocks. Returns "0"."""

    source = "fs/xfs/libxfs/xfs_bmap.c xfs_bmapi_convert_delalloc, 6.x"
    inode: Inode
    iblock: int

    @may_sleep
    def xfs_bmapi_allocate(self, k: Machine) -> Next:
        """All of the delayed extent gets its blocks at once, and the metadata that it did not need goes back."""
        assert isinstance(k.map, ExtentMap)
        first = self.iblock
        while self.inode.delayed[first - 1]:
            first -= 1
        while self.inode.delayed[first]:
            delalloc.forget(k, self.inode, first)
            self.inode.pointers[first] = delalloc.take(k, self.inode, k.map.goal(self.inode, first))
            first += 1
        settle(k, self.inode)
        self.inode.dirty = True
        return ret(OK)


@dataclass
class XfsAllocFileSpace(KernelFunction):
    """Bytes [offset, offset + length) get their blocks, unwritten. Returns "0" or an errno; all or nothing."""

    source = "fs/xfs/xfs_bmap_util.c xfs_alloc_file_space, 6.x"
    inode: Inode
    offset: int
    length: int

    def xfs_trans_alloc(self, k: Machine) -> Next:
        """The transaction wants the blocks, and some for metadata, before it begins."""
        blocks = range(self.offset // k.block_size, -(-(self.offset + self.length) // k.block_size))
        holes = [i for i in blocks if k.map.lookup(self.inode, i) is None and not self.inode.delayed[i]]
        if (refusal := delalloc.refusal(k, self.inode, len(holes), bm_maxlevels(k.block_size) - 1)) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        for iblock in holes:
            self.inode.pointers[iblock] = delalloc.take(k, self.inode)
            self.inode.unwritten[iblock] = self.inode.dirty = True
        return ret(OK)


@dataclass
class XfsFileFsync(Ext2SyncFile):
    """Make a file's metadata durable: the log is forced. Returns "0", or EIO once shut down."""

    c_name = "xfs_file_fsync"
    source = "fs/xfs/xfs_file.c xfs_file_fsync, 6.x"

    @may_sleep
    def sync_mapping_buffers(self, k: Machine) -> Next:
        """Write the file's index blocks, unless the filesystem is shut down."""
        return ret(EIO) if k.space.down else super().sync_mapping_buffers(k)


def release_page(k: Machine, page: Page, offset: int, stop: int | None = None) -> None:
    """xfs_bmap_punch_delalloc_range(): delayed blocks of a part of a page go, with metadata that is not needed."""
    delalloc.release_page(k, page, offset, stop)
    settle(k, k.inodes[page.mapping or ""])
