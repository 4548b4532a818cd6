"""kswapd: the kernel thread that takes pages back when memory is short. After mm/vmscan.c balance_pgdat(), 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, ret
from engine.functions.shrink_list import ShrinkList

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Kswapd(KernelFunction):
    """Two passes over the list: what the first one had to write, the second one can free."""

    c_name = "balance_pgdat"
    source = "mm/vmscan.c balance_pgdat, 2.6.9"
    passes: int = 0
    freed: int = 0

    def shrink_zone(self, k: Machine) -> Next:
        """Go through the pages, oldest first, and free what can be freed."""
        self.passes += 1
        return call(ShrinkList(k.ram.lru or (), k.scenario.machine.frames), into="freed")

    def blk_congestion_wait(self, k: Machine) -> Next:
        """Wait for the writes that were begun, and go through the list once more."""
        if k.disk.queue:
            k.blocked_on = "disk.queue"
            return WAIT
        if self.passes == 1 and k.ram.lru:
            return self.shrink_zone

    def done(self, k: Machine) -> Next:
        """Back to sleep."""
        k.current.wanted = None
        return ret()
