"""mm_struct, vm_area_struct and the page tables. include/linux/sched.h, include/linux/mm.h, 2.6.9.

Addresses are bytes, a vpn is an address shifted right by the page shift; how it is cut into levels is the format's.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.hardware.paging import I386, Format
from engine.journal import Cell, Entity, Journal, Table
from engine.objects.locks import LockCell
from engine.values import VM_EXEC, VM_READ, VM_SHARED, VM_WRITE, Pte, Shown


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
    random: bool = False

    def __hash__(self) -> int:
        """Cheap, for stacks hold ranges and are hashed at every step of a search; equality looks at everything."""
        return self.start

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


class Directory(Table[str]):
    """An upper level of the tables. An entry is known by the bits of the vpn above `shift`: `mm/A/pmd/1/0.entry`."""

    __slots__ = ("depth", "format", "shift")

    def __init__(self, journal: Journal, name: str, form: Format, depth: int) -> None:
        super().__init__(journal, f"{name}/{form.levels[depth].name}", "entry")
        self.format, self.depth, self.shift = form, depth, form.shift(depth)

    def at(self, key: int) -> str:
        """The address of an entry: the way to it, level by level."""
        at = self._at[key] = f"{self.name}/{self.way(key)}.{self.field}"
        return at

    def way(self, key: int) -> str:
        """The indices that lead to an entry, `1/0`."""
        return "/".join(str(index) for index in self.format.path(key << self.shift, self.depth))

    def hang(self, vpn: int) -> None:
        """Let the entry for a page point to a table of the level below, if it does not yet."""
        key = vpn >> self.shift
        if self[key] is None:
            self[key] = f"table {self.way(key)}"


class Mm(Entity):
    """An address space. `users` are the tasks (threads) that live in it; `directories` the tables above the lowest.

    `promised` counts the blocks that were set aside for a virtual page, in kernels where mmap() does that.
    """

    rss = Cell[int | None]()
    mmap_sem = LockCell()
    page_table_lock = LockCell()
    vmas = Cell[tuple[Vma, ...]]()
    names = Cell[tuple[tuple[str, object], ...]]()
    users = Cell[tuple[str, ...]]()
    dying = Cell[str | None]()

    def __init__(self, journal: Journal, process: str, form: Format = I386) -> None:
        super().__init__(journal, f"mm/{process}")
        self.process, self.format = process, form
        self.directories = tuple(Directory(journal, self.name, form, depth) for depth in range(len(form.levels) - 1))
        self.pgd, self.lowest = self.directories[0], self.directories[-1]
        self.pte: Table[Pte] = Table(journal, f"{self.name}/pte", "entry", hexadecimal=True)
        self.promised: Table[int] = Table(journal, f"{self.name}/promise", "blocks", hexadecimal=True)

    def find_vma(self, vpn: int) -> Vma | None:
        """The range a virtual page lies in."""
        return next((vma for vma in self.vmas or () if vma.start <= vpn < vma.end), None)

    def has_table(self, vpn: int) -> bool:
        """Whether there is a page table for this page."""
        return self.lowest[vpn >> self.lowest.shift] is not None

    def stops_at(self, vpn: int) -> Directory | None:
        """The first level, from outside, that has no table for this page; None if the way is clear."""
        for each in self.directories:
            if each[vpn >> each.shift] is None:
                return each
        return None

    def pgd_alloc(self) -> None:
        """The tables that an address space has from birth, in its format."""
        for slot in range(self.format.born):
            self.pgd.hang(slot << self.pgd.shift)

    def make_tables(self, vpn: int) -> None:
        """pmd_alloc() and pte_alloc_map() at once: every table on the way to a page."""
        for each in self.directories:
            each.hang(vpn)

    def free_pgtables(self) -> None:
        """Every table goes, the lowest first."""
        for each in reversed(self.directories):
            each.clear()

    def lookup(self, name: str) -> object:
        """The value a program's variable has in this process."""
        return dict(self.names or ()).get(name)

    def assign(self, name: str, value: object) -> None:
        """Give a program's variable a value."""
        self.names = (*(pair for pair in self.names or () if pair[0] != name), (name, value))

    def free_range(self, pages: int) -> int:
        """get_unmapped_area(): the first gap of that many pages above TASK_UNMAPPED_BASE. Units: virtual pages."""
        at = self.format.mapping_base
        for vma in self.vmas or ():
            if vma.start - at >= pages:
                break
            at = max(at, vma.end)
        return at
