"""wp_page_shared(): the first store to a page that is mapped read-only so that it traps. After mm/memory.c, 6.x.

Entered with the lock of the page table, left without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.linux6.do_page_mkwrite import DoPageMkwrite
from engine.functions.linux6.fault_dirty_shared_page import FaultDirtySharedPage
from engine.functions.page_flags import flush_tlb, update_mmu_cache
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import LOCKED, MINOR, RACED, SIGBUS, Pte, pte_mkdirty, pte_mkwrite, pte_mkyoung

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class WpPageShared(KernelFunction):
    """Returns MINOR or SIGBUS. `orig` is the entry the fault was about."""

    source = "mm/memory.c wp_page_shared, finish_mkwrite_fault, wp_page_reuse, 6.x"
    vma: Vma
    vpn: int
    orig: Pte
    room: str = LOCKED

    def folio_get(self, k: Machine) -> Next:
        """Hold the page, and drop the lock: the filesystem may sleep."""
        self._page(k).get()
        k.unlock(self.vma.mm.page_table_lock)

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Ask the filesystem, if it wants to be asked."""
        if k.ops.page_mkwrite is None:
            k.answer("no page_mkwrite")
            return self.lock_page
        return call(DoPageMkwrite(self.vma, self.vpn, self._page(k)), into="room")

    def answered(self, k: Machine) -> Next:
        """What does it say?"""
        if self.room == LOCKED:
            return self.retake_lock
        k.ram.put(self._page(k))
        k.answer("the page is gone: try again" if self.room == RACED else f"no: {self.room}")
        return ret(MINOR if self.room == RACED else SIGBUS)

    def retake_lock(self, k: Machine) -> Next:
        """Back under the lock of the page table, with the page still locked."""
        return k.lock(self.vma.mm.page_table_lock)

    def pte_same(self, k: Machine) -> Next:
        """Only go on if the entry is still the one that trapped."""
        if self.vma.mm.pte[self.vpn] != self.orig:
            k.answer("no: it changed")
            return self.back_out
        k.answer("yes")

    def set_pte(self, k: Machine) -> Next:
        """Make the entry writable and dirty as it stands, and flush the TLB."""
        mm = self.vma.mm
        mm.pte[self.vpn] = pte_mkwrite(pte_mkyoung(pte_mkdirty(self.orig)))  # the promise
        flush_tlb(k, mm.process, (self.vpn,))
        update_mmu_cache(k, mm, self.vpn)

    def unlock(self, k: Machine) -> Next:
        """Drop the lock of the page table."""
        k.unlock(self.vma.mm.page_table_lock)

    def fault_dirty_shared_page(self, k: Machine) -> Next:
        """The page is dirty from now on, whether or not the CPU has stored yet."""
        return call(FaultDirtySharedPage(self._page(k)))

    def folio_put(self, k: Machine) -> Next:
        """Back to the instruction."""
        k.ram.put(self._page(k))
        return ret(MINOR)

    def back_out(self, k: Machine) -> Next:
        """Somebody was faster: let go of the page, and let the CPU look again."""
        k.unlock(self.vma.mm.page_table_lock)
        k.unlock(self._page(k).locked)
        return self.folio_put

    def lock_page(self, k: Machine) -> Next:
        """Nobody has to be asked: lock the page."""
        return k.lock(self._page(k).locked) or self.retake_lock

    def _page(self, k: Machine) -> Page:
        page: Page = k.page(self.orig.pfn)
        return page
