"""mpage_writepages(): write a file's dirty pages. After fs/mpage.c, 2.6.9.

The error of the last page written overwrites that of the ones before it; only the flag in the mapping remembers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.mpage_writepage import MpageWritepage
from engine.functions.page_flags import clear_page_dirty_for_io
from engine.objects.mapping import AddressSpace
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine

PAGEVEC_SIZE = 16


@dataclass
class MpageWritepages(KernelFunction):
    """Returns "0" or an errno. `sync` (WB_SYNC_ALL) waits for a page that is already being written."""

    source = "fs/mpage.c mpage_writepages, 2.6.9"
    mapping: AddressSpace
    sync: bool
    index: int = 0
    page: Page = None  # type: ignore[assignment]  # a step fills it
    result: str = OK
    error: str = OK
    looked: int = 0
    done: bool = False

    def pagevec_lookup_tag(self, k: Machine) -> Next:
        """Find the next page with the DIRTY tag. A dirty bit that is only in a page table is not seen."""
        index = next((i for i, _ in self.mapping.tag_dirty.items() if i >= self.index), None)
        if index is None or (self.done and self.looked % PAGEVEC_SIZE == 0):
            k.answer("none left")
            return ret(self.error)
        self.page = k.page(self.mapping.pages[index] or 0)
        self.index, self.looked = index + 1, self.looked + 1
        self.page.get()
        k.answer(f"page {index}")

    @may_sleep
    def lock_page(self, k: Machine) -> Next:
        """Lock the page."""
        return k.lock(self.page.locked)

    @may_sleep
    def wait_on_page_writeback(self, k: Machine) -> Next:
        """Is it still this file's dirty page, and is nobody writing it already?"""
        if self.sync and self.page.writeback:
            k.blocked_on = f"{self.page}.writeback"
            return WAIT
        if self.page.mapping != self.mapping.file or self.page.writeback or not self.page.dirty:
            return self.skip

    def clear_page_dirty_for_io(self, k: Machine) -> Next:
        """From here on the page counts as clean."""
        clear_page_dirty_for_io(self.page)

    def writepage(self, k: Machine) -> Next:
        """Write this page."""
        return call(MpageWritepage(self.page), into="result")

    def mapping_set_error(self, k: Machine) -> Next:
        """What went wrong is noted in the mapping, for whoever asks first."""
        if self.result != OK:
            self.mapping.set_error(self.result)
        self.error, self.done = self.result, self.done or self.result != OK
        k.ram.put(self.page)
        return self.pagevec_lookup_tag

    def skip(self, k: Machine) -> Next:
        """Nothing to do here."""
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        return self.pagevec_lookup_tag
