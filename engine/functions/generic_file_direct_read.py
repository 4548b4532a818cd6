"""read(2) past the page cache (O_DIRECT). After mm/filemap.c __generic_file_aio_read() and fs/direct-io.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.generic_file_direct_io import GenericFileDirectIO
from engine.values import Data

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GenericFileDirectRead(KernelFunction):
    """Reads `length` bytes at `offset`; the line's result is their text, zero bytes as dots, or an errno."""

    c_name = "__generic_file_aio_read"
    source = "mm/filemap.c __generic_file_aio_read, fs/direct-io.c __blockdev_direct_IO, 2.6.9"
    file: str
    length: int
    offset: int
    got: int | str | Data = 0

    @may_sleep
    def down_i_sem(self, k: Machine) -> Next:
        """Keep writers of this file away: no block may change hands while it is read."""
        return k.lock(k.inodes[self.file].i_sem)

    def direct_read(self, k: Machine) -> Next:
        """What the device has is the truth, once it has been sent what is marked dirty. Beyond the end is nothing."""
        if self.offset >= k.inodes[self.file].size:
            self.got = Data(0)
            return self.up_i_sem
        return call(GenericFileDirectIO(self.file, self.offset, self.length, ""), into="got")

    def up_i_sem(self, k: Machine) -> Next:
        """Back to the program with the bytes."""
        result = self.got.text() if isinstance(self.got, Data) else str(self.got)
        k.unlock(k.inodes[self.file].i_sem)
        k.finish_line(result)
        k.answer(result)
        return ret()
