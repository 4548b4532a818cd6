"""finish_fault(): put a page into an empty entry. After mm/memory.c, 6.x. Takes and drops the pte lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, ret
from engine.functions.do_no_page import entry_for
from engine.functions.page_flags import page_add_file_rmap, update_mmu_cache
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import OK, RACED

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FinishFault(KernelFunction):
    """Entered with a reference on the locked page. Returns "0", or "raced" when somebody else has filled the entry."""

    source = "mm/memory.c finish_fault, set_pte_range, 6.x"
    vma: Vma
    vpn: int
    page: Page
    write: bool
    result: str = OK

    def lock(self, k: Machine) -> Next:
        """Take the lock of the page table."""
        return k.lock(self.vma.mm.page_table_lock)

    def pte_none(self, k: Machine) -> Next:
        """Only go on if nobody has filled the entry in the meantime."""
        if self.vma.mm.pte[self.vpn] is not None:
            k.answer("no: a sibling was faster")
            self.result = RACED
            k.ram.put(self.page)
            return self.unlock
        k.answer("still yes")

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry: writable and dirty after a store, read-only after a load, so that the first store traps."""
        mm = self.vma.mm
        mm.rss = (mm.rss or 0) + 1
        mm.pte[self.vpn] = entry_for(self.vma, self.page, write=self.write)  # the promise
        page_add_file_rmap(self.page)
        update_mmu_cache(k, mm, self.vpn)

    def unlock(self, k: Machine) -> Next:
        """Drop it again."""
        k.unlock(self.vma.mm.page_table_lock)
        return ret(self.result)
