"""XFS: delayed extents, each with the metadata it may need at worst. After fs/xfs/libxfs/xfs_bmap.c, 6.x.

A page on a hole makes a delayed extent, and promises as many blocks of metadata as the extent tree has levels; so the
last few free blocks let fewer pages in than they could hold. A neighbour makes the extent longer and keeps one promise.

A block that another file shares is never written. A new one is promised in its place, as for a hole; at writeback it is
taken (`inode/f/block/3.cow`), and the file leads to it once the data is there. After fs/xfs/xfs_reflink.c, 6.x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs import delalloc, xfs_reflink
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


def homeless(k: Machine, inode: Inode, blocks: range) -> list[int]:
    """The file blocks that need another block to be written: holes, and shared ones that have no new one yet."""
    waiting = (i for i in blocks if not inode.delayed[i] and inode.cow[i] is None)
    return [i for i in waiting if (block := k.map.lookup(inode, i)) is None or k.space.is_shared(block)]


def joins(k: Machine, inode: Inode, iblock: int) -> bool:
    """Whether a delayed block goes on with the extent before it: holes and shared blocks are in forks of their own."""
    holes = [k.map.lookup(inode, i) is None for i in (iblock - 1, iblock)]
    return bool(inode.delayed[iblock - 1]) and holes[0] == holes[1]


def settle(k: Machine, inode: Inode, extra: int = 0) -> None:
    """xfs_bmap_worst_indlen(): metadata for each delayed extent; one that was cut in two shares what it had."""
    runs = sum(not joins(k, inode, iblock) for iblock in inode.delayed)
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
        """Which of them have nowhere to be written? A filesystem that is shut down gives no answer."""
        if k.space.down:
            k.answer(f"no: {EIO}")
            return ret(EIO)
        wanted = self._wanted(k)
        holes = sum(k.map.lookup(self.inode, i) is None for i in wanted)
        k.answer(f"{holes} holes" + f", {len(wanted) - holes} shared" * (holes < len(wanted)))
        if not wanted:
            return ret(OK)

    def xfs_dec_fdblocks(self, k: Machine) -> Next:
        """Quota first; then the blocks, and with each new extent the metadata it may need at worst."""
        wanted, levels = self._wanted(k), bm_maxlevels(k.block_size)
        extents = self._extents(k, wanted)
        if (refusal := delalloc.refusal(k, self.inode, len(wanted), extents * levels)) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        for iblock in wanted:
            delalloc.reserve(k, self.inode, iblock)
        settle(k, self.inode, extents * levels)
        k.answer(f"yes: {len(wanted)}, and {self.inode.indlen} for metadata")
        return ret(OK)

    def _wanted(self, k: Machine) -> list[int]:
        return homeless(k, self.inode, range(self.first, self.end))

    def _extents(self, k: Machine, wanted: list[int]) -> int:
        kinds = [(i, k.map.lookup(self.inode, i) is None) for i in wanted]
        return sum((i - 1, hole) not in kinds for i, hole in kinds)


@dataclass
class XfsBmapiConvertDelalloc(KernelFunction):
    """The delayed extent around a file block gets its blocks, the file's own or those of the COW fork. Returns "0"."""

    source = "fs/xfs/libxfs/xfs_bmap.c xfs_bmapi_convert_delalloc, 6.x"
    inode: Inode
    iblock: int

    @may_sleep
    def xfs_bmapi_allocate(self, k: Machine) -> Next:
        """All of the delayed extent gets its blocks at once, and the metadata that it did not need goes back."""
        assert isinstance(k.map, ExtentMap)
        first = self.iblock
        while joins(k, self.inode, first):
            first -= 1
        end = first + 1
        while self.inode.delayed[end] and joins(k, self.inode, end):
            end += 1
        for iblock in range(first, end):
            take_place(k, self.inode, iblock)
        settle(k, self.inode)
        self.inode.dirty = True
        return ret(OK)


def take_place(k: Machine, inode: Inode, iblock: int) -> None:
    """A delayed block gets its block: one for a hole is the file's at once, one for a shared block waits (COW fork)."""
    delalloc.forget(k, inode, iblock)
    assert isinstance(k.map, ExtentMap)
    goal = k.map.goal(inode, iblock)
    if k.map.lookup(inode, iblock) is None:
        inode.pointers[iblock] = delalloc.take(k, inode, goal)
    else:
        xfs_reflink.take(k, inode, iblock, goal)


@dataclass
class XfsAllocFileSpace(KernelFunction):
    """Bytes [offset, offset + length) get their blocks, unwritten. Returns "0" or an errno; all or nothing."""

    source = "fs/xfs/xfs_bmap_util.c xfs_alloc_file_space, 6.x"
    inode: Inode
    offset: int
    length: int
    whole: bool = True

    def xfs_trans_alloc(self, k: Machine) -> Next:
        """The transaction wants blocks, and some for metadata, before it begins; fallocate for the whole range."""
        blocks = range(self.offset // k.block_size, -(-(self.offset + self.length) // k.block_size))
        holes = [i for i in homeless(k, self.inode, blocks) if k.map.lookup(self.inode, i) is None]
        asked = len(blocks if self.whole else holes)
        if (refusal := delalloc.refusal(k, self.inode, asked, bm_maxlevels(k.block_size) - 1)) != OK:
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
    inode = k.inodes[page.mapping or ""]
    delalloc.release_page(k, page, offset, stop)
    for iblock in delalloc.blocks_of(k, page, offset, stop):
        xfs_reflink.cancel(k, inode, iblock)
    settle(k, inode)
