"""shmem_fault(): the page of a tmpfs file for an address. After mm/shmem.c, 6.x. A load takes space as a store does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.tmpfs import ShmemInodeAcctBlocks
from engine.function import KernelFunction, Next, call, ret
from engine.functions.grab_cache_page import GrabCachePage
from engine.functions.linux6.punch_hole import PunchHole
from engine.functions.page_flags import set_page_dirty
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import OK, OOM, SIGBUS, Data

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class ShmemFault(KernelFunction):
    """Returns the page with a reference, up to date and locked; or SIGBUS beyond the end or without room; or OOM."""

    source = "mm/shmem.c shmem_fault, shmem_get_folio_gfp, 6.x"
    vma: Vma
    vpn: int
    page: Page | None = None
    error: str = OK
    known: bool = False

    def i_size(self, k: Machine) -> Next:
        """Does the file reach this far?"""
        if self._index >= -(-k.inodes[self._file].size // k.page_size):
            k.answer("no: beyond the end")
            return ret(SIGBUS)

    def shmem_get_folio(self, k: Machine) -> Next:
        """There is no hole for a mapping: the page takes its space now, for a load too."""
        self.known = is_accounted(k, self._file, self._index)
        return call(ShmemInodeAcctBlocks(k.inodes[self._file], self._index, self._index + 1), into="error")

    def accounted(self, k: Machine) -> Next:
        """Is there room? Then find the page, or make one."""
        if self.error != OK:
            k.answer(f"no: {self.error}")
            return ret(SIGBUS)
        return call(GrabCachePage(self._file, self._index), into="page")

    def clear_page(self, k: Machine) -> Next:
        """A new page is zeroes, and clean; one that was allocated before, or had content, is dirty."""
        if self.page is None:
            return ret(OOM)
        if not is_accounted(k, self._file, self._index):
            return self.truncated
        fill_from_swap(k, self.page, allocated=self.known)
        return ret(self.page)

    def truncated(self, k: Machine) -> Next:
        """Somebody has cut the file short meanwhile: look again."""
        assert self.page is not None
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        return self.i_size

    @property
    def _file(self) -> str:
        assert self.vma.file is not None
        return self.vma.file

    @property
    def _index(self) -> int:
        return self.vma.index(self.vpn)


@dataclass
class ShmemWriteBegin(KernelFunction):
    """A page is about to be written by write(2). Returns "0", ENOSPC or EDQUOT."""

    source = "mm/shmem.c shmem_write_begin, 6.x"
    file: str
    index: int
    page: Page
    low: int
    high: int
    error: str = OK

    def shmem_get_folio(self, k: Machine) -> Next:
        """The page takes its space, whole."""
        return call(ShmemInodeAcctBlocks(k.inodes[self.file], self.index, self.index + 1), into="error")

    def accounted(self, k: Machine) -> Next:
        """Is there room? What the page does not hold yet is zero."""
        if self.error == OK:
            fill_from_swap(k, self.page)
        k.answer("yes" if self.error == OK else f"no: {self.error}")
        return ret(self.error)


@dataclass
class ShmemSwapinFolio(KernelFunction):
    """Entered with the page locked, left with it unlocked. Returns "0"; a page with content is dirty from the start."""

    source = "mm/shmem.c shmem_swapin_folio, 6.x"
    page: Page

    def swapin(self, k: Machine) -> Next:
        """What the file holds, and nobody has looked at yet, comes into the page cache."""
        fill_from_swap(k, self.page, allocated=is_accounted(k, self.page.mapping or "", self.page.index or 0))
        k.unlock(self.page.locked)
        return ret(OK)


@dataclass
class ShmemPunchHole(PunchHole):
    """Bytes [offset, offset + length) read as zeroes afterwards; whole pages give their space back. Returns "0"."""

    c_name = "shmem_fallocate_punch"
    source = "mm/shmem.c shmem_fallocate, shmem_truncate_range, 6.x"

    def _blocks(self, k: Machine) -> tuple[int, int]:
        first, last = self._pages(k)
        return first * k.blocks_per_page, last * k.blocks_per_page


def is_accounted(k: Machine, file: str, index: int) -> bool:
    """Whether a page of a file has its space: it was touched through a mapping, written or allocated before."""
    return k.map.lookup(k.inodes[file], index * k.blocks_per_page) is not None


def fill_from_swap(k: Machine, page: Page, *, allocated: bool = False) -> None:
    """A page that is not up to date holds what the scenario put there, or zeroes. One `allocated` before is dirty."""
    if page.uptodate:
        return
    inode, data = k.inodes[page.mapping or ""], Data(k.page_size)
    for i in range(k.blocks_per_page):
        block = k.map.lookup(inode, (page.index or 0) * k.blocks_per_page + i)
        if block is not None:
            data = data.paste(i * k.block_size, k.disk.read(block))
    page.data, page.uptodate = data, True
    if data.runs or allocated:
        set_page_dirty(k, page)
