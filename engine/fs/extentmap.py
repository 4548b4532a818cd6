"""The map of a file that finds its blocks by extents: every file block is one step away from the inode.

After fs/ext4/extents.c in outline: an inode holds four extents itself; a fifth needs a block of metadata (the leaf),
which stays until the file is empty. Pointers in memory are cells: `inode/f/block/7.pointer`, the leaf's is at slot -1.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.fs.blockmap import BlockMap, IndexBlock
from engine.objects.mapping import Inode

IN_INODE = 4
"""Extents that fit into the inode itself."""
LEAF = -1
"""The slot that holds the block number of the leaf."""


class ExtentMap(BlockMap):
    """Maps without index blocks. Where blocks lie side by side they are one extent."""

    def path(self, iblock: int) -> tuple[int, ...]:
        """One slot: the file block itself."""
        return (iblock,)

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
        return [iblock for iblock, _ in inode.pointers.items() if iblock >= first]

    def extents(self, inode: Inode) -> int:
        """How many extents a file has: runs of file blocks whose disk blocks follow one another too."""
        count, before = 0, (-2, -2)
        for iblock, block in inode.pointers.items():
            if iblock >= 0 and (iblock - 1, block - 1) != before:
                count += 1
            before = (iblock, block)
        return count
