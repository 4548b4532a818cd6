"""do_cow_fault(): a store to a private mapping of a file. After mm/memory.c, 6.x. It needs memory and no disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.alloc_page import AllocPage
from engine.functions.linux6.filemap_fault import FilemapFault
from engine.functions.page_flags import page_add_anon_rmap, update_mmu_cache
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import MINOR, OOM, mk_pte, pte_mkdirty, pte_mkwrite

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoCowFault(KernelFunction):
    """Returns MINOR, RETRY, SIGBUS or OOM."""

    source = "mm/memory.c do_cow_fault, 6.x"
    vma: Vma
    vpn: int
    copy: Page = None  # type: ignore[assignment]
    page: Page | str = ""

    def alloc(self, k: Machine) -> Next:
        """A private copy needs a frame of its own."""
        return call(AllocPage(), into="copy")

    def fault(self, k: Machine) -> Next:
        """Ask the file for the page to copy."""
        if self.copy is None:
            return ret(OOM)
        return call((k.ops.nopage or FilemapFault)(self.vma, self.vpn), into="page")

    def copy_user_page(self, k: Machine) -> Next:
        """Copy it, and let go of the file's page; the copy belongs to no file."""
        if isinstance(self.page, str):
            k.ram.put(self.copy)
            return ret(self.page)
        self.copy.data, self.copy.uptodate = self.page.content, True
        k.unlock(self.page.locked)
        k.ram.put(self.page)

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? A private copy needs no disk."""
        k.answer("no need: a private copy")

    def lock(self, k: Machine) -> Next:
        """Take the lock of the page table."""
        return k.lock(self.vma.mm.page_table_lock)

    def pte_none(self, k: Machine) -> Next:
        """Only go on if nobody has filled the entry in the meantime."""
        if self.vma.mm.pte[self.vpn] is not None:
            k.answer("no: a sibling was faster")
            k.ram.put(self.copy)
            return self.unlock
        k.answer("still yes")

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry with the copy, writable and dirty."""
        mm = self.vma.mm
        mm.rss = (mm.rss or 0) + 1
        mm.pte[self.vpn] = pte_mkwrite(pte_mkdirty(mk_pte(self.copy.pfn, self.vma.prot)))
        page_add_anon_rmap(k, self.copy, self.vpn)
        update_mmu_cache(k, mm, self.vpn)

    def unlock(self, k: Machine) -> Next:
        """Leave with the lock dropped."""
        k.unlock(self.vma.mm.page_table_lock)
        return ret(MINOR)
