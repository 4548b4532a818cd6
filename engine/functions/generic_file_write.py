"""write(2) and pwrite(2): one writer of a file at a time. After mm/filemap.c generic_file_write(), 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.file_update_time import file_update_time
from engine.functions.generic_file_buffered_write import GenericFileBufferedWrite

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GenericFileWrite(KernelFunction):
    """Writes `length` bytes of text at `offset`. The line's result is the number of bytes written, or an errno."""

    source = "mm/filemap.c generic_file_write, fs/inode.c inode_update_time, 2.6.9"
    file: str
    text: str
    length: int
    offset: int
    written: int | str = 0

    @may_sleep
    def down_i_sem(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        return begin_write(k, self.file, self.text, range(self.offset, self.offset + self.length))

    def update_time(self, k: Machine) -> Next:
        """The file counts as changed from now on, whatever comes of the write."""
        file_update_time(k, self.file)

    def write(self, k: Machine) -> Next:
        """Page by page, through the page cache."""
        return call(GenericFileBufferedWrite(self.file, self.text, self.length, self.offset), into="written")

    def up_i_sem(self, k: Machine) -> Next:
        """Back to the program: how much was written, or why nothing was."""
        k.unlock(k.inodes[self.file].i_sem)
        k.finish_line(str(self.written))
        k.answer(str(self.written))
        return ret()


def begin_write(k: Machine, file: str, text: str, bound: range) -> Next:
    """Take i_sem, or wait for it; then note which bytes of the file the line's store is bound for."""
    waiting = k.lock(k.inodes[file].i_sem)
    if waiting is None:
        record = k.store(k.current.task, k.current.line)
        record.file, record.start, record.stop, record.text = file, bound.start, bound.stop, text
    return waiting
