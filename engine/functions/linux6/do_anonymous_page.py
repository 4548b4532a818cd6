"""do_anonymous_page(): memory without a file. After mm/memory.c, 6.x. Entered and left without a spinlock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next
from engine.functions.do_anonymous_page import DoAnonymousPage
from engine.values import mk_pte, pte_wrprotect

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoAnonymousPageUnlocked(DoAnonymousPage):
    """Returns MINOR or OOM."""

    source = "mm/memory.c do_anonymous_page, 6.x"

    def zero_page(self, k: Machine) -> Next:
        """A load gets the page of zeroes that everybody shares, write-protected; a store needs a page of its own."""
        return self.drop_lock if self.write else self.pte_lock

    def drop_lock(self, k: Machine) -> Next:
        """No spinlock is held, so that getting a page may sleep."""

    def pte_lock(self, k: Machine) -> Next:
        """Take the lock of the page table."""
        return k.lock(self.vma.mm.page_table_lock)

    def set_zero_pte(self, k: Machine) -> Next:
        """Fill the entry with the zero page, if it is still empty."""
        if self.vma.mm.pte[self.vpn] is None:
            self.vma.mm.pte[self.vpn] = pte_wrprotect(mk_pte(0, self.vma.prot))
        return self.unlock
