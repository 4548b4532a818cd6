"""do_no_page(): give a faulting address its page. After mm/memory.c, 2.6.9.

Entered with page_table_lock held, left with it dropped. The lock goes while the page is looked for, because that may
sleep; so what was learned before is asked again after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret, tail
from engine.functions.alloc_page import AllocPage
from engine.functions.do_anonymous_page import DoAnonymousPage
from engine.functions.filemap_nopage import FilemapNopage
from engine.functions.page_flags import page_add_anon_rmap, page_add_file_rmap, update_mmu_cache
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import MINOR, OOM, Pte, mk_pte, pte_mkdirty, pte_mkwrite

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoNoPage(KernelFunction):
    """Returns MINOR, SIGBUS or OOM."""

    source = "mm/memory.c do_no_page, 2.6.9"
    vma: Vma
    vpn: int
    write: bool
    page: Page = None  # type: ignore[assignment]  # nopage fills it
    copy: Page | None = None
    sequence: int | None = None
    fault: str = MINOR

    def drop_lock(self, k: Machine) -> Next:
        """->nopage may sleep, so page_table_lock goes first."""
        if self.vma.file is None:
            return tail(DoAnonymousPage(self.vma, self.vpn, self.write))
        k.unlock(self.vma.mm.page_table_lock)

    def nopage(self, k: Machine) -> Next:
        """Note how often the file was cut, and ask it for the page. Where it has a hole, it answers with zeroes."""
        self.sequence = k.mappings[self.vma.file or ""].truncate_count
        return call(FilemapNopage(self.vma, self.vpn), into="page")

    def early_cow(self, k: Machine) -> Next:
        """A store to a private mapping gets a frame for a copy at once; any other keeps the file's page."""
        if isinstance(self.page, str):
            return ret(self.page)
        if not self.write or self.vma.shared:
            return self.retake_lock
        return call(AllocPage(), into="copy")

    def copy_user_page(self, k: Machine) -> Next:
        """Copy the file's page, and let go of it; the copy belongs to no file and needs no disk."""
        file_page = self.page
        if self.copy is not None:
            self.copy.data, self.page = file_page.content, self.copy
        k.ram.put(file_page)
        return ret(OOM) if self.copy is None else self.retake_lock

    def retake_lock(self, k: Machine) -> Next:
        """Back under the lock: anything may have happened meanwhile."""
        return k.lock(self.vma.mm.page_table_lock)

    def truncate_count(self, k: Machine) -> Next:
        """Was the file cut short while nobody held the lock? Then look for the page again."""
        if k.mappings[self.vma.file or ""].truncate_count != self.sequence:
            return self.retry

    def pte_none(self, k: Machine) -> Next:
        """Only go on if nobody has filled the entry in the meantime."""
        if self.vma.mm.pte[self.vpn] is not None:
            k.answer("no: a sibling was faster")
            return self.back_out
        k.answer("still yes")

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? 2.6.9 asks nobody."""
        k.answer("never asked")

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry. From here on stores go through without a word to the kernel."""
        self.vma.mm.rss = (self.vma.mm.rss or 0) + 1
        self.vma.mm.pte[self.vpn] = entry_for(self.vma, self.page, write=self.write)  # the promise

    def page_add_rmap(self, k: Machine) -> Next:
        """The page counts who maps it, and the CPU may know of the entry; a private copy joins the LRU as well."""
        update_mmu_cache(k, self.vma.mm, self.vpn)
        if self.copy is not None:
            page_add_anon_rmap(k, self.page, self.vpn)
        else:
            page_add_file_rmap(self.page)

    def unlock(self, k: Machine) -> Next:
        """Leave with the lock dropped, as the caller expects."""
        k.unlock(self.vma.mm.page_table_lock)
        return ret(self.fault)

    def back_out(self, k: Machine) -> Next:
        """Let go of the page again."""
        k.ram.put(self.page)
        return self.unlock

    def retry(self, k: Machine) -> Next:
        """Drop the lock and the page, a private copy too, and start over."""
        k.unlock(self.vma.mm.page_table_lock)
        k.ram.put(self.page)
        self.copy = None
        return self.nopage


def entry_for(vma: Vma, page: Page, *, write: bool) -> Pte:
    """The entry for a page just found: after a store it is dirty, and writable if the mapping is (maybe_mkwrite)."""
    entry = mk_pte(page.pfn, vma.prot)
    if not write:
        return entry
    return pte_mkwrite(pte_mkdirty(entry)) if vma.writable else pte_mkdirty(entry)
