"""The journal of ext3 and ext4, data=ordered: one transaction for all files. After fs/jbd2/commit.c, 6.x.

The journal itself is left out: a commit makes the metadata of every file durable in one step, as a replay would. Before
it, the data of blocks that are new in this transaction is written, whoever's they are: so fsync() of one page of one
file saves others. With delayed allocation blocks are new only when their data is being written, and nothing is ordered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.transaction import commit
from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.objects.mapping import Inode
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Ext4FsyncJournal(KernelFunction):
    """Commit the running transaction, which is that of all files. Returns "0", EIO or EROFS.

    An error of ordered data is noted with the file whose data it was.
    """

    source = "fs/ext4/fsync.c ext4_fsync_journal; fs/jbd2/commit.c jbd2_journal_commit_transaction, 6.x"
    inode: Inode
    file: str = ""
    error: str = OK

    def jbd2_log_wait_commit(self, k: Machine) -> Next:
        """Is there data that has to be on the disk before the metadata that leads to it?"""
        if k.space.refusal != OK:
            return ret(k.space.refusal)
        self.file = next((inode.file for inode in k.inodes.values() if _is_dirty(k, inode)), "")
        if not self.file:
            return self.journal_write_metadata
        k.answer(self.file)

    def journal_submit_data_buffers(self, k: Machine) -> Next:
        """Ordered: the pages whose blocks are new are written now, and what is dirty between them."""
        first, last = k.inodes[self.file].ordered or (0, 0)
        return call(k.ops.writepages(k.mappings[self.file], True, first, last=last), into="error")

    @may_sleep
    def journal_finish_inode_data_buffers(self, k: Machine) -> Next:
        """Wait until the disk has them."""
        mapping, inode = k.mappings[self.file], k.inodes[self.file]
        first, last = inode.ordered or (0, 0)
        if any(first <= index < last for index, _ in mapping.tag_writeback.items()):
            k.blocked_on = f"{mapping}.tag_writeback"
            return WAIT
        inode.ordered = None
        return self.jbd2_log_wait_commit

    @may_sleep
    def journal_write_metadata(self, k: Machine) -> Next:
        """The transaction is in the journal: sizes, pointers and index blocks of every file survive a power cut."""
        error = commit(k, _disk_size)
        for inode in k.inodes.values():
            inode.ordered = None
            inode.dirty_pages = True if any(True for _ in k.mappings[inode.file].tag_dirty) else None
        if error != OK:
            k.answer(f"no: {error}, the journal is aborted")
        return ret(error)


MOST = 1 << 62


def order(k: Machine, inode: Inode, iblock: int) -> None:
    """ext4_jbd2_inode_add_write(): a file block is new, and has its data written before its transaction commits."""
    if k.kind.ordered:
        page, (first, last) = iblock // k.blocks_per_page, inode.ordered or (MOST, 0)
        inode.ordered = min(first, page), max(last, page + 1)


def _disk_size(k: Machine, inode: Inode) -> int:
    """i_disksize: the size that is committed ends before data that has no place yet, so that no zeroes are exposed."""
    image = k.disk.inodes[inode.file].size or 0
    waiting = [iblock * k.block_size for iblock in inode.delayed if iblock * k.block_size >= image]
    return min([inode.size, *waiting])


def _is_dirty(k: Machine, inode: Inode) -> bool:
    first, last = inode.ordered or (0, 0)
    return any(first <= index < last for index, _ in k.mappings[inode.file].tag_dirty.items())
