"""The disk itself, and what the kernel does when it reports a write done. After fs/buffer.c and fs/mpage.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.disk import Bio, write_error
from engine.function import WAIT, KernelFunction, Next, ret
from engine.functions.page_flags import end_page_writeback, mapping_of
from engine.objects.page import Page
from engine.values import OK

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
        error = transfer(k, page, bio)
        k.answer("written" if error == OK else note_error(k, page, error))
        if k.ops.end_io is not None:
            k.ops.end_io(k, page, bio.pieces, error == OK)
        end_page_writeback(k, page)
        return ret()


def transfer(k: Machine, page: Page, bio: Bio) -> str:
    """Put the pieces of a page on the disk. Returns "0", or the errno of the first that could not be written."""
    error = OK
    for i, block in bio.pieces:
        if (refusal := write_error(k, page.mapping or "", page.index or 0, block)) == OK:
            k.disk.data[block] = page.content.part(i * k.block_size, (i + 1) * k.block_size)
        error = refusal if error == OK else error
    return error


def note_error(k: Machine, page: Page, error: str) -> str:
    """A write has failed: the page and its mapping remember."""
    page.error = True
    if (mapping := mapping_of(k, page)) is not None:
        mapping.set_error(error)
    return error
