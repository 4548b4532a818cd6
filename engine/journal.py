"""The journal: the only place where state changes, and cells, the attributes that write to it.

Every write is (address, old, new). From this one list come the delta to animate, undo, the key of a state and, with the
reads noted beside it, the footprint of a step. `Journal.cells` maps an address such as `page/3.dirty` to its value;
None means "not there", so a cell written and cleared equals one never written. Nothing else holds state.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any, ClassVar, Generic, TypeVar, overload

T = TypeVar("T")


Write = tuple[str, Any, Any]
"""One change of one cell: its address, what it was, what it is. A plain tuple: there are very many."""


STATISTICS = (".min_flt", ".maj_flt")
"""Counts that nothing acts on: with them a fault that is tried again and again would never come back to a state."""


@lru_cache(maxsize=1 << 18)
def zobrist(at: str, value: object) -> int:
    """128 bits that stand for "this cell has this value"; 0 for a cell that is not there, and for what only counts."""
    if value is None or at.endswith(STATISTICS):
        return 0
    return digest(f"{at}={value!r}")


def digest(text: str) -> int:
    """128 bits that stand for a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest())


class Journal:
    """Cells, the log of their changes, marks to undo to, and the reads since the last mark.

    A mark is where the log was, and the key with the part of the log that it stood for.

    `thorough`: also note what a step depends on without a look at a value: which entries a table has (noted as the
    table itself), and what a cell held that is written unseen.
    """

    __slots__ = ("_key", "_keyed", "cells", "log", "marks", "note", "reads", "thorough")

    def __init__(self) -> None:
        self.cells: dict[str, Any] = {}
        self.log: list[Write] = []
        self.marks: list[tuple[int, int, int]] = []
        self.reads: dict[Any, None] = {}
        self.note: str | None = None
        self.thorough = False
        self._key, self._keyed = 0, 0

    def read(self, at: str) -> Any:
        """A cell's value, noted as looked at."""
        self.reads[at] = None
        return self.cells.get(at)

    def write(self, at: str, new: Any) -> None:
        """Change a cell. Writing what is already there is no write."""
        cells = self.cells
        old = cells.get(at)
        if self.thorough:
            self.reads[at] = None
        if old is new or old == new:
            return
        if new is None:
            del cells[at]
        else:
            cells[at] = new
        self.log.append((at, old, new))

    def mark(self) -> None:
        """Begin a step: undo() comes back to here."""
        self.marks.append((len(self.log), self._key, self._keyed))
        self.reads = {}
        self.note = None

    def since_mark(self) -> list[Write]:
        """The writes of the step under way, in order."""
        return self.log[self.marks[-1][0] :]

    def keep(self) -> None:
        """The step is over, and will not be taken back."""
        self.marks.pop()

    def unmark(self) -> None:
        """Forget the last mark, where a step has written nothing."""
        assert self.marks[-1][0] == len(self.log), "a step that waits has written something"
        self.marks.pop()

    def undo(self) -> None:
        """Take back everything since the last mark, backwards."""
        mark, self._key, self._keyed = self.marks.pop()
        cells, log = self.cells, self.log
        for at, old, _ in reversed(log[mark:]):
            if old is None:
                del cells[at]
            else:
                cells[at] = old
        del log[mark:]

    @property
    def key(self) -> int:
        """128 bits that name the present state; equal states have equal keys, whatever their history."""
        if self._keyed < len(self.log):
            key = self._key
            for at, old, new in self.log[self._keyed :]:
                if old is not None:
                    key ^= zobrist(at, old)
                if new is not None:
                    key ^= zobrist(at, new)
            self._key, self._keyed = key, len(self.log)
        return self._key

    def settle(self) -> None:
        """Forget the past: what is now is where undo ends. The key goes on from here."""
        _ = self.key
        self.log.clear()
        self.marks.clear()
        self._keyed = 0


class Entity:
    """A thing with cells. Its name is its address: `page/3`. One object per name; frames may hold it as a local."""

    addresses: dict[str, str]
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = fields_of(cls)

    def __init__(self, journal: Journal, name: str) -> None:
        self.journal, self.name = journal, name
        self.addresses = {field: f"{name}.{field}" for field in self._fields}

    def __repr__(self) -> str:
        return self.name

    def clear(self) -> None:
        """Empty every cell of this thing."""
        journal, places = self.journal, self.addresses.values()
        if journal.thorough:
            journal.reads.update(dict.fromkeys(places))
        for at in places:
            if at in journal.cells:
                journal.write(at, None)


def fields_of(kind: type) -> tuple[str, ...]:
    """The names of the cells a class of entities has, base classes first."""
    return tuple(name for base in reversed(kind.__mro__) for name, cell in vars(base).items() if isinstance(cell, Cell))


class Cell(Generic[T]):
    """A journalled attribute. `page.dirty = True` writes the cell `page/3.dirty`."""

    __slots__ = ("field",)
    field: str

    def __set_name__(self, owner: type, field: str) -> None:
        self.field = field

    @overload
    def __get__(self, entity: None, owner: type) -> Cell[T]: ...
    @overload
    def __get__(self, entity: Entity, owner: type) -> T: ...
    def __get__(self, entity: Entity | None, owner: type) -> Any:
        if entity is None:
            return self
        at = entity.addresses[self.field]
        journal = entity.journal
        journal.reads[at] = None
        return journal.cells.get(at)

    def __set__(self, entity: Entity, new: T) -> None:
        entity.journal.write(entity.addresses[self.field], new)


class Table(Generic[T]):
    """Cells addressed by number: `mm/A/pte/0x40002.entry`. Absent entries read as None."""

    __slots__ = ("_at", "field", "hex", "journal", "name")

    def __init__(self, journal: Journal, name: str, field: str, *, hexadecimal: bool = False) -> None:
        self.journal, self.name, self.field, self.hex = journal, name, field, hexadecimal
        self._at: dict[int, str] = {}

    def __repr__(self) -> str:
        return f"{self.name}/*.{self.field}"

    def at(self, key: int) -> str:
        """The address of an entry."""
        at = self._at.get(key)
        if at is None:
            at = self._at[key] = f"{self.name}/{key:#x}.{self.field}" if self.hex else f"{self.name}/{key}.{self.field}"
        return at

    def __getitem__(self, key: int) -> T | None:
        at = self._at.get(key) or self.at(key)
        self.journal.reads[at] = None
        value: T | None = self.journal.cells.get(at)
        return value

    def __setitem__(self, key: int, value: T | None) -> None:
        self.journal.write(self.at(key), value)

    def __iter__(self) -> Iterator[int]:
        """The numbers of the entries that are there, in order."""
        cells = self.journal.cells
        if self.journal.thorough:
            self.journal.reads[self] = None
        return iter(sorted([key for key, at in self._at.items() if at in cells]))

    def items(self) -> Iterator[tuple[int, T]]:
        """(number, entry) of the entries that are there, in order."""
        for key in self:
            yield key, self.journal.read(self._at[key])

    def clear(self) -> None:
        """Remove every entry."""
        for key in list(self):
            self[key] = None
