"""blockdev_direct_IO(): bytes between a program's memory and the blocks of a file. After fs/direct-io.c, 2.6.9.

A write takes new blocks only beyond the end of the file. At a hole before it, it stops short: a block that is taken
there would show what was in it to whoever reads meanwhile. The page cache, which has a lock for that, does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.direct_transfer import result, wanted, write
from engine.objects.mapping import Inode
from engine.values import EINVAL, EIO, OK, Data

if TYPE_CHECKING:
    from engine.machine import Machine

SECTOR = 512
"""The smallest piece that a disk transfers, in bytes; a toy block may be smaller."""


@dataclass
class BlockdevDirectIO(KernelFunction):
    """Writes text, or reads where there is none. Returns the bytes written (int), what was read (Data), or an errno.

    Entered with i_sem held. A write may be short, down to 0, where it came to a hole.
    """

    c_name = "blockdev_direct_IO"
    source = "fs/direct-io.c __blockdev_direct_IO, direct_io_worker, 2.6.9"
    inode: Inode
    offset: int
    length: int
    text: str
    blocks: tuple[int | None, ...] = ()
    new: tuple[int, ...] = ()
    got: int | str | None = None
    error: str = OK

    def blocksize_mask(self, k: Machine) -> Next:
        """Does it begin and end where sectors do? A disk knows no bytes."""
        sector = min(SECTOR, k.block_size)
        if self.offset % sector or self.length % sector:
            k.answer(f"no: {EINVAL}")
            return ret(EINVAL)
        k.answer("yes")

    def get_block(self, k: Machine) -> Next:
        """Where on the disk is the next block of the file?"""
        if len(self.blocks) >= len(wanted(k, self)):
            return self.dio_bio_submit
        iblock = wanted(k, self)[len(self.blocks)]
        if k.map.lookup(self.inode, iblock) is None:
            self.new = (*self.new, iblock)
        return call(self._look(k, iblock), into="got")

    def mapped(self, k: Machine) -> Next:
        """A block, or a hole? A read takes zeroes; a write leaves a hole inside the file to the page cache."""
        if isinstance(self.got, str):
            self.error = self.got
            k.answer(f"no: {self.got}")
            return self.dio_bio_submit
        if self.text and (self.got is None or self.got < 0):
            k.answer("a hole")
            return self.dio_bio_submit
        self.blocks = (*self.blocks, self.got)
        return self.get_block

    @may_sleep
    def dio_bio_submit(self, k: Machine) -> Next:
        """The request goes to the device. Until it answers, others may run."""
        if not self.blocks:
            return ret(result(k, self))

    @may_sleep
    def dio_await_completion(self, k: Machine) -> Next:
        """The device has done it: what is written now survives a power cut."""
        if self.text and write(k, self):
            self.error = EIO

    def dio_complete(self, k: Machine) -> Next:
        """Back to who called: an error wins over what was written before it."""
        moved = result(k, self)
        k.answer(moved.text() if isinstance(moved, Data) else str(moved))
        return ret(moved)

    def _look(self, k: Machine, iblock: int) -> KernelFunction:
        return k.ops.get_block(self.inode, iblock, bool(self.text) and self._is_beyond(k, iblock))

    def _is_beyond(self, k: Machine, iblock: int) -> bool:
        return iblock >= self.inode.size // k.block_size
