"""__block_write_begin(): every block that a write(2) will touch gets its place first. After fs/buffer.c, 6.x.

The filesystem says through `get_block` what that means: a block, or with delayed allocation the promise of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, call, ret
from engine.functions.block_prepare_write import BlockPrepareWrite
from engine.functions.linux6.block_page_mkwrite import give_place, has_place, zero_new_buffers
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class BlockWriteBegin(BlockPrepareWrite):
    """Bytes [low, high) of a locked page are about to be written. Returns "0", ENOSPC or EDQUOT."""

    c_name = "__block_write_begin"
    source = "fs/buffer.c __block_write_begin_int, 6.x"

    def get_block(self, k: Machine) -> Next:
        """A block that will be written and is not on the disk yet is asked for now, before the data is taken."""
        for i in range(self.low // k.block_size, -(-self.high // k.block_size)):
            if not has_place(self.page, i):
                self.at = i
                iblock = self.index * k.blocks_per_page + i
                return call(k.ops.get_block(k.inodes[self.file], iblock, True), into="got")
        return ret(OK)

    def mapped(self, k: Machine) -> Next:
        """Did the filesystem find one, or promise one?"""
        if isinstance(self.got, str):
            new = tuple(i for i, bh in enumerate(self.page.bh) if bh.new)
            zero_new_buffers(k, self.page, new)
            k.answer(f"no: {self.got}")
            return ret(self.got)
        give_place(self.page, self.at, self.got)
        self.page.bh[self.at].new = True
        return self.get_block
