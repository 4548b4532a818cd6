"""mpage_readpage(): fill a page from the disk, or with zeroes where the file has a hole. After fs/mpage.c, 2.6.9.

Entered with the page locked, left with it unlocked. The read is waited for within one step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.page_flags import buffered, file_blocks, read_block
from engine.objects.page import Page
from engine.values import OK, Data

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class MpageReadpage(KernelFunction):
    """Returns "0"."""

    source = "fs/mpage.c do_mpage_readpage, 2.6.9"
    page: Page
    blocks: tuple[int | None, ...] = ()
    block: int | None = None

    def get_block(self, k: Machine) -> Next:
        """Where on the disk is this part of the file?"""
        blocks = file_blocks(k, self.page)
        if len(self.blocks) >= len(blocks):
            return self.read_blocks if any(block is not None for block in self.blocks) else self.zero_fill
        inode = k.inodes[self.page.mapping or ""]
        return call(k.ops.get_block(inode, blocks[len(self.blocks)], False), into="block")

    def mapped(self, k: Machine) -> Next:
        """Note the answer: a block, or a hole."""
        self.blocks = (*self.blocks, self.block)
        if len(self.blocks) < len(file_blocks(k, self.page)):
            return self.get_block
        if any(block is not None for block in self.blocks):
            return self.read_blocks

    def zero_fill(self, k: Machine) -> Next:
        """A hole: there is nothing to read, so the page is filled with zeroes. It gets no buffers and no block."""
        self.page.data, self.page.uptodate = Data(k.page_size), True
        k.unlock(self.page.locked)
        return ret(OK)

    @may_sleep
    def read_blocks(self, k: Machine) -> Next:
        """Read the blocks there are; holes beside them read as zeroes."""
        whole, data = len(self.blocks) == k.blocks_per_page and None not in self.blocks, Data(k.page_size)
        if not whole and not self.page.private:
            self.page.attach_buffers(dirty=False)
        for i, block in [(i, block) for i, block in enumerate(self.blocks) if block is not None]:
            data = data.paste(i * k.block_size, buffered(k, self.page, i) or self._read(k, i, block))
            if not whole:
                self.page.bh[i].block = block
        self.page.data, self.page.uptodate, self.page.mappedtodisk = data, True, whole or None
        k.unlock(self.page.locked)
        return ret(OK)

    def _read(self, k: Machine, part: int, block: int) -> Data:
        inode, first = k.inodes[self.page.mapping or ""], (self.page.index or 0) * k.blocks_per_page
        return read_block(k, inode, first + part, block)
