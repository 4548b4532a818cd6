"""try_to_unmap(): tear every page table entry of a page. After mm/rmap.c try_to_unmap_one(), 2.6.9.

Entered with the page locked. Takes i_mmap_lock, then each page_table_lock; a dirty bit found moves to the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, ret
from engine.functions.page_flags import (
    can_walk,
    flush_tlb,
    mapping_of,
    page_remove_rmap,
    ptep_clear_flush_young,
    rmap,
    set_page_dirty,
)
from engine.objects.mm import Mm
from engine.objects.page import Page
from engine.values import Pte

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class TryToUnmap(KernelFunction):
    """Returns True when no entry points at the page any more, False if one has to stay.

    Memory that is short takes no page that was used lately; whoever takes a page out of its file takes it `whatever`.
    """

    source = "mm/rmap.c try_to_unmap_one, 2.6.9"
    page: Page
    whatever: bool = False

    def unmap_one(self, k: Machine) -> Next:
        """Clear one entry, flush the TLB, and move its dirty bit to the page. An entry used again meanwhile stays."""
        found = rmap(k, self.page)
        if not found:
            return ret(True)
        mm, vpn, entry = found[0]
        if not can_walk(k, mapping_of(k, self.page), mm):
            return WAIT
        if not self.whatever and ptep_clear_flush_young(k, mm, vpn):
            return ret(False)
        self._let_go(k, mm, vpn, entry)
        return self.unmap_one

    def _let_go(self, k: Machine, mm: Mm, vpn: int, entry: Pte) -> None:
        tear(k, mm, vpn, entry)
        if entry.dirty:
            set_page_dirty(k, self.page)
        k.ram.put(self.page)


def tear(k: Machine, mm: Mm, vpn: int, entry: Pte) -> None:
    """Clear an entry, flush it from every TLB, and count one mapping less. The entry's reference is the caller's."""
    mm.pte[vpn], mm.rss = None, (mm.rss or 0) - 1
    flush_tlb(k, mm.process, (vpn,))
    page_remove_rmap(k.page(entry.pfn))
