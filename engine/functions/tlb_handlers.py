"""The handlers of a TLB that the kernel fills. After arch/mips/mm/tlbex32-r4k.S, 2.6.9.

They run with interrupts off and take no lock: a flush from another CPU comes before or after, so each is one step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, ret, tail
from engine.functions.do_page_fault import DoPageFault
from engine.values import PROTNONE, pte_mkdirty, pte_mkyoung

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class TlbRefill(KernelFunction):
    """The TLB knows nothing of the address. Returns "" when the instruction can be tried again, or a signal."""

    source = "arch/mips/mm/tlbex32-r4k.S except_vec0_r4000, 2.6.9"
    vpn: int
    write: bool

    def tlbwr(self, k: Machine) -> Next:
        """Fetch the entry from the page tables and put it into the TLB as it is; what it allows is asked later."""
        mm = k.current.mm
        entry = mm.pte[self.vpn] if mm.has_table(self.vpn) else None
        if entry is None:
            k.answer("there is none")
            return tail(HandleTlb(self.vpn, self.write))
        k.cpu(k.current).tlb[self.vpn] = entry
        k.answer(f"frame {entry.pfn}")
        return ret("")


@dataclass
class HandleTlb(KernelFunction):
    """The TLB has an entry that does not let the access through, or an empty one. Returns "" or a signal."""

    source = "arch/mips/mm/tlbex32-r4k.S handle_tlbl, handle_tlbs, handle_mod, 2.6.9"
    vpn: int
    write: bool

    def tlbwi(self, k: Machine) -> Next:
        """Look in the page table: if that allows the access, note A (and D for a store) there and renew the TLB."""
        mm, entry = k.current.mm, k.current.mm.pte[self.vpn]
        if entry is None or entry.flags & PROTNONE or (self.write and not entry.write):
            k.answer("not allowed")
            return self.do_page_fault
        young = pte_mkyoung(pte_mkdirty(entry) if self.write else entry)
        mm.pte[self.vpn] = k.cpu(k.current).tlb[self.vpn] = young
        k.answer("allowed")
        return ret("")

    def do_page_fault(self, k: Machine) -> Next:
        """It does not: this is a page fault, and the TLB keeps what it has."""
        return tail(DoPageFault(self.vpn, self.write))


def tlb_handler(k: Machine, vpn: int, *, write: bool) -> KernelFunction:
    """The handler that the CPU enters: one if the TLB has nothing, another if what it has does not do."""
    held = k.cpu(k.current).tlb[vpn]
    return TlbRefill(vpn, write) if held is None else HandleTlb(vpn, write)
