"""write(2): through the page cache, or to whoever keeps the file. After fs/read_write.c and mm/filemap.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, tail
from engine.functions.generic_file_write import GenericFileWrite

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GenericPerformWrite(GenericFileWrite):
    """Writes `length` bytes of text at `offset`. The line's result is the number of bytes written, or an errno."""

    c_name = "generic_perform_write"
    source = "mm/filemap.c generic_perform_write, 6.x"


@dataclass
class VfsWrite(KernelFunction):
    """Writes `length` bytes of text at `offset`. The line's result is the number of bytes written, or an errno."""

    source = "fs/read_write.c vfs_write, 6.x"
    file: str
    text: str
    length: int
    offset: int

    def f_op_write_iter(self, k: Machine) -> Next:
        """The filesystem decides how: most put the bytes into the page cache."""
        write = k.ops.write or GenericPerformWrite
        return tail(write(self.file, self.text, self.length, self.offset))
