"""What a matrix of verdicts shows: scenarios by kernels for one property, or kernels by properties for one scenario.

A cell asks what `asking.cell` asks; what the page of a search has found about the same counts as well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import engine
from app import asking, catalogue, links, links_search, orders
from app.asking import Question
from app.links import RunLink
from app.sweeps import FAILED, Sweep
from app.troubles import Trouble
from app.verdicts import Verdicts
from engine import BROKEN, HOLDS, KERNELS, PROPERTIES, UNDECIDED
from engine.matrix import NEVER

SEARCHING, UNKNOWN, IMPOSSIBLE = "searching", "not searched", "cannot be asked"
MARKS = {
    HOLDS: "✓", BROKEN: "✗", UNDECIDED: "?", FAILED: "!", SEARCHING: "◌", UNKNOWN: "·",
    IMPOSSIBLE: "\N{EN DASH}", NEVER: "\N{EN DASH}",
}  # fmt: skip
LEGEND = (HOLDS, BROKEN, UNDECIDED, FAILED, UNKNOWN, IMPOSSIBLE, NEVER)
"""What the legend counts, in its order."""

Answer = Mapping[str, Any]


class Place(NamedTuple):
    """Which scenario on which kernel is asked which property."""

    scenario: str
    kernel: str
    property: str


class Now(NamedTuple):
    """How far a sweep is at a moment: whether it goes on, how many cells are over, which is searched (its question)."""

    goes_on: bool = False
    at: int = 0
    current: Question | None = None

    @classmethod
    def of(cls, sweep: Sweep | None) -> Now:
        """Read in this order: what is over a moment later is so much more to be sent, and is not left out."""
        return cls() if sweep is None else cls(not sweep.is_over, len(sweep.ended), sweep.current)

    @property
    def searched(self) -> str:
        """The id of what is searched now; empty when nothing is."""
        return self.current.id if self.current else ""

    def changes(self, sweep: Sweep, since: int) -> list[Place]:
        """The cells that have changed since so many were over, and the one that was begun last, even if it was stopped.

        Who has seen more than there is looks at an earlier sweep's page, and is sent all of this one.
        """
        over = sweep.ended[since if since <= self.at else 0 : self.at]
        changed = [place_of(sweep.answers[name]) for name in over]
        return list(dict.fromkeys([*changed, *([place_of(sweep.begun.about)] if sweep.begun else [])]))


class Asks(NamedTuple):
    """The ids of what a cell asks and of what the page of its search asks; or why it cannot be asked."""

    cell: str = ""
    whole: str = ""
    why_not: str = ""


class Cell(NamedTuple):
    """A cell as it is shown: `name` is its element's, `word` its verdict or what stands for one."""

    name: str
    word: str
    mark: str
    url: str
    says: str


@lru_cache(maxsize=1 << 15)
def asks(place: Place, offers: tuple[str, ...]) -> Asks:
    """What a cell asks; the gallery never changes, and a page has a thousand cells."""
    try:
        order = orders.order(place.scenario, place.kernel)
        whole = asking.whole(order, place.property, offers)
        return Asks(asking.cell(order, place.property, offers).id, whole.id)
    except Trouble as trouble:
        if trouble.kind == "no-such-combination":
            return Asks()
        return Asks(why_not=trouble.detail)


