"""ext4: blocks by extents, quota before space; delayed allocation reserves first and chooses later.

After fs/ext4/inode.c, extents.c and mballoc.c, 6.x. An inode holds four extents; a fifth needs a leaf, a block of its
own. i_data_sem is left out: the step that inserts an extent looks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import Panic
from engine.fs import delalloc, jbd2
from engine.fs.ext2 import Ext2GetBlock, Ext2NewBlock, Ext2SyncFile
from engine.fs.extentmap import LEAF, ExtentMap
from engine.function import KernelFunction, Next, call, may_sleep, ret, tail
from engine.objects.mapping import Inode
from engine.values import DELAYED, ENOSPC, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Ext4MbNewBlocks(Ext2NewBlock):
    """Returns a block number, or EDQUOT or ENOSPC. What was reserved before is claimed without a question."""

    c_name = "ext4_mb_new_blocks"
    source = "fs/ext4/mballoc.c ext4_mb_new_blocks, 6.x"
    goal: int = 0
    iblock: int = -1

    def dquot_alloc_block(self, k: Machine) -> Next:
        """The quota is asked first: may the file's owner have one more block?"""
        if self.iblock >= 0 and self.inode.delayed[self.iblock]:
            return self.claim
        return super().dquot_alloc_block(k)

    def reserve_blocks(self, k: Machine) -> Next:
        """Then the disk: is a block free that this task may have, promised to nobody?"""
        if k.space.allowed(privileged=k.current.privileged) < 1:
            k.answer(f"no: {ENOSPC}")
            return self.dquot_free_block
        self.inode.blocks = (self.inode.blocks or 0) + 1
        block = k.space.take(f"{self.inode.file}:index" if self.index else self.inode.file, self.goal)
        k.disk.data[block] = None
        k.answer(f"yes: block {block}")
        return ret(block)

    def claim(self, k: Machine) -> Next:
        """It was promised at the fault: the promise becomes a block, and the quota's reservation a charge."""
        delalloc.forget(k, self.inode, self.iblock)
        block = delalloc.take(k, self.inode, self.goal)
        k.answer(f"promised: block {block}")
        return ret(block)


@dataclass
class Ext4NewMetaBlocks(KernelFunction):
    """Returns the block for a leaf, or EDQUOT or ENOSPC. At writeback (`nofail`) it may use the spare pool."""

    source = "fs/ext4/balloc.c ext4_new_meta_blocks, ext4_has_free_clusters, 6.x"
    inode: Inode
    nofail: bool
    got: int | str = 0

    def ext4_has_free_clusters(self, k: Machine) -> Next:
        """A leaf needs a block too. Writeback has a pool for it, if the administrator has left it one."""
        if not self.nofail:
            return tail(Ext4MbNewBlocks(self.inode, True))
        if k.space.allowed(privileged=k.current.privileged, metadata=True) < 1:
            k.answer(f"no: {ENOSPC}")
            return ret(ENOSPC)
        block = k.space.take(f"{self.inode.file}:index")
        self.inode.blocks = (self.inode.blocks or 0) + 1
        if quota := k.quotas.get(self.inode.owner):
            quota.charge(1, k.clock.clock)
        k.answer(f"yes: block {block}")
        return ret(block)


