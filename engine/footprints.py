"""What a move touches, as sets of cells that are quick to compare: a number each, with a bit for every cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from engine.moves import Move

EVERYTHING = -1
"""The set of all cells."""


class Footprint(NamedTuple):
    """What a move looks at, what it writes, and what it writes with the tables that have an entry more or less then."""

    looks: int
    writes: int
    changes: int


class Footprints:
    """The footprints of moves, each worked out once."""

    def __init__(self) -> None:
        """No cell has a bit yet."""
        self._bits: dict[str, int] = {}
        self._known: dict[Move, Footprint] = {}

    def mask(self, cells: Iterable[str]) -> int:
        """A set of cells."""
        bits, found = self._bits, 0
        for at in cells:
            bit = bits.get(at)
            if bit is None:
                bit = bits[at] = 1 << len(bits)
            found |= bit
        return found

    def names(self, cells: int) -> frozenset[str] | None:
        """The cells of a set by name; None for all there are."""
        return None if cells == EVERYTHING else frozenset(at for at, bit in self._bits.items() if cells & bit)

    def of(self, move: Move) -> Footprint:
        """The footprint of a move. One that is not remembered is taken to look at everything."""
        found = self._known.get(move)
        if found is None:
            found = self._work_out(move)
            if move.remembered:
                self._known[move] = found
        return found

    def _work_out(self, move: Move) -> Footprint:
        looks = self.mask(map(str, move.looks)) if move.remembered else EVERYTHING
        writes = self.mask(at for at, _, _ in move.writes)
        return Footprint(looks, writes, writes | self.mask(tables(move)))


def tables(move: Move) -> Iterator[str]:
    """The tables that have an entry more or less after a move: it matters to who goes through all of them."""
    for at, old, new in move.writes:
        if old is None or new is None:
            thing, _, name = at.rpartition("/")
            yield f"{thing}/*.{name.rpartition('.')[2]}"
