"""Foresight: what it says of each step is what a walk through all that can follow says, and it never takes it back."""

from __future__ import annotations

import pytest

from engine import Budget, Machine, Scenario, build, find_kernel, find_scenario, run
from engine.fates import CLEAN_UNSAVED, LOST
from engine.foresight import AT_RISK, DOOMED, SAFE, UNKNOWN, foresee
from engine.objects.task import Task
from engine.offers import offered
from engine.schedule import parse_schedule
from engine.telling import fate_of
from tests.engine.build import CORRECTED, STOCK, make

MAPPED = "m = mmap(f, 4P, READ|WRITE, SHARED)"
TWO_FOR_ONE = make({"A": [MAPPED, 'm[2P] = "C"', "msync(m, SYNC)"], "B": ['pwrite(f, "D", 3P)']}, blocks=2)
"""One free block, and two who want it: who comes first matters for the store through the map alone."""
BY_THE_FLUSHER = make({"A": [MAPPED, 'm[2P] = "C"'], "B": ["writeback()"]}, blocks=1)
SHORT = make({"A": [MAPPED, 'm[2P] = "C"']}, blocks=1)
FULL = make({"A": [MAPPED, 'm[2P] = "C"', "msync(m, SYNC)"], "B": ["take(g, 1)"]}, blocks=2)
SHORT_OF_NOTHING = make({"A": [MAPPED, 'm[2P] = "C"']}, blocks=4)
ROOM = make({"A": [MAPPED, 'm[2P] = "C"', "msync(m, SYNC)"]}, blocks=4)

Ends = frozenset[tuple[str, ...]]


def all_ends(machine: Machine) -> dict[int, Ends]:
    """Each state in reach, by its key, with the ends in reach of it as the stores that are lost there.

    Every task's every step is tried by the kernel's own code: no move is remembered, none is left out.
    """
    after: dict[int, set[int]] = {}
    ends: dict[int, set[tuple[str, ...]]] = {}

    def visit() -> int:
        key = machine.journal.key
        if key in after:
            return key
        after[key], ends[key] = set(), set()
        able = [task for task in machine.tasks.values() if not machine.rests(task) and can(machine, task)]
        world = {name for name, task in machine.scenario.tasks.items() if task.on_call}
        inside = [task for task in able if task.task in world and task.stack is not None]
        for task in inside or able:  # the world is not interrupted
            machine.step(task)
            after[key].add(visit())
            machine.journal.undo()
        if not inside and all(task.task in world for task in able):
            stores = [(name.removeprefix("store/"), record) for name, record in machine.stores.items()]
            ends[key].add(tuple(n for n, record in stores if fate_of(machine, n, record) in (LOST, CLEAN_UNSAVED)))
        return key

    visit()
    grows = True
    while grows:
        grows = False
        for key, others in after.items():
            found = ends[key].union(*(ends[other] for other in others))
            grows, ends[key] = grows or found != ends[key], found
    return {key: frozenset(found) for key, found in ends.items()}


def can(machine: Machine, task: Task) -> bool:
    moved = machine.step(task) is not None
    if moved:
        machine.journal.undo()
    return moved


def outlook(ends: Ends) -> str:
    if not any(ends):
        return SAFE
    return DOOMED if all(ends) else AT_RISK


@pytest.mark.parametrize("kernel", [STOCK, CORRECTED])
@pytest.mark.parametrize("scenario", [TWO_FOR_ONE, BY_THE_FLUSHER, ROOM], ids=["two for one", "flusher", "room"])
def test_it_agrees_with_a_walk_through_everything(scenario: Scenario, kernel: str) -> None:
    trace, machine = run(scenario, kernel), build(scenario, find_kernel(kernel))
    ends, keys = all_ends(machine), [machine.journal.key]
    for step in trace.steps:
        assert machine.step(machine.tasks[step.task]) is not None
        keys.append(machine.journal.key)
    found = foresee(scenario, kernel, trace)
    assert found.complete
    assert list(found.outlook) == [outlook(ends[key]) for key in keys]
    for doom in found.stores:
        certain = [n for n, key in enumerate(keys) if all(doom.store in lost for lost in ends[key])]
        assert doom.doomed == (certain[0] if certain else None)


@pytest.mark.parametrize("offer", ["writeback", "reclaim", "take", "power-cut"])
@pytest.mark.parametrize("kernel", [STOCK, CORRECTED])
def test_it_agrees_with_a_walk_in_which_the_world_does_what_is_offered(kernel: str, offer: str) -> None:
    trace, machine = run(SHORT, kernel), build(offered(SHORT, [offer]), find_kernel(kernel))
    ends, keys = all_ends(machine), [machine.journal.key]
    for step in trace.steps:
        assert machine.step(machine.tasks[step.task]) is not None
        keys.append(machine.journal.key)
    found = foresee(SHORT, kernel, trace, offers=[offer])
    assert found.complete
    assert list(found.outlook) == [outlook(ends[key]) for key in keys]


