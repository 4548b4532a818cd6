"""The map of a file that finds its blocks by extents: every file block is one step away from the inode.

After fs/ext4/extents.c in outline: an inode holds four extents itself; a fifth needs a block of metadata (the leaf),
which stays while more than four are there. Pointers in memory are cells: `inode/f/block/7.pointer`, the leaf's is at
slot -1. Other filesystems have room for their extents elsewhere and never need a leaf.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.fs.blockmap import BlockMap, IndexBlock
from engine.fs.disk import Disk
from engine.journal import Journal
from engine.objects.mapping import Inode

LEAF = -1
"""The slot that holds the block number of the leaf."""


class ExtentMap(BlockMap):
    """Maps without index blocks. `in_inode` extents fit into the inode itself; 0: as many as there are."""

    def __init__(self, journal: Journal, block_size: int, in_inode: int = 0) -> None:
        super().__init__(journal, block_size)
        self.in_inode = in_inode

    def path(self, iblock: int) -> tuple[int, ...]:
        """One slot: the file block itself."""
        return (iblock,)

    def on_disk(self, disk: Disk, inode: Inode, iblock: int) -> int | None:
        """The disk block behind a file block after a power cut; one that is unwritten there holds nothing."""
        raw = iblock in (disk.inodes[inode.file].unwritten or ())
        return None if raw else super().on_disk(disk, inode, iblock)

    def depth(self, slot: int) -> int:
        """How many levels of index stand behind a slot of the inode: none."""
        return 0

    def index_blocks(self, inode: Inode) -> Iterator[IndexBlock]:
        """The leaf, if the file has one."""
        leaf = inode.pointers[LEAF]
        if leaf is not None:
            yield self.index(leaf)

    def mapped(self, inode: Inode, *, first: int = 0) -> list[int]:
        """The file blocks from `first` on that have a disk block, in order."""
        return [iblock for iblock, _ in inode.pointers.items() if iblock >= max(first, 0)]

    def extents(self, inode: Inode, *, written: range = range(0), unwritten: range = range(0)) -> int:
        """How many extents a file has: runs in the file that are runs on the disk too, all written or all unwritten.

        `written` are file blocks to be taken as written already, `unwritten` ones as not.
        """
        count, before = 0, (-2, -2, False)
        for iblock, block in inode.pointers.items():
            raw = iblock in unwritten or (bool(inode.unwritten[iblock]) and iblock not in written)
            if iblock >= 0 and (iblock - 1, block - 1, raw) != before:
                count += 1
            before = (iblock, block, raw)
        return count

    def extents_with(self, inode: Inode, iblock: int, block: int, *, raw: bool = False) -> int:
        """How many extents a file will have when a hole at a file block is filled by a disk block."""
        beside = [(iblock + by, block + by) for by in (-1, 1)]
        joins = sum(inode.pointers[i] == b and bool(inode.unwritten[i]) == raw for i, b in beside if i >= 0)
        return self.extents(inode) + 1 - joins

    def goal(self, inode: Inode, iblock: int) -> int:
        """ext4_ext_find_goal(): the disk block that keeps the file's layout, as far from the nearest one before."""
        known = [(i, block) for i, block in inode.pointers.items() if i >= 0]
        near = [pair for pair in known if pair[0] < iblock] or known[:1]
        return max(0, near[-1][1] + iblock - near[-1][0]) if near else 0

    def has_room(self, inode: Inode, extents: int) -> bool:
        """Whether so many extents have their place: in the inode, or in a leaf that is there."""
        return not self.in_inode or extents <= self.in_inode or inode.pointers[LEAF] is not None

    def unneeded(self, inode: Inode, extents: int = 0) -> int | None:
        """The leaf, if no more than so many extents are left to hold."""
        return inode.pointers[LEAF] if self.extents(inode) <= extents else None
