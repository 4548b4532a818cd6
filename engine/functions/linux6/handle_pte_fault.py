"""handle_pte_fault(): the fork in the road. After mm/memory.c, 6.x. Entered and left without a spinlock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, ret, tail
from engine.functions.do_wp_page import DoWpPage
from engine.functions.linux6.do_anonymous_page import DoAnonymousPageUnlocked
from engine.functions.linux6.do_fault import DoFault
from engine.functions.page_flags import flush_tlb
from engine.objects.mm import Vma
from engine.values import MINOR, Pte, pte_mkdirty, pte_mkyoung

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class HandlePteFaultUnlocked(KernelFunction):
    """Returns MINOR, RETRY, SIGBUS or OOM."""

    c_name = "handle_pte_fault"
    source = "mm/memory.c handle_pte_fault, do_pte_missing, 6.x"
    vma: Vma
    vpn: int
    write: bool
    orig: Pte = None  # type: ignore[assignment]

    def pte_none(self, k: Machine) -> Next:
        """Is the entry empty, or does it forbid the store?"""
        entry = self.vma.mm.pte[self.vpn]
        if entry is None:
            k.answer("yes")
            return tail(self._missing())
        self.orig = entry
        k.answer("no: read-only" if self.write and not entry.write else "no: it allows this already")

    def pte_lock(self, k: Machine) -> Next:
        """Now take the lock of the page table."""
        return k.lock(self.vma.mm.page_table_lock)

    def pte_same(self, k: Machine) -> Next:
        """Is it still the entry that was looked at?"""
        if self.vma.mm.pte[self.vpn] != self.orig:
            k.answer("no: it changed")
            return self.unlock
        k.answer("yes")
        if self.write and not self.orig.write:
            return tail(DoWpPage(self.vma, self.vpn, self.orig))

    def ptep_set_access_flags(self, k: Machine) -> Next:
        """Somebody else has seen to it: mark the entry used and let the CPU try again."""
        mm = self.vma.mm
        mm.pte[self.vpn] = pte_mkyoung(pte_mkdirty(self.orig) if self.write else self.orig)
        if self.write:
            flush_tlb(k, mm.process, (self.vpn,))

    def unlock(self, k: Machine) -> Next:
        """Drop the lock."""
        k.unlock(self.vma.mm.page_table_lock)
        return ret(MINOR)

    def _missing(self) -> KernelFunction:
        if self.vma.file is None:
            return DoAnonymousPageUnlocked(self.vma, self.vpn, self.write)
        return DoFault(self.vma, self.vpn, self.write)
