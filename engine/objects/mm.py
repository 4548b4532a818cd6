"""mm_struct, vm_area_struct and the page tables. include/linux/sched.h, include/linux/mm.h, 2.6.9.

i386 without PAE: 10 bits of page directory, 10 bits of page table, then the offset. Addresses are bytes, a vpn is an
address shifted right by the page shift.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.journal import Cell, Entity, Journal, Table
from engine.objects.locks import LockCell
from engine.values import VM_EXEC, VM_READ, VM_SHARED, VM_WRITE, Pte, Shown

PTRS_PER_PTE = 1024
TASK_UNMAPPED_BASE_VPN = 0x40000
TASK_SIZE_VPN = 0xC0000


@dataclass(frozen=True, slots=True)
class Vma(Shown):
    """A mapped range [start, end) in virtual page numbers; pgoff in pages of the file; prot is vm_page_prot."""

    mm: Mm
    start: int
    end: int
    flags: int
    prot: int
    file: str | None
    pgoff: int = 0
    may_write: bool = True

    @property
    def shared(self) -> bool:
        """VM_SHARED."""
        return bool(self.flags & VM_SHARED)

    @property
    def writable(self) -> bool:
        """VM_WRITE."""
        return bool(self.flags & VM_WRITE)

    @property
    def reaches_file(self) -> bool:
        """Stores through it are bound for the file."""
        return self.shared and self.file is not None

    def index(self, vpn: int) -> int:
        """The page of the file behind a virtual page (linear mapping)."""
        return vpn - self.start + self.pgoff

    def vpn(self, index: int) -> int | None:
        """The virtual page that shows a page of the file, if this range covers it."""
        vpn = index - self.pgoff + self.start
        return vpn if self.start <= vpn < self.end else None

    def wire(self) -> str:
        """`0x40000-0x40004 rw-s f@0`."""
        rights = "".join(
            letter if self.flags & bit else "-" for letter, bit in zip("rwx", (VM_READ, VM_WRITE, VM_EXEC), strict=True)
        )
        kind = "s" if self.shared else "p"
        return f"{self.start:#x}-{self.end:#x} {rights}{kind} {self.file or 'anon'}@{self.pgoff}"


class Mm(Entity):
    """An address space. `users` are the tasks (threads) that live in it.

    `promised` counts the blocks that were set aside for a virtual page, in kernels where mmap() does that.
    """

    rss = Cell[int | None]()
    mmap_sem = LockCell()
    page_table_lock = LockCell()
    vmas = Cell[tuple[Vma, ...]]()
    names = Cell[tuple[tuple[str, object], ...]]()
    users = Cell[tuple[str, ...]]()
    dying = Cell[str | None]()

    def __init__(self, journal: Journal, process: str) -> None:
        super().__init__(journal, f"mm/{process}")
        self.process = process
        self.pgd: Table[str] = Table(journal, f"{self.name}/pgd", "entry")
        self.pte: Table[Pte] = Table(journal, f"{self.name}/pte", "entry", hexadecimal=True)
        self.promised: Table[int] = Table(journal, f"{self.name}/promise", "blocks", hexadecimal=True)

    def find_vma(self, vpn: int) -> Vma | None:
        """The range a virtual page lies in."""
        return next((vma for vma in self.vmas or () if vma.start <= vpn < vma.end), None)

    def has_table(self, vpn: int) -> bool:
        """Whether the page directory points to a page table for this page."""
        return self.pgd[vpn // PTRS_PER_PTE] is not None

    def lookup(self, name: str) -> object:
        """The value a program's variable has in this process."""
        return dict(self.names or ()).get(name)

    def assign(self, name: str, value: object) -> None:
        """Give a program's variable a value."""
        self.names = (*(pair for pair in self.names or () if pair[0] != name), (name, value))

    def free_range(self, pages: int) -> int:
        """get_unmapped_area(): the first gap of that many pages above TASK_UNMAPPED_BASE. Units: virtual pages."""
        at = TASK_UNMAPPED_BASE_VPN
        for vma in self.vmas or ():
            if vma.start - at >= pages:
                break
            at = max(at, vma.end)
        return at
