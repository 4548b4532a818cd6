"""read(2) and pread(2): the filesystem is asked first; one that is shut down says no. After fs/read_write.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next
from engine.functions.generic_file_read import GenericFileRead
from engine.values import EIO

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class VfsRead(GenericFileRead):
    """Reads `length` bytes at `offset`; the line's result is their text, zero bytes as dots, or an errno."""

    source = "fs/read_write.c vfs_read, mm/filemap.c filemap_read, fs/xfs/xfs_file.c xfs_file_read_iter, 6.x"

    def find_get_page(self, k: Machine) -> Next:
        """Is the page in the page cache? A filesystem that is shut down does not even look."""
        if k.space.down:
            self.error = EIO
        return super().find_get_page(k)
