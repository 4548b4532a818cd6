"""Values a cell may hold, and the small pure functions that make them. Nothing here writes state.

Page-table entries follow include/asm-i386/pgtable.h, 2.6.9; names are the kernel's (mk_pte, pte_mkdirty, ...). Where an
architecture has other bits, engine/hardware/paging.py makes its word of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

PRESENT, RW, USER, ACCESSED, DIRTY, PROTNONE = 0x001, 0x002, 0x004, 0x020, 0x040, 0x080
NX = 1 << 63
_PTE_LETTERS = ((PRESENT, "P"), (RW, "W"), (USER, "U"), (ACCESSED, "A"), (DIRTY, "D"), (PROTNONE, "N"), (NX, "NX"))

PAGE_NONE = PROTNONE | ACCESSED
PAGE_READONLY = PAGE_COPY = PRESENT | USER | ACCESSED
PAGE_SHARED = PAGE_READONLY | RW

VM_READ, VM_WRITE, VM_EXEC, VM_SHARED = 1, 2, 4, 8

SIGBUS, SIGSEGV, OOM, MINOR, MAJOR, RETRY = "SIGBUS", "SIGSEGV", "OOM", "MINOR", "MAJOR", "RETRY"
LOCKED, RACED = "locked", "raced"
"""What page_mkwrite answers beside an errno: the page is ready and locked, or it left the file meanwhile."""
ENOSPC, EDQUOT, EIO, ENOMEM, EROFS = "ENOSPC", "EDQUOT", "EIO", "ENOMEM", "EROFS"
EINVAL, EFAULT, EOPNOTSUPP, EBADF, EBUSY, EACCES = "EINVAL", "EFAULT", "EOPNOTSUPP", "EBADF", "EBUSY", "EACCES"
ERRNOS = frozenset((ENOSPC, EDQUOT, EIO, ENOMEM, EROFS, EINVAL, EFAULT, EOPNOTSUPP, EBADF, EBUSY, EACCES))
OK = "0"
DELAYED = -1
"""What get_block says instead of a block number: reserved, to be found at writeback (delayed allocation)."""


class Shown:
    """A value that knows its wire form: each kind says by `wire` what JSON and data-attributes carry."""

    __slots__ = ()

    if TYPE_CHECKING:

        def wire(self) -> str: ...  # noqa: D102 -- told above


@dataclass(frozen=True, slots=True)
class Pte(Shown):
    """One page-table entry: a frame number and its flags. The empty entry (pte_none) is None."""

    pfn: int
    flags: int

    def wire(self) -> str:
        """`P W U A D pfn=7`: words, so that CSS can ask for each bit."""
        return " ".join([*(letter for bit, letter in _PTE_LETTERS if self.flags & bit), f"pfn={self.pfn}"])

    @property
    def present(self) -> bool:
        """pte_present(): a translation, or one hidden by PROT_NONE."""
        return bool(self.flags & (PRESENT | PROTNONE))

    @property
    def write(self) -> bool:
        """pte_write(): stores are allowed."""
        return bool(self.flags & RW)

    @property
    def dirty(self) -> bool:
        """pte_dirty(): the CPU, or the kernel in its place, noted a store."""
        return bool(self.flags & DIRTY)

    @property
    def young(self) -> bool:
        """pte_young(): touched since the bit was last cleared."""
        return bool(self.flags & ACCESSED)


def pte_of(wire: str) -> Pte:
    """The entry that Pte.wire() gives as `P W U A D pfn=7`."""
    *letters, pfn = wire.split()
    flags = {letter: bit for bit, letter in _PTE_LETTERS}
    return Pte(int(pfn.removeprefix("pfn=")), sum(flags[letter] for letter in letters))


def mk_pte(pfn: int, prot: int) -> Pte:
    """A fresh entry for a frame, with a vma's protection bits."""
    return Pte(pfn, prot)


def pte_mkdirty(pte: Pte) -> Pte:
    """The entry with D set."""
    return replace(pte, flags=pte.flags | DIRTY)


def pte_mkclean(pte: Pte) -> Pte:
    """The entry with D cleared."""
    return replace(pte, flags=pte.flags & ~DIRTY)


def pte_mkyoung(pte: Pte) -> Pte:
    """The entry with A set."""
    return replace(pte, flags=pte.flags | ACCESSED)


def pte_mkold(pte: Pte) -> Pte:
    """The entry with A cleared."""
    return replace(pte, flags=pte.flags & ~ACCESSED)


def pte_mkwrite(pte: Pte) -> Pte:
    """The entry with RW set."""
    return replace(pte, flags=pte.flags | RW)


def pte_wrprotect(pte: Pte) -> Pte:
    """The entry with RW cleared: the next store traps."""
    return replace(pte, flags=pte.flags & ~RW)


