"""mpage_writepage(): write one page straight from the block map; when confused, through buffers. fs/mpage.c, 2.6.9.

Entered with the page locked and PG_dirty cleared, left with the page unlocked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.disk import Bio
from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret, tail
from engine.functions.block_write_full_page import BlockWriteFullPage
from engine.functions.page_flags import file_blocks, set_page_writeback, zero_tail
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class MpageWritepage(KernelFunction):
    """Returns "0" or an errno."""

    source = "fs/mpage.c mpage_writepage, 2.6.9"
    page: Page
    blocks: tuple[int, ...] = ()
    got: int | str = 0

    def page_has_buffers(self, k: Machine) -> Next:
        """A page with buffers is written straight only if each is dirty and has its block."""
        if not zero_tail(k, self.page):
            return self.confused
        if self.page.private:
            used = self.page.bh[: len(file_blocks(k, self.page))]
            self.blocks = tuple(bh.block for bh in used if bh.block is not None and bh.dirty)
            return self.submit_bio if len(self.blocks) == len(used) else self.confused
        return None if self.page.uptodate else self.bug

    def get_block(self, k: Machine) -> Next:
        """The moment of truth: does this part of the file have a block, or can it get one now?"""
        blocks = file_blocks(k, self.page)
        if len(self.blocks) >= len(blocks):
            return self.submit_bio
        return call(k.ops.get_block(k.inodes[self.page.mapping or ""], blocks[len(self.blocks)], True), into="got")

    def mapped(self, k: Machine) -> Next:
        """No block, no straight way."""
        if isinstance(self.got, str):
            k.answer(f"no: {self.got}")
            return self.confused
        k.answer(f"yes: block {self.got}")
        self.blocks = (*self.blocks, self.got)
        if len(self.blocks) < len(file_blocks(k, self.page)):
            return self.get_block

    @may_sleep
    def submit_bio(self, k: Machine) -> Next:
        """Hand the page to the disk: it is under writeback now, and unlocked."""
        if self.page.private:
            for bh in self.page.bh:
                bh.dirty = None
        set_page_writeback(k, self.page)
        k.disk.submit(Bio(self.page.pfn, tuple(enumerate(self.blocks))))
        k.unlock(self.page.locked)
        return ret(OK)

    def confused(self, k: Machine) -> Next:
        """Try again, a buffer at a time."""
        return tail(BlockWriteFullPage(self.page))

    def bug(self, k: Machine) -> Next:
        """A kernel BUG: without buffers a page has to be up to date. Whoever comes here stops, and keeps its locks."""
        k.blocked_on = f"{self.page}.uptodate"
        return WAIT
