"""fork(2) with lazy page tables. After mm/memory.c vma_needs_copy(), since 2.6.14.

Entries of shared file mappings are not copied: the child's first access faults for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.functions.do_fork import DoFork
from engine.values import Pte

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoForkLazy(DoFork):
    """The child task begins with a copy of this address space."""

    source = "kernel/fork.c dup_mmap, mm/memory.c copy_page_range, vma_needs_copy, 6.x"

    def _copy_one_pte(self, k: Machine, vpn: int, entry: Pte) -> None:
        vma = k.current.mm.find_vma(vpn)
        if vma is None or not vma.reaches_file:
            super()._copy_one_pte(k, vpn, entry)
