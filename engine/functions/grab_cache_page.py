"""__grab_cache_page(): the page a write(2) goes to. After mm/filemap.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.alloc_page import AllocPage
from engine.functions.page_flags import add_to_page_cache
from engine.objects.page import Page

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GrabCachePage(KernelFunction):
    """The page of a file at an index, in the page cache, locked and with a reference; None when memory is out."""

    c_name = "__grab_cache_page"
    source = "mm/filemap.c __grab_cache_page, 2.6.9"
    file: str
    index: int
    page: Page | None = None

    def find_lock_page(self, k: Machine) -> Next:
        """Is the page in the page cache? Then lock it."""
        page = k.cached(k.mappings[self.file], self.index)
        if page is None:
            return call(AllocPage(), into="page")
        if (waiting := k.lock(page.locked)) is None:
            page.get()
        return waiting or ret(page)

    def add_to_page_cache(self, k: Machine) -> Next:
        """It is not: a new page enters the radix tree, locked, unless a sibling was faster."""
        if self.page is None:
            return ret(None)
        if k.cached(k.mappings[self.file], self.index) is not None:
            k.ram.put(self.page)
            return self.find_lock_page
        add_to_page_cache(k, self.page, self.file, self.index)
        return ret(self.page)
