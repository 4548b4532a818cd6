"""folio_clear_dirty_for_io(): before a page is written, every entry that allows stores is tied down again.

After mm/page-writeback.c and mm/rmap.c folio_mkclean(), 6.x. Entered with the page locked. The next store will
trap, and the filesystem will be asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, ret
from engine.functions.page_flags import clear_page_dirty_for_io, flush_tlb, rmap, set_page_dirty
from engine.objects.page import Page
from engine.values import pte_mkclean, pte_wrprotect

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FolioClearDirtyForIo(KernelFunction):
    """Returns nothing; PG_dirty is clear, and so is every entry of the page in a shared mapping."""

    source = "mm/page-writeback.c folio_clear_dirty_for_io, mm/rmap.c folio_mkclean, 6.x"
    page: Page
    found: bool = False

    def folio_mkclean(self, k: Machine) -> Next:
        """Write-protect and clean one entry, and flush the TLB, until none is left."""
        writable = [item for item in rmap(k, self.page) if item[2].dirty or item[2].write]
        entry = next((item for item in writable if _is_shared(item[0].find_vma(item[1]))), None)
        if entry is None:
            k.answer("none left")
            return self.mark_dirty
        mm, vpn, pte = entry
        if not k.free_lock(mm.page_table_lock):
            return WAIT
        mm.pte[vpn], self.found = pte_mkclean(pte_wrprotect(pte)), True
        flush_tlb(k, mm.process, (vpn,))
        return self.folio_mkclean

    def mark_dirty(self, k: Machine) -> Next:
        """If there was one, all of the page is dirty, whatever its buffers say (7658cc289288)."""
        if self.found:
            set_page_dirty(k, self.page)

    def test_clear_dirty(self, k: Machine) -> Next:
        """From here on the page counts as clean."""
        clear_page_dirty_for_io(self.page)
        return ret()


def write_protect(k: Machine, page: Page) -> bool:
    """Tie a page down in one go, as folio_mkclean() does. False, and nothing changed, if a page table is locked."""
    entries = rmap(k, page)
    if not all(k.free_lock(mm.page_table_lock) for mm, _, _ in entries):
        return False
    for mm, vpn, entry in entries:
        mm.pte[vpn] = pte_mkclean(pte_wrprotect(entry))
        flush_tlb(k, mm.process, (vpn,))
        if entry.dirty:
            set_page_dirty(k, page)
    return True


def _is_shared(vma: object) -> bool:
    return bool(getattr(vma, "shared", False))
