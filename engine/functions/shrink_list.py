"""shrink_list(): take pages away from whoever does not need them. After mm/vmscan.c, 2.6.9.

A dirty page is written first. Where that fails on a hole, 2.6.9 finds the page clean and not under writeback, takes it
for a ramdisk's, and frees it in the same pass: facts 1a.14.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, ret
from engine.functions.page_flags import (
    can_walk,
    mapping_of,
    ptep_clear_flush_young,
    remove_from_page_cache,
    rmap,
)
from engine.functions.pageout import KEEP, Pageout
from engine.functions.try_to_unmap import TryToUnmap
from engine.objects.page import Page

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class ShrinkList(KernelFunction):
    """Looks at the given frames in order until `want` are free. Returns how many it freed."""

    source = "mm/vmscan.c shrink_list, 2.6.9"
    scan: tuple[int, ...]
    want: int
    page: Page = None  # type: ignore[assignment]  # a step fills it
    freed: int = 0
    paged_out: str = ""

    def isolate(self, k: Machine) -> Next:
        """Take the oldest page off the list."""
        if not self.scan or self.freed >= self.want:
            return ret(self.freed)
        self.page, self.scan = k.page(self.scan[0]), self.scan[1:]
        if not self.page.lru:
            return self.isolate
        self.page.get()

    def trylock_page(self, k: Machine) -> Next:
        """A page that is locked, or on its way to the disk, is left alone."""
        if self.page.writeback or not k.trylock(self.page.locked):
            return self.leave

    def page_referenced(self, k: Machine) -> Next:
        """Memory is short for long enough that the page counts as untouched: its accessed bits are cleared."""
        found = rmap(k, self.page)
        if not can_walk(k, mapping_of(k, self.page), *(mm for mm, _, _ in found)):
            return WAIT
        self.page.referenced = self.page.active = None
        for mm, vpn, _ in found:
            ptep_clear_flush_young(k, mm, vpn)

    def try_to_unmap(self, k: Machine) -> Next:
        """Every page table that points at the page has to let go of it. Anonymous pages stay: there is no swap."""
        if self.page.anon or mapping_of(k, self.page) is None:
            return self.keep
        return call(TryToUnmap(self.page))

    def pageout(self, k: Machine) -> Next:
        """Is it dirty? Then it has to be written before the frame can go."""
        if self.page.mapped:
            return self.keep
        if not self.page.dirty:
            return self.release_buffers
        return call(Pageout(self.page), into="paged_out")

    def trylock_again(self, k: Machine) -> Next:
        """Neither dirty nor under writeback after all that: it looks like a ramdisk's, written there and then."""
        if self.paged_out == KEEP:
            return self.keep
        if self.page.writeback or self.page.dirty or not k.trylock(self.page.locked):
            return self.leave

    def release_buffers(self, k: Machine) -> Next:
        """The page is clean: its buffers can go."""
        if self.page.private and self.page.buffers_dirty:
            return self.keep
        if self.page.private:
            self.page.drop_buffers()

    def remove_mapping(self, k: Machine) -> Next:
        """Nobody else holds it: the page leaves the page cache, and its content is gone from memory."""
        if self.page.count != 2 or self.page.dirty:
            return self.keep
        remove_from_page_cache(k, self.page)
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        self.freed += 1
        return self.isolate

    def keep(self, k: Machine) -> Next:
        """Somebody still needs it: the page stays."""
        k.unlock(self.page.locked)

    def leave(self, k: Machine) -> Next:
        """On to the next page."""
        k.ram.put(self.page)
        return self.isolate
