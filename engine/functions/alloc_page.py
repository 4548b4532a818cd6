"""alloc_page(): a free frame, if need be by reclaim. After mm/page_alloc.c __alloc_pages(), 2.6.9. No lock may spin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.shrink_list import ShrinkList

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class AllocPage(KernelFunction):
    """Returns a page with one reference, or None when memory is out."""

    source = "mm/page_alloc.c __alloc_pages, 2.6.9"
    freed: int = 0

    @may_sleep
    def get_free(self, k: Machine) -> Next:
        """Take a free page frame."""
        page = k.ram.take()
        if page is not None:
            return ret(page)

    def try_to_free_pages(self, k: Machine) -> Next:
        """No frame is free: the task that needs one has to reclaim one itself."""
        return call(ShrinkList(k.ram.lru or (), 1), into="freed")

    def again(self, k: Machine) -> Next:
        """Try again if reclaim found a page. If not, memory is out, unless the disk is still at it."""
        if self.freed:
            return self.get_free
        if not k.disk.queue:
            return ret(None)

    @may_sleep
    def blk_congestion_wait(self, k: Machine) -> Next:
        """Pages under writeback can be had when they are written: wait, and look once more."""
        if k.disk.queue:
            k.blocked_on = "disk.queue"
            return WAIT
        return self.get_free
