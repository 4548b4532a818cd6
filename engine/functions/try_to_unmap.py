"""try_to_unmap(): tear every page table entry of a page. After mm/rmap.c try_to_unmap_one(), 2.6.9.

Entered with the page locked. Takes i_mmap_lock, then each page_table_lock; a dirty bit found moves to the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, ret
from engine.functions.page_flags import flush_tlb, rmap, set_page_dirty
from engine.objects.mm import Mm
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
        found = rmap(k, self.page)
        if not found:
            return ret(True)
        mm, vpn, entry = found[0]
        if not k.free_lock(mm.page_table_lock):
            return WAIT
        tear(k, mm, vpn)
        if entry.dirty:
            set_page_dirty(k, self.page)
        k.ram.put(self.page)
        return self.unmap_one


def tear(k: Machine, mm: Mm, vpn: int) -> None:
    """Clear an entry, flush it from every TLB, and count one mapping less."""
    entry = mm.pte[vpn]
    mm.pte[vpn], mm.rss = None, (mm.rss or 0) - 1
    flush_tlb(k, mm.process, (vpn,))
    if entry is not None:
        k.page(entry.pfn).mapcount = (k.page(entry.pfn).mapcount or 0) - 1
