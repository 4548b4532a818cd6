"""ext2: blocks through a block map, quota before space, all or nothing. After fs/ext2/inode.c and balloc.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.objects.mapping import Inode
from engine.values import EDQUOT, ENOSPC, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Ext2GetBlock(KernelFunction):
    """Returns the disk block (int), None for a hole, or an errno. Entered with the page locked; may sleep."""

    source = "fs/ext2/inode.c ext2_get_block, 2.6.9"
    inode: Inode
    iblock: int
    create: bool
    have: int = 0
    new: tuple[int, ...] = ()
    got: int | str = 0

    @may_sleep
    def ext2_get_branch(self, k: Machine) -> Next:
        """Follow the block map: does this part of the file have a block?"""
        chain, path = k.map.chain(self.inode, self.iblock), k.map.path(self.iblock)
        if len(chain) == len(path):
            k.answer(f"block {chain[-1]}")
            return ret(chain[-1])
        k.answer("a hole")
        if not self.create:
            return ret(None)
        self.have = len(chain)

    def ext2_alloc_branch(self, k: Machine) -> Next:
        """A hole needs a block now, and one for each index level that is missing."""
        level = self.have + len(self.new) + 1
        return call(Ext2NewBlock(self.inode, level < len(k.map.path(self.iblock))), into="got")

    def allocated(self, k: Machine) -> Next:
        """Got it? Go on until the data block itself is there."""
        if isinstance(self.got, str):
            return self.free_branch
        self.new = (*self.new, self.got)
        if self.have + len(self.new) < len(k.map.path(self.iblock)):
            return self.ext2_alloc_branch

    def ext2_splice_branch(self, k: Machine) -> Next:
        """Hang the new blocks into the map, unless somebody has filled the hole meanwhile."""
        if len(k.map.chain(self.inode, self.iblock)) != self.have:
            self._give_back(k)
            return self.ext2_get_branch
        k.map.splice(self.inode, self.iblock, self.new)
        k.answer(f"block {self.new[-1]}")
        return ret(self.new[-1])

    def free_branch(self, k: Machine) -> Next:
        """All or nothing: blocks already taken for this one go back."""
        self._give_back(k)
        k.answer(f"no: {self.got}")
        return ret(self.got)

    def _give_back(self, k: Machine) -> None:
        quota = k.quotas.get(self.inode.owner)
        for block in self.new:
            k.space.give_back(block)
            self.inode.blocks = (self.inode.blocks or 0) - 1 or None
            if quota:
                quota.release(1)
        self.new = ()


@dataclass
class Ext2NewBlock(KernelFunction):
    """Returns a block number, or EDQUOT or ENOSPC. Who asks decides: the privileged pass quota and root's reserve."""

    source = "fs/ext2/balloc.c ext2_new_block, fs/dquot.c check_bdq, 2.6.9"
    inode: Inode
    index: bool

    def dquot_alloc_block(self, k: Machine) -> Next:
        """The quota is asked first: may the file's owner have one more block?"""
        quota = k.quotas.get(self.inode.owner)
        if quota is not None:
            if quota.refuses(1, k.clock.clock, privileged=k.current.privileged):
                k.answer(f"no: {EDQUOT}")
                return ret(EDQUOT)
            quota.charge(1, k.clock.clock)
            k.answer(f"yes: {quota.used} of {quota.hard or 'any'}")

    def reserve_blocks(self, k: Machine) -> Next:
        """Then the disk: is a block free that this task may have?"""
        if k.space.allowed(privileged=k.current.privileged) < 1:
            k.answer(f"no: {ENOSPC}")
            return self.dquot_free_block
        self.inode.blocks = (self.inode.blocks or 0) + 1
        block = k.space.take(f"{self.inode.file}:index" if self.index else self.inode.file)
        k.answer(f"yes: block {block}")
        return ret(block)

    def dquot_free_block(self, k: Machine) -> Next:
        """No room on the disk: the quota is given back."""
        quota = k.quotas.get(self.inode.owner)
        if quota is not None:
            quota.release(1)
        return ret(ENOSPC)


@dataclass
class Ext2SyncFile(KernelFunction):
    """Make a file's metadata durable. Returns "0". The writes are waited for within each step."""

    source = "fs/ext2/fsync.c ext2_sync_file, 2.6.9"
    inode: Inode

    @may_sleep
    def sync_mapping_buffers(self, k: Machine) -> Next:
        """Write the file's index blocks."""
        for index in k.map.index_blocks(self.inode):
            if index.dirty:
                k.map.write_out(k.disk, index)

    @may_sleep
    def ext2_write_inode(self, k: Machine) -> Next:
        """Write the inode: its size and where its blocks are. It is clean now, unless pages are left that are dirty."""
        if self.inode.dirty:
            k.disk.write_inode(self.inode)
            self.inode.dirty = None
        left = any(True for _ in k.mappings[self.inode.file].tag_dirty)
        self.inode.dirty_pages = True if left else None
        return ret(OK)
