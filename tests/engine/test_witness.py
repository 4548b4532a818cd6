"""Witnesses: each is a run that shows what it says, at the step it names, and none is shorter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from engine import Machine, Scenario, Trace, build, find_kernel, run
from engine.claims import PROPERTIES
from engine.explore import Budget
from engine.fates import loses
from engine.values import SIGBUS
from engine.verdict import Verdict, explore
from engine.witness import Witness
from tests.engine.build import CORRECTED, MAP, POSTED, PRIVATE_MAP, STOCK, make
from tests.engine.test_perft import SCENARIOS, two_stores

LAST = two_stores("ext2", blocks=2, sync="msync(m, SYNC)")
UNSYNCED = make({"A": [MAP, 'm[1P] = "A"', "munmap(m)"], "C": ["writeback()"]}, blocks=1)
STORE = make({"A": [MAP, 'm[1P] = "A"']}, blocks=2)
SYNCED = make({"A": [MAP, 'm[1P] = "A"', "msync(m, SYNC)"]}, blocks=2)
PRIVATE = make({"A": [PRIVATE_MAP, "x = m[0P]", 'm[0P] = "p"'], "B": ["drop_caches()"]})
MAIL = SCENARIOS["mail"]


def again(kernel: str, witness: Witness) -> Trace:
    """The run of a witness, made anew."""
    return run(witness.scenario, kernel, witness.schedule)


# -- a witness is a run -----------------------------------------------------------------------------------------------

CASES = [
    (LAST, POSTED, ()),
    (UNSYNCED, STOCK, ()),
    (UNSYNCED, STOCK, ("drop-caches",)),
    (make({"A": [MAP, 'm[1P] = "A"', "munmap(m)"]}, blocks=2), STOCK, ("take", "writeback")),
    (STORE, CORRECTED, ("take",)),
    (STORE, STOCK, ("power-cut",)),
    (STORE, CORRECTED, ("writeback", "power-cut")),
    (SYNCED, POSTED, ("take", "disk-error")),
    (SYNCED, CORRECTED, ("disk-error",)),
    (SCENARIOS["filled"], CORRECTED, ("free",)),
    (PRIVATE, POSTED, ()),
    (MAIL, STOCK, ()),
    (MAIL, STOCK, ("drop-caches",)),
]


@pytest.mark.parametrize(("scenario", "kernel", "offers"), CASES)
def test_every_witness_of_every_property_runs_again_and_shows_what_it_says(
    scenario: Scenario, kernel: str, offers: tuple[str, ...]
) -> None:
    seen = 0
    for name in PROPERTIES:
        verdict = explore(scenario, kernel, name, offers=offers, wanted=2, budget=Budget(states=2_000))
        for witness in verdict.witnesses:
            seen += 1
            shows(name, kernel, witness)
    assert seen


def shows(prop: str, kernel: str, witness: Witness) -> None:
    """The run is exactly so long, or goes on only where the point lies on the way; and there it is."""
    trace = again(kernel, witness)
    if PROPERTIES[prop].at_end is not None:
        assert (len(trace.steps), trace.complete) == (witness.steps, True)
    last, fates = trace.steps[witness.steps - 1], {store.fate for store in trace.stores}
    if prop == "no-loss":
        assert fates & {"lost", "clean-unsaved"}
        assert trace.outcome.startswith("lost") or "clean-unsaved" in fates
    elif prop == "no-loss-untold":
        assert [
            s
            for s in trace.stores
            if s.fate in ("lost", "clean-unsaved") and s.told is None and f"store {s.id} " in witness.says
        ]
    elif prop == "somebody-gets-sigbus":
        assert any(at.endswith((".refused", ".signal")) and new == SIGBUS for at, _, new in last.writes)
    elif prop == "no-private-byte":
        assert "has reached a file: copy-on-write is broken" in " ".join(trace.notes)
    elif prop == "sync-means-durable":
        assert any(at.endswith(".result") and new == "0" for at, _, new in last.writes)
    else:
        assert prop == "no-false-refusal"
        assert any(at.endswith(".refused") for at, _, _ in last.writes)


def test_a_sync_that_lies_has_left_a_byte_that_is_not_on_the_disk() -> None:
    # H3: fsync(fd) of 2.6.9 does not look into page tables.
    verdict = explore(make({"A": [MAP, 'm[1P] = "A"', "fsync(f)"]}), STOCK, "sync-means-durable")
    assert verdict.witness is not None
    shows("sync-means-durable", STOCK, verdict.witness)
    trace = again(STOCK, verdict.witness)
    assert [store.fate for store in trace.stores] == ["at-risk"]


def test_what_the_world_does_first_has_its_own_task() -> None:
    # 7.2: the last block is somebody else's before anything has happened: the store gets SIGBUS.
    verdict = explore(STORE, CORRECTED, "somebody-gets-sigbus", offers=["take"])
    assert verdict.witness is not None
    assert verdict.witness.preemptions == 0
    assert again(CORRECTED, verdict.witness).steps[0].function == "others"


def test_each_different_loss_has_a_witness() -> None:
    # 7.2: one block for two stores, so that one of the two is lost, whichever comes second.
    verdict = explore(LAST, STOCK, wanted=3)
    assert len({witness.says for witness in verdict.witnesses}) == 2
    runs = {tuple(step.event for step in again(STOCK, witness).steps) for witness in verdict.witnesses}
    assert len(runs) == len(verdict.witnesses) == 2
    costs = [(witness.preemptions, witness.steps) for witness in verdict.witnesses]
    assert costs == sorted(costs)


def test_a_witness_that_was_not_looked_for_long_enough_does_not_say_that_it_is_the_shortest() -> None:
    verdict: Verdict = explore(LAST, POSTED, budget=Budget(states=1_500), wanted=10**6)
    assert verdict.stopped == "states"
    assert {witness.shortest for witness in verdict.witnesses} == {False}


# -- none is shorter --------------------------------------------------------------------------------------------------

Judge = Callable[[Machine, bool], bool]
Cost = tuple[int, int]


def executions(machine: Machine, judge: Judge, bound: int, last: str = "", cost: Cost = (0, 0)) -> Iterator[Cost]:
    """(preemptions, steps) of every way to what is asked for, with at most so many preemptions: no state is known twice.

    A preemption is to take another task while the one that went last could go on. `judge` is told whether it is an end.
    """
    able = [task.task for task in machine.enabled()]
    if judge(machine, not able):
        yield cost
        return
    for task in able:
        preemptions = cost[0] + (last in able and task != last)
        if preemptions <= bound:
            machine.step(machine.tasks[task])
            yield from executions(machine, judge, bound, task, (preemptions, cost[1] + 1))
            machine.journal.undo()


def lost(machine: Machine, is_end: bool) -> bool:
    return is_end and loses(machine)


def refused(machine: Machine, _is_end: bool) -> bool:
    return SIGBUS in (record.refused for record in machine.stores.values())


def leaked(machine: Machine, _is_end: bool) -> bool:
    pages = [machine.page(pfn) for mapping in machine.mappings.values() for _, pfn in mapping.pages.items()]
    private = {
        name.removeprefix("store/")
        for name, record in machine.stores.items()
        if record.accepted and record.file is None
    }
    return any(piece.store in private for page in pages for piece in page.content.runs)


def lied(machine: Machine, _is_end: bool) -> bool:
    """An fsync answers 0 just now, and the store is in memory alone."""
    now = machine.journal.since_mark() if machine.journal.marks else []
    on_disk = {piece.store for _, data in machine.disk.data.items() for piece in data.runs}
    stored = [name.removeprefix("store/") for name, record in machine.stores.items() if record.accepted]
    return ("line/B.1.result", None, "0") in now and bool(stored) and stored[0] not in on_disk


ASKED: list[tuple[Scenario, str, str, Judge]] = [
    (UNSYNCED, STOCK, "no-loss", lost),
    (make({"A": [MAP, 'm[1P] = "A"'], "B": ["fill(g)"]}), CORRECTED, "somebody-gets-sigbus", refused),
    (make({"A": [MAP, 'm[1P] = "A"'], "B": ["fill(g)"]}), POSTED, "somebody-gets-sigbus", refused),
    (PRIVATE, POSTED, "no-private-byte", leaked),
    (make({"A": [MAP, 'm[1P] = "A"', "munmap(m)"], "B": ["fsync(f)"]}), STOCK, "sync-means-durable", lied),
    (make({"A": [MAP, 'm[1P] = "A"'], "B": ["ftruncate(f, 1P)"]}), STOCK, "somebody-gets-sigbus", refused),
]


@pytest.mark.parametrize(("scenario", "kernel", "prop", "judge"), ASKED)
@pytest.mark.parametrize("reduced", [True, False])
def test_no_run_at_all_is_shorter(scenario: Scenario, kernel: str, prop: str, judge: Judge, reduced: bool) -> None:
    witness = explore(scenario, kernel, prop, reduced=reduced).witness
    assert witness is not None
    assert witness.shortest
    machine = build(scenario, find_kernel(kernel))
    assert min(executions(machine, judge, witness.preemptions)) == (witness.preemptions, witness.steps)


def test_who_says_stop_while_the_shortest_is_looked_for_gets_the_way_that_was_met() -> None:
    verdict = explore(LAST, POSTED, progress=lambda made: made.phase == "search")
    assert verdict.verdict == "broken"
    assert [witness.shortest for witness in verdict.witnesses] == [False]
