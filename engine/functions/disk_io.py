"""The disk itself, and what the kernel does when it reports a write done. After fs/buffer.c and fs/mpage.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.disk import Bio
from engine.function import WAIT, KernelFunction, Next, ret
from engine.functions.page_flags import end_page_writeback, mapping_of
from engine.objects.page import Page
from engine.values import EIO

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class EndPageWriteback(KernelFunction):
    """Completes the oldest write in the queue."""

    c_name = "end_page_writeback"
    source = "fs/mpage.c mpage_end_io_write, fs/buffer.c end_buffer_async_write, mm/filemap.c, 2.6.9"

    def end_io(self, k: Machine) -> Next:
        """The disk has written the blocks: now the data survives a power cut. The page is no longer under writeback."""
        if not k.disk.queue:
            return WAIT
        bio, *rest = k.disk.queue
        k.disk.queue = tuple(rest) or None
        page = k.page(bio.pfn)
        written = transfer(k, page, bio)
        k.answer("written" if written else note_error(k, page))
        if k.ops.end_io is not None:
            k.ops.end_io(k, page, bio.pieces, written)
        end_page_writeback(k, page)
        return ret()


def transfer(k: Machine, page: Page, bio: Bio) -> bool:
    """Put the pieces of a page on the disk; False if any of them could not be written."""
    good = [(i, block) for i, block in bio.pieces if not disk_fails(k, page, block)]
    for i, block in good:
        k.disk.data[block] = page.content.part(i * k.block_size, (i + 1) * k.block_size)
    return len(good) == len(bio.pieces)


def note_error(k: Machine, page: Page) -> str:
    """A write has failed: the page and its mapping remember."""
    page.error = True
    if (mapping := mapping_of(k, page)) is not None:
        mapping.set_error(EIO)
    return EIO


def disk_fails(k: Machine, page: Page, block: int) -> bool:
    """Whether this write goes to a place that is broken."""
    bad = k.disk.inodes[page.mapping].bad if page.mapping in k.disk.inodes else None
    return bool(k.disk.bad[block]) or bad in (-1, page.index)
