"""pageout(): write one dirty page for reclaim. After mm/vmscan.c, 2.6.9. Entered with the page locked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.page_flags import clear_page_dirty_for_io, mapping_of
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine

KEEP, SUCCESS = "keep", "success"


@dataclass
class Pageout(KernelFunction):
    """Returns KEEP with the page still locked, or SUCCESS with it unlocked: it was written, or that was tried."""

    source = "mm/vmscan.c pageout, handle_write_error, 2.6.9"
    page: Page
    error: str = OK

    def is_page_cache_freeable(self, k: Machine) -> Next:
        """Whoever else holds a reference may be about to use it: then writing it would free nothing."""
        if (self.page.count or 0) - bool(self.page.private) != 2:
            return ret(KEEP)

    def clear_page_dirty_for_io(self, k: Machine) -> Next:
        """From here on the page counts as clean. PG_reclaim asks for it as soon as it is written."""
        clear_page_dirty_for_io(self.page)
        self.page.reclaim = True

    def writepage(self, k: Machine) -> Next:
        """Ask the filesystem to write this one page."""
        return call(k.ops.writepage(self.page), into="error")

    def handle_write_error(self, k: Machine) -> Next:
        """What went wrong is noted in the mapping, for whoever asks first. The page is not made dirty again."""
        mapping = mapping_of(k, self.page)
        if self.error != OK and mapping is not None:
            mapping.set_error(self.error)
        if not self.page.writeback:
            self.page.reclaim = None
        return ret(SUCCESS)
