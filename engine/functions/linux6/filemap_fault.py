"""filemap_fault(): the file's page for an address, locked. After mm/filemap.c, 6.x.

A page that is not there is read with mmap_lock dropped in between, as far as others are concerned: the answer is RETRY,
and the fault that begins again finds the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.linux6.read_around import read_around
from engine.functions.page_cache_read import PageCacheRead
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import OK, OOM, RETRY, SIGBUS

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FilemapFault(KernelFunction):
    """Returns the page with a reference, up to date and locked; or RETRY; or SIGBUS beyond the end; or OOM."""

    source = "mm/filemap.c filemap_fault, 6.x"
    vma: Vma
    vpn: int
    page: Page = None  # type: ignore[assignment]
    error: str = OK

    def i_size(self, k: Machine) -> Next:
        """Does the file reach this far?"""
        if self._index >= -(-k.inodes[self._file].size // k.page_size):
            k.answer("no: beyond the end")
            return ret(SIGBUS)

    def find_get_page(self, k: Machine) -> Next:
        """Is the page in the page cache?"""
        page = k.cached(k.mappings[self._file], self._index)
        k.current.ahead = None
        k.answer("no" if page is None else f"yes: frame {page.pfn}")
        if page is None:
            return self.page_cache_read
        page.get()
        self.page = page

    @may_sleep
    def lock_page(self, k: Machine) -> Next:
        """Lock the page: whoever truncates, or writes it, has to wait."""
        return k.lock(self.page.locked)

    def recheck(self, k: Machine) -> Next:
        """Is it still this file's page, inside the file, with its content there?"""
        inside = self._index < -(-k.inodes[self._file].size // k.page_size)
        if self.page.mapping == self._file and self.page.uptodate and inside:
            self.page.referenced = True
            return ret(self.page)
        if self.page.mapping == self._file and inside:
            return self.read_again
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        return self.i_size

    def page_cache_read(self, k: Machine) -> Next:
        """It is not there: a page has to be got and filled. This counts as a major fault."""
        k.current.maj_flt = (k.current.maj_flt or 0) + 1
        return call(PageCacheRead(self._file, self._index), into="error")

    def page_cache_ra(self, k: Machine) -> Next:
        """Its neighbours are read with it (read-around), unless the mapping was advised otherwise."""
        if self.error == OK and not self.vma.random:
            k.answer(f"{read_around(k, self._file, self._index)} more")

    def out_retry(self, k: Machine) -> Next:
        """mmap_lock goes: the fault has to begin again."""
        if self.error != OK:
            return ret(OOM if self.error == OOM else SIGBUS)
        k.up_read(k.current.mm.mmap_sem)
        return ret(RETRY)

    def read_again(self, k: Machine) -> Next:
        """Its content is not there any more: read it again."""
        return call(k.ops.readpage(self.page), into="error")

    def read_done(self, k: Machine) -> Next:
        """The fault begins again, and will find it."""
        k.ram.put(self.page)
        return self.out_retry

    @property
    def _file(self) -> str:
        assert self.vma.file is not None
        return self.vma.file

    @property
    def _index(self) -> int:
        return self.vma.index(self.vpn)