@dataclass(frozen=True)
class Board:
    """A matrix: of one property over the gallery, or where a `scenario` is named, of each property over that one."""

    offers: tuple[str, ...]
    property: str = ""
    scenario: str = ""

    @cached_property
    def id(self) -> str:
        """The name of its sweep."""
        said = ["sweep", engine.EDITION, self.scenario, self.property, self.offers]
        return links.content_id(json.dumps(said).encode())

    @cached_property
    def address(self) -> str:
        """Its page."""
        return links_search.matrix(self.scenario, self.property, self.offers)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Its cells, row by row."""
        if self.scenario:
            return tuple(Place(self.scenario, kernel, name) for kernel in KERNELS for name in PROPERTIES)
        return tuple(Place(scenario, kernel, self.property) for scenario in engine.gallery() for kernel in KERNELS)

    @cached_property
    def askable(self) -> dict[Place, Asks]:
        """The cells that can be asked, with what they ask."""
        asked = ((place, asks(place, self.offers)) for place in self.places)
        return {place: each for place, each in asked if each.cell}

    def known(self, verdicts: Verdicts, sweep: Sweep | None) -> dict[Place, Answer]:
        """What is known of its cells: what is kept, and what a sweep has found."""
        kept = verdicts.get(name for asked in self.askable.values() for name in (asked.cell, asked.whole))
        swept = sweep.answers if sweep else {}
        found = {}
        for place, asked in self.askable.items():
            answers = [each for each in (kept.get(asked.cell), kept.get(asked.whole), swept.get(asked.cell)) if each]
            if answers:
                found[place] = max(answers, key=_worth)
        return found

    def missing(self, known: Mapping[Place, Answer]) -> list[Place]:
        """What a sweep would have to search: what is not known, failed, or was left for lack of time."""
        return [place for place in self.askable if not _is_settled(known.get(place))]

    def questions(self, places: Iterable[Place]) -> list[Question]:
        """What these cells ask."""
        return [asking.cell(orders.order(at.scenario, at.kernel), at.property, self.offers) for at in places]

    def cells(self, known: Mapping[Place, Answer], now: Now) -> dict[Place, Cell]:
        """All cells as they are shown."""
        return {place: self._cell(place, known.get(place), now.searched) for place in self.places}

    def _cell(self, place: Place, answer: Answer | None, current: str) -> Cell:
        asked = asks(place, self.offers)
        name = "-".join(["cell", *place]).replace(".", "_").replace("+", "_")
        if not asked.cell:
            word = IMPOSSIBLE if asked.why_not else NEVER
            return Cell(name, word, MARKS[word], "", asked.why_not)
        if not _is_settled(answer) and asked.cell == current:
            answer = {"verdict": SEARCHING}
        search = links_search.search(RunLink(place.scenario, place.kernel), place.property, self.offers)
        if answer is None:
            return Cell(name, UNKNOWN, MARKS[UNKNOWN], search, "")
        word = answer["verdict"]
        witness = next(iter(answer.get("witnesses", ())), None)
        if witness is not None:
            return Cell(name, word, MARKS[word], witness["url"], witness["says"])
        return Cell(name, word, MARKS[word], search, _says(answer))


def place_of(about: Answer) -> Place:
    """The cell that an answer or a question is about."""
    return Place(about["scenario"], about["kernel"], about["property"])


def counts(cells: Iterable[Cell]) -> list[tuple[str, str, int]]:
    """The legend: mark, word, and how many cells have it; what no cell has is left out."""
    found = Counter(cell.word if cell.word != SEARCHING else UNKNOWN for cell in cells)
    return [(MARKS[word], word, found[word]) for word in LEGEND if found[word]]


def chapters(cells: Mapping[Place, Cell], name: str) -> Iterator[tuple[str, Sequence[tuple[Any, list[Cell]]]]]:
    """The gallery's chapters, each with its scenarios and their cells, a kernel each."""
    for chapter, scenarios in catalogue.grouped(engine.gallery().values(), "chapter").items():
        yield (
            chapter,
            [(each, [cells[Place(each.id, kernel, name)] for kernel in KERNELS]) for each in scenarios],
        )


def _worth(answer: Answer) -> int:
    """A verdict is worth more than none, and one with a run that shows it most."""
    return (
        2 * int(answer["verdict"] in (HOLDS, BROKEN)) + bool(answer.get("witnesses")) - int(answer["verdict"] == FAILED)
    )


def _is_settled(answer: Answer | None) -> bool:
    return answer is not None and answer["verdict"] != FAILED and asking.is_final(answer)


def _says(answer: Answer) -> str:
    if answer["verdict"] == FAILED:
        return str(answer["stopped"])
    return f"{answer['states']:,} states" if answer.get("states") else ""