@dataclass
class Ext4MapBlocks(KernelFunction):
    """Returns the disk block (int), None for a hole, or an errno. All or nothing: a block and, if need be, its leaf."""

    source = "fs/ext4/inode.c ext4_map_blocks, fs/ext4/extents.c ext4_ext_map_blocks, 6.x"
    inode: Inode
    iblock: int
    create: bool
    nofail: bool = False
    unwritten: bool = False
    got: int | str = 0
    leaf: int | str | None = None

    @may_sleep
    def ext4_find_extent(self, k: Machine) -> Next:
        """Search the extents: does this part of the file have a block? Where none is, a transaction has to begin."""
        block = k.map.lookup(self.inode, self.iblock)
        if self.create and (k.space.down or block is None) and (refusal := k.space.begin_transaction()) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        k.answer("a hole" if block is None else f"block {block}")
        if block is not None or not self.create:
            return ret(block)

    def ext4_mb_new_blocks(self, k: Machine) -> Next:
        """A hole needs a block now, best the one that goes on where the file's data before it ends."""
        goal = _extents(k).goal(self.inode, self.iblock)
        return call(Ext4MbNewBlocks(self.inode, False, goal=goal, iblock=self.iblock), into="got")

    def allocated(self, k: Machine) -> Next:
        """Got it?"""
        if isinstance(self.got, str):
            k.answer(f"no: {self.got}")
            return ret(self.got)

    def ext4_ext_insert_extent(self, k: Machine) -> Next:
        """Note it: it makes an extent longer, or is one of its own, and four fit into the inode."""
        assert isinstance(self.got, int)
        if k.map.lookup(self.inode, self.iblock) is not None:
            return self.somebody_was_faster
        extents = _extents(k).extents_with(self.inode, self.iblock, self.got, raw=self.unwritten)
        if not k.map.has_room(self.inode, extents) and self.leaf is None:
            return self.ext4_ext_grow_indepth
        self._insert(k)
        k.answer(f"block {self.got}, {extents} extents")
        return ret(self.got)

    def ext4_ext_grow_indepth(self, k: Machine) -> Next:
        """The inode is full: the extents move to a leaf, which needs a block."""
        return call(Ext4NewMetaBlocks(self.inode, self.nofail), into="leaf")

    def grown(self, k: Machine) -> Next:
        """Got it? Otherwise the block of data goes back as well."""
        if isinstance(self.leaf, str):
            give_back(k, self.inode, self.got)
            k.answer(f"no: {self.leaf}")
            return ret(self.leaf)
        return self.ext4_ext_insert_extent

    def somebody_was_faster(self, k: Machine) -> Next:
        """The hole has been filled meanwhile: the block goes back."""
        give_back(k, self.inode, self.got)
        if self.leaf is not None:
            give_back(k, self.inode, self.leaf)
        return self.ext4_find_extent

    def _insert(self, k: Machine) -> None:
        assert isinstance(self.got, int)
        self.inode.pointers[self.iblock], self.inode.dirty = self.got, True
        self.inode.unwritten[self.iblock], self.inode.failed[self.iblock] = self.unwritten or None, None
        if not self.unwritten:
            jbd2.order(k, self.inode, self.iblock)
        hang_leaf(k, self.inode, self.leaf)


@dataclass
class Ext4IndMapBlocks(Ext2GetBlock):
    """Returns the disk block (int), None for a hole, or an errno. A file with ext2's block map, by the ext4 driver."""

    source = "fs/ext4/indirect.c ext4_ind_map_blocks, fs/ext4/ext4_jbd2.c ext4_journal_check_start, 6.x"

    @may_sleep
    def ext2_get_branch(self, k: Machine) -> Next:
        """Follow the block map: does this part of the file have a block? Where none is, a transaction has to begin."""
        missing = k.space.down or k.map.lookup(self.inode, self.iblock) is None
        if self.create and missing and (refusal := k.space.begin_transaction()) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        return super().ext2_get_branch(k)

    def ext2_splice_branch(self, k: Machine) -> Next:
        """Hang the new blocks into the map; what the data block will hold is written before the transaction commits."""
        then = super().ext2_splice_branch(k)
        jbd2.order(k, self.inode, self.iblock)
        return then


@dataclass
class Ext4DaGetBlockPrep(KernelFunction):
    """Returns the disk block (int), DELAYED for one that is reserved, None for a hole, or an errno."""

    source = "fs/ext4/inode.c ext4_da_get_block_prep, ext4_da_reserve_space, ext4_nonda_switch, 6.x"
    inode: Inode
    iblock: int
    create: bool

    def ext4_es_lookup_extent(self, k: Machine) -> Next:
        """Does this part of the file have a block, or the promise of one?"""
        block = k.map.lookup(self.inode, self.iblock)
        promised = block is None and self.inode.delayed[self.iblock]
        k.answer("promised" if promised else "a hole" if block is None else f"block {block}")
        if block is not None or not self.create:
            return ret(block)
        if promised:
            return ret(DELAYED)

    def ext4_nonda_switch(self, k: Machine) -> Next:
        """Is there so little room that a promise would be a gamble? Then the block is allocated at once."""
        free, promised = k.space.free, k.space.delalloc or 0
        low = 2 * free < 3 * promised or free < promised + watermark(k)
        k.answer("yes: allocate now" if low else "no: ask for a promise")
        if low:
            return tail(Ext4MapBlocks(self.inode, self.iblock, True))

    def dquot_reserve_block(self, k: Machine) -> Next:
        """The quota is asked first, and then whether a block is free that nobody was promised."""
        if (refusal := delalloc.refusal(k, self.inode, 1)) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        delalloc.reserve(k, self.inode, self.iblock)
        k.answer("yes: a block is promised")
        return ret(DELAYED)


