"""ext3: ext2's block map with a journal, data=ordered. After fs/ext3/fsync.c and fs/jbd/commit.c, 2.6.9.

The journal itself is left out: a commit makes the metadata of every file durable in one step, as a replay would. What
matters here is the other half of data=ordered: before a commit the journal writes the files' data out by their buffers,
and the pages above them do not hear of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.disk import write_error
from engine.fs.transaction import commit
from engine.function import KernelFunction, Next, may_sleep, ret
from engine.objects.mapping import Inode
from engine.values import OK, Data

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.page import Page


@dataclass
class Ext3SyncFile(KernelFunction):
    """Commit the running transaction, which is that of all files. Returns "0"; a failed data write is noted."""

    c_name = "ext3_sync_file"
    source = "fs/ext3/fsync.c ext3_sync_file; fs/jbd/commit.c journal_commit_transaction, 2.6.9"
    inode: Inode

    @may_sleep
    def journal_submit_data_buffers(self, k: Machine) -> Next:
        """Ordered: data goes before metadata. Buffers are written and clean now; their pages still count as dirty."""
        written = 0
        for mapping in k.mappings.values():
            for pfn in [pfn for _, pfn in mapping.pages.items()]:
                page = k.page(pfn)
                if page.private and not page.writeback and not page.locked.holder:
                    written += _write_buffers(k, page)
        k.answer(f"{written} buffers")

    @may_sleep
    def journal_write_metadata(self, k: Machine) -> Next:
        """The transaction is in the journal: sizes, pointers and index blocks of every file survive a power cut."""
        return ret(commit(k))


def _write_buffers(k: Machine, page: Page) -> int:
    """Write the dirty buffers of a page that have a block, and mark them clean."""
    dirty = [(i, bh) for i, bh in enumerate(page.bh) if bh.dirty and bh.block is not None]
    for i, bh in dirty:
        bh.dirty = None
        if (error := write_error(k, page.mapping or "", page.index or 0, bh.block or 0)) != OK:
            k.mappings[page.mapping or ""].set_error(error)
        else:
            k.disk.data[bh.block or 0] = _inside(k, page).part(i * k.block_size, (i + 1) * k.block_size)
    return len(dirty)


def _inside(k: Machine, page: Page) -> Data:
    """What the page holds of the file; beyond its end there is nothing to write but zeroes."""
    end = k.inodes[page.mapping or ""].size - (page.index or 0) * k.page_size
    return page.content.zero(max(0, min(end, k.page_size)), k.page_size)
