"""filemap_fdatawait(): wait for a file's writes, and take its errors away. After mm/filemap.c, 2.6.9.

The error bits are one per file and cleared by whoever asks first: the second one hears that all is well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, may_sleep, ret
from engine.objects.mapping import AddressSpace
from engine.values import EIO, ENOSPC, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FilemapFdatawait(KernelFunction):
    """Returns "0", ENOSPC or EIO."""

    source = "mm/filemap.c filemap_fdatawait, wait_on_page_writeback_range, 2.6.9"
    mapping: AddressSpace
    waited: tuple[int, ...] = ()

    def pagevec_lookup_tag(self, k: Machine) -> Next:
        """Which pages are on their way to the disk?"""
        self.waited = tuple(pfn for i, _ in self.mapping.tag_writeback.items() if (pfn := self.mapping.pages[i]))

    @may_sleep
    def wait_on_page_writeback(self, k: Machine) -> Next:
        """Wait until they have arrived."""
        for pfn in self.waited:
            if k.page(pfn).writeback and k.page(pfn).mapping == self.mapping.file:
                k.blocked_on = f"{k.page(pfn)}.writeback"
                return WAIT

    def test_and_clear_bit(self, k: Machine) -> Next:
        """Has anything gone wrong with this file? Whoever asks takes the error away."""
        error = EIO if any(k.page(pfn).error for pfn in self.waited) else OK
        if self.mapping.enospc:
            error, self.mapping.enospc = ENOSPC, None
        if self.mapping.eio:
            error, self.mapping.eio = EIO, None
        k.answer(error)
        return ret(error)
