"""A CPU: its MMU and its TLB. What happens here happens without the kernel's knowledge.

The walk follows the i386 manual, level by level, as far as asm-i386/pgtable.h needs it: A is set on use; D by a store,
in a locked cycle that looks at the entry in memory again; a TLB entry that allows the store and is dirty asks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.journal import Cell, Entity, Journal, Table
from engine.values import PROTNONE, Pte, pte_mkdirty, pte_mkyoung

if TYPE_CHECKING:
    from engine.objects.mm import Mm


class Cpu(Entity):
    """One processor. `mm` is what CR3 points to; the TLB holds copies of entries, by virtual page number."""

    mm = Cell[str | None]()

    def __init__(self, journal: Journal, number: int) -> None:
        super().__init__(journal, f"cpu/{number}")
        self.tlb: Table[Pte] = Table(journal, f"{self.name}/tlb", "entry", hexadecimal=True)

    def switch_to(self, mm: Mm) -> None:
        """Load CR3: another address space empties the TLB."""
        if self.mm != mm.process:
            self.tlb.clear()
            self.mm = mm.process

    def translate(self, mm: Mm, vpn: int, *, write: bool) -> Pte | None:
        """What the TLB says, if it allows the access; None means a walk."""
        self.switch_to(mm)
        entry = self.tlb[vpn]
        return entry if entry and (entry.write or not write) else None

    def walk(self, mm: Mm, vpn: int, *, write: bool) -> Pte | str:
        """Level by level to the entry. A usable one gets A set and enters the TLB; text is where the walk stops."""
        stop = mm.stops_at(vpn)
        entry = mm.pte[vpn] if stop is None else None
        if entry is None or entry.flags & PROTNONE or (write and not entry.write):
            self.tlb[vpn] = None
            level = "pte" if stop is None else mm.format.levels[stop.depth].name
            return f"{level} {why(entry)}"
        mm.pte[vpn] = self.tlb[vpn] = pte_mkyoung(entry)
        return pte_mkyoung(entry)

    def mark_dirty(self, mm: Mm, vpn: int) -> bool:
        """The first store through a clean translation: set D in the page table, if the entry still allows it."""
        entry, cached = mm.pte[vpn], self.tlb[vpn]
        if cached is None:
            return False
        if cached.dirty:
            return True
        if entry is None or not entry.write or entry.flags & PROTNONE:
            self.tlb[vpn] = None
            return False
        mm.pte[vpn] = self.tlb[vpn] = pte_mkdirty(pte_mkyoung(entry))
        return True


class SoftTlbCpu(Cpu):
    """A processor whose TLB the kernel fills. It only compares: VALID lets a load through, DIRTY a store (MIPS)."""

    def translate(self, mm: Mm, vpn: int, *, write: bool) -> Pte | None:
        """What the TLB says, if it lets the access through; None means a trap, and the TLB keeps what it has."""
        entry = super().translate(mm, vpn, write=write)
        if entry is None or not entry.young or entry.flags & PROTNONE:
            return None
        return entry if entry.dirty or not write else None


def why(entry: Pte | None) -> str:
    """Why an entry is no use."""
    if entry is None:
        return "empty"
    return "PROT_NONE" if entry.flags & PROTNONE else "read-only"
