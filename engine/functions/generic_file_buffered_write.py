"""generic_file_buffered_write(): a write(2), page by page. After mm/filemap.c and fs/buffer.c, 2.6.9.

Here the filesystem is asked for a block before the data is taken: the caller hears ENOSPC or EDQUOT at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.grab_cache_page import GrabCachePage
from engine.functions.page_flags import fill, mark_buffers_dirty
from engine.functions.vmtruncate import Vmtruncate
from engine.objects.page import Page
from engine.values import ENOMEM, OK, Run

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GenericFileBufferedWrite(KernelFunction):
    """Entered and left with i_sem held. Returns the number of bytes written, or an errno where it is none."""

    source = "mm/filemap.c generic_file_buffered_write, fs/buffer.c generic_commit_write, 2.6.9"
    file: str
    text: str
    length: int
    offset: int
    done: int = 0
    page: Page | None = None
    error: str = OK

    def grab_page(self, k: Machine) -> Next:
        """Get the page, locked."""
        return call(GrabCachePage(self.file, self._at // k.page_size), into="page")

    def prepare_write(self, k: Machine) -> Next:
        """Is there room? The filesystem is asked before any data is taken."""
        if self.page is None:
            self.error = ENOMEM
            return self.finish
        return call(k.ops.write_begin(self.file, self._at // k.page_size, self.page, *self._span(k)), into="error")

    @may_sleep
    def copy_from_user(self, k: Machine) -> Next:
        """The bytes arrive in the page; what was not there yet is read or zeroed first."""
        if self.error != OK:
            return self.unlock_page
        page, (low, high), turn = self._page, self._span(k), self.done % len(self.text)
        fill(k, page)
        origin, text = f"{k.current.task}.{k.current.line}", self.text[turn:] + self.text[:turn]
        page.data = page.content.write(low, high, text, origin)
        record = k.store(k.current.task, k.current.line)
        record.accepted = (*(record.accepted or ()), (self._at, self._at + high - low))
        k.accept(self.file, Run(self._at, self._at + high - low, text, origin), grows=True)

    def commit_write(self, k: Machine) -> Next:
        """The page is dirty, a block stands behind it, and the file reaches at least this far."""
        page, (low, high), inode = self._page, self._span(k), k.inodes[self.file]
        mark_buffers_dirty(k, page, low, high)
        for bh in page.bh:
            bh.uptodate, bh.new = True, None
        self.done += high - low
        if self._at > inode.size:
            inode.size, inode.dirty = self._at, True

    def unlock_page(self, k: Machine) -> Next:
        """Let go of the page; without a block nothing was taken, else on to the next one."""
        k.unlock(self._page.locked)
        k.ram.put(self._page)
        if self.error == OK and self.done < self.length:
            return self.grab_page

    def vmtruncate(self, k: Machine) -> Next:
        """Blocks that were got beyond the end of the file, before one was refused, are given back."""
        (low, high), size = self._span(k), k.inodes[self.file].size
        if self.error != OK and self._at + high - low > size:
            return call(Vmtruncate(self.file, size))

    def finish(self, k: Machine) -> Next:
        """How much was written, or why nothing was. An error behind the first page is not told."""
        if self.error != OK:
            k.store(k.current.task, k.current.line).refused = self.error
        return ret(self.done or (self.error if self.error != OK else 0))

    @property
    def _at(self) -> int:
        return self.offset + self.done

    def _span(self, k: Machine) -> tuple[int, int]:
        low = self._at % k.page_size
        return low, min(k.page_size, low + self.length - self.done)

    @property
    def _page(self) -> Page:
        assert self.page is not None
        return self.page
