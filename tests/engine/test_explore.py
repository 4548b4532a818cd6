"""The search: it meets all there is, leaves out only what comes to the same, and says what the facts say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine import KERNELS, EngineError, Machine, Panic, Scenario, build, find_kernel, find_scenario
from engine.claims import PROPERTIES, UnknownProperty
from engine.explore import Budget, Search
from engine.function import Next
from engine.functions.do_exit import DoExit
from engine.offers import OFFERS, UnknownOffer, offered
from engine.properties import INVARIANTS
from engine.scenario import MAX_TASKS
from engine.telling import hears
from engine.tour import Report
from engine.verdict import Progress, Verdict, explore
from tests.engine.build import CORRECTED, MAP, POSTED, PRIVATE_MAP, STOCK, every_step, make
from tests.engine.searching import searched, small_worlds
from tests.engine.test_perft import COUNTS, SCENARIOS, two_stores
from tests.engine.test_random_worlds import PAIRS, few, on, randoms, restless, worlds

SMALL = [pair for pair in COUNTS if COUNTS[pair][0] < 1_000]
STORE = make({"A": [MAP, 'm[1P] = "A"']}, blocks=2)
WRITTEN = make({"A": [MAP, 'm[1P] = "A"', "msync(m, SYNC)"]}, blocks=2)
fixed = settings(few, derandomize=True, database=None, phases=[Phase.generate])

# -- exhaustive, and reduced ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "kernel"), [pair for pair in COUNTS if COUNTS[pair][0] < 6_000])
def test_an_exhaustive_search_meets_what_perft_meets(name: str, kernel: str) -> None:
    report = searched(SCENARIOS[name], kernel, reduced=False)
    assert (report.states, report.transitions, report.ends, report.broken_ends) == COUNTS[name, kernel]


def agree(scenario: Scenario, kernel: str, *offers: str) -> list[Report]:
    """A reduced search for each property, each having found what an exhaustive one finds."""
    reports = []
    for prop in PROPERTIES.values():
        whole = searched(scenario, kernel, prop, offers=offers, reduced=False)
        report = searched(scenario, kernel, prop, offers=offers)
        assert (report.ends, bool(report.endless), bool(report.panics)) == (
            whole.ends,
            bool(whole.endless),
            bool(whole.panics),
        ), prop.id
        assert {found.says for found in report.found} == {found.says for found in whole.found}, prop.id
        if prop.at_end is not None:
            assert report.broken_ends == whole.broken_ends, prop.id
        assert report.states <= whole.states
        reports.append(report)
    return reports


@pytest.mark.parametrize(("name", "kernel"), SMALL)
def test_a_reduced_search_finds_the_same(name: str, kernel: str) -> None:
    agree(SCENARIOS[name], kernel)


TINY = make({"A": [MAP, 'm[1P] = "A"', "munmap(m)"]}, blocks=2)


@pytest.mark.parametrize("kernel", [STOCK, POSTED, CORRECTED])
@pytest.mark.parametrize("offers", [("writeback",), ("drop-caches",), ("take",), ("take", "free"), ("disk-error",)])
def test_a_reduced_search_finds_the_same_whatever_the_world_does(kernel: str, offers: tuple[str, ...]) -> None:
    agree(TINY, kernel, *offers)


@pytest.mark.parametrize("kernel", [STOCK, CORRECTED])
def test_a_reduced_search_finds_the_same_when_the_power_may_fail(kernel: str) -> None:
    # H1: without a sync call bytes are lost. With one that has answered 0 they are on the disk.
    lost, *_ = agree(STORE, kernel, "power-cut")
    assert lost.found


def test_random_worlds_come_to_the_same_in_a_reduced_search() -> None:
    seen: Counter[str] = Counter()

    @settings(fixed, max_examples=20)
    @given(
        small_worlds(),
        st.sampled_from([(), (), ("writeback",), ("drop-caches",), ("take",), ("power-cut",), ("reclaim",)]),
    )
    def look(world: tuple[Scenario, str], offers: tuple[str, ...]) -> None:
        scenario, kernel = world
        if searched(scenario, kernel, offers=offers, reduced=False, states=500).stopped:
            return
        seen["worlds"] += 1
        seen["offers"] += bool(offers)
        for name, report in zip(PROPERTIES, agree(scenario, kernel, *offers), strict=True):
            seen["found"] += bool(report.found) and name != "somebody-gets-sigbus"

    look()
    assert seen["worlds"] > 5


@settings(fixed, max_examples=40)
@given(worlds(), st.sampled_from([*PAIRS, (POSTED, "ext2")]), randoms)
def test_a_judge_looks_at_nothing_but_what_it_says(world: Scenario, pair: tuple[str, str], random: object) -> None:
    # A step that writes to none of these cells is taken for one that does not show, and others are not tried before it.
    machine, told = build(on(world, pair[1]), KERNELS[pair[0]]), frozenset[str]()
    try:
        for _ in every_step(machine, restless(random), 300):  # type: ignore[arg-type]  # a Random
            writes = tuple(machine.journal.since_mark())
            for prop in PROPERTIES.values():
                machine.journal.reads = {}
                if prop.at_step is not None:
                    prop.at_step(machine, writes, told)
                if prop.at_state is not None:
                    prop.at_state(machine)
                if prop.listens:
                    hears(machine, writes, told)
                known = (*prop.fields, *[".stack"] * prop.rests)
                assert [at for at in map(str, machine.journal.reads) if not at.endswith(known)] == [], prop.id
            told, _ = hears(machine, writes, told)
    except Panic:
        assert machine.kernel.defects


def test_what_is_remembered_of_accounts_is_what_they_are() -> None:
    class Doubting(Search):
        asked = 0

        def _judge_state(self, at_state):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as in Search
            self.asked += 1
            says = super()._judge_state(at_state)
            assert bool(says) == bool(INVARIANTS["I3"].check(self.machine))
            return says

    search = Doubting(build(SCENARIOS["ext4-resv0"], find_kernel("linux-6.18")), PROPERTIES["accounts-balance"])
    search.run()
    assert search.asked


# -- what the facts say -----------------------------------------------------------------------------------------------

MAIL = make(
    {"A": [MAP, "x = m[2P]", 'm[2P] = "C"', "exit()"], "B": ["fill(g)"], "C": ["writeback()", "drop_caches()"]},
    blocks=4,
)
"""The mail's experiment: a hole is read, then stored to, and the disk may be full; nobody calls a sync."""
LAST = two_stores("ext2", blocks=2, sync="msync(m, SYNC)")
PRIVATE = make({"A": [PRIVATE_MAP, "x = m[0P]", 'm[0P] = "p"']})
N4 = make({"A": [MAP, 'm[2P] = "A"'], "B": {"thread_of": "A", "cpu": 1, "script": ['m[2P+1] = "B"']}})

