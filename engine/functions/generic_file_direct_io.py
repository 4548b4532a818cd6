"""generic_file_direct_IO(): what is done about the page cache around a direct transfer. After mm/filemap.c, 2.6.9.

Pages that are marked dirty are written first, so that the device has the newest; afterwards the cache is made to read
the device again. Dirty bits that only page tables have are not collected: here stores through a mapping are lost (H9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.filemap_fdatawait import FilemapFdatawait
from engine.functions.invalidate_inode_pages2 import InvalidateInodePages2
from engine.values import OK, Data

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GenericFileDirectIO(KernelFunction):
    """Writes text, or reads where there is none. Returns the bytes written (int), what was read (Data), or an errno."""

    c_name = "generic_file_direct_IO"
    source = "mm/filemap.c generic_file_direct_IO, 2.6.9"
    file: str
    offset: int
    length: int
    text: str
    error: str = OK
    got: int | str | Data = 0

    def unmap_mapping_range(self, k: Machine) -> Next:
        """Page tables keep their entries. What only they know to be dirty is not collected."""
        k.answer("never done")

    def filemap_fdatawrite(self, k: Machine) -> Next:
        """Write every page of the file that is marked dirty."""
        return call(k.ops.writepages(k.mappings[self.file], True), into="error")

    def filemap_fdatawait(self, k: Machine) -> Next:
        """Wait until the disk has them."""
        return ret(self.error) if self.error != OK else call(FilemapFdatawait(k.mappings[self.file]), into="error")

    def direct_IO(self, k: Machine) -> Next:  # noqa: N802 -- its name in the kernel
        """The filesystem moves the bytes between the program and the device."""
        if self.error != OK:
            return ret(self.error)
        assert k.ops.direct_io is not None
        return call(k.ops.direct_io(k.inodes[self.file], self.offset, self.length, self.text), into="got")

    def invalidate_inode_pages2(self, k: Machine) -> Next:
        """After a write, well done or not, what is cached of the file is no longer to be believed."""
        if self.text and k.mappings[self.file].nrpages:
            return call(InvalidateInodePages2(self.file, *self._pages(k)), into="error")

    def done(self, k: Machine) -> Next:
        """Back to who called."""
        return ret(self.got)

    def _pages(self, k: Machine) -> tuple[int, int]:
        return self.offset // k.page_size, -(-(self.offset + self.length) // k.page_size)
