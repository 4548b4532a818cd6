"""Page-table formats: how an architecture cuts an address into levels and writes an entry. Pure, without state.

A virtual page number is cut the same way at every page size: the offset takes the bits of the page size, the levels
what is above. The word of an entry is that of 4 KiB pages. Facts 3.1 and 3.2; include/asm-*/pgtable*.h, 2.6.9.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.values import ACCESSED, DIRTY, NX, PRESENT, PROTNONE, RW, USER, VM_EXEC, Pte

PFN_SHIFT = 12


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the tables: its name, and how many bits of the address choose an entry."""

    name: str
    bits: int


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of an entry's word. It is set where, for one of `when`, all these flags of the entry are."""

    mask: int
    name: str
    when: tuple[int, ...]

    def is_set(self, flags: int) -> bool:
        """Whether an entry with these flags has the bit."""
        return any(flags & wanted == wanted for wanted in self.when)


@dataclass(frozen=True, slots=True)
class Format:
    """The page tables of an architecture.

    `levels` from the outermost to "pte"; `mapping_base` (TASK_UNMAPPED_BASE) and `task_size` in virtual pages; `born`
    says how many entries of the outermost table are filled from birth; `fixed` are bits that every entry has. With
    `refill` no hardware walks the tables: the kernel fills the TLB, and keeps A and D, in traps. NX goes to mappings
    without VM_EXEC, except those with one of the flags `nx_spares`; None where there is no such bit.
    """

    id: str
    title: str
    source: str
    levels: tuple[Level, ...]
    entry_bytes: int
    bits: tuple[Bit, ...]
    mapping_base: int
    task_size: int
    born: int = 0
    fixed: int = 0
    refill: bool = False
    nx_spares: int | None = None

    def shift(self, depth: int) -> int:
        """How many bits of a virtual page number lie below the index at a level; 0 is the outermost."""
        return sum(level.bits for level in self.levels[depth + 1 :])

    def path(self, vpn: int, depth: int | None = None) -> tuple[int, ...]:
        """The index at each level down to `depth` (all of them without one), outermost first."""
        last = len(self.levels) - 1 if depth is None else depth
        return tuple((vpn >> self.shift(at)) % (1 << self.levels[at].bits) for at in range(last + 1))

    def split(self, address: int, page_size: int = 1 << PFN_SHIFT) -> tuple[int, ...]:
        """An address as the hardware reads it: the index at each level, then the offset in the page."""
        return (*self.path(address // page_size), address % page_size)

    def word(self, pte: Pte) -> int:
        """The entry as it lies in memory."""
        return pte.pfn << PFN_SHIFT | self.fixed | sum(bit.mask for bit in self.set_bits(pte))

    def set_bits(self, pte: Pte) -> tuple[Bit, ...]:
        """The bits that are set in an entry's word, the lowest first."""
        return tuple(bit for bit in self.bits if bit.is_set(pte.flags))

    def hex(self, pte: Pte) -> str:
        """The word in full width: `0x00007067`."""
        return f"{self.word(pte):#0{2 + 2 * self.entry_bytes}x}"

    def prot(self, prot: int, vm_flags: int) -> int:
        """vm_page_prot in this format: what protection_map gives, with NX where there is such a bit."""
        if self.nx_spares is None or vm_flags & VM_EXEC or prot & self.nx_spares:
            return prot
        return prot | NX


PGD, PUD, PMD, PTE = "pgd", "pud", "pmd", "pte"

_X86_BITS = (
    Bit(0x001, "P", (PRESENT,)),
    Bit(0x002, "RW", (RW,)),
    Bit(0x004, "US", (USER,)),
    Bit(0x020, "A", (ACCESSED,)),
    Bit(0x040, "D", (DIRTY,)),
    Bit(0x080, "PROTNONE", (PROTNONE,)),
)
_NX_BIT = Bit(1 << 63, "NX", (NX,))
_MIPS_BITS = (
    Bit(0x001, "PRESENT", (PRESENT, PROTNONE)),
    Bit(0x002, "READ", (PRESENT,)),
    Bit(0x004, "WRITE", (RW,)),
    Bit(0x008, "ACCESSED", (ACCESSED,)),
    Bit(0x010, "MODIFIED", (DIRTY,)),
    Bit(0x080, "VALID", (PRESENT | ACCESSED,)),
    Bit(0x100, "DIRTY", (RW | DIRTY,)),
)
"""Five bits of software; the last two are the hardware's: it lets loads through by VALID, stores by DIRTY."""

I386 = Format(
    "i386", "i386, two levels", "include/asm-i386/pgtable-2level.h, 2.6.9",
    (Level(PGD, 10), Level(PTE, 10)), 4, _X86_BITS, mapping_base=0x40000, task_size=0xC0000,
)  # fmt: skip
I386_PAE = Format(
    "i386-pae", "i386 with PAE, three levels", "include/asm-i386/pgtable-3level.h, arch/i386/mm/pgtable.c, 2.6.9",
    (Level(PGD, 2), Level(PMD, 9), Level(PTE, 9)), 8, (*_X86_BITS, _NX_BIT), mapping_base=0x40000, task_size=0xC0000,
    born=3, nx_spares=PROTNONE | RW,
)  # fmt: skip
X86_64 = Format(
    "x86-64", "x86-64, four levels", "include/asm-x86_64/pgtable.h, 2.6.9; the levels have the names of 2.6.11",
    (Level(PGD, 9), Level(PUD, 9), Level(PMD, 9), Level(PTE, 9)), 8, (*_X86_BITS, _NX_BIT),
    mapping_base=0x2A95556, task_size=0x7FC0000, born=1, nx_spares=PROTNONE,
)  # fmt: skip
MIPS = Format(
    "mips", "MIPS R4000, its TLB filled by the kernel", "include/asm-mips/pgtable-bits.h, 2.6.9",
    (Level(PGD, 10), Level(PTE, 10)), 4, _MIPS_BITS, mapping_base=0x2AAA8, task_size=0x7FFF8,
    fixed=5 << 9, refill=True,
)  # fmt: skip

FORMATS: dict[str, Format] = {each.id: each for each in (I386, I386_PAE, X86_64, MIPS)}
"""Every architecture by the name that scenarios give it."""
