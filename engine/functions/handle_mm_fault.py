"""handle_mm_fault(): find the place of the entry. After mm/memory.c, 2.6.9.

Entered with mmap_sem held for reading. Takes page_table_lock and leaves it to the function below to drop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, may_sleep, tail
from engine.functions.handle_pte_fault import HandlePteFault
from engine.objects.mm import Vma

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class HandleMmFault(KernelFunction):
    """Returns what handle_pte_fault returns."""

    source = "mm/memory.c handle_mm_fault, __pmd_alloc, pte_alloc_map, 2.6.9"
    vma: Vma
    vpn: int
    write: bool

    def lock(self, k: Machine) -> Next:
        """Take page_table_lock: one for the whole address space."""
        return k.lock(self.vma.mm.page_table_lock)

    def pte_alloc_map(self, k: Machine) -> Next:
        """Is there a page table for this part of the address space?"""
        mm = self.vma.mm
        stop = mm.stops_at(self.vpn)
        if stop is not None:
            k.answer(f"no: {k.format.levels[stop.depth].name} empty")
            return self.drop_lock if stop is mm.lowest else self.pmd_alloc

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
        """Hang it into the directory above, unless a sibling was faster."""
        self.vma.mm.lowest.hang(self.vpn)
        return self.handle

    def pmd_alloc(self, k: Machine) -> Next:
        """Even the directory above is missing. Allocating that may sleep too, so the lock goes."""
        k.unlock(self.vma.mm.page_table_lock)

    @may_sleep
    def pmd_alloc_one(self, k: Machine) -> Next:
        """Get an empty directory."""

    def pmd_retake_lock(self, k: Machine) -> Next:
        """Back under the lock."""
        return k.lock(self.vma.mm.page_table_lock)

    def pgd_populate(self, k: Machine) -> Next:
        """Hang it into the level above, unless a sibling was faster, and look again what is missing."""
        stop = self.vma.mm.stops_at(self.vpn)
        if stop is not None and stop is not self.vma.mm.lowest:
            stop.hang(self.vpn)
        return self.pte_alloc_map
