"""do_wp_page(): a store to a write-protected entry. After mm/memory.c, 6.x: two reasons, and shared comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, tail
from engine.functions.do_wp_page import DoWpPage
from engine.functions.linux6.wp_page_shared import WpPageShared

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoWpPageShared(DoWpPage):
    """Entered with the lock of the page table, left without. Returns MINOR, SIGBUS or OOM."""

    source = "mm/memory.c do_wp_page, wp_page_copy, 6.x"

    def enough_space(self, k: Machine) -> Next:
        """A shared page whose first store was waited for, or a private one that has to be copied?"""
        if self.vma.shared and self.vma.file is not None:
            k.answer("a shared page")
            return tail(WpPageShared(self.vma, self.vpn, self.orig))
        k.answer("no need: a private copy")
