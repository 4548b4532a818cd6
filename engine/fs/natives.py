"""Filesystems that give a file its blocks one by one and never ask at the fault: minix, JFS, reiserfs, UDF, vfat.

Each looks for room when somebody writes: write(2), or writeback, which is too late for a store. After their
get_block functions, 6.1. Where their blocks lie, and what their metadata takes, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs import delalloc
from engine.fs.ext2 import Ext2GetBlock, Ext2SyncFile
from engine.function import KernelFunction, Next, may_sleep, ret
from engine.objects.mapping import Inode
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class MinixGetBlock(Ext2GetBlock):
    """Returns the disk block (int), None for a hole, or an errno."""

    c_name = "minix_get_block"
    source = "fs/minix/itree_common.c get_block, alloc_branch, 6.x"


@dataclass
class ExtentGetBlock(KernelFunction):
    """Returns the disk block (int), None for a hole, or an errno."""

    source = "fs/jfs/inode.c jfs_get_block, fs/reiserfs/inode.c reiserfs_get_block, 6.x"
    inode: Inode
    iblock: int
    create: bool

    @may_sleep
    def lookup(self, k: Machine) -> Next:
        """Does this part of the file have a block?"""
        block = k.map.lookup(self.inode, self.iblock)
        k.answer("a hole" if block is None else f"block {block}")
        if block is not None or not self.create:
            return ret(block)

    def allocate(self, k: Machine) -> Next:
        """A hole needs a block now: quota first, then the disk."""
        if (block := k.map.lookup(self.inode, self.iblock)) is not None:
            return ret(block)
        if (refusal := delalloc.refusal(k, self.inode, 1)) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        block = delalloc.take(k, self.inode)
        self.inode.pointers[self.iblock], self.inode.dirty = block, True
        k.answer(f"yes: block {block}")
        return ret(block)


@dataclass
class JfsGetBlock(ExtentGetBlock):
    """Returns the disk block (int), None for a hole, or an errno."""

    c_name = "jfs_get_block"
    source = "fs/jfs/inode.c jfs_get_block, 6.x"


@dataclass
class ReiserfsGetBlock(ExtentGetBlock):
    """Returns the disk block (int), None for a hole, or an errno."""

    c_name = "reiserfs_get_block"
    source = "fs/reiserfs/inode.c reiserfs_get_block, 6.1"


@dataclass
class UdfGetBlock(ExtentGetBlock):
    """Returns the disk block (int), None for a hole, or an errno."""

    c_name = "udf_get_block"
    source = "fs/udf/inode.c udf_get_block, 6.x"


@dataclass
class FatGetBlock(ExtentGetBlock):
    """Returns the disk block (int), None beyond the end, or an errno. A file has no holes."""

    c_name = "fat_get_block"
    source = "fs/fat/inode.c fat_get_block, 6.x"


@dataclass
class FatContExpand(KernelFunction):
    """A file grows to `size` bytes: it takes every block on the way. Returns "0", ENOSPC or EDQUOT; all or nothing."""

    source = "fs/fat/file.c fat_cont_expand, 6.x"
    inode: Inode
    size: int

    def generic_cont_expand(self, k: Machine) -> Next:
        """There are no holes: the blocks are taken now and filled with zeroes, or the file stays as it is."""
        wanted = [i for i in range(-(-self.size // k.block_size)) if k.map.lookup(self.inode, i) is None]
        if (refusal := delalloc.refusal(k, self.inode, len(wanted))) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        for iblock in wanted:
            self.inode.pointers[iblock] = delalloc.take(k, self.inode)
        k.answer(f"yes: {len(wanted)} blocks")
        return ret(OK)


@dataclass
class FatFallocate(FatContExpand):
    """A range of a file, from byte `size` on, has its blocks already, but for what lies beyond the end."""

    c_name = "fat_fallocate"
    source = "fs/fat/file.c fat_fallocate, 6.x"
    length: int

    def generic_cont_expand(self, k: Machine) -> Next:
        """What lies beyond the end of the file is taken now, as if it had grown."""
        self.size += self.length
        return super().generic_cont_expand(k)


@dataclass
class NativeSyncFile(Ext2SyncFile):
    """Make a file's metadata durable. Returns "0"."""

    c_name = "generic_file_fsync"
    source = "fs/libfs.c generic_file_fsync, 6.x"
