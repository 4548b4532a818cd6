"""write_cache_pages(): write a file's dirty pages. After mm/page-writeback.c, 6.x.

For a sync every page is tried and the first error is kept; the flusher stops at the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, call, ret
from engine.functions.linux6.folio_clear_dirty_for_io import FolioClearDirtyForIo
from engine.functions.mpage_writepages import MpageWritepages
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class WriteCachePages(MpageWritepages):
    """Returns "0" or the first errno. Only pages [index, last) are looked at (last None: to the end)."""

    c_name = "write_cache_pages"
    source = "mm/page-writeback.c write_cache_pages, 6.x"
    last: int | None = None

    def pagevec_lookup_tag(self, k: Machine) -> Next:
        """Find the next page with the DIRTY tag. Since the fault told of it, no page table has to be looked at."""
        index = next((i for i, _ in self.mapping.tag_dirty.items() if i >= self.index), None)
        if index is None or self.done or (self.last is not None and index >= self.last):
            k.answer("none left")
            return ret(self.error)
        self.page, self.index = k.page(self.mapping.pages[index] or 0), index + 1
        self.page.get()
        k.answer(f"page {index}")

    def clear_page_dirty_for_io(self, k: Machine) -> Next:
        """Tie down every entry that allows stores; from here on the page counts as clean."""
        return call(FolioClearDirtyForIo(self.page))

    def writepage(self, k: Machine) -> Next:
        """Write this page."""
        return call(k.ops.writepage(self.page), into="result")

    def mapping_set_error(self, k: Machine) -> Next:
        """What went wrong is noted in the mapping, and every open file will hear of it once."""
        if self.result != OK:
            self.mapping.set_error(self.result)
            self.error = self.result if self.error == OK else self.error
            self.done = not self.sync
        k.ram.put(self.page)
        return self.pagevec_lookup_tag