@dataclass
class Ext4SplitConvertExtents(KernelFunction):
    """Unwritten blocks [iblock, end) become written. Returns "0", or ENOSPC if splitting needs a leaf and gets none."""

    source = "fs/ext4/extents.c ext4_split_convert_extents, 6.x"
    inode: Inode
    iblock: int
    end: int
    leaf: int | str | None = None

    def ext4_split_extent(self, k: Machine) -> Next:
        """An unwritten extent that is written in its middle becomes three: do they fit?"""
        extents = _extents(k).extents(self.inode, written=range(self.iblock, self.end))
        k.answer(f"{extents} extents")
        if not k.map.has_room(self.inode, extents) and self.leaf is None:
            return call(Ext4NewMetaBlocks(self.inode, True), into="leaf")

    def ext4_ext_mark_initialized(self, k: Machine) -> Next:
        """From now on these blocks read as what is written to them."""
        if isinstance(self.leaf, str):
            k.answer(f"no: {self.leaf}")
            return ret(self.leaf)
        for iblock in range(self.iblock, self.end):
            self.inode.unwritten[iblock] = self.inode.failed[iblock] = None
        self.inode.dirty = True
        hang_leaf(k, self.inode, self.leaf)
        return ret(OK)


@dataclass
class Ext4Fallocate(KernelFunction):
    """Bytes [offset, offset + length) get their blocks, unwritten. Returns "0" or an errno; what was got stays."""

    source = "fs/ext4/extents.c ext4_fallocate, ext4_alloc_file_blocks, 6.x"
    inode: Inode
    offset: int
    length: int
    got: int | str | None = None

    def ext4_alloc_file_blocks(self, k: Machine) -> Next:
        """The next hole of the range gets a block that reads as zeroes until somebody writes."""
        end = -(-(self.offset + self.length) // k.block_size)
        holes = (i for i in range(self.offset // k.block_size, end) if k.map.lookup(self.inode, i) is None)
        if (iblock := next(holes, None)) is None:
            return ret(OK)
        return call(Ext4MapBlocks(self.inode, iblock, True, unwritten=True), into="got")

    def mapped(self, k: Machine) -> Next:
        """Got it? Then on to the next one."""
        return ret(self.got) if isinstance(self.got, str) else self.ext4_alloc_file_blocks


@dataclass
class Ext4SyncFile(Ext2SyncFile):
    """Make a file's metadata durable: the transaction that holds it is committed. Returns "0", EIO or EROFS."""

    c_name = "ext4_sync_file"
    source = "fs/ext4/fsync.c ext4_sync_file, 6.x"

    @may_sleep
    def sync_mapping_buffers(self, k: Machine) -> Next:
        """Write the file's index blocks, unless the filesystem is shut down."""
        return ret(k.space.refusal) if k.space.refusal != OK else super().sync_mapping_buffers(k)


def hang_leaf(k: Machine, inode: Inode, leaf: int | str | None) -> None:
    """Hang a new leaf under the inode if there is none, and take a leaf away that is not needed (try_to_merge_up)."""
    if isinstance(leaf, int):
        if inode.pointers[LEAF] is None:
            inode.pointers[LEAF] = leaf
        else:
            give_back(k, inode, leaf)
    if (spare := k.map.unneeded(inode, _extents(k).in_inode)) is not None:
        inode.pointers[LEAF] = None
        give_back(k, inode, spare)


def give_back(k: Machine, inode: Inode, block: int | str) -> None:
    """A block that is not needed after all goes back, and the quota with it."""
    assert isinstance(block, int)
    k.space.give_back(block)
    inode.blocks = (inode.blocks or 0) - 1 or None
    if quota := k.quotas.get(inode.owner):
        quota.release(1)


def watermark(k: Machine) -> int:
    """EXT4_FREECLUSTERS_WATERMARK: 256 blocks on a machine with two CPUs; here at most a sixteenth of the disk."""
    return min(256, k.space.total // 16)


def _extents(k: Machine) -> ExtentMap:
    if not isinstance(k.map, ExtentMap):
        raise Panic("this file has no extents")
    return k.map