def test_what_the_world_may_do_changes_what_can_be_said() -> None:
    # 1a.14: on a full disk of 2.6.9 nothing saves the store, unless somebody gives a block back before the flusher comes.
    trace = run(FULL, STOCK, parse_schedule("B,A", tasks=FULL.tasks))
    doomed = foresee(FULL, STOCK, trace).outlook.index(DOOMED)
    assert foresee(FULL, STOCK, trace, offers=["free"]).outlook[doomed] == AT_RISK
    # H1: what was not synced is gone when the power fails.
    assert foresee(SHORT_OF_NOTHING, CORRECTED, run(SHORT_OF_NOTHING, CORRECTED)).outlook[0] == SAFE
    found = foresee(SHORT_OF_NOTHING, CORRECTED, run(SHORT_OF_NOTHING, CORRECTED), offers=["power-cut"])
    assert found.outlook[0] == AT_RISK


def test_what_a_run_calls_may_come_at_any_moment() -> None:
    # A run is never said to be safe and loses something then.
    power = {"user": "root", "on_call": True, "script": ["power_fails()"]}
    called = make({"A": [MAPPED, 'm[2P] = "C"', "munmap(m)"], "P": power}, blocks=4)
    trace = run(called, STOCK, parse_schedule("A@store.write>P", tasks=called.tasks))
    found = foresee(called, STOCK, trace)
    assert found.outlook[-1] == DOOMED
    assert found.outlook[0] == AT_RISK
    assert foresee(called, STOCK, run(called, STOCK)).outlook[-1] == SAFE  # it is not called, and does not come


def test_who_comes_first_decides() -> None:
    # 7.2: on 2.6.9 the store through the map asks for no room, so one of two loses it when the block goes to the other.
    assert foresee(TWO_FOR_ONE, STOCK, run(TWO_FOR_ONE, STOCK)).outlook[0] == AT_RISK
    assert set(foresee(TWO_FOR_ONE, CORRECTED, run(TWO_FOR_ONE, CORRECTED)).outlook) == {SAFE}
    assert set(foresee(ROOM, STOCK, run(ROOM, STOCK)).outlook) == {SAFE}


@pytest.mark.parametrize(
    ("name", "kernel"),
    [
        ("mail", STOCK),
        ("mail", CORRECTED),
        ("last-block", STOCK),
        ("two-maps-one-hole", STOCK),
        ("quota", STOCK),
        ("index-block", STOCK),
        ("wrong-first-aid", STOCK),
        ("truncate-race", CORRECTED),
        ("alive-in-ext2", "linux-6.18"),
    ],
)
def test_what_is_certain_stays_so(name: str, kernel: str) -> None:
    scenario = find_scenario(name)
    trace = run(scenario, kernel)
    found = foresee(scenario, kernel, trace, Budget(states=40_000, seconds=60))
    assert len(found.outlook) == len(trace.steps) + 1
    known = [each for each in found.outlook if each != UNKNOWN]
    assert list(found.outlook) == [UNKNOWN] * (len(found.outlook) - len(known)) + known
    for turn in found.turns:
        assert turn.was == AT_RISK, "what is safe or doomed is so whatever comes"
    lost = {store.id for store in trace.stores if store.fate in (LOST, CLEAN_UNSAVED)}
    assert found.outlook[-1] == (DOOMED if lost else SAFE)
    assert lost <= {each.store for each in found.stores}
    if found.complete:
        assert {each.store for each in found.stores if each.doomed is not None} == lost
    for each in found.stores:
        if each.doomed is not None and each.shows is not None:
            assert each.doomed <= each.shows


def test_the_mail_is_doomed_before_it_shows() -> None:
    # Kernel facts 1a: the disk is full and nobody has asked; that it is lost shows when pdflush writes, much later.
    scenario = find_scenario("mail")
    (doom,) = foresee(scenario, STOCK, run(scenario, STOCK)).stores
    assert doom.doomed is not None
    assert doom.shows is not None
    assert doom.doomed < doom.shows


def test_a_budget_that_is_spent_leaves_the_beginning_unknown() -> None:
    scenario = find_scenario("mail")
    found = foresee(scenario, STOCK, run(scenario, STOCK), Budget(states=30))
    assert not found.complete
    assert found.outlook[0] == UNKNOWN
    assert found.outlook[-1] == DOOMED
