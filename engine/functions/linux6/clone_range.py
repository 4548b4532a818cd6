"""ioctl_ficlone(2): one file gets the blocks of another, and both keep them. After fs/ioctl.c, fs/remap_range.c, 6.x.

Nothing is copied. Both files are locked, and faults kept away from both, from the moment the source's dirty pages go to
the disk until the destination leads to the same blocks: so what is shared is what the source held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.fs import delalloc, xfs_reflink
from engine.fs.btrfs import recount
from engine.fs.xfs import settle
from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.file_update_time import file_update_time
from engine.functions.linux6.filemap_write_and_wait_range import FilemapWriteAndWaitRange
from engine.functions.linux6.punch_hole import give_up
from engine.functions.linux6.truncate_folio import truncate_folio
from engine.functions.vmtruncate import free_blocks
from engine.objects.mapping import Inode
from engine.values import EDQUOT, EINVAL, EOPNOTSUPP, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class IoctlFileClone(KernelFunction):
    """FICLONE: `file` becomes a clone of `source_file`. The line's result is "0" or an errno."""

    source = "fs/ioctl.c ioctl_file_clone, fs/remap_range.c vfs_clone_file_range, 6.x"
    file: str
    source_file: str
    error: str = OK

    def remap_file_range(self, k: Machine) -> Next:
        """Can two files of this filesystem share blocks?"""
        if k.ops.clone is None:
            k.finish_line(EOPNOTSUPP)
            k.answer(f"no: on {k.kind.title} each block has one file ({EOPNOTSUPP})")
            return ret()
        k.answer("yes")
        return call(k.ops.clone(k.inodes[self.file], k.inodes[self.source_file]), into="error")

    def result(self, k: Machine) -> Next:
        """Back to the program."""
        k.finish_line(self.error)
        k.answer(self.error)
        return ret()


