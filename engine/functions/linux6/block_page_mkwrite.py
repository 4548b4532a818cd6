"""block_page_mkwrite(): give every block under a page its place before the page becomes writable. fs/buffer.c, 6.x.

The filesystem says through `get_block` what that means: ext4 with nodelalloc allocates, delayed allocation reserves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.page_flags import file_blocks, mark_buffers_dirty, set_page_dirty
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import DELAYED, LOCKED, RACED

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class BlockPageMkwrite(KernelFunction):
    """Returns LOCKED with the page locked, RACED, or ENOSPC, EDQUOT, EIO."""

    source = "fs/buffer.c block_page_mkwrite, __block_write_begin_int, 6.x"
    vma: Vma
    vpn: int
    page: Page
    at: int = 0
    new: tuple[int, ...] = ()
    got: int | str | None = None

    @may_sleep
    def folio_lock(self, k: Machine) -> Next:
        """Lock the page: neither truncate nor writeback comes between."""
        return k.lock(self.page.locked)

    def mapping(self, k: Machine) -> Next:
        """Is it still a page of this file, below its end?"""
        if self.page.mapping != self.vma.file or not file_blocks(k, self.page):
            k.unlock(self.page.locked)
            return ret(RACED)
        if not self.page.private:
            self.page.attach_buffers(dirty=False)

    def get_block(self, k: Machine) -> Next:
        """Every block of the page below the end of the file is asked for, even for the store of one byte."""
        blocks, inode = file_blocks(k, self.page), k.inodes[self.page.mapping or ""]
        while self.at < len(blocks) and has_place(self.page, self.at):
            self.at += 1
        if self.at >= len(blocks):
            return self.block_commit_write
        if k.map.lookup(inode, blocks[self.at]) is None:
            self.new = (*self.new, self.at)
        return call(k.ops.get_block(inode, blocks[self.at], True), into="got")

    def mapped(self, k: Machine) -> Next:
        """Did it find one, or was one promised?"""
        if isinstance(self.got, str):
            return self.folio_zero_new_buffers
        give_place(self.page, self.at, self.got)
        self.at += 1
        return self.get_block

    def block_commit_write(self, k: Machine) -> Next:
        """Yes: the blocks are this page's, and the page is dirty."""
        for bh in self.page.bh:
            bh.uptodate = True
        set_page_dirty(k, self.page)

    @may_sleep
    def folio_wait_stable(self, k: Machine) -> Next:
        """A page that is being written stays as it is until that is done."""
        if self.page.writeback:
            k.blocked_on = f"{self.page}.writeback"
            return WAIT
        return ret(LOCKED)

    def folio_zero_new_buffers(self, k: Machine) -> Next:
        """No: what the page got for its earlier blocks stays, and will be written as zeroes."""
        zero_new_buffers(k, self.page, tuple(i for i in self.new if i < self.at))
        k.unlock(self.page.locked)
        return ret(self.got)


def has_place(page: Page, at: int) -> bool:
    """Whether a buffer has its block, or the promise of one."""
    return page.bh[at].block is not None or bool(page.bh[at].delay)


def give_place(page: Page, at: int, got: int | str | None) -> None:
    """Note what get_block said: a block, or that one is reserved."""
    if got == DELAYED:
        page.bh[at].delay = True
    elif isinstance(got, int):
        page.bh[at].block, page.bh[at].delay = got, None


def zero_new_buffers(k: Machine, page: Page, new: tuple[int, ...]) -> None:
    """Buffers that have just got their place are dirty, for nothing else would write their zeroes."""
    if new:
        mark_buffers_dirty(k, page, new[0] * k.block_size, (new[-1] + 1) * k.block_size)