def pte_modify(pte: Pte, prot: int) -> Pte:
    """Keep frame, A and D, take the rest from prot (what mprotect does)."""
    return Pte(pte.pfn, pte.flags & (ACCESSED | DIRTY) | prot & ~DIRTY)


def protection_map(vm_flags: int) -> int:
    """protection_map[] of mm/mmap.c: which pte bits a vma's rights give."""
    if not vm_flags & (VM_READ | VM_WRITE | VM_EXEC):
        return PAGE_NONE
    return PAGE_SHARED if vm_flags & VM_SHARED and vm_flags & VM_WRITE else PAGE_READONLY


class Run(NamedTuple):
    """Bytes [start, stop) of a page, block or file: text repeated, put there by a store ("" = before the run)."""

    start: int
    stop: int
    text: str
    store: str

    def cut(self, start: int, stop: int) -> Run:
        """The part of this run inside [start, stop), the pattern turned so that each byte stays what it was."""
        if start <= self.start and self.stop <= stop:
            return self
        low, high = max(self.start, start), min(self.stop, stop)
        turn = (low - self.start) % len(self.text)
        return Run(low, high, self.text[turn:] + self.text[:turn], self.store)

    def moved(self, by: int) -> Run:
        """The same bytes at another offset."""
        return Run(self.start + by, self.stop + by, self.text, self.store)


@dataclass(frozen=True, slots=True)
class Data(Shown):
    """Bytes with their origin: sorted runs that do not overlap; what no run covers is zero. Size in bytes."""

    size: int
    runs: tuple[Run, ...] = ()

    def write(self, start: int, stop: int, text: str, store: str = "") -> Data:
        """These bytes with [start, stop) overwritten by text, repeated as needed."""
        return self.put((Run(start, stop, text, store),), start, stop)

    def zero(self, start: int, stop: int) -> Data:
        """These bytes with [start, stop) cleared."""
        return self.put((), start, stop)

    def put(self, runs: Iterable[Run], start: int, stop: int) -> Data:
        """These bytes with [start, stop) replaced by the given runs, which lie inside it."""
        if start >= stop:
            return self
        before = [run.cut(0, start) for run in self.runs if run.start < start]
        after = [run.cut(stop, self.size) for run in self.runs if run.stop > stop]
        return Data(self.size, (*before, *runs, *after))

    def runs_in(self, start: int, stop: int) -> Iterator[Run]:
        """The runs, cut to [start, stop)."""
        return (run.cut(start, stop) for run in self.runs if run.start < stop and run.stop > start)

    def part(self, start: int, stop: int) -> Data:
        """Bytes [start, stop) as data of their own."""
        return Data(stop - start, tuple(run.moved(-start) for run in self.runs_in(start, stop)))

    def paste(self, at: int, other: Data) -> Data:
        """These bytes with another piece laid over them at an offset."""
        return self.put((run.moved(at) for run in other.runs), at, at + other.size)

    def resized(self, size: int) -> Data:
        """Cut or zero-extended to a size."""
        return Data(size, tuple(self.runs_in(0, size)))

    def wire(self) -> str:
        """`C` where one letter fills everything, else runs such as `C1 .4095`; a zero-filled piece is `.`."""
        if not self.runs:
            return "."
        if len(self.runs) == 1 and self.runs[0][:2] == (0, self.size) and len(set(self.runs[0].text)) == 1:
            return self.runs[0].text[0]
        words, at = [], 0
        for run in self.runs:
            if run.start > at:
                words.append(f".{run.start - at}")
            words.append(_letters(run))
            at = run.stop
        return " ".join([*words, f".{self.size - at}"] if at < self.size else words)

    def text(self, limit: int = 64) -> str:
        """The bytes as a program would print them, zero as `.`, at most limit of them."""
        shown = ["."] * min(self.size, limit)
        for run in self.runs_in(0, len(shown)):
            for i in range(run.start, run.stop):
                shown[i] = run.text[(i - run.start) % len(run.text)]
        return "".join(shown)


def _letters(run: Run) -> str:
    length = run.stop - run.start
    if len(set(run.text)) == 1:
        return f"{run.text[0]}{length}"
    return (run.text * (length // len(run.text) + 1))[:length] if length <= 64 else f"{run.text}…{length}"


@dataclass(frozen=True, slots=True)
class Pointers(Shown):
    """What a metadata block or an inode says on disk: (slot, block number) pairs, sorted."""

    slots: tuple[tuple[int, int], ...]

    def wire(self) -> str:
        """`0→41 12→44`."""
        return " ".join(f"{slot}→{block}" for slot, block in self.slots)


def show(value: object) -> int | str | bool | None:
    """A cell's wire form: what JSON and data-attributes carry."""
    if value is None or isinstance(value, int | str):
        return value
    if isinstance(value, Shown):
        return value.wire()
    if isinstance(value, tuple):
        return " ".join(str(show(item)) for item in value)
    return str(value)
