"""Making part of a file read as zeroes while it keeps its place on the disk: FALLOC_FL_ZERO_RANGE, since 3.15.

Entries and pages go as when a hole is punched; where the filesystems differ is what they do with the blocks. ext4 marks
them unwritten, XFS gives them back and takes others, btrfs has the others before it gives any back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs import delalloc
from engine.fs.btrfs import recount
from engine.fs.ext4 import Ext4MapBlocks, Ext4NewMetaBlocks, hang_leaf
from engine.fs.extentmap import ExtentMap
from engine.fs.xfs import XfsAllocFileSpace
from engine.function import Next, call, may_sleep, ret
from engine.functions.linux6.punch_hole import PunchHole, give_up
from engine.functions.linux6.xfs_free_space import XfsFreeFileSpace
from engine.functions.vmtruncate import free_blocks
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Ext4ZeroRange(PunchHole):
    """Bytes [offset, offset + length) of a file read as zeroes afterwards. Returns "0", EDQUOT or ENOSPC."""

    c_name = "ext4_zero_range"
    source = "fs/ext4/extents.c ext4_zero_range, ext4_alloc_file_blocks, 6.x"
    got: int | str | None = None
    leaf: int | str | None = None

    @may_sleep
    def invalidate_lock(self, k: Machine) -> Next:
        """Keep faults away that would want a page of the part that goes."""
        return super().invalidate_lock(k) or self.ext4_alloc_file_blocks

    def remove_space(self, k: Machine) -> Next:
        """The whole blocks stay the file's, but from now on they are unwritten, and read as zeroes."""
        assert isinstance(k.map, ExtentMap)
        whole = range(*self._blocks(k))
        if not k.map.has_room(self.inode, k.map.extents(self.inode, unwritten=whole)) and self.leaf is None:
            return self.ext4_ext_grow_indepth
        for iblock in k.map.mapped(self.inode, first=whole.start):
            self.inode.unwritten[iblock] = iblock in whole or self.inode.unwritten[iblock]
        hang_leaf(k, self.inode, self.leaf)
        give_up(k, self.inode.file, self.offset, self._end(k))
        self.inode.dirty = True
        return self.unlock

    def ext4_alloc_file_blocks(self, k: Machine) -> Next:
        """The next hole of the range gets a block first, unwritten; those at the ends count too."""
        iblock = next((i for i in blocks_touched(self, k) if k.map.lookup(self.inode, i) is None), None)
        if iblock is None:
            return self.unmap_mapping_range
        return call(Ext4MapBlocks(self.inode, iblock, True, unwritten=True), into="got")

    def mapped(self, k: Machine) -> Next:
        """Got it? Then on to the next one."""
        return self.unlock if isinstance(self.got, str) else self.ext4_alloc_file_blocks

    def ext4_ext_grow_indepth(self, k: Machine) -> Next:
        """Parts that are written and parts that are not make more extents than the inode holds: a leaf is needed."""
        return call(Ext4NewMetaBlocks(self.inode, False), into="leaf")

    def grown(self, k: Machine) -> Next:
        """Got it?"""
        if isinstance(self.leaf, str):
            self.got = self.leaf
            return self.unlock
        return self.remove_space

    def unlock(self, k: Machine) -> Next:
        """Faults may come again: the next store asks anew."""
        k.unlock(k.mappings[self.inode.file].invalidate_lock)
        return ret(self.got if isinstance(self.got, str) else OK)


@dataclass
class XfsFallocZeroRange(XfsFreeFileSpace):
    """Bytes [offset, offset + length) of a file read as zeroes afterwards. Returns "0", EDQUOT or ENOSPC."""

    c_name = "xfs_falloc_zero_range"
    source = "fs/xfs/xfs_file.c xfs_falloc_zero_range, fs/xfs/xfs_bmap_util.c xfs_free_file_space, 6.x"

    def remove_space(self, k: Machine) -> Next:
        """The whole blocks go back first: whatever comes now, the range reads as zeroes."""
        free_blocks(k, self.inode.file, *self._blocks(k))
        give_up(k, self.inode.file, self.offset, self._end(k))
        return self.xfs_alloc_file_space

    def xfs_alloc_file_space(self, k: Machine) -> Next:
        """Then the range gets new blocks, unwritten, and so do holes that it touches with its ends."""
        blocks = blocks_touched(self, k)
        start, length = blocks.start * k.block_size, len(blocks) * k.block_size
        return call(XfsAllocFileSpace(self.inode, start, length), into="error")

    def unlock(self, k: Machine) -> Next:
        """Faults may come again: the next store asks anew."""
        k.unlock(k.mappings[self.inode.file].invalidate_lock)
        return ret(self.error)


@dataclass
class BtrfsZeroRange(PunchHole):
    """Bytes [offset, offset + length) of a file read as zeroes afterwards. Returns "0", EDQUOT or ENOSPC."""

    c_name = "btrfs_zero_range"
    source = "fs/btrfs/file.c btrfs_zero_range, btrfs_punch_hole_lock_range, 6.x"
    places: tuple[tuple[int, int], ...] = ()

    @may_sleep
    def invalidate_lock(self, k: Machine) -> Next:
        """Keep faults away. New blocks are taken before any is given back; without room nothing is done."""
        waiting = super().invalidate_lock(k)
        if waiting is not None:
            return waiting
        wanted = self._wanted(k)
        refusal = delalloc.refusal(k, self.inode, len(wanted))
        k.answer("yes" if refusal == OK else f"no: {refusal}")
        if refusal != OK:
            k.unlock(k.mappings[self.inode.file].invalidate_lock)
            return ret(refusal)
        self.places = tuple((iblock, k.space.take(f"{self.inode.file}:new")) for iblock in wanted)

    def remove_space(self, k: Machine) -> Next:
        """The new blocks take the place of the whole ones, unwritten; those go back."""
        free_blocks(k, self.inode.file, *self._blocks(k))
        for iblock, block in self.places:
            k.space.give_back(block)
            if k.map.lookup(self.inode, iblock) is None and not self.inode.delayed[iblock]:
                self.inode.pointers[iblock] = delalloc.take(k, self.inode, block)
                self.inode.unwritten[iblock] = True
        recount(k, self.inode)
        give_up(k, self.inode.file, self.offset, self._end(k))
        k.unlock(k.mappings[self.inode.file].invalidate_lock)
        return ret(OK)

    def _wanted(self, k: Machine) -> list[int]:
        """The file blocks that need another block: all whole ones, and holes at the ends that were promised none."""
        whole = range(*self._blocks(k))
        holes = (i for i in blocks_touched(self, k) if k.map.lookup(self.inode, i) is None)
        return sorted({*whole, *(i for i in holes if not self.inode.delayed[i])})


def blocks_touched(zeroing: PunchHole, k: Machine) -> range:
    """The file blocks that a range has a part in."""
    return range(zeroing.offset // k.block_size, -(-(zeroing.offset + zeroing.length) // k.block_size))
