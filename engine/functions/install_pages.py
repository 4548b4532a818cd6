"""install_page(), as MAP_POPULATE uses it. After mm/fremap.c, 2.6.9: it bypasses do_no_page completely (facts 1a.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.filemap_nopage import FilemapNopage
from engine.functions.page_flags import page_add_file_rmap
from engine.objects.mm import PTRS_PER_PTE, Vma
from engine.objects.page import Page
from engine.values import mk_pte

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class InstallPages(KernelFunction):
    """Gives every page of a range of a file its entry."""

    c_name = "install_page"
    source = "mm/filemap.c filemap_populate, mm/fremap.c install_page, 2.6.9"
    vma: Vma
    at: int = 0
    page: Page | str = ""

    def nopage(self, k: Machine) -> Next:
        """Get the next page of the file."""
        if self.vma.start + self.at >= self.vma.end:
            return ret()
        return call(FilemapNopage(self.vma, self.vma.start + self.at), into="page")

    def lock(self, k: Machine) -> Next:
        """Take page_table_lock."""
        return ret() if isinstance(self.page, str) else k.lock(self.vma.mm.page_table_lock)

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry with the mapping's rights: a shared mapping's is writable at once, and nobody was asked."""
        mm, vpn, page = self.vma.mm, self.vma.start + self.at, self.page
        assert isinstance(page, Page)
        inside = self.vma.index(vpn) * k.page_size < k.inodes[self.vma.file or ""].size
        if inside and page.mapping == self.vma.file and mm.pte[vpn] is None:
            if not mm.has_table(vpn):
                mm.pgd[vpn // PTRS_PER_PTE] = f"table {vpn // PTRS_PER_PTE}"
            mm.pte[vpn], mm.rss = mk_pte(page.pfn, self.vma.prot), (mm.rss or 0) + 1
            page_add_file_rmap(page)
        else:
            k.ram.put(page)

    def unlock(self, k: Machine) -> Next:
        """On to the next page."""
        k.unlock(self.vma.mm.page_table_lock)
        self.at += 1
        return self.nopage
