"""block_prepare_write(): every block that a write(2) will touch gets its place first. After fs/buffer.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class BlockPrepareWrite(KernelFunction):
    """Bytes [low, high) of a locked page are about to be written. Returns "0", ENOSPC or EDQUOT."""

    source = "fs/buffer.c block_prepare_write, 2.6.9"
    file: str
    index: int
    page: Page
    low: int
    high: int
    at: int = 0
    got: int | str = 0

    def create_empty_buffers(self, k: Machine) -> Next:
        """The page gets buffers; those that have a block already are told which."""
        if not self.page.private:
            self.page.attach_buffers(dirty=False)
        for i, bh in enumerate(self.page.bh):
            if bh.block is None:
                bh.block = k.map.lookup(k.inodes[self.file], self.index * k.blocks_per_page + i)

    def get_block(self, k: Machine) -> Next:
        """A block that will be written and is not on the disk yet is asked for now, before the data is taken."""
        for i in range(self.low // k.block_size, -(-self.high // k.block_size)):
            if self.page.bh[i].block is None:
                self.at = i
                iblock = self.index * k.blocks_per_page + i
                return call(k.ops.get_block(k.inodes[self.file], iblock, True), into="got")
        return ret(OK)

    def mapped(self, k: Machine) -> Next:
        """Did the filesystem find one?"""
        if isinstance(self.got, str):
            k.answer(f"no: {self.got}")
            return self.out
        self.page.bh[self.at].block, self.page.bh[self.at].new = self.got, True
        return self.get_block

    def out(self, k: Machine) -> Next:
        """Blocks got before the one that was refused stay. 2.6.9 has taken BH_New off them by now, and zeroes none."""
        for bh in self.page.bh:
            bh.new = None
        return ret(self.got)