VERDICTS = [
    (MAIL, STOCK, "no-loss-untold", "broken"),  # 1a.14: nobody is told, unless somebody asks
    (MAIL, CORRECTED, "no-loss-untold", "holds"),  # 1c.5: allocated, then writable
    (MAIL, CORRECTED, "no-loss", "holds"),  # 1c.5
    (MAIL, STOCK, "somebody-gets-sigbus", "broken"),  # 1a.3: nothing on this path asks about space
    (MAIL, CORRECTED, "somebody-gets-sigbus", "holds"),  # 7.2: SIGBUS, the store is not executed
    (LAST, STOCK, "no-loss", "broken"),  # 7.2
    (LAST, POSTED, "no-loss", "broken"),  # 1b X4: both see the last block free
    (LAST, CORRECTED, "no-loss", "holds"),  # 1c.4: real allocation
    (LAST, STOCK, "no-loss-untold", "holds"),  # 1a.14: here everybody asks, and msync says ENOSPC
    (WRITTEN, POSTED, "no-loss", "holds"),  # one task, one block: no one comes between question and answer
    (WRITTEN, STOCK, "sync-means-durable", "holds"),  # 1a.10: MS_SYNC writes and waits
    (PRIVATE, POSTED, "no-private-byte", "broken"),  # 1b W2c
    (PRIVATE, CORRECTED, "no-private-byte", "holds"),  # 1c.3: only if VM_SHARED
    (PRIVATE, STOCK, "no-private-byte", "holds"),  # 1a.6
    (N4, POSTED, "no-loss", "holds"),  # 1b N4: a count is wrong, no byte
    (N4, POSTED, "no-dangling-entry", "holds"),  # 1b N4: counted once too often, never too rarely
    (SCENARIOS["lock-drop"], CORRECTED, "no-dangling-entry", "holds"),  # 1c.2
    (N4, CORRECTED, "accounts-balance", "holds"),  # 7.1 I3
    (STORE, STOCK, "no-false-refusal", "holds"),  # 1a.3: nothing is refused
]  # fmt: skip


