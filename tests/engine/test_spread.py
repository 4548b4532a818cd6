"""A search by many workers meets what one meets, however it is cut, and whoever dies in the middle of it."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Budget, EngineError, Panic, Scenario, build, explore, find_kernel, find_scenario, spread
from engine.claims import PROPERTIES
from engine.crew import TRIES, Cores, Crew
from engine.curve import curve
from engine.explore import Search
from engine.functions.do_exit import DoExit
from engine.kernel import Kernel
from engine.kernels import KERNELS
from engine.lore import Lore, Seen, Shared
from engine.offers import offered
from engine.regions import Question, Regions, Visit, is_before, visit
from engine.spread import Spread
from engine.tour import Report
from engine.verdict import Progress
from tests.engine.build import CORRECTED, POSTED, STOCK, every_step, make
from tests.engine.crews import Here
from tests.engine.searching import ALL_OF_THEM, searched, small_worlds
from tests.engine.test_explore import SPINNING, fixed
from tests.engine.test_perft import COUNTS, SCENARIOS, Stops
from tests.engine.test_random_worlds import PAIRS, on, randoms, restless, worlds

pytestmark = pytest.mark.timeout(120)

SMALL = [pair for pair in COUNTS if COUNTS[pair][0] < 6_000]
TINY = [pair for pair in COUNTS if COUNTS[pair][0] < 1_000]
LAST = SCENARIOS["last-block"]


@pytest.fixture(autouse=True)
def slices(monkeypatch: pytest.MonkeyPatch) -> None:
    # A worker is interrupted whenever it looks at the clock, and a region is taken up again with every new way into it.
    monkeypatch.setattr(spread, "SLICE", 0.0)


def together(
    crew: Crew,
    scenario: Scenario,
    kernel: str | Kernel,
    asked: str = "no-loss",
    offers: tuple[str, ...] = (),
    *,
    reduced: bool = True,
) -> Report:
    """What a search by a crew for every state in which a property shows has met."""
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    search = Search(
        build(offered(scenario, offers), chosen), PROPERTIES[asked], Budget(), wanted=ALL_OF_THEM, reduced=reduced
    )
    cells, key = dict(search.machine.journal.cells), search.moves.key
    report = Spread(search, crew, Question(scenario, kernel, asked, offers, reduced, ALL_OF_THEM)).run()
    assert (search.machine.journal.cells, search.moves.key) == (cells, key)
    return report


def counts(report: Report) -> tuple[int, ...]:
    return (
        report.states, report.transitions, report.ends, report.broken_ends, report.panics, report.endless,
    )  # fmt: skip


def says(report: Report) -> set[str]:
    return {found.says for found in report.found}


# -- regions ----------------------------------------------------------------------------------------------------------


@fixed
@given(worlds(), st.sampled_from([*PAIRS, (POSTED, "ext2")]), randoms)
def test_a_region_that_was_left_is_never_come_back_to(world: Scenario, pair: tuple[str, str], random: object) -> None:
    machine = build(on(world, pair[1]), KERNELS[pair[0]])
    regions, met = Regions(machine, 10_000), []
    met.append(regions.here())
    try:
        for _ in every_step(machine, restless(random), 300):  # type: ignore[arg-type]  # a Random
            met.append(regions.here())
            assert is_before(met[-2], met[-1])
    except Panic:
        assert machine.kernel.defects


def test_a_move_crosses_where_the_region_changes() -> None:
    search = Search(
        build(offered(SCENARIOS["mail"], ("power-cut",)), find_kernel(STOCK)), PROPERTIES["no-loss"], Budget()
    )
    regions, seen = Regions(search.machine, 10_000), Counter[bool]()
    for first in range(20):
        made = []
        while moves := [move for move in search.enabled(search.standing()) if move.panic is None]:
            move, before = moves[first % len(moves)], regions.here()
            search.moves.make(move)
            made.append(move)
            assert regions.crosses(move) == (regions.here() != before)
            seen[regions.crosses(move)] += 1
        for move in reversed(made):
            search.moves.unmake(move)
    assert seen[True]
    assert seen[False]


def test_many_programs_are_not_cut_into_more_regions_than_asked_for() -> None:
    machine = build(make({f"T{number}": ["sync()", "sync()"] for number in range(6)}), find_kernel(STOCK))
    assert [len(Regions(machine, most).here()) for most in (1, 4, 16, 10_000)] == [0, 1, 2, 6]


# -- as one alone -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "kernel"), SMALL)
def test_an_exhaustive_search_meets_each_state_once(name: str, kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Here(monkeypatch)
    report = together(crew, SCENARIOS[name], kernel, reduced=False)
    assert counts(report)[:4] == COUNTS[name, kernel]
    assert crew.remembered == 0


def test_random_worlds_come_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Counter[str] = Counter()

    @settings(fixed, max_examples=40)
    @given(
        small_worlds(),
        st.sampled_from([(), (), ("writeback",), ("take",), ("power-cut",), ("reclaim",)]),
        st.sampled_from(["no-loss", *PROPERTIES]),
        st.integers(1, 3),
    )
    def look(world: tuple[Scenario, str], offers: tuple[str, ...], asked: str, workers: int) -> None:
        scenario, kernel = world
        whole = searched(scenario, kernel, asked, offers=offers, reduced=False, states=1_500)
        if whole.stopped:
            return
        crew = Here(monkeypatch, workers, forgets={4, 9, 25})
        report = together(crew, scenario, kernel, asked, offers, reduced=False)
        assert (counts(report), says(report)) == (counts(whole), says(whole))
        less = together(crew, scenario, kernel, asked, offers)
        assert (less.ends, says(less), bool(less.endless)) == (whole.ends, says(whole), bool(whole.endless))
        assert less.states <= whole.states
        seen.update(worlds=1, offers=bool(offers))

    look()
    assert seen["worlds"] > 5
    assert seen["offers"]


@pytest.mark.parametrize(("name", "kernel"), TINY)
@pytest.mark.parametrize("asked", list(PROPERTIES))
def test_a_reduced_search_finds_what_one_alone_finds(
    name: str, kernel: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = searched(SCENARIOS[name], kernel, asked)
    report = together(Here(monkeypatch), SCENARIOS[name], kernel, asked)
    assert (report.ends, report.broken_ends, says(report)) == (alone.ends, alone.broken_ends, says(alone))


@pytest.mark.parametrize("reduced", [True, False])
def test_a_loop_that_nobody_can_leave_is_counted_once(reduced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = make({"A": ["exit()"], "B": ["fsync(f)"]})
    report = together(Here(monkeypatch), scenario, SPINNING, reduced=reduced)
    assert (report.ends, report.endless) == (0, 1)


def test_workers_that_forget_everything_now_and_then_come_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Here(monkeypatch, forgets={1, 10, 40})
    report = together(crew, SCENARIOS["lock-drop"], POSTED, reduced=False)
    assert counts(report)[:4] == COUNTS["lock-drop", POSTED]
    assert crew.done > 40


def test_a_region_at_which_every_worker_dies_is_given_up_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match=f"lost {TRIES} times in the same region.*memory"):
        together(Here(monkeypatch, 1, forgets=range(10_000)), LAST, POSTED, reduced=False)


# -- what is taken for granted ----------------------------------------------------------------------------------------


def shared() -> Shared:
    return Shared(Search(build(LAST, find_kernel(STOCK)), PROPERTIES["no-loss"], Budget()).moves)


HERE, THERE = ("A", 1, 1), ("A", 2, 1)


def saw(*, looks: str = "", writes: str = "") -> Seen:
    return Seen(frozenset(looks.split()), frozenset(writes.split()), frozenset())


@pytest.mark.parametrize(
    ("footprint", "refuted"),
    [
        (saw(looks="page/1.dirty"), False),
        (saw(writes="page/1.dirty"), True),
        (saw(looks="page/2.dirty"), True),
        (saw(writes="page/3.dirty", looks="page/3.dirty"), False),
        (Seen(None, None, frozenset()), True),
    ],
)
def test_what_one_takes_for_granted_another_may_refute(footprint: Seen, refuted: bool) -> None:
    # A step that looks at page 1 and writes page 2 was taken for private beside who stands here, and comes there.
    futures = shared()
    claim = frozenset({"page/1.dirty", "page/2.dirty"}), frozenset({"page/2.dirty"})
    futures.learn(Lore({HERE: replace(saw(), onward=frozenset({THERE}))}, {(HERE,): claim}))
    assert not futures.refuted()
    futures.learn(Lore({THERE: footprint}, {}))
    assert futures.refuted() == refuted
    assert not futures.refuted()  # what is known now is kept, and what was taken for granted is not


def test_what_was_told_is_not_told_again_unless_nobody_heard_it() -> None:
    search = Search(build(LAST, find_kernel(STOCK)), PROPERTIES["no-loss"], Budget())
    search.futures = futures = Shared(search.moves)
    search.run()
    first = futures.news()
    assert first.seen
    assert first.claims
    assert futures.news() == Lore({}, {})
    futures.tell_again()
    assert futures.news() == first


def test_a_worker_that_was_not_told_what_is_known_does_nothing() -> None:
    asked = Question(LAST, STOCK, "no-loss", run="told nothing")
    told = visit(Visit(asked, (0, 0), 0, (b"",), 100, 1.0, ()))
    assert (told.lost, told.report.states) == (True, 0)


# -- verdicts and budgets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "stopped"),
    [(Budget(states=500), "states"), (Budget(memory=200_000), "memory"), (Budget(seconds=0), "seconds")],
)
def test_a_budget_is_that_of_all_workers_together(
    budget: Budget, stopped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = explore(LAST, CORRECTED, budget=budget, crew=Here(monkeypatch, 3))
    assert (verdict.verdict, verdict.stopped) == ("undecided", stopped)
    assert verdict.states <= budget.most


def test_ways_that_end_are_looked_at_before_all_that_lead_there(monkeypatch: pytest.MonkeyPatch) -> None:
    # 1b X4: the last block is lost as posted; one alone finds that long before so many states.
    found = explore(find_scenario("last-block"), POSTED, budget=Budget(states=20_000), crew=Here(monkeypatch))
    assert found.verdict == "broken"


def test_who_asks_is_told_how_far_it_is_and_may_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Progress] = []

    def go_on(made: Progress) -> bool:
        told.append(made)
        return len(told) < 5

    verdict = explore(LAST, CORRECTED, progress=go_on, crew=Here(monkeypatch))
    assert (verdict.verdict, verdict.stopped) == ("undecided", "asked to")
    assert [made.states for made in told] == sorted(made.states for made in told)


def test_a_kernel_without_known_defects_that_stops_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stops = replace(KERNELS[STOCK], replaces={**KERNELS[STOCK].replaces, DoExit: Stops})
    with pytest.raises(Panic, match="must not leave"):
        explore(make({"A": ["exit()"], "B": ["fsync(f)"]}), stops, crew=Here(monkeypatch))


# -- on cores ---------------------------------------------------------------------------------------------------------


def test_cores_come_to_the_same_verdict_and_witness() -> None:
    with Cores(2) as crew:
        for kernel in (POSTED, CORRECTED):
            alone, several = explore(LAST, kernel), explore(LAST, kernel, crew=crew)
            assert several.verdict == alone.verdict
            assert several.witness == alone.witness


def test_a_process_that_is_killed_in_the_middle_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "SLICE", 0.05)
    killed: list[multiprocessing.process.BaseProcess] = []

    def kill(made: Progress) -> bool:
        if made.states and not killed:
            killed.append(multiprocessing.active_children()[0])
            killed[0].kill()
        return True

    with Cores(2) as crew:
        verdict = explore(LAST, CORRECTED, reduced=False, crew=crew, progress=kill)
    assert killed
    assert (verdict.verdict, verdict.states, verdict.transitions) == ("holds", *COUNTS["last-block", CORRECTED][:2])


def test_a_curve_on_cores_is_that_of_one() -> None:
    scenario = find_scenario("last-block")
    with Cores(2) as crew:
        assert list(curve(scenario, POSTED, most=3, crew=crew)) == list(curve(scenario, POSTED, most=3))
