"""handle_mm_fault(): find the place of the entry. After mm/memory.c, 2.6.9.

Entered with mmap_sem held for reading. Takes page_table_lock and leaves it to the function below to drop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, may_sleep, tail
from engine.functions.handle_pte_fault import HandlePteFault
from engine.objects.mm import PTRS_PER_PTE, Vma

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class HandleMmFault(KernelFunction):
    """Returns what handle_pte_fault returns."""

    source = "mm/memory.c handle_mm_fault, pte_alloc_map, 2.6.9"
    vma: Vma
    vpn: int
    write: bool

    def lock(self, k: Machine) -> Next:
        """Take page_table_lock: one for the whole address space."""
        return k.lock(self.vma.mm.page_table_lock)

    def pte_alloc_map(self, k: Machine) -> Next:
        """Is there a page table for this part of the address space?"""
        if not self.vma.mm.has_table(self.vpn):
            return self.drop_lock

    def handle(self, k: Machine) -> Next:
        """Look at the entry itself."""
        return tail(HandlePteFault(self.vma, self.vpn, self.write))

    def drop_lock(self, k: Machine) -> Next:
        """None yet. Allocating one may sleep, so the lock goes."""
        k.unlock(self.vma.mm.page_table_lock)

    @may_sleep
    def pte_alloc_one(self, k: Machine) -> Next:
        """Get an empty page table."""

    def retake_lock(self, k: Machine) -> Next:
        """Back under the lock."""
        return k.lock(self.vma.mm.page_table_lock)

    def pmd_populate(self, k: Machine) -> Next:
        """Hang it into the page directory, unless a sibling was faster."""
        slot = self.vpn // PTRS_PER_PTE
        if not self.vma.mm.has_table(self.vpn):
            self.vma.mm.pgd[slot] = f"table {slot}"
        return self.handle
