"""invalidate_inode_pages2(): what is cached of a file is not to be believed any more. After mm/truncate.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, may_sleep, ret
from engine.functions.page_flags import remove_from_page_cache
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class InvalidateInodePages2(KernelFunction):
    """Pages [first, last) of a file were written past the cache. 2.6.9 looks at every page, in the range or not."""

    source = "mm/truncate.c invalidate_inode_pages2, invalidate_complete_page, 2.6.9"
    file: str
    first: int
    last: int
    at: int = 0
    page: Page = None  # type: ignore[assignment]  # a step fills it

    def pagevec_lookup(self, k: Machine) -> Next:
        """The next page of the file in the cache, whether it was written to or not."""
        mapping = k.mappings[self.file]
        index = next((i for i, _ in mapping.pages.items() if i >= self.at), None)
        if index is None:
            k.answer("none left")
            return ret(OK)
        self.page, self.at = k.page(mapping.pages[index] or 0), index + 1
        self.page.get()
        k.answer(f"page {index}")

    @may_sleep
    def lock_page(self, k: Machine) -> Next:
        """Lock it."""
        return k.lock(self.page.locked)

    @may_sleep
    def wait_on_page_writeback(self, k: Machine) -> Next:
        """Wait for a write that is under way. Does a page table point here?"""
        page = self.page
        if page.mapping != self.file:
            return self.unlock_page
        if page.writeback:
            k.blocked_on = f"{page}.writeback"
            return WAIT
        k.answer("mapped" if page.mapped else "not mapped")
        return self.clear_page_uptodate if page.mapped else self.invalidate_complete_page

    def clear_page_uptodate(self, k: Machine) -> Next:
        """A mapped page stays where it is, clean and not up to date: who reads it next gets the disk's bytes."""
        self.page.dirty = self.page.uptodate = None
        k.mappings[self.file].tag_dirty[self.page.index or 0] = None
        return self.unlock_page

    def invalidate_complete_page(self, k: Machine) -> Next:
        """A page that nobody maps leaves the cache, unless it has become dirty again."""
        page = self.page
        if not page.dirty and not page.buffers_dirty:
            if page.private:
                page.drop_buffers()
            remove_from_page_cache(k, page)
            page.uptodate = None

    def unlock_page(self, k: Machine) -> Next:
        """On to the next one."""
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        return self.pagevec_lookup
