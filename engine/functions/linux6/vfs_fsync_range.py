"""vfs_fsync_range(): write a range of a file, wait, and tell what went wrong since this open file last asked.

After fs/sync.c, mm/filemap.c file_write_and_wait_range(), lib/errseq.c, 6.x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.objects.file import OpenFile
from engine.objects.mapping import AddressSpace, Inode
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class VfsFsyncRange(KernelFunction):
    """Pages [first, last) of a file (last None: to its end). Returns "0" or an errno.

    `datasync`, as msync(2) and fdatasync(2) call it: metadata that no data needs is not waited for.
    """

    source = "fs/sync.c vfs_fsync_range, mm/filemap.c file_write_and_wait_range, lib/errseq.c, 6.x"
    file: str
    opened: OpenFile
    first: int = 0
    last: int | None = None
    datasync: bool = False
    error: str = OK
    fsync: str = OK

    def filemap_fdatawrite_range(self, k: Machine) -> Next:
        """Write every dirty page of the range."""
        return call(k.ops.writepages(self._mapping(k), True, self.first, last=self.last), into="error")

    @may_sleep
    def filemap_fdatawait_range(self, k: Machine) -> Next:
        """Wait until the disk has them."""
        busy = [i for i, _ in self._mapping(k).tag_writeback.items() if i >= self.first]
        if any(self.last is None or i < self.last for i in busy):
            k.blocked_on = f"{self._mapping(k)}.tag_writeback"
            return WAIT

    def check_and_advance(self, k: Machine) -> Next:
        """Has anything gone wrong with this file that this open file has not heard of? It hears of it once."""
        told = self.opened.check_and_advance(self._mapping(k))
        self.error = self.error if self.error != OK else told
        k.answer(self.error)

    def f_op_fsync(self, k: Machine) -> Next:
        """Write the file's metadata. Not after an error, and not what no data needs, if only data is asked for."""
        if self.error != OK or (self.datasync and k.ops.datasync and not _data_needs_more(k, k.inodes[self.file])):
            return self.done
        return call(k.ops.sync_file(k.inodes[self.file]), into="fsync")

    def done(self, k: Machine) -> Next:
        """The first error there was."""
        return ret(self.error if self.error != OK else self.fsync)

    def _mapping(self, k: Machine) -> AddressSpace:
        return k.mappings[self.file]


def _data_needs_more(k: Machine, inode: Inode) -> bool:
    """I_DIRTY_DATASYNC, i_datasync_tid: whether somebody who reads the disk would not find what is in the file.

    Times are not among that, nor are blocks that were never written.
    """
    image, failed = k.disk.inodes[inode.file], inode.failed
    slots = tuple(slot for slot in inode.pointers.items() if not failed[slot[0]])
    raw = tuple(iblock for iblock in inode.unwritten if not failed[iblock])
    known = tuple(slot for slot in image.pointers.slots if not failed[slot[0]])
    same = (
        inode.size == image.size and slots == known and raw == tuple(i for i in image.unwritten or () if not failed[i])
    )
    return not same or any(index.dirty for index in k.map.index_blocks(inode))
