"""write(2) and pwrite(2). After mm/filemap.c generic_file_buffered_write() and fs/buffer.c, 2.6.9.

Here the filesystem is asked for a block before the data is taken: the caller hears ENOSPC or EDQUOT at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.alloc_page import AllocPage
from engine.functions.page_flags import add_to_page_cache, set_page_dirty
from engine.objects.page import Page
from engine.values import OK

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
    bh: int = 0
    got: int | str = 0
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

    def find_lock_page(self, k: Machine) -> Next:
        """Is the page in the page cache?"""
        page = k.cached(k.mappings[self.file], self._index(k))
        if page is None:
            return call(AllocPage(), into="page")
        if not k.free_lock(page.locked):
            return WAIT
        page.get()
        k.lock(page.locked)
        self.page = page
        return self.prepare_write

    def add_to_page_cache(self, k: Machine) -> Next:
        """It is not: a new page enters the radix tree, locked."""
        if self.page is None:
            self.error = "ENOMEM"
            return self.up_i_sem
        if k.cached(k.mappings[self.file], self._index(k)) is not None:
            k.ram.put(self.page)
            return self.find_lock_page
        add_to_page_cache(k, self.page, self.file, self._index(k))

    def prepare_write(self, k: Machine) -> Next:
        """Every block that will be written needs its place on the disk now, before the data is taken."""
        page, (low, high) = self._page, self._span(k)
        if not page.private:
            page.attach_buffers(dirty=False)
        inode, first = k.inodes[self.file], self._index(k) * k.blocks_per_page
        for i, bh in enumerate(page.bh):
            bh.block = bh.block if bh.block is not None else k.map.lookup(inode, first + i)
        for i in range(low // k.block_size, -(-high // k.block_size)):
            if page.bh[i].block is None:
                self.bh = i
                return call(k.ops.get_block(inode, first + i, True), into="got")
        return self.copy_from_user

    def mapped(self, k: Machine) -> Next:
        """Did the filesystem find one?"""
        if isinstance(self.got, str):
            self.error = self.got
            k.answer(f"no: {self.got}")
            return self.refuse
        self._page.bh[self.bh].block, self._page.bh[self.bh].new = self.got, True
        return self.prepare_write

    @may_sleep
    def copy_from_user(self, k: Machine) -> Next:
        """The bytes arrive in the page; what was not there yet is read or zeroed first."""
        page, (low, high) = self._page, self._span(k)
        if not page.uptodate:
            for i, bh in enumerate(page.bh):
                if bh.block is not None and not bh.new:
                    page.data = page.content.paste(i * k.block_size, k.disk.read(bh.block))
            page.uptodate = True
        origin = f"{k.current.task}.{k.current.line}"
        turn = self.done % len(self.text)
        text = self.text[turn:] + self.text[:turn]
        page.data = page.content.write(low, high, text, origin)
        self._accept(k, text, origin, high - low)

    def commit_write(self, k: Machine) -> Next:
        """The page is dirty, and a block stands behind it."""
        page, (low, high) = self._page, self._span(k)
        set_page_dirty(k, page)
        for i, bh in enumerate(page.bh):
            touched = low < (i + 1) * k.block_size and high > i * k.block_size
            bh.uptodate, bh.new = True, None
            bh.dirty = True if touched else (bh.dirty if bh.block is not None else None)
        self.done += high - low

    def unlock_page(self, k: Machine) -> Next:
        """On to the next page."""
        k.unlock(self._page.locked)
        k.ram.put(self._page)
        self.page = None
        if self.done < self.length:
            return self.find_lock_page

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
