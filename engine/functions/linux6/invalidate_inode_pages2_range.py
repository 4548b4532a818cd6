"""invalidate_inode_pages2_range(): clean pages of a range leave the cache and every page table. mm/truncate.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, may_sleep
from engine.functions.invalidate_inode_pages2_range import InvalidateInodePages2RangeClean
from engine.values import EBUSY, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class InvalidateFolios(InvalidateInodePages2RangeClean):
    """Pages [first, last) of a file. Returns "0", or EBUSY for one that was stored to meanwhile and stays."""

    source = "mm/truncate.c invalidate_inode_pages2_range, invalidate_complete_folio2, 6.x"

    @may_sleep
    def lock_page(self, k: Machine) -> Next:
        """Lock the folio."""
        return super().lock_page(k)

    def invalidate_complete_page(self, k: Machine) -> Next:
        """A clean page leaves the cache. One that was stored to meanwhile stays, and with it what was stored."""
        then = super().invalidate_complete_page(k)
        self.error = EBUSY if self.error != OK else OK
        return then

    def _gives_up(self) -> bool:
        return False
