"""shrink_folio_list(): take pages back. After mm/vmscan.c, 6.x: dirty pages of files are left to the flusher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, Next
from engine.functions.kswapd import Kswapd
from engine.functions.shrink_list import ShrinkList

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class ShrinkFolioList(ShrinkList):
    """Returns how many pages were freed."""

    c_name = "shrink_folio_list"
    source = "mm/vmscan.c shrink_folio_list, 6.x"

    def pageout(self, k: Machine) -> Next:
        """Is it dirty? Reclaim does not write it: it wakes the flusher and comes back later."""
        if self.page.mapped or k.kind.in_memory:
            return self.keep
        if not self.page.dirty:
            return self.release_buffers
        self.page.reclaim = True
        if not k.tasks["pdflush"].wanted:
            k.tasks["pdflush"].wanted = True
        return self.keep


@dataclass
class BalancePgdat(Kswapd):
    """Two passes over the list: what the flusher had to write before, the second one can free."""

    source = "mm/vmscan.c balance_pgdat, 6.x"

    def blk_congestion_wait(self, k: Machine) -> Next:
        """Wait for the flusher, and for the disk, and go through the list once more."""
        if k.tasks["pdflush"].wanted:
            k.blocked_on = "task/pdflush.wanted"
            return WAIT
        return super().blk_congestion_wait(k)
