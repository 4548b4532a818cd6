"""A comparison as it goes over the wire."""

from __future__ import annotations

from msgspec import Struct

from app import wire
from app.facts import Fact
from app.lockstep_page import LockstepPage


class FactOut(Struct):
    """What a column tells where the columns differ: at which of its steps, what about, and what."""

    step: int
    event: str
    kind: str
    value: str


class DifferenceOut(Struct):
    """Where the columns differ first: the beat, each column's version (null: none there), and both in a sentence."""

    beat: int
    sentence: str
    columns: list[FactOut | None]


class ComparisonOut(Struct, kw_only=True):
    """Runs side by side. `beats` has, beat by beat from the beginning, how many steps each column has made."""

    url: str
    scenario: str
    title: str
    differ: str
    columns: list[wire.RunOut]
    beats: list[tuple[int, ...]]
    difference: DifferenceOut | None
    outcome: str


def out(page: LockstepPage) -> ComparisonOut:
    """A comparison as data."""
    found = page.comparison
    return ComparisonOut(
        url=page.link.url(),
        scenario=page.scenario.id,
        title=page.scenario.title,
        differ=found.lineup.kind,
        columns=[wire.summary(column.run) for column in page.columns],
        beats=found.beats,
        difference=_difference(page),
        outcome=_plain(found.ends),
    )


def _difference(page: LockstepPage) -> DifferenceOut | None:
    found = page.comparison.difference
    if found is None:
        return None
    pairs = zip(found.facts, page.columns, strict=True)
    told = [_fact(fact, column.steps[fact.n - 1].event) if fact else None for fact, column in pairs]
    return DifferenceOut(found.beat, _plain(page.comparison.sentence), told)


def _fact(fact: Fact, event: str) -> FactOut:
    return FactOut(fact.n, event, fact.kind, fact.value)


def _plain(text: str) -> str:
    """A sentence without the quotes that set off code."""
    return text.replace("`", "")
