"""write(2) past the page cache (O_DIRECT). After mm/filemap.c generic_file_aio_write_nolock(), 2.6.9.

What cannot be written to the device at once, because the file has a hole there, goes through the page cache after all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.file_update_time import file_update_time
from engine.functions.filemap_fdatawait import FilemapFdatawait
from engine.functions.generic_file_buffered_write import GenericFileBufferedWrite
from engine.functions.generic_file_direct_io import GenericFileDirectIO
from engine.functions.generic_file_write import begin_write

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GenericFileDirectWrite(KernelFunction):
    """Writes `length` bytes of text at `offset`. The line's result is the number of bytes written, or an errno."""

    source = "mm/filemap.c generic_file_aio_write_nolock, generic_file_direct_write, 2.6.9"
    file: str
    text: str
    length: int
    offset: int
    written: int | str = 0
    rest: int | str = 0

    @may_sleep
    def down_i_sem(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        return begin_write(k, self.file, self.text, range(self.offset, self.offset + self.length))

    def update_time(self, k: Machine) -> Next:
        """The file counts as changed from now on, whatever comes of the write."""
        file_update_time(k, self.file)

    def direct_write(self, k: Machine) -> Next:
        """Straight from the program's memory to the device."""
        return call(GenericFileDirectIO(self.file, self.offset, self.length, self.text), into="written")

    def i_size_write(self, k: Machine) -> Next:
        """The file reaches at least this far now. Is everything written?"""
        inode, written = k.inodes[self.file], self.written
        if isinstance(written, str):
            k.store(k.current.task, k.current.line).refused = written
            k.answer(f"no: {written}")
            return self.up_i_sem
        if written and self.offset + written > inode.size:
            inode.size, inode.dirty = self.offset + written, True
        k.answer("yes" if written == self.length else f"{self.length - written} bytes are left")
        return self.up_i_sem if written == self.length else None

    def buffered_write(self, k: Machine) -> Next:
        """The rest goes through the page cache, which may fill a hole."""
        done = self._done
        rest = GenericFileBufferedWrite(self.file, self._text(done), self.length - done, self.offset + done)
        return call(rest, into="rest")

    def filemap_fdatawrite(self, k: Machine) -> Next:
        """Was anything written? Then it is sent to the disk at once: the program counts on finding it there."""
        if isinstance(self.rest, str):
            return self.up_i_sem
        return call(k.ops.writepages(k.mappings[self.file], True))

    def filemap_fdatawait(self, k: Machine) -> Next:
        """Wait for it. What goes wrong is not told here."""
        return call(FilemapFdatawait(k.mappings[self.file]))

    def up_i_sem(self, k: Machine) -> Next:
        """Back to the program: how much was written, or why nothing was."""
        result = self._result()
        k.unlock(k.inodes[self.file].i_sem)
        k.finish_line(result)
        k.answer(result)
        return ret()

    @property
    def _done(self) -> int:
        return self.written if isinstance(self.written, int) else 0

    def _text(self, done: int) -> str:
        """The pattern as it goes on after so many bytes."""
        turn = done % len(self.text)
        return self.text[turn:] + self.text[:turn]

    def _result(self) -> str:
        if isinstance(self.written, str):
            return self.written
        if isinstance(self.rest, str):
            return str(self.written or self.rest)
        return str(self.written + self.rest)
