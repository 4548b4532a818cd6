"""fault_dirty_shared_page(): after the entry is writable. After mm/memory.c, 6.x. Entered with the page locked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, may_sleep, ret
from engine.functions.page_flags import set_page_dirty
from engine.objects.page import Page

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FaultDirtySharedPage(KernelFunction):
    """Returns nothing; the page is dirty and unlocked."""

    source = "mm/memory.c fault_dirty_shared_page, 6.x"
    page: Page

    def folio_mark_dirty(self, k: Machine) -> Next:
        """The page counts as dirty from here on: writeback sees it without looking at page tables."""
        set_page_dirty(k, self.page)

    def folio_unlock(self, k: Machine) -> Next:
        """Now writeback may have it."""
        k.unlock(self.page.locked)

    @may_sleep
    def balance_dirty_pages(self, k: Machine) -> Next:
        """Are there too many dirty pages? Then the program would have to wait here."""
        dirty = sum(bool(page.dirty) for page in k.ram.pages)
        k.answer(f"{dirty} dirty")
        return ret()
