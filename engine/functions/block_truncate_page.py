"""block_truncate_page(): what the last block holds beyond the new end becomes zero. fs/buffer.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.grab_cache_page import GrabCachePage
from engine.functions.page_flags import fill, mark_buffers_dirty
from engine.objects.page import Page

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class BlockTruncatePage(KernelFunction):
    """Zeroes a file from byte `size` to the end of that block, in memory; writeback will carry it to the disk."""

    source = "fs/buffer.c block_truncate_page, 2.6.9"
    file: str
    size: int
    page: Page | None = None

    def grab_page(self, k: Machine) -> Next:
        """Does the file end inside a block, and not in a hole? Then its page is needed, locked."""
        if self.size % k.block_size == 0 or k.map.lookup(k.inodes[self.file], self.size // k.block_size) is None:
            return ret()
        return call(GrabCachePage(self.file, self.size // k.page_size), into="page")

    @may_sleep
    def zero_block(self, k: Machine) -> Next:
        """Read the block if it is not there, clear its tail, and mark it dirty."""
        if self.page is None:
            return ret()
        if not self.page.private:
            self.page.attach_buffers(dirty=False)
        first, low = (self.page.index or 0) * k.blocks_per_page, self.size % k.page_size
        for i, bh in enumerate(self.page.bh[: low // k.block_size + 1]):
            bh.block = k.map.lookup(k.inodes[self.file], first + i)
        fill(k, self.page)
        self.page.data = self.page.content.zero(low, k.page_size)
        mark_buffers_dirty(k, self.page, low, low + 1)

    def unlock_page(self, k: Machine) -> Next:
        """Let go of the page."""
        assert self.page is not None
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        return ret()
