"""The fates of all pieces of all stores, kept up as cells change: only what a step has touched is judged again.

A piece is what a file ought to have from one store within one block. Judging it notes which cells were read, and a
write to one of them puts it up to be judged again. Which frames have a dirty entry in some page table is counted here:
a piece may ask that as well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from engine.values import Data, Pte, Run

if TYPE_CHECKING:
    from engine.journal import Write
    from engine.machine import Machine

Piece = tuple[str, Run]
"""A file, and bytes of it that lie in one block."""
Judge = Callable[["Machine", str, Run, Callable[[int], bool]], str]
"""The fate of a piece, given what tells whether a frame has a dirty entry."""


class Judgement:
    """What the pieces of every store have come to, by the fate that `judge` gives a piece."""

    def __init__(self, k: Machine, judge: Judge) -> None:
        self._k, self._judge = k, judge
        self._fates: dict[Piece, str] = {}
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._open: defaultdict[str, dict[Piece, None]] = defaultdict(dict)
        self._readers: dict[str, set[Piece]] = {}
        self._dirty: Counter[int] = Counter()
        self._due: set[str] = set()
        self.judged = 0

    def note(self, writes: list[Write]) -> None:
        """Put up to be judged again whatever these writes touch."""
        for at, old, new in writes:
            if at.startswith("store/"):
                self._due.add(at[6:].rpartition(".")[0])
            elif at.startswith("oracle/"):
                self._owe(at[7:].rpartition(".")[0], _runs(old), _runs(new))
            elif at.endswith(".data"):
                self._due |= {run.store for run in (*_runs(old), *_runs(new))}
            elif at.startswith("mm/") and "/pte/" in at:
                self._entry(old, -1)
                self._entry(new, 1)
            elif at.startswith("mapping/") and at.endswith(".page"):
                self._due |= {run.store for pfn in (old, new) if pfn for run in self._k.page(pfn).content.runs}
            self._touch(at)

    def due(self) -> list[str]:
        """The stores that may have another fate now, in the order of their making; each is told once."""
        due, self._due = self._due, set()
        return [name for at in self._k.stores if (name := at.removeprefix("store/")) in due] if due else []

    def fates(self, store: str) -> Collection[str]:
        """The fates that pieces of a store have now; none where other bytes are wanted in the place of all of them."""
        for piece in self._open.pop(store, ()):
            self._fates[piece] = fate = self._look(piece)
            self._counts[store][fate] += 1
        return +self._counts[store]

    def last(self, file: str, run: Run) -> str | None:
        """The fate of a piece, as last judged."""
        return self._fates.get((file, run))

    def _look(self, piece: Piece) -> str:
        """Judge a piece, and note what that was read from."""
        file, run = piece
        journal = self._k.journal
        kept, journal.reads = journal.reads, {}
        fate = self._judge(self._k, file, run, self._is_dirty)
        read, journal.reads = journal.reads, kept
        self.judged += 1
        for at in read:
            self._readers.setdefault(at, set()).add(piece)
        return fate

    def _is_dirty(self, pfn: int) -> bool:
        self._k.journal.reads[_frame(pfn)] = None
        return self._dirty[pfn] > 0

    def _entry(self, entry: Pte | None, more: int) -> None:
        """A page table entry came or went."""
        if entry is not None and entry.dirty:
            self._dirty[entry.pfn] += more
            self._touch(_frame(entry.pfn))

    def _touch(self, at: str) -> None:
        for piece in self._readers.pop(at, ()):
            if self._forget(piece):
                self._open[piece[1].store][piece] = None
                self._due.add(piece[1].store)

    def _owe(self, file: str, old: tuple[Run, ...], new: tuple[Run, ...]) -> None:
        """Some bytes of a file ought to come from elsewhere from now on."""
        before, after = ({run for run in runs if self._is_for(file, run.store)} for runs in (old, new))
        for run in before - after:
            for part in self._parts(run):
                self._forget((file, part))
                self._open[run.store].pop((file, part), None)
        for run in after - before:
            self._open[run.store] |= {(file, part): None for part in self._parts(run)}
        self._due |= {run.store for run in before ^ after}

    def _is_for(self, file: str, store: str) -> bool:
        """Whether a store is one to this file. A clone owes its bytes too; their fate is that of the file stored to."""
        record = self._k.stores.get(f"store/{store}")
        return record is not None and record.file == file

    def _forget(self, piece: Piece) -> bool:
        """Take back a piece's fate, if it has one."""
        fate = self._fates.pop(piece, None)
        if fate is not None:
            self._counts[piece[1].store][fate] -= 1
        return fate is not None

    def _parts(self, run: Run) -> Iterator[Run]:
        size = self._k.block_size
        for low in range(run.start // size * size, run.stop, size) if run.store else ():
            yield run.cut(low, low + size)


def _runs(value: Any) -> tuple[Run, ...]:
    return value.runs if isinstance(value, Data) else ()


def _frame(pfn: int) -> str:
    """The name among the cells for "a frame has a dirty entry"."""
    return f"pfn/{pfn}"
