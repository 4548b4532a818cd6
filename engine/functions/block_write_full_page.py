"""block_write_full_page(): write a page through its buffers, and what happens when that fails. fs/buffer.c, 2.6.9.

Entered with the page locked and PG_dirty cleared, left with the page unlocked. The step `recover` is where 2.6.9 lets
go of data: nothing sets PG_dirty again (facts 1a.13, 1a.14).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.disk import Bio
from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.page_flags import file_blocks, no_writeback, set_page_writeback, zero_tail
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class BlockWriteFullPage(KernelFunction):
    """Returns "0" or an errno."""

    source = "fs/buffer.c block_write_full_page, __block_write_full_page, 2.6.9"
    page: Page
    at: int = 0
    got: int | str = 0

    def i_size(self, k: Machine) -> Next:
        """Is the page inside the file? Beyond its end there is nothing to write; a tail is zeroed."""
        if not zero_tail(k, self.page):
            return self.invalidate

    def create_empty_buffers(self, k: Machine) -> Next:
        """The page gets buffers, all dirty."""
        if not self.page.private:
            self.page.attach_buffers(dirty=True)

    def get_block(self, k: Machine) -> Next:
        """Every dirty buffer without a block needs one now."""
        blocks = file_blocks(k, self.page)
        while self.at < len(blocks):
            bh = self.page.bh[self.at]
            if bh.dirty and bh.block is None:
                inode = k.inodes[self.page.mapping or ""]
                return call(k.ops.get_block(inode, blocks[self.at], True), into="got")
            self.at += 1
        return self.submit_bh

    def mapped(self, k: Machine) -> Next:
        """Did the filesystem find one?"""
        if isinstance(self.got, str):
            k.answer(f"no: {self.got}")
            return self.recover
        k.answer(f"yes: block {self.got}")
        self.page.bh[self.at].block, self.at = self.got, self.at + 1
        return self.get_block

    @may_sleep
    def submit_bh(self, k: Machine) -> Next:
        """Hand the buffers to the disk: the page is under writeback now, and unlocked."""
        self._submit(k)
        no_writeback(k, self.page)
        k.unlock(self.page.locked)
        return ret(OK)

    def recover(self, k: Machine) -> Next:
        """No block: the buffers are marked clean, the page stays clean, and nothing will ever try again."""
        self._submit(k)
        self.page.error = True
        no_writeback(k, self.page)
        k.unlock(self.page.locked)
        return ret(self.got)

    def invalidate(self, k: Machine) -> Next:
        """The file ends before this page: forget it."""
        if self.page.private:
            for bh in self.page.bh:
                bh.dirty = None
            self.page.drop_buffers()
        no_writeback(k, self.page)
        k.unlock(self.page.locked)
        return ret(OK)

    def _submit(self, k: Machine) -> None:
        pieces = tuple((i, bh.block) for i, bh in enumerate(self.page.bh) if bh.dirty and bh.block is not None)
        for bh in self.page.bh:
            bh.dirty = None
        if pieces:
            set_page_writeback(k, self.page)
            k.disk.submit(Bio(self.page.pfn, pieces))
