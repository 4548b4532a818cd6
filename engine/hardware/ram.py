"""Page frames: which are free, and the list reclaim scans. mm/page_alloc.c and mm/swap.c, 2.6.9, without zones."""

from __future__ import annotations

from engine.errors import Panic
from engine.journal import Cell, Entity, Journal
from engine.objects.page import Page
from engine.values import Data


class Ram(Entity):
    """All frames. `lru` is one list, oldest first (frame numbers); PG_active is kept beside it."""

    lru = Cell[tuple[int, ...]]()

    def __init__(self, journal: Journal, frames: int, page_size: int, buffers: int) -> None:
        super().__init__(journal, "ram")
        self.page_size = page_size
        self.pages = tuple(Page(journal, pfn, buffers, page_size) for pfn in range(frames))
        zero = self.pages[0]
        zero.reserved, zero.count, zero.uptodate, zero.data = True, 1, True, Data(page_size)

    def take(self) -> Page | None:
        """The first free frame with one reference, or None. Its content is whatever was there: shown as zero."""
        for page in self.pages:
            if page.count is None:
                page.count, page.mapcount, page.data = 1, -1, Data(self.page_size)
                return page
        return None

    def put(self, page: Page) -> None:
        """put_page(): one reference less; the last one frees the frame."""
        if page.reserved:
            return
        if not page.count:
            raise Panic(f"{page}: put_page() on a free page")
        if page.count > 1:
            page.count = page.count - 1
            return
        if page.lru:
            self.lru = tuple(pfn for pfn in self.lru if pfn != page.pfn)
        for bh in page.bh:
            bh.clear()
        page.clear()

    def lru_add(self, page: Page, *, active: bool = False) -> None:
        """lru_cache_add(): the newest page joins the end of the list."""
        page.lru, page.active = True, active or None
        self.lru = (*(self.lru or ()), page.pfn)
