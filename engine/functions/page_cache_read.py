"""page_cache_read(): bring one page of a file into the page cache. After mm/filemap.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.alloc_page import AllocPage
from engine.functions.page_flags import add_to_page_cache
from engine.objects.page import Page
from engine.values import OK, OOM

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class PageCacheRead(KernelFunction):
    """Returns "0", EIO or OOM. The page is in the cache afterwards, without a reference of the caller's."""

    source = "mm/filemap.c page_cache_read, 2.6.9 (without read-around)"
    file: str
    index: int
    page: Page | None = None
    error: str = OK

    def alloc(self, k: Machine) -> Next:
        """Get a free frame."""
        return call(AllocPage(), into="page")

    def add_to_page_cache(self, k: Machine) -> Next:
        """Put the page into the file's radix tree, locked, unless a sibling was faster."""
        if self.page is None:
            return ret(OOM)
        if k.mappings[self.file].pages[self.index] is not None:
            k.ram.put(self.page)
            return ret(OK)
        add_to_page_cache(k, self.page, self.file, self.index)

    def readpage(self, k: Machine) -> Next:
        """Ask the filesystem for its content."""
        assert self.page is not None
        return call(k.ops.readpage(self.page), into="error")

    def release(self, k: Machine) -> Next:
        """The page cache keeps its own reference."""
        assert self.page is not None
        k.ram.put(self.page)
        return ret(self.error)
