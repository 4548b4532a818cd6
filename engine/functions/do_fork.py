"""fork(2): copy an address space. After kernel/fork.c dup_mmap() and mm/memory.c copy_page_range(), 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, may_sleep, ret
from engine.functions.page_flags import flush_tlb, page_add_file_rmap
from engine.objects.mm import Mm
from engine.objects.task import READY
from engine.values import OK, Pte, pte_mkclean, pte_mkold, pte_wrprotect

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoFork(KernelFunction):
    """The child task begins with a copy of this address space."""

    source = "kernel/fork.c dup_mmap, mm/memory.c copy_page_range, 2.6.9"
    child: str

    @may_sleep
    def down_write(self, k: Machine) -> Next:
        """Keep everybody out of this address space's mappings."""
        return k.lock(k.current.mm.mmap_sem)

    def dup_mmap(self, k: Machine) -> Next:
        """The child gets the same ranges and the same variables."""
        parent, child = k.current.mm, self._mm(k)
        child.vmas = tuple(replace(vma, mm=child) for vma in parent.vmas or ())
        child.names = parent.names

    def copy_pte_range(self, k: Machine) -> Next:
        """Entries are copied. Private ones become read-only for both; the child's shared ones start clean."""
        parent, child = k.current.mm, self._mm(k)
        if not k.free_lock(parent.page_table_lock):
            return WAIT
        for slot, table in parent.pgd.items():
            child.pgd[slot] = table
        for vpn, entry in parent.pte.items():
            self._copy_one_pte(k, vpn, entry)

    def flush_tlb_mm(self, k: Machine) -> Next:
        """The parent's entries have changed: no CPU may remember the old ones."""
        parent = k.current.mm
        flush_tlb(k, parent.process, tuple(parent.pte))

    def wake_up_forked(self, k: Machine) -> Next:
        """The child can run."""
        k.unlock(k.current.mm.mmap_sem)
        k.tasks[self.child].state = READY
        k.finish_line(OK)
        return ret()

    def _copy_one_pte(self, k: Machine, vpn: int, entry: Pte) -> None:
        parent, child, page = k.current.mm, self._mm(k), k.page(entry.pfn)
        vma = parent.find_vma(vpn)
        if vma is not None and not vma.shared and vma.writable:
            entry = pte_wrprotect(entry)
            parent.pte[vpn] = entry
        if vma is not None and vma.shared:
            entry = pte_mkclean(entry)
        child.pte[vpn] = pte_mkold(entry)
        if not page.reserved:
            page.get()
            page_add_file_rmap(page)
            child.rss = (child.rss or 0) + 1

    def _mm(self, k: Machine) -> Mm:
        return k.tasks[self.child].mm
