"""do_wp_page(): a store to a write-protected entry. After mm/memory.c, 2.6.9.

Entered with page_table_lock held, left with it dropped. The only reason 2.6.9 knows for such a fault is copy-on-write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.alloc_page import AllocPage
from engine.functions.page_flags import flush_tlb, page_add_anon_rmap, page_remove_rmap
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import MINOR, OOM, Pte, mk_pte, pte_mkdirty, pte_mkwrite, pte_mkyoung

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoWpPage(KernelFunction):
    """Returns MINOR, SIGBUS or OOM. `orig` is the entry the fault was about."""

    source = "mm/memory.c do_wp_page, 2.6.9"
    vma: Vma
    vpn: int
    orig: Pte
    copy: Page | None = None
    fault: str = MINOR

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? 2.6.9 only knows copy-on-write here and asks nobody."""
        k.answer("never asked")

    def can_share_swap_page(self, k: Machine) -> Next:
        """Is this the last user of an anonymous page? Then no copy is needed."""
        page = k.page(self.orig.pfn)
        if page.anon and page.count == 1 and page.locked.holder is None:
            return self.reuse

    def get_old_page(self, k: Machine) -> Next:
        """Hold on to the old page and drop the lock: getting a new one may sleep."""
        if self.orig.pfn:
            k.page(self.orig.pfn).get()
        k.unlock(self.vma.mm.page_table_lock)

    def alloc(self, k: Machine) -> Next:
        """The copy needs a frame of its own."""
        return call(AllocPage(), into="copy")

    def copy_cow_page(self, k: Machine) -> Next:
        """Copy the old page."""
        if self.copy is None:
            k.ram.put(k.page(self.orig.pfn))
            return ret(OOM)
        self.copy.data, self.copy.uptodate = k.page(self.orig.pfn).content, True

    def retake_lock(self, k: Machine) -> Next:
        """Back under the lock."""
        return k.lock(self.vma.mm.page_table_lock)

    def pte_same(self, k: Machine) -> Next:
        """Only go on if the entry is still the one that was copied."""
        if self.vma.mm.pte[self.vpn] != self.orig:
            k.answer("no: it changed")
            k.ram.put(self._copy)
            return self.release_old
        k.answer("yes")

    def break_cow(self, k: Machine) -> Next:
        """Point the entry at the copy, writable and dirty, and flush the TLB."""
        mm, old, copy = self.vma.mm, k.page(self.orig.pfn), self._copy
        if old.reserved:
            mm.rss = (mm.rss or 0) + 1
        else:
            page_remove_rmap(old)
        mm.pte[self.vpn] = pte_mkwrite(pte_mkdirty(mk_pte(copy.pfn, self.vma.prot)))
        flush_tlb(k, mm.process, (self.vpn,))

    def page_add_anon_rmap(self, k: Machine) -> Next:
        """The copy joins the LRU; the old page loses the reference of this entry."""
        page_add_anon_rmap(k, self._copy, self.vpn)
        k.ram.put(k.page(self.orig.pfn))

    def release_old(self, k: Machine) -> Next:
        """Let go of the old page."""
        k.ram.put(k.page(self.orig.pfn))

    def unlock(self, k: Machine) -> Next:
        """Leave with the lock dropped."""
        k.unlock(self.vma.mm.page_table_lock)
        return ret(self.fault)

    def reuse(self, k: Machine) -> Next:
        """Make the entry writable as it stands, and flush the TLB."""
        mm = self.vma.mm
        mm.pte[self.vpn] = pte_mkwrite(pte_mkyoung(pte_mkdirty(self.orig)))
        flush_tlb(k, mm.process, (self.vpn,))
        return self.unlock

    @property
    def _copy(self) -> Page:
        assert self.copy is not None
        return self.copy
