"""zap_pte_range(): a dirty entry goes together with what the TLBs remember of it. After mm/memory.c, 6.18.

Writeback that ties the page down finds its mapping until every TLB has let go (force_flush, delay_rmap). Here that is
one step, under the page table lock; in 6.1 and before the mapping is counted off first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next
from engine.functions.page_flags import flush_tlb
from engine.functions.zap_pte_range import ZapPteRange

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class ZapPresentFolioPte(ZapPteRange):
    """Clears virtual pages [start, end) of an address space."""

    c_name = "zap_pte_range"
    source = "mm/memory.c zap_present_folio_ptes, mm/mmu_gather.c tlb_flush_rmaps, 6.18"

    def zap_pte(self, k: Machine) -> Next:
        """Clear one entry; if it is dirty, the page becomes dirty, and no TLB may remember the entry any longer."""
        vpn, entry = self._next(k)
        after = super().zap_pte(k)
        if entry is not None and entry.dirty:
            flush_tlb(k, self.mm.process, (vpn,))
        return after
