"""write(2) and pwrite(2). After mm/filemap.c generic_file_buffered_write() and fs/buffer.c, 2.6.9.

Here the filesystem is asked for a block before the data is taken: the caller hears ENOSPC or EDQUOT at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.grab_cache_page import GrabCachePage
from engine.functions.page_flags import mark_buffers_dirty
from engine.objects.page import Page
from engine.values import ENOMEM, OK, Data

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GenericFileWrite(KernelFunction):
    """Writes `length` bytes of text at `offset`. The line's result is the number of bytes written, or an errno."""

    source = "mm/filemap.c generic_file_buffered_write, fs/buffer.c block_prepare_write, 2.6.9"
    file: str
    text: str
    length: int
    offset: int
    done: int = 0
    page: Page | None = None
    error: str = OK

    @may_sleep
    def down_i_sem(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        waiting = k.lock(k.inodes[self.file].i_sem)
        if waiting is None:
            record = k.store(k.current.task, k.current.line)
            record.file, record.start, record.stop = self.file, self.offset, self.offset + self.length
            record.text = self.text
        return waiting

    def grab_page(self, k: Machine) -> Next:
        """Get the page, locked."""
        return call(GrabCachePage(self.file, self._index(k)), into="page")

    def prepare_write(self, k: Machine) -> Next:
        """Is there room? The filesystem is asked before any data is taken."""
        if self.page is None:
            self.error = ENOMEM
            return self.up_i_sem
        return call(k.ops.write_begin(self.file, self._index(k), self.page, *self._span(k)), into="error")

    @may_sleep
    def copy_from_user(self, k: Machine) -> Next:
        """The bytes arrive in the page; what was not there yet is read or zeroed first."""
        if self.error != OK:
            return self.refuse
        page, (low, high) = self._page, self._span(k)
        fill(k, page)
        origin = f"{k.current.task}.{k.current.line}"
        turn = self.done % len(self.text)
        text = self.text[turn:] + self.text[:turn]
        page.data = page.content.write(low, high, text, origin)
        self._accept(k, text, origin, high - low)

    def commit_write(self, k: Machine) -> Next:
        """The page is dirty, and a block stands behind it."""
        page, (low, high) = self._page, self._span(k)
        mark_buffers_dirty(k, page, low, high)
        for bh in page.bh:
            bh.uptodate, bh.new = True, None
        self.done += high - low

    def unlock_page(self, k: Machine) -> Next:
        """On to the next page."""
        k.unlock(self._page.locked)
        k.ram.put(self._page)
        self.page = None
        if self.done < self.length:
            return self.grab_page

    def up_i_sem(self, k: Machine) -> Next:
        """Back to the program: how much was written, or why nothing was."""
        k.unlock(k.inodes[self.file].i_sem)
        if self.error != OK:
            k.store(k.current.task, k.current.line).refused = self.error
        k.finish_line(str(self.done) if self.done or self.error == OK else self.error)
        k.answer(str(self.done) if self.done or self.error == OK else self.error)
        return ret()

    def refuse(self, k: Machine) -> Next:
        """No block, no write: the data is not taken."""
        k.unlock(self._page.locked)
        k.ram.put(self._page)
        return self.up_i_sem

    def _accept(self, k: Machine, text: str, origin: str, count: int) -> None:
        start, inode = self.offset + self.done, k.inodes[self.file]
        if start + count > inode.size:
            inode.size, inode.dirty = start + count, True
        record = k.store(k.current.task, k.current.line)
        record.accepted = (*(record.accepted or ()), (start, start + count))
        k.accept(self.file, start, start + count, text, origin)

    def _index(self, k: Machine) -> int:
        return (self.offset + self.done) // k.page_size

    def _span(self, k: Machine) -> tuple[int, int]:
        low = (self.offset + self.done) % k.page_size
        return low, min(k.page_size, low + self.length - self.done)

    @property
    def _page(self) -> Page:
        assert self.page is not None
        return self.page


def fill(k: Machine, page: Page) -> None:
    """A page that is not up to date is read where it has blocks; new blocks and holes are zeroes."""
    if not page.uptodate:
        page.data = Data(k.page_size)
        for i, bh in enumerate(page.bh):
            if bh.block is not None and not bh.new:
                page.data = page.content.paste(i * k.block_size, k.disk.read(bh.block))
    page.uptodate = True
