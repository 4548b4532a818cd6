"""fat_write_begin(): write(2) behind the end of a file fills the gap with blocks first. After fs/fat/inode.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.natives import FatContExpand
from engine.function import KernelFunction, Next, call, ret, tail
from engine.functions.linux6.block_write_begin import BlockWriteBegin
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FatWriteBegin(KernelFunction):
    """Bytes [low, high) of a locked page are about to be written. Returns "0", ENOSPC or EDQUOT."""

    source = "fs/fat/inode.c fat_write_begin, fs/buffer.c cont_write_begin, 6.x"
    file: str
    index: int
    page: Page
    low: int
    high: int
    error: str = OK

    def cont_expand_zero(self, k: Machine) -> Next:
        """What lies between the end of the file and this write must have its blocks too."""
        inode, start = k.inodes[self.file], self.index * k.page_size + self.low
        if start > inode.size:
            return call(FatContExpand(inode, start), into="error")

    def block_write_begin(self, k: Machine) -> Next:
        """Then as everywhere: each block that will be written gets its place."""
        if self.error != OK:
            return ret(self.error)
        return tail(BlockWriteBegin(self.file, self.index, self.page, self.low, self.high))
