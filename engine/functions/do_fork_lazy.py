"""fork(2) with lazy page tables: what the child can fault in for itself is not copied. mm/memory.c, since 2.6.14."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, Next
from engine.functions.do_fork import DoFork
from engine.objects.mm import Vma
from engine.objects.page import Page

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoForkLazy(DoFork):
    """What the child can fault in for itself is not copied: only ranges that have pages of their own are."""

    source = "mm/memory.c copy_page_range, 2.6.14"

    def copy_pte_range(self, k: Machine) -> Next:
        """Only private pages are copied, read-only for both. For a shared file the child will fault by itself."""
        parent, child = k.current.mm, self._mm(k)
        if not k.free_lock(parent.page_table_lock):
            return WAIT
        own = {vma for vpn, entry in parent.pte.items() if (vma := _private(k, parent.find_vma(vpn), entry.pfn))}
        for vpn, entry in list(parent.pte.items()):
            if parent.find_vma(vpn) in own:
                child.make_tables(vpn)
                self._copy_one_pte(k, vpn, entry)


def _private(k: Machine, vma: Vma | None, pfn: int) -> Vma | None:
    """The range, if this entry of it points at a page that is in no file (so that it has an anon_vma)."""
    page: Page = k.page(pfn)
    return vma if vma is not None and page.anon else None