@pytest.mark.parametrize(("scenario", "kernel", "prop", "word"), VERDICTS)
def test_a_verdict_is_that_of_the_facts(scenario: Scenario, kernel: str, prop: str, word: str) -> None:
    verdict = explore(scenario, kernel, prop)
    assert (verdict.verdict, verdict.stopped) == (word, "")
    shows = (word == "broken") == (PROPERTIES[prop].mode == "always")
    assert (verdict.witness is not None) == shows


def test_a_block_that_somebody_else_may_take_is_lost_where_nobody_asks_and_refused_where_it_is_taken() -> None:
    # 1b X4: the same with a competing write; 1c.5.
    gone = make({"A": [MAP, 'm[1P] = "A"', "munmap(m)"], "B": ["writeback()"]}, blocks=2)
    assert explore(gone, STOCK, offers=["take"]).verdict == "broken"
    assert explore(gone, CORRECTED, offers=["take"]).verdict == "holds"
    assert explore(gone, CORRECTED, "somebody-gets-sigbus", offers=["take"]).verdict == "holds"


@pytest.mark.parametrize("kernel", [STOCK, CORRECTED])
def test_what_msync_has_answered_for_survives_a_power_cut(kernel: str) -> None:
    # 1a.10, H1.
    assert explore(WRITTEN, kernel, "sync-means-durable", offers=["power-cut"]).verdict == "holds"
    assert explore(STORE, kernel, "no-loss", offers=["power-cut"]).verdict == "broken"


# -- budgets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "stopped"),
    [(Budget(states=50), "states"), (Budget(seconds=0), "seconds"), (Budget(memory=20_000), "memory")],
)
def test_a_search_that_spends_its_budget_is_undecided_and_says_on_what(budget: Budget, stopped: str) -> None:
    verdict = explore(LAST, CORRECTED, budget=budget)
    assert (verdict.verdict, verdict.stopped, verdict.witnesses) == ("undecided", stopped, ())
    assert 0 < verdict.states < 1_000


def test_who_asks_may_stop_and_is_told_how_far_it_got() -> None:
    told: list[Progress] = []

    def go_on(made: Progress) -> bool:
        told.append(made)
        return len(told) < 3

    verdict = explore(LAST, CORRECTED, progress=go_on)
    assert (verdict.verdict, verdict.stopped) == ("undecided", "asked to")
    assert [made.phase for made in told] == ["search"] * 3
    assert [made.states for made in told] == sorted({made.states for made in told})


@pytest.mark.parametrize("budget", [Budget(), Budget(states=77)])
@pytest.mark.parametrize("wanted", [1, 10**9])
def test_a_search_leaves_the_machine_as_it_was(budget: Budget, wanted: int) -> None:
    machine = build(LAST, KERNELS[STOCK])
    cells, key = dict(machine.journal.cells), machine.journal.key
    search = Search(machine, PROPERTIES["no-loss"], budget, wanted=wanted)
    search.run()
    assert (machine.journal.cells, machine.journal.key, search.moves.key, search.moves.part) == (cells, key, key, 0)


# -- for ever ---------------------------------------------------------------------------------------------------------


