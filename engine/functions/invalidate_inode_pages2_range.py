"""invalidate_inode_pages2_range(): pages of a range leave the cache, mapped ones too. After mm/truncate.c, 2.6.18.

Since 2.6.11 a page that is mapped is unmapped first, so that the next access faults and reads the disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, call, may_sleep, ret
from engine.functions.invalidate_inode_pages2 import InvalidateInodePages2
from engine.functions.page_flags import remove_from_page_cache, set_page_dirty
from engine.functions.try_to_unmap import TryToUnmap
from engine.values import EIO, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class InvalidateInodePages2Range(InvalidateInodePages2):
    """Pages [first, last) of a file were written past the cache. Returns "0", or EIO for a page that has to stay."""

    c_name = "invalidate_inode_pages2_range"
    source = "mm/truncate.c invalidate_inode_pages2_range, invalidate_complete_page, 2.6.18"
    error: str = OK

    def pagevec_lookup(self, k: Machine) -> Next:
        """The next page of the range in the cache."""
        mapping, start = k.mappings[self.file], max(self.at, self.first)
        index = next((i for i, _ in mapping.pages.items() if start <= i < self.last), None)
        if index is None or self._gives_up():
            k.answer("none left" if self.error == OK else self.error)
            return ret(self.error)
        self.page, self.at = k.page(mapping.pages[index] or 0), index + 1
        self.page.get()
        k.answer(f"page {index}")

    @may_sleep
    def wait_on_page_writeback(self, k: Machine) -> Next:
        """Wait for a write that is under way. Does a page table point here?"""
        then = super().wait_on_page_writeback(k)
        return self.unmap_mapping_range if then == self.clear_page_uptodate else then

    def unmap_mapping_range(self, k: Machine) -> Next:
        """Every page table lets go of it; what was stored since the last look makes the page dirty."""
        return call(TryToUnmap(self.page, whatever=True))

    def unmapped(self, k: Machine) -> Next:
        """Nobody maps it now."""
        return self.invalidate_complete_page

    def invalidate_complete_page(self, k: Machine) -> Next:
        """It leaves the cache, dirty or not: what was stored meanwhile goes with it. Only dirty buffers keep it."""
        page = self.page
        was_dirty, page.dirty = page.dirty, None
        if page.buffers_dirty or page.count != 2 + bool(page.private):
            self.error = EIO
            if was_dirty:
                set_page_dirty(k, page)
        else:
            self._drop(k)
        return self.unlock_page

    def _gives_up(self) -> bool:
        return self.error != OK

    def _drop(self, k: Machine) -> None:
        if self.page.private:
            self.page.drop_buffers()
        remove_from_page_cache(k, self.page)
        self.page.uptodate = None


@dataclass
class InvalidateInodePages2RangeClean(InvalidateInodePages2Range):
    """Pages [first, last) of a file were written past the cache. Returns "0", or EIO for one that is dirty again."""

    source = "mm/truncate.c invalidate_inode_pages2_range, invalidate_complete_page2, 2.6.20 (e3db7691e9f3)"

    def invalidate_complete_page(self, k: Machine) -> Next:
        """A clean page leaves the cache. One that was stored to meanwhile stays, and with it what was stored."""
        if self.page.dirty or self.page.buffers_dirty:
            self.error = EIO
            k.answer("dirty again")
        else:
            self._drop(k)
        return self.unlock_page
