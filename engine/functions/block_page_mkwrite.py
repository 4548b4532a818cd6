"""block_page_mkwrite(): a page is about to become writable, so it gets its blocks now. After fs/buffer.c, 2.6.23.

What every page_mkwrite promises here: it is called with a reference on the page and only mmap_sem held, and returns
LOCKED (the page is locked, dirty and has its blocks), RACED (the page left the file meanwhile) or an errno.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.page_flags import file_blocks, mark_buffers_dirty, set_page_dirty
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import LOCKED, RACED

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class BlockPageMkwrite(KernelFunction):
    """Returns LOCKED and leaves the page locked; or RACED, or an errno, and leaves it unlocked."""

    source = "fs/buffer.c block_page_mkwrite, 2.6.23 (5417169026c3); page left locked as since 2.6.30 (b827e496c893)"
    vma: Vma
    vpn: int
    page: Page
    got: int | str | None = None
    at: int = 0
    room: str = LOCKED

    @may_sleep
    def lock_page(self, k: Machine) -> Next:
        """Lock the page: neither truncate nor writeback comes between."""
        return k.lock(self.page.locked)

    def still_there(self, k: Machine) -> Next:
        """Is it still a page of this file, below its end?"""
        if self.page.mapping != self.vma.file or not file_blocks(k, self.page):
            self.room = RACED
            return self.unlock_page
        if not self.page.private:
            self.page.attach_buffers(dirty=False)
        blocks = file_blocks(k, self.page)
        for bh, iblock in zip(self.page.bh, blocks, strict=False):
            bh.block = k.map.lookup(k.inodes[self.vma.file or ""], iblock)

    def get_block(self, k: Machine) -> Next:
        """Ask the filesystem for every block that is missing under this page, in the program's own name."""
        for at, iblock in enumerate(file_blocks(k, self.page)):
            if self.page.bh[at].block is None:
                self.at = at
                return call(k.ops.get_block(k.inodes[self.page.mapping or ""], iblock, True), into="got")
        return self.commit_write

    def mapped(self, k: Machine) -> Next:
        """Did it find one?"""
        if isinstance(self.got, str):
            self.room = self.got
            return self.keep_new
        self.page.bh[self.at].block, self.page.bh[self.at].new = self.got, True
        return self.get_block

    def commit_write(self, k: Machine) -> Next:
        """Yes: the blocks are this page's, and the page counts as dirty. It stays locked."""
        for bh in self.page.bh:
            bh.uptodate, bh.new = True, None
        set_page_dirty(k, self.page)
        k.answer("yes")
        return ret(LOCKED)

    def unlock_page(self, k: Machine) -> Next:
        """No: unlock the page and say why."""
        k.unlock(self.page.locked)
        k.answer("raced" if self.room == RACED else f"no: {self.room}")
        return ret(self.room)

    def keep_new(self, k: Machine) -> Next:
        """Blocks got before the one that was refused stay; they are written, so that nobody reads what was there."""
        for i, bh in enumerate(self.page.bh):
            if bh.new:
                mark_buffers_dirty(k, self.page, i * k.block_size, (i + 1) * k.block_size)
                bh.uptodate, bh.new = True, None
        return self.unlock_page
