"""Direct I/O with the page cache kept in step. After fs/iomap/direct-io.c and mm/filemap.c, 6.x.

Before a write its range is written back and leaves the cache and the page tables; afterwards once more, for whoever has
come in meanwhile. A page that was stored to in between stays: the range counts as damaged, and fsync will say EIO.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.blockdev_direct_io import BlockdevDirectIO
from engine.functions.invalidate_inode_pages2 import InvalidateInodePages2
from engine.functions.linux6.filemap_write_and_wait_range import FilemapWriteAndWaitRange
from engine.values import EBUSY, EINVAL, EIO, OK, Data

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class IomapDioRw(KernelFunction):
    """Writes text, or reads where there is none. Returns the bytes written (int), what was read (Data), or an errno."""

    source = "fs/iomap/direct-io.c __iomap_dio_rw, iomap_dio_complete; mm/filemap.c kiocb_invalidate_pages, 6.x"
    file: str
    offset: int
    length: int
    text: str
    error: str = OK
    got: int | str | Data = 0

    def kiocb_write_and_wait(self, k: Machine) -> Next:
        """What is dirty in the range goes to the disk first, stores through mappings too."""
        return call(FilemapWriteAndWaitRange(self.file, *self._pages(k)), into="error")

    def kiocb_invalidate_pages(self, k: Machine) -> Next:
        """Before a write the range leaves the cache and every page table."""
        if self.error != OK:
            return ret(self.error)
        if self.text:
            return call(InvalidateInodePages2(self.file, *self._pages(k)), into="error")

    def direct_IO(self, k: Machine) -> Next:  # noqa: N802 -- its name in the kernel
        """The filesystem moves the bytes. If a page could not leave, the page cache will have to take the write."""
        if self.error == EBUSY:
            k.answer("no: the cache keeps a page")
            return ret(0)
        assert k.ops.direct_io is not None
        return call(k.ops.direct_io(k.inodes[self.file], self.offset, self.length, self.text), into="got")

    def kiocb_invalidate_post_direct_write(self, k: Machine) -> Next:
        """After a write once more: somebody may have read the old bytes in meanwhile."""
        if self.text and isinstance(self.got, int) and self.got and k.mappings[self.file].nrpages:
            return call(InvalidateInodePages2(self.file, *self._pages(k)), into="error")

    def dio_warn_stale_pagecache(self, k: Machine) -> Next:
        """Could a page not leave? The log warns of corruption, and every open file will hear EIO."""
        if self.error != OK:
            k.mappings[self.file].set_error(EIO)
            k.answer("a collision")
        return ret(self.got)

    def _pages(self, k: Machine) -> tuple[int, int]:
        return self.offset // k.page_size, -(-(self.offset + self.length) // k.page_size)


@dataclass
class BlockdevDirectIO6(BlockdevDirectIO):
    """Returns the bytes written (int), what was read (Data), or an errno. A write may be short, where a hole is."""

    source = "fs/direct-io.c __blockdev_direct_IO, get_more_blocks (DIO_SKIP_HOLES), 6.x"


@dataclass
class IomapDioIter(BlockdevDirectIO):
    """Returns the bytes written (int), what was read (Data), or an errno. A write may be short, where a hole is."""

    c_name = "iomap_dio_iter"
    source = "fs/iomap/direct-io.c iomap_dio_iter, fs/ext2/inode.c ext2_iomap_begin, fs/ext4/inode.c ext4_iomap_alloc"


@dataclass
class FatDirectIO(BlockdevDirectIO6):
    """Returns the bytes written (int), what was read (Data), or an errno. A file does not grow this way."""

    c_name = "fat_direct_IO"
    source = "fs/fat/inode.c fat_direct_IO, 6.x"

    def blocksize_mask(self, k: Machine) -> Next:
        """Does it begin and end where sectors do? A write beyond the end is left to the page cache."""
        if self.text and self.offset + self.length > self.inode.size:
            k.answer("the file grows")
            return ret(0)
        return super().blocksize_mask(k)


@dataclass
class NoopDirectIO(BlockdevDirectIO6):
    """Returns EINVAL: open(2) takes O_DIRECT, and every transfer is refused."""

    c_name = "noop_direct_IO"
    source = "fs/libfs.c noop_direct_IO, fs/minix/inode.c, 6.x"

    def blocksize_mask(self, k: Machine) -> Next:
        """There is no way past the page cache here. That open(2) let it through was for the tests' sake."""
        k.answer(f"no: {EINVAL}")
        return ret(EINVAL)
