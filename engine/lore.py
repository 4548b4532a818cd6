"""What one process of a search has learned for the others: footprints, and what it takes for granted about them.

Places are named alike in all processes (engine/moves.py, number_of), so that what is known of them can be put together.
A step that was taken for private is a claim on what others may do from where they stand: they write none of the cells
that it touches, and look at none that it writes. Claims on the same places are one claim on the union of the cells.

Who waits for a lock is known from the steps met in a process, and not told; only of a thread that rests it is taken
for granted that it comes no further until somebody wakes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.footprints import EVERYTHING
from engine.moves import Moves
from engine.reduction import Future, Futures, Place

Cells = frozenset[str] | None
"""Cells by name; None: everything."""
Claim = tuple[Cells, Cells]
"""Cells that a future must not write, and cells that it must not look at."""
Others = tuple[Place, ...]
"""Where all stand but the one that goes on."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a task was seen to touch at a place and where it comes to from there."""

    looks: Cells
    writes: Cells
    onward: frozenset[Place]


@dataclass(frozen=True, slots=True)
class Lore:
    """What travels: what was seen at places, and what is claimed of who stands where."""

    seen: dict[Place, Seen]
    claims: dict[Others, Claim]


class Shared(Futures):
    """Futures that several processes learn together."""

    knows_waits = False

    def __init__(self, moves: Moves) -> None:
        """Nothing is known, and nothing was told to others. No move was looked at before."""
        super().__init__(moves)
        moves.alike = True
        self._claims: dict[Others, tuple[int, int]] = {}
        self._told: dict[Place, tuple[int, int, int]] = {}
        self._relied: dict[Others, int] = {}

    def everything(self) -> Lore:
        """All that was seen, and no claims: what another process begins with."""
        return Lore({place: self._seen(place) for place in self._spots}, {})

    def news(self) -> Lore:
        """What was learned and taken for granted since the last time."""
        seen: dict[Place, Seen] = {}
        for place, spot in self._spots.items():
            known = spot.looks, spot.writes, len(spot.onward)
            if self._told.get(place) != known:
                self._told[place] = known
                seen[place] = self._seen(place)
        return Lore(seen, self._new_claims())

    def _seen(self, place: Place) -> Seen:
        spot, names = self._spots[place], self.footprints.names
        return Seen(names(spot.looks), names(spot.writes), frozenset(spot.onward))

    def _new_claims(self) -> dict[Others, Claim]:
        claims: dict[Others, Claim] = {}
        for (standing, *_), outside in self._outside.items():
            if len(outside.relied) == self._relied.get(standing, 0):
                continue
            self._relied[standing] = len(outside.relied)
            unwritten = unseen = 0
            for move in outside.relied:
                looks, writes, changes = self.footprints.of(move)
                unwritten, unseen = unwritten | looks | writes, unseen | changes
            claims[standing] = self.footprints.names(unwritten), self.footprints.names(unseen)
        return claims

    def tell_again(self) -> None:
        """What was told was not heard: tell all of it the next time."""
        self._told.clear()
        self._relied.clear()

    def learn(self, lore: Lore) -> None:
        """Take in what another process has learned, and what it claims."""
        mask = self._mask
        for place, other in lore.seen.items():
            spot = self._spots[place]
            spot.looks |= mask(other.looks)
            spot.writes |= mask(other.writes)
            spot.onward |= other.onward
            self._grown.add(place)
        for standing, (unwritten, unseen) in lore.claims.items():
            old = self._claims.get(standing, (0, 0))
            self._claims[standing] = old[0] | mask(unwritten), old[1] | mask(unseen)

    def _mask(self, cells: Cells) -> int:
        return EVERYTHING if cells is None else self.footprints.mask(cells)

    def refuted(self) -> bool:
        """As in Futures, and whether something is wrong that another process took for granted."""
        wrong = super().refuted()
        claims = self._claims.items()
        if wrong or not all(holds(claim, self._others(standing, (), ()).future) for standing, claim in claims):
            self.forget()
            return True
        return False

    def forget(self) -> None:
        """Take nothing for granted any more; what was seen is kept."""
        super().forget()
        self._claims.clear()
        self._relied.clear()


def holds(claim: tuple[int, int], future: Future) -> bool:
    """Whether a future keeps to what is claimed of it."""
    unwritten, unseen = claim
    return not future.writes & unwritten and not future.looks & unseen
