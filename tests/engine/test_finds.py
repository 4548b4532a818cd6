"""What a search has found is told while it goes on: each way a run already, and the search none the worse for it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from engine import Progress, Scenario, Way, explore, finds
from engine.explore import Budget
from engine.verdict import Verdict
from tests.engine.build import STOCK
from tests.engine.test_witness import MAIL, UNSYNCED, shows

pytestmark = pytest.mark.timeout(120)
OFFERS = ("writeback", "drop-caches", "reclaim")
BUDGET = Budget(states=6_000, seconds=60)
CASES = [(MAIL, OFFERS), (UNSYNCED, ("writeback", "take", "power-cut"))]


def search(scenario: Scenario, offers: tuple[str, ...], hears: Callable[[Progress], bool] | None = None) -> Verdict:
    return explore(scenario, STOCK, offers=offers, budget=BUDGET, wanted=8, progress=hears)


def noting(told: list[tuple[Way, ...]]) -> Callable[[Progress], bool]:
    """Keeps what it is told each time, and lets the search go on."""

    def hears(now: Progress) -> bool:
        told.append(now.ways)
        return True

    return hears


@pytest.mark.parametrize(("scenario", "offers"), CASES)
def test_to_be_told_of_the_ways_changes_nothing_of_the_verdict(scenario: Scenario, offers: tuple[str, ...]) -> None:
    # The machine stands in the middle of a walk each time; were it touched, the walk would go on elsewhere.
    told: list[tuple[Way, ...]] = []
    heard = search(scenario, offers, noting(told))
    assert any(told)
    assert heard == search(scenario, offers)


@pytest.mark.parametrize(("scenario", "offers"), CASES)
def test_each_way_that_is_told_is_a_run_that_shows_it(scenario: Scenario, offers: tuple[str, ...]) -> None:
    ways: dict[tuple[str, int], Way] = {}
    search(scenario, offers, lambda now: ways.update({(way.says, way.steps): way for way in now.ways}) is None)
    runs = [way.witness for way in ways.values() if way.witness is not None]
    assert runs
    for witness in runs:
        shows("no-loss", STOCK, witness)


def test_the_shortest_takes_the_place_of_the_one_that_was_met_first() -> None:
    told: list[Progress] = []
    ways: list[tuple[Way, ...]] = []
    note = noting(ways)

    def hears(now: Progress) -> bool:
        told.append(now)
        return note(now)

    budget = Budget(states=60_000)
    verdict = explore(MAIL, STOCK, offers=["drop-caches"], budget=budget, wanted=8, progress=hears)
    first = next(each[0] for each in ways if each)
    last = told[-1].ways[0]  # asked again, after the search
    (best,) = [witness for witness in verdict.witnesses if witness.says == first.says]
    assert first.says == last.says
    assert first.witness is not None
    assert not first.witness.shortest
    assert best.shortest
    assert last.witness == best
    assert (best.preemptions, best.steps) < (first.witness.preemptions, first.steps)


def test_a_way_is_told_once_and_keeps_its_place() -> None:
    ways: list[tuple[Way, ...]] = []
    search(MAIL, OFFERS, noting(ways))
    told = [[way.says for way in each] for each in ways]
    for before, after in pairwise(told):
        assert after[: len(before)] == before
    assert len(set(told[-1])) == len(told[-1]) > 1


def test_a_way_too_long_to_write_now_is_told_in_words_and_a_run_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finds, "LONGEST_TOLD", 5)
    told: list[tuple[Way, ...]] = []
    verdict = search(MAIL, OFFERS, noting(told))
    assert {way.witness for ways in told for way in ways} == {None}
    assert {way.says for way in told[-1]} == {witness.says for witness in verdict.witnesses}


def test_who_stops_a_search_has_the_ways_that_were_found() -> None:
    told: list[tuple[Way, ...]] = []

    def until_found(now: Progress) -> bool:
        told.append(now.ways)
        return not now.ways

    verdict = search(MAIL, OFFERS, until_found)
    assert (verdict.verdict, verdict.stopped) == ("broken", "asked to")
    assert [witness.says for witness in verdict.witnesses] == [way.says for way in told[-1]]
    assert not any(witness.shortest for witness in verdict.witnesses)
