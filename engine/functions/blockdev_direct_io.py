"""blockdev_direct_IO(): bytes between a program's memory and the blocks of a file. After fs/direct-io.c, 2.6.9.

A write takes new blocks only beyond the end of the file. At a hole before it, it stops short: a block that is taken
there would show what was in it to whoever reads meanwhile. The page cache, which has a lock for that, does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.page_flags import read_block
from engine.objects.mapping import Inode
from engine.values import EINVAL, EIO, OK, Data, Run

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
        if len(self.blocks) >= len(self._wanted(k)):
            return self.dio_bio_submit
        iblock = self._wanted(k)[len(self.blocks)]
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
            return ret(self._result(k))

    @may_sleep
    def dio_await_completion(self, k: Machine) -> Next:
        """The device has done it: what is written now survives a power cut."""
        if self.text and self._write(k):
            self.error = EIO

    def dio_complete(self, k: Machine) -> Next:
        """Back to who called: an error wins over what was written before it."""
        result = self._result(k)
        k.answer(result.text() if isinstance(result, Data) else str(result))
        return ret(result)

    def _look(self, k: Machine, iblock: int) -> KernelFunction:
        return k.ops.get_block(self.inode, iblock, bool(self.text) and self._is_beyond(k, iblock))

    def _is_beyond(self, k: Machine, iblock: int) -> bool:
        return iblock >= self.inode.size // k.block_size

    def _places(self, k: Machine) -> range:
        """The blocks of the file that were found so far."""
        first = self.offset // k.block_size
        return range(first, first + len(self.blocks))

    def _stop(self, k: Machine) -> int:
        """Where the transfer ends, given the blocks there are; a read ends with the file."""
        stop = self.offset + self.length if self.text else min(self.offset + self.length, self.inode.size)
        return max(self.offset, stop)

    def _wanted(self, k: Machine) -> range:
        return range(self.offset // k.block_size, -(-self._stop(k) // k.block_size))

    def _reached(self, k: Machine) -> int:
        """How far the blocks reach that were found."""
        return min(self._stop(k), self._places(k).stop * k.block_size)

    def _result(self, k: Machine) -> int | str | Data:
        if self.error != OK:
            return self.error
        if not self.text:
            return self._read(k)
        return self._reached(k) - self.offset if self.blocks else 0

    def _read(self, k: Machine) -> Data:
        stop = self._reached(k) if self.blocks else self.offset
        data = Data(stop - self.offset)
        for iblock, block in zip(self._places(k), self.blocks, strict=True):
            low, high = max(self.offset, iblock * k.block_size), min(stop, (iblock + 1) * k.block_size)
            if block is not None and block >= 0:
                first, there = iblock * k.block_size, read_block(k, self.inode, iblock, block)
                data = data.paste(low - self.offset, there.part(low - first, high - first))
        return data

    def _write(self, k: Machine) -> bool:
        """Put the bytes on the disk; whether any of them could not be written."""
        store, failed = k.store(k.current.task, k.current.line), False
        whole = Run(self.offset, self._reached(k), self.text, f"{k.current.task}.{k.current.line}")
        for iblock, block in zip(self._places(k), self.blocks, strict=True):
            run = whole.cut(iblock * k.block_size, (iblock + 1) * k.block_size)
            if block is None or not self._device_takes(k, block, run.start):
                failed = True
                continue
            there = Data(k.block_size) if iblock in self.new else read_block(k, self.inode, iblock, block)
            here = run.moved(-iblock * k.block_size)
            k.disk.data[block] = there.put((here,), here.start, here.stop)
            store.accepted = (*(store.accepted or ()), (run.start, run.stop))
            k.accept(self.inode.file, run, grows=True)
        return failed

    def _device_takes(self, k: Machine, block: int, at: int) -> bool:
        return not k.disk.bad[block] and k.disk.inodes[self.inode.file].bad not in (-1, at // k.page_size)
