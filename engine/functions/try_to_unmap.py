"""try_to_unmap(): tear every page table entry of a page. After mm/rmap.c try_to_unmap_one(), 2.6.9.

Entered with the page locked. Takes i_mmap_lock, then each page_table_lock; a dirty bit found moves to the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, ret
from engine.functions.page_flags import flush_tlb, set_page_dirty
from engine.objects.page import Page

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class TryToUnmap(KernelFunction):
    """Returns when no entry points at the page any more."""

    source = "mm/rmap.c try_to_unmap_one, 2.6.9"
    page: Page

    def unmap_one(self, k: Machine) -> Next:
        """Clear one entry, flush the TLB, and move its dirty bit to the page."""
        for mm in k.mms.values():
            for vpn, entry in mm.pte.items():
                if entry.pfn != self.page.pfn:
                    continue
                if not k.free_lock(mm.page_table_lock):
                    return WAIT
                mm.pte[vpn] = None
                flush_tlb(k, mm.process, (vpn,))
                if entry.dirty:
                    set_page_dirty(k, self.page)
                mm.rss = (mm.rss or 0) - 1
                self.page.mapcount = (self.page.mapcount or 0) - 1
                k.ram.put(self.page)
                return self.unmap_one
        return ret(True)
