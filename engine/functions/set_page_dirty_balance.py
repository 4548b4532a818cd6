"""set_page_dirty_balance(): a store's fault marks the page dirty, and pays if too much is dirty. 2.6.19.

After mm/page-writeback.c (edc79b2a46ed). Entered and left with mmap_sem held for reading and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.page_flags import set_page_dirty
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine

VM_DIRTY_RATIO = 40
"""Percent of the frames that may be dirty before whoever dirties one more has to write."""


@dataclass
class SetPageDirtyBalance(KernelFunction):
    """Marks a page dirty that the caller holds. What goes wrong in the writing is noted in the mappings, as ever."""

    source = "mm/page-writeback.c set_page_dirty_balance, balance_dirty_pages, 2.6.19"
    page: Page
    seen: tuple[str, ...] = ()
    error: str = OK

    def set_page_dirty(self, k: Machine) -> Next:
        """The store was trapped, so that the page is known to be dirty before the first byte is in it."""
        set_page_dirty(k, self.page)

    def balance_dirty_pages(self, k: Machine) -> Next:
        """Is too much of memory dirty? Then this program has to write some of it first."""
        dirty = {name: sum(1 for _ in mapping.tag_dirty) for name, mapping in k.mappings.items()}
        limit = k.scenario.machine.frames * VM_DIRTY_RATIO // 100
        k.answer(f"{sum(dirty.values())} dirty, limit {limit}")
        file = next((name for name, pages in dirty.items() if pages and name not in self.seen), None)
        if sum(dirty.values()) <= limit or file is None:
            return ret()
        self.seen = (*self.seen, file)
        return call(k.ops.writepages(k.mappings[file], False), into="error")

    def error_noted(self, k: Machine) -> Next:
        """Whatever the writing came to, the program that paid for it hears nothing. Is it enough now?"""
        return self.balance_dirty_pages
