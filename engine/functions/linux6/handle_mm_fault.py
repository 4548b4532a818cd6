"""handle_mm_fault(): find the place of the entry. After mm/memory.c __handle_mm_fault(), 6.x.

Entered with mmap_lock held for reading. No spinlock is held on the way down; each level has its own for an instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next
from engine.functions.handle_mm_fault import HandleMmFault

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class HandleMmFaultUnlocked(HandleMmFault):
    """Returns what handle_pte_fault returns."""

    source = "mm/memory.c __handle_mm_fault, __pte_alloc, 6.x"

    def lock(self, k: Machine) -> Next:
        """No spinlock yet: the entry is looked at without one."""

    def drop_lock(self, k: Machine) -> Next:
        """There is no page table here yet."""

    def pmd_populate(self, k: Machine) -> Next:
        """Hang it into the directory, unless a sibling was faster, and drop the lock again."""
        then = super().pmd_populate(k)
        k.unlock(self.vma.mm.page_table_lock)
        return then

    def pmd_alloc(self, k: Machine) -> Next:
        """Even the directory above is missing."""

    def pgd_populate(self, k: Machine) -> Next:
        """Hang it into the level above, unless a sibling was faster, drop the lock, and look what is missing."""
        then = super().pgd_populate(k)
        k.unlock(self.vma.mm.page_table_lock)
        return then