@dataclass
class GenericRemapFileRangePrep(KernelFunction):
    """Whether a file may become a clone of another, once both are on the disk. Returns "0" or an errno.

    Entered and left with both files locked, and with faults kept away from both.
    """

    source = "fs/remap_range.c generic_remap_file_range_prep, generic_remap_checks, 6.x"
    inode: Inode
    origin: Inode
    unwritten: bool
    error: str = OK

    def generic_remap_checks(self, k: Machine) -> Next:
        """Are there two files, and does the last block end where both do?"""
        cut = self.origin.size % k.block_size and self.inode.size > self.origin.size
        self.error = k.space.refusal if k.space.refusal != OK else EINVAL if self.inode is self.origin or cut else OK
        k.answer("yes" if self.error == OK else f"no: {self.error}")
        if self.error != OK or not self.origin.size:
            return ret(self.error)

    def filemap_write_and_wait_range(self, k: Machine) -> Next:
        """What is dirty in the source goes to the disk first: only what is there can be shared."""
        return call(FilemapWriteAndWaitRange(self.origin.file, 0, self._pages(k)), into="error")

    def write_destination(self, k: Machine) -> Next:
        """The destination's too, though it will be replaced."""
        if self.error != OK:
            return ret(self.error)
        return call(FilemapWriteAndWaitRange(self.inode.file, 0, self._pages(k)), into="error")

    def reserve_quota(self, k: Machine) -> Next:
        """Has it all arrived, and does the owner's quota allow what the file will have?"""
        if self.error == OK and self._exceeds(k):
            self.error = EDQUOT
        k.answer("yes" if self.error == OK else f"no: {self.error}")
        return ret(self.error)

    def _pages(self, k: Machine) -> int:
        return -(-self.origin.size // k.page_size)

    def _exceeds(self, k: Machine) -> bool:
        quota, own = k.quotas.get(self.inode.owner), k.map.mapped(self.inode)
        wanted = len(blocks_to_share(k, self.origin, unwritten=self.unwritten))
        more = wanted - sum(i < blocks_of(k, self.origin) for i in own)
        return quota is not None and more > 0 and quota.refuses(more, k.clock.clock, privileged=k.current.privileged)


@dataclass
class XfsFileRemapRange(KernelFunction):
    """The whole of `origin` is to be found in `inode` as well. Returns "0" or an errno; all or nothing."""

    source = "fs/xfs/xfs_file.c xfs_file_remap_range, fs/remap_range.c generic_remap_file_range_prep, 6.x"
    shares_unwritten: ClassVar[bool] = False
    """Whether blocks that read as zeroes are shared as well, or become holes."""
    inode: Inode
    origin: Inode
    error: str = OK

    @may_sleep
    def inode_lock(self, k: Machine) -> Next:
        """Keep writers away from the first of the two files. The order is fixed, so that nobody waits in a circle."""
        return k.lock(self._files(k)[0].i_sem)

    @may_sleep
    def inode_lock_nested(self, k: Machine) -> Next:
        """And from the second."""
        return k.lock(self._files(k)[-1].i_sem) if self.inode is not self.origin else None

    @may_sleep
    def invalidate_lock(self, k: Machine) -> Next:
        """No fault may make a page of the first writable meanwhile."""
        return k.lock(k.mappings[self._files(k)[0].file].invalidate_lock)

    @may_sleep
    def invalidate_lock_nested(self, k: Machine) -> Next:
        """Nor one of the second."""
        return k.lock(k.mappings[self._files(k)[-1].file].invalidate_lock) if self.inode is not self.origin else None

    def generic_remap_file_range_prep(self, k: Machine) -> Next:
        """May it be, and is everything on the disk that the two will share?"""
        return call(GenericRemapFileRangePrep(self.inode, self.origin, self.shares_unwritten), into="error")

    def prepared(self, k: Machine) -> Next:
        """Then the destination's old bytes are not wanted any more."""
        if self.error != OK or not self.origin.size:
            return self.unlock
        file_update_time(k, self.inode.file)
        give_up(k, self.inode.file, 0, self.origin.size)

    def truncate_pagecache_range(self, k: Machine) -> Next:
        """What is cached of the destination goes, from page tables too: it has the old bytes."""
        mapping = k.mappings[self.inode.file]
        end = -(-self.origin.size // k.page_size)
        index = next((i for i, _ in mapping.pages.items() if i < end), None)
        if index is not None:
            return self.truncate_pagecache_range if truncate_folio(k, k.page(mapping.pages[index] or 0)) else WAIT

    def remap_blocks(self, k: Machine) -> Next:
        """The destination gives back its blocks and leads to the source's, which have one owner more now."""
        self._give_back(k)
        shared = blocks_to_share(k, self.origin, unwritten=self.shares_unwritten)
        for iblock in shared:
            share(k, self.inode, self.origin, iblock)
        k.answer(f"{len(shared)} shared")
        inherit(k, self.inode, self.origin)

    def unlock(self, k: Machine) -> Next:
        """Let go of both files."""
        for inode in dict.fromkeys(self._files(k)):
            k.unlock(k.mappings[inode.file].invalidate_lock)
            k.unlock(inode.i_sem)
        return ret(self.error)

    def _files(self, k: Machine) -> list[Inode]:
        return [inode for inode in k.inodes.values() if inode in (self.inode, self.origin)]

    def _give_back(self, k: Machine) -> None:
        end = blocks_of(k, self.origin)
        for iblock in range(end):
            delalloc.forget(k, self.inode, iblock)
            xfs_reflink.cancel(k, self.inode, iblock)
        free_blocks(k, self.inode.file, 0, end)
        settle(k, self.inode)


@dataclass
class BtrfsRemapFileRange(XfsFileRemapRange):
    """The whole of `origin` is to be found in `inode` as well. Returns "0" or an errno; all or nothing."""

    c_name = "btrfs_remap_file_range"
    source = "fs/btrfs/reflink.c btrfs_remap_file_range, btrfs_clone, fs/remap_range.c, 6.x"
    shares_unwritten = True

    def _give_back(self, k: Machine) -> None:
        end = blocks_of(k, self.origin)
        for iblock in range(end):
            delalloc.forget(k, self.inode, iblock, counted=False)
        free_blocks(k, self.inode.file, 0, end)
        recount(k, self.inode)


def blocks_of(k: Machine, inode: Inode) -> int:
    """How many blocks a file reaches over."""
    return -(-inode.size // k.block_size)


def blocks_to_share(k: Machine, origin: Inode, *, unwritten: bool) -> list[int]:
    """The file blocks that a clone gets; `unwritten`: also those that read as zeroes."""
    mapped = (iblock for iblock in k.map.mapped(origin) if iblock < blocks_of(k, origin))
    return [iblock for iblock in mapped if unwritten or not origin.unwritten[iblock]]


def share(k: Machine, inode: Inode, origin: Inode, iblock: int) -> None:
    """One block gets one owner more, who is charged for it as if it were his alone."""
    block = origin.pointers[iblock]
    assert block is not None
    k.space.share(block, inode.file)
    inode.pointers[iblock], inode.unwritten[iblock] = block, origin.unwritten[iblock]
    inode.blocks = (inode.blocks or 0) + 1
    if quota := k.quotas.get(inode.owner):
        quota.charge(1, k.clock.clock)


def inherit(k: Machine, inode: Inode, origin: Inode) -> None:
    """The clone ought to hold from now on what its source ought to, and is at least as long."""
    ours, theirs = k.oracles[inode.file], k.oracles[origin.file]
    inode.size, inode.dirty = max(inode.size, origin.size), True
    ours.data = ours.data.resized(inode.size).paste(0, theirs.data.resized(origin.size))
