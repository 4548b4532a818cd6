"""clear_page_dirty_for_io(), where page tables are looked at: first they are cleaned, then the page. 2.6.20.

After mm/page-writeback.c as repaired by 7658cc289288. Entered and left with the page locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.page_flags import clear_page_dirty_for_io, set_page_dirty
from engine.functions.page_mkclean import PageMkclean
from engine.objects.page import Page

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class ClearPageDirtyForIo(KernelFunction):
    """Returns when the page counts as clean and no entry lets a store through unnoticed."""

    source = "mm/page-writeback.c clear_page_dirty_for_io, 2.6.20 (7658cc289288)"
    page: Page
    cleaned: int = 0

    def page_mkclean(self, k: Machine) -> Next:
        """First the page tables: every entry that points here becomes read-only and clean."""
        return call(PageMkclean(self.page), into="cleaned")

    def set_page_dirty(self, k: Machine) -> Next:
        """Was one of them dirty? Then all of the page is, each of its buffers too, whatever the filesystem thought."""
        if self.cleaned:
            set_page_dirty(k, self.page)

    def test_clear_page_dirty(self, k: Machine) -> Next:
        """Only now the page counts as clean: what it holds goes to the disk."""
        clear_page_dirty_for_io(self.page)
        return ret()
