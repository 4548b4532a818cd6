"""do_anonymous_page(): memory without a file. After mm/memory.c, 2.6.9. Entered with page_table_lock, left without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.alloc_page import AllocPage
from engine.functions.page_flags import page_add_anon_rmap, update_mmu_cache
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import MINOR, OOM, mk_pte, pte_mkdirty, pte_mkwrite, pte_wrprotect

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoAnonymousPage(KernelFunction):
    """Returns MINOR or OOM."""

    source = "mm/memory.c do_anonymous_page, 2.6.9"
    vma: Vma
    vpn: int
    write: bool
    page: Page | None = None

    def zero_page(self, k: Machine) -> Next:
        """A load gets the page of zeroes that everybody shares, write-protected; a store needs a page of its own."""
        if self.write:
            return self.drop_lock
        self.vma.mm.pte[self.vpn] = pte_wrprotect(mk_pte(0, self.vma.prot))
        update_mmu_cache(k, self.vma.mm, self.vpn)

    def unlock(self, k: Machine) -> Next:
        """Leave with the lock dropped."""
        k.unlock(self.vma.mm.page_table_lock)
        return ret(MINOR)

    def drop_lock(self, k: Machine) -> Next:
        """Allocating may sleep, so the lock goes."""
        k.unlock(self.vma.mm.page_table_lock)

    def alloc(self, k: Machine) -> Next:
        """Get a frame, filled with zeroes."""
        return call(AllocPage(), into="page")

    def retake_lock(self, k: Machine) -> Next:
        """Back under the lock."""
        return ret(OOM) if self.page is None else k.lock(self.vma.mm.page_table_lock)

    def pte_none(self, k: Machine) -> Next:
        """Only go on if the entry is still empty."""
        if self.vma.mm.pte[self.vpn] is not None:
            k.answer("no: a sibling was faster")
            k.ram.put(self._page)
            return self.unlock
        k.answer("still yes")

    def enough_space(self, k: Machine) -> Next:
        """Memory without a file needs no disk: there is nothing to ask."""
        k.answer("no need: no file")

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry, writable and dirty."""
        mm, page = self.vma.mm, self._page
        mm.rss = (mm.rss or 0) + 1
        mm.pte[self.vpn] = pte_mkwrite(pte_mkdirty(mk_pte(page.pfn, self.vma.prot)))
        page_add_anon_rmap(k, page, self.vpn)
        update_mmu_cache(k, mm, self.vpn)
        return self.unlock

    @property
    def _page(self) -> Page:
        assert self.page is not None
        return self.page