@dataclass
class Spins(DoExit):
    def exit_signals(self, k: Machine) -> Next:  # noqa: ARG002 - as every step
        """A program that wants to leave waits for itself."""
        return self.exit_signals


SPINNING = replace(KERNELS[CORRECTED], replaces={**KERNELS[CORRECTED].replaces, DoExit: Spins})


@pytest.mark.parametrize("reduced", [True, False])
def test_a_run_without_an_end_ends_the_search_and_is_counted(reduced: bool) -> None:
    verdict = explore(make({"A": ["exit()"], "B": ["fsync(f)"]}), SPINNING, reduced=reduced)
    assert (verdict.verdict, verdict.ends, verdict.endless) == ("holds", 0, 1)


@pytest.mark.parametrize("reduced", [True, False])
def test_who_spins_hides_nothing_of_what_others_do(reduced: bool) -> None:
    # The ignoring problem: A alone could go on for ever, and B's store has to be refused all the same (7.2).
    scenario = make({"A": ["exit()"], "B": [MAP, 'm[1P] = "B"']}, blocks=1)
    assert explore(scenario, SPINNING, "somebody-gets-sigbus", reduced=reduced).witness is not None


def test_a_load_that_never_ends_and_counts_its_rounds_spends_the_budget() -> None:
    # 1b N2: every round leaks a reference, so no state comes again.
    verdict = explore(find_scenario("endless-load"), f"{CORRECTED}+N2", budget=Budget(states=2_000))
    assert (verdict.verdict, verdict.stopped, verdict.ends) == ("undecided", "states", 0)


def test_a_search_that_begins_again_is_as_far_as_it_was() -> None:
    machine, told = build(find_scenario("mail"), find_kernel(CORRECTED)), list[Report]()

    def goes_on(report: Report) -> bool:
        told.append(replace(report))
        return search.again == 0  # it is stopped as soon as it has begun again

    search = Search(machine, PROPERTIES["no-loss"], wanted=10**9, progress=goes_on)
    stopped = search.run()
    assert search.again == 1, "this search does not begin again any more: choose another"
    far = [report.states for report in told]
    assert far == sorted(far)
    assert stopped.stopped == "asked to"
    assert stopped.states == far[-1] > 256


# -- what cannot be asked ---------------------------------------------------------------------------------------------


def test_what_is_not_known_is_refused_with_what_was_probably_meant() -> None:
    with pytest.raises(UnknownProperty, match=r"no property 'no-los'.*no-loss"):
        explore(STORE, STOCK, "no-los")
    with pytest.raises(UnknownOffer, match=r"'power-cuts' cannot be offered.*power-cut"):
        explore(STORE, STOCK, offers=["power-cuts"])


def test_too_many_offers_are_refused_with_a_cure() -> None:
    full = make({f"T{number}": ["sync()"] for number in range(MAX_TASKS - 1)})
    with pytest.raises(EngineError, match=rf"2 offers are more than {MAX_TASKS}.*Offer less"):
        explore(full, STOCK, offers=["writeback", "reclaim"])


def test_a_block_can_be_given_back_only_by_who_took_one() -> None:
    with pytest.raises(EngineError, match=r"nobody takes blocks.*take"):
        offered(STORE, ["free"])
    assert "free(g, 1)" in [task.script[0] for task in offered(MAIL, ["free"]).tasks.values()]
    assert explore(MAIL, STOCK, offers=["free"]).verdict == "broken"


def test_every_offer_can_be_made() -> None:
    verdict: Verdict = explore(STORE, STOCK, "accounts-balance", offers=list(OFFERS), budget=Budget(states=300))
    assert verdict.stopped == "states"


@pytest.mark.parametrize("name", ["sync-means-durable", "no-loss-untold"])
def test_an_answer_about_no_file_says_nothing_of_stores(name: str) -> None:
    # mm/msync.c sys_msync: ENOMEM for a range that is not mapped; the other task has not begun its store by then.
    unmapped = make({"A": [MAP, "munmap(m)", "msync(m, SYNC)"], "B": [MAP, 'm[1P] = "B"']}, blocks=3)
    assert searched(unmapped, STOCK, name).complete
