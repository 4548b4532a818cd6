"""filemap_nopage(): the file's page for an address. After mm/filemap.c, 2.6.9. Only mmap_sem is held; it may sleep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.page_cache_read import PageCacheRead
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import OK, OOM, SIGBUS

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FilemapNopage(KernelFunction):
    """Returns the page with a reference, up to date and unlocked; or SIGBUS beyond the end of the file; or OOM."""

    source = "mm/filemap.c filemap_nopage, 2.6.9"
    vma: Vma
    vpn: int
    page: Page = None  # type: ignore[assignment]  # a step fills it
    error: str = OK

    def i_size(self, k: Machine) -> Next:
        """Does the file reach this far?"""
        pages = -(-k.inodes[self._file].size // k.page_size)
        if self.vma.index(self.vpn) >= pages:
            k.answer("no: beyond the end")
            return ret(SIGBUS)

    def find_get_page(self, k: Machine) -> Next:
        """Is the page in the page cache?"""
        page = k.cached(k.mappings[self._file], self.vma.index(self.vpn))
        k.answer("no" if page is None else f"yes: frame {page.pfn}")
        if page is None:
            return self.page_cache_read
        page.get()
        self.page = page

    def uptodate(self, k: Machine) -> Next:
        """Is its content there?"""
        if self.page.uptodate:
            return self.mark_page_accessed

    @may_sleep
    def lock_page(self, k: Machine) -> Next:
        """Wait for whoever is reading it."""
        return k.lock(self.page.locked)

    def recheck(self, k: Machine) -> Next:
        """Is it still this file's page, and has somebody read it meanwhile?"""
        if self.page.mapping == self._file and not self.page.uptodate:
            return call(k.ops.readpage(self.page), into="error")
        k.unlock(self.page.locked)
        if self.page.mapping == self._file:
            return self.mark_page_accessed
        k.ram.put(self.page)
        return self.i_size

    def read_done(self, k: Machine) -> Next:
        """A page that could not be read is a SIGBUS."""
        if not self.page.uptodate:
            k.ram.put(self.page)
            return ret(SIGBUS)

    def mark_page_accessed(self, k: Machine) -> Next:
        """Note that the page is in use, and hand it over."""
        self.page.referenced = True
        return ret(self.page)

    def page_cache_read(self, k: Machine) -> Next:
        """It is not there: a page has to be got and filled. This counts as a major fault."""
        k.current.maj_flt = (k.current.maj_flt or 0) + 1
        return call(PageCacheRead(self._file, self.vma.index(self.vpn)), into="error")

    def again(self, k: Machine) -> Next:
        """Look again."""
        return ret(OOM) if self.error == OOM else self.find_get_page

    @property
    def _file(self) -> str:
        assert self.vma.file is not None
        return self.vma.file
