"""page_mkclean(): before a page is written, its entries lose D and RW, so that the next store traps again. 2.6.19.

After mm/rmap.c page_mkclean_one (d08b3851da41). Entered and left with the page locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, ret
from engine.functions.page_flags import flush_tlb, mapping_of, rmap
from engine.objects.page import Page
from engine.values import pte_mkclean, pte_wrprotect

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class PageMkclean(KernelFunction):
    """Returns how many entries were dirty or writable."""

    source = "mm/rmap.c page_mkclean, page_mkclean_one, 2.6.19"
    page: Page
    cleaned: int = 0

    def lock_i_mmap(self, k: Machine) -> Next:
        """Take i_mmap_lock: who maps the page must not change now. Nobody does? Then there is nothing to clean."""
        mapping = mapping_of(k, self.page)
        if mapping is None or not self.page.mapped:
            return ret(0)
        return k.lock(mapping.i_mmap_lock)

    def page_mkclean_one(self, k: Machine) -> Next:
        """One entry loses D and RW under its page_table_lock, and the TLB is flushed: the next store will trap."""
        found = next(((mm, vpn, pte) for mm, vpn, pte in rmap(k, self.page) if pte.dirty or pte.write), None)
        if found is None:
            return self.unlock_i_mmap
        mm, vpn, entry = found
        if not k.free_lock(mm.page_table_lock):
            return WAIT
        mm.pte[vpn] = pte_wrprotect(pte_mkclean(entry))
        flush_tlb(k, mm.process, (vpn,))
        self.cleaned += 1
        return self.page_mkclean_one

    def unlock_i_mmap(self, k: Machine) -> Next:
        """Every entry is read-only and clean."""
        mapping = mapping_of(k, self.page)
        assert mapping is not None
        k.unlock(mapping.i_mmap_lock)
        k.answer(f"{self.cleaned} entries")
        return ret(self.cleaned)
