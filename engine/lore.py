"""What one process of a search has learned for the others: footprints, and what it takes for granted about them.

Places are named alike in all processes (engine/moves.py, number_of), so that what is known of them can be put together.
A step that was taken for private is a claim on the futures of others: they write none of the cells that it touches, and
look at none that it writes. Claims on one place are one claim on the union of the cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from engine.reduction import Future, Futures, Place, tables

if TYPE_CHECKING:
    from engine.moves import Moves

Claim = tuple[frozenset[str], frozenset[str]]
"""Cells that a future must not write, and cells that it must not look at."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a task was seen to do at a place, and where it comes to from there."""

    looks: frozenset[str]
    writes: frozenset[str]
    onward: frozenset[Place]
    everything: bool


@dataclass(frozen=True, slots=True)
class Lore:
    """What travels: what was seen at places, and what is claimed of their futures."""

    seen: dict[Place, Footprint]
    claims: dict[Place, Claim]


class Shared(Futures):
    """Futures that several processes learn together."""

    def __init__(self, moves: Moves) -> None:
        """Nothing is known, and nothing was told to others. No move was looked at before."""
        super().__init__(moves)
        moves.alike = True
        self._claims: dict[Place, Claim] = {}
        self._told: dict[Place, tuple[int, int, int, bool]] = {}
        self._claimed = 0

    def everything(self) -> Lore:
        """All that was seen, and no claims: what another process begins with."""
        return Lore({place: self._footprint(place) for place in self._spots}, {})

    def news(self) -> Lore:
        """What was learned and taken for granted since the last time."""
        seen: dict[Place, Footprint] = {}
        for place, spot in self._spots.items():
            size = len(spot.looks), len(spot.writes), len(spot.onward), spot.everything
            if self._told.get(place) != size:
                self._told[place] = size
                seen[place] = self._footprint(place)
        return Lore(seen, self._new_claims())

    def _footprint(self, place: Place) -> Footprint:
        spot = self._spots[place]
        return Footprint(frozenset(spot.looks), frozenset(spot.writes), frozenset(spot.onward), spot.everything)

    def _new_claims(self) -> dict[Place, Claim]:
        claims: dict[Place, tuple[set[str], set[str]]] = {}
        for (move, place), private in islice(self._private.items(), self._claimed, None):
            if private:
                unwritten, unseen = claims.setdefault(place, (set(), set()))
                written = [at for at, _, _ in move.writes]
                unwritten.update(map(str, move.looks), written)
                unseen.update(written, tables(move))
        self._claimed = len(self._private)
        return {place: (frozenset(unwritten), frozenset(unseen)) for place, (unwritten, unseen) in claims.items()}

    def tell_again(self) -> None:
        """What was told was not heard: tell all of it the next time."""
        self._told.clear()
        self._claimed = 0

    def learn(self, lore: Lore) -> None:
        """Take in what another process has learned, and what it claims."""
        for place, other in lore.seen.items():
            spot = self._spots[place]
            spot.looks |= other.looks
            spot.writes |= other.writes
            spot.onward |= other.onward
            spot.everything = spot.everything or other.everything
        for place, (unwritten, unseen) in lore.claims.items():
            old = self._claims.get(place, (frozenset(), frozenset()))
            self._claims[place] = old[0] | unwritten, old[1] | unseen

    def refuted(self) -> bool:
        """As in Futures, and whether something is wrong that another process took for granted."""
        wrong = any(not holds(claim, self._work_out(place)) for place, claim in self._claims.items())
        if super().refuted() or wrong:
            self.forget()
            return True
        return False

    def forget(self) -> None:
        """Take nothing for granted any more; what was seen is kept."""
        self._claims.clear()
        self._private.clear()
        self._futures.clear()
        self._claimed = 0


def holds(claim: Claim, future: Future) -> bool:
    """Whether a future keeps to what is claimed of it."""
    if future is None:
        return False
    (unwritten, unseen), (looks, writes) = claim, future
    return writes.isdisjoint(unwritten) and looks.isdisjoint(unseen)
