"""zap_pte_range(): clear the entries of a range. After mm/memory.c and mmu_gather, 2.6.9.

Here a dirty bit that only the page table knew of reaches the page at last. Pages are released after the TLB flush.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, ret
from engine.functions.page_flags import flush_tlb, page_remove_rmap, set_page_dirty
from engine.objects.mm import Mm
from engine.objects.page import Page
from engine.values import Pte

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class ZapPteRange(KernelFunction):
    """Clears virtual pages [start, end) of an address space; private copies only with `even_cows`."""

    source = "mm/memory.c zap_pte_range, unmap_vmas, 2.6.9"
    mm: Mm
    start: int
    end: int
    gathered: tuple[tuple[int, int], ...] = ()
    even_cows: bool = True

    def lock(self, k: Machine) -> Next:
        """Take page_table_lock."""
        return k.lock(self.mm.page_table_lock)

    def zap_pte(self, k: Machine) -> Next:
        """Clear one entry; if it is dirty, the page becomes dirty."""
        vpn, entry = self._next(k)
        if entry is None:
            return self.tlb_finish_mmu
        page = k.page(entry.pfn)
        self.mm.pte[vpn], self.gathered = None, (*self.gathered, (vpn, entry.pfn))
        if not page.reserved:
            self.mm.rss = (self.mm.rss or 0) - 1
            take_over(k, page, entry)
        return self.zap_pte

    def tlb_finish_mmu(self, k: Machine) -> Next:
        """Flush the TLB, and only then release the pages."""
        flush_tlb(k, self.mm.process, tuple(vpn for vpn, _ in self.gathered))
        for _, pfn in self.gathered:
            k.ram.put(k.page(pfn))

    def unlock(self, k: Machine) -> Next:
        """Drop page_table_lock."""
        k.unlock(self.mm.page_table_lock)
        return ret()

    def _next(self, k: Machine) -> tuple[int, Pte | None]:
        """The first entry that has to go, and where it is."""
        inside = ((vpn, entry) for vpn, entry in self.mm.pte.items() if self.start <= vpn < self.end)
        return next((found for found in inside if self.even_cows or not k.page(found[1].pfn).anon), (0, None))


def take_over(k: Machine, page: Page, entry: Pte) -> None:
    """What only the entry knew goes to the page: that it was stored to, that it was used. One mapping less."""
    if entry.dirty:
        set_page_dirty(k, page)
    if entry.young and not page.anon:
        page.referenced = True
    page_remove_rmap(page)


def mapped_ranges(k: Machine, file: str, first: int, last: int) -> tuple[tuple[str, int, int], ...]:
    """(process, start, end) in virtual pages for every mapping of pages [first, last) of a file."""
    return tuple(
        (vma.mm.process, max(vma.start, vma.start + first - vma.pgoff), min(vma.end, vma.start + last - vma.pgoff))
        for mm in k.mms.values()
        for vma in mm.vmas or ()
        if vma.file == file and vma.pgoff < last and first < min(last, vma.index(vma.end))
    )
