"""handle_pte_fault(): the fork in the road. After mm/memory.c, 2.6.9. Entered with page_table_lock, left without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, ret, tail
from engine.functions.do_no_page import DoNoPage
from engine.functions.do_wp_page import DoWpPage
from engine.functions.page_flags import flush_tlb
from engine.objects.mm import Vma
from engine.values import MINOR, pte_mkdirty, pte_mkyoung

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class HandlePteFault(KernelFunction):
    """Returns MINOR, SIGBUS or OOM."""

    source = "mm/memory.c handle_pte_fault, 2.6.9"
    vma: Vma
    vpn: int
    write: bool

    def pte_none(self, k: Machine) -> Next:
        """Is the entry empty, or does it forbid the store?"""
        entry = self.vma.mm.pte[self.vpn]
        if entry is None:
            k.answer("yes")
            return tail(DoNoPage(self.vma, self.vpn, self.write))
        if self.write and not entry.write:
            k.answer("no: read-only")
            return tail(DoWpPage(self.vma, self.vpn, entry))
        k.answer("no: it allows this already")

    def ptep_set_access_flags(self, k: Machine) -> Next:
        """Somebody else has seen to it: let the CPU try again. An i386 writes the entry for a store only."""
        mm, entry = self.vma.mm, self.vma.mm.pte[self.vpn]
        assert entry is not None
        if self.write:
            mm.pte[self.vpn] = pte_mkyoung(pte_mkdirty(entry))
            flush_tlb(k, mm.process, (self.vpn,))

    def unlock(self, k: Machine) -> Next:
        """Drop page_table_lock."""
        k.unlock(self.vma.mm.page_table_lock)
        return ret(MINOR)
