"""Equal tasks are one to a search, as far as the kernel treats them alike."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from engine import Scenario, build, find_kernel
from engine.claims import PROPERTIES
from engine.explore import Search
from engine.moves import Move, Moves
from engine.symmetry import Symmetry, renamings
from engine.tour import Report
from tests.engine.build import CORRECTED, MAP, POSTED, STOCK, make
from tests.engine.searching import ALL_OF_THEM

SIX = "linux-6.18"
STORE = [MAP, 'm[1P] = "A"']
LONG = [*STORE, "x = m[1P]", "munmap(m)", "y = pread(f, 1, 1P)", 'pwrite(f, "zz", 2P)']


def pair(script: list[str], *, blocks: int = 1, **others: list[str]) -> Scenario:
    """Two tasks with the same script, on a processor each."""
    return make({"A": script, "B": list(script), **others}, blocks=blocks)


def walked(scenario: Scenario, kernel: str, *, symmetric: bool = True) -> tuple[Report, Search]:
    machine = build(scenario, find_kernel(kernel))
    search = Search(machine, PROPERTIES["no-loss"], symmetric=symmetric, wanted=ALL_OF_THEM)
    return search.run(), search


def ways(moves: Moves, seeds: int, most: int = 400) -> Iterator[Move]:
    """Moves on random ways, each as it is made; the machine is taken back between two ways."""
    for seed in range(seeds):
        choose, made = Random(seed), list[Move]()  # noqa: S311 - the same ways every time
        while len(made) < most:
            found = [moves.of(task) for task in moves.machine.tasks.values()]
            able = [move for move in found if move is not None and move.is_step]
            if not able:
                break
            made.append(choose.choice(able))
            moves.make(made[-1])
            yield made[-1]
        while made:
            moves.unmake(made.pop())


@pytest.mark.parametrize("kernel", [STOCK, POSTED, CORRECTED, SIX])
def test_a_way_under_other_names_comes_to_the_renamed_state(kernel: str) -> None:
    machine = build(pair(LONG, blocks=3), find_kernel(kernel))
    (other,) = renamings(machine)
    moves, twin = Moves(machine, None, [other]), Moves(build(machine.scenario, machine.kernel))
    seen = 0
    for move in ways(moves, 8):
        if len(moves.trail) == 1:
            twin = Moves(build(machine.scenario, machine.kernel))
        same = twin.of(twin.machine.tasks[other.to.get(move.task, move.task)])
        assert same is not None
        twin.make(same)
        assert (same.function, same.name, twin.key) == (move.function, move.name, moves.mirrors[0])
        seen += twin.key != moves.key
    assert seen > 100  # of which the names do matter


def orbits(scenario: Scenario, kernel: str) -> tuple[int, int]:
    """How many ends there are, and how many if one and the same under other names are one."""
    machine = build(scenario, find_kernel(kernel))
    moves, seen, ends = Moves(machine, None, renamings(machine)), set[int](), set[tuple[int, ...]]()

    def visit() -> None:
        seen.add(moves.key)
        found = [moves.of(task) for task in machine.tasks.values()]
        able = [move for move in found if move is not None and move.is_step]
        if not able:
            ends.add((moves.key, *moves.mirrors))
        for move in able:
            if moves.key ^ move.change not in seen:
                moves.make(move)
                visit()
                moves.unmake(move)

    visit()
    return len(ends), len({min(keys) for keys in ends})


@pytest.mark.parametrize("kernel", [STOCK, POSTED, CORRECTED, SIX])
def test_an_end_is_met_once_whoever_of_the_equal_tasks_was_first(kernel: str) -> None:
    ends, different = orbits(pair(STORE), kernel)
    alike, search = walked(pair(STORE), kernel)
    plain, _ = walked(pair(STORE), kernel, symmetric=False)
    assert search.symmetry is not None
    assert search.symmetry.holds
    assert (plain.ends, alike.ends) == (ends, different)
    assert bool(alike.broken_ends) == bool(plain.broken_ends)
    assert alike.states < plain.states


def test_a_kernel_that_goes_through_address_spaces_in_order_does_not_treat_them_alike() -> None:
    # mm/rmap.c folio_mkclean(): the entries of one page lose RW one after the other.
    synced = pair([*STORE, "msync(m, SYNC)"])
    alike, search = walked(synced, SIX)
    plain, _ = walked(synced, SIX, symmetric=False)
    assert search.symmetry is not None
    assert not search.symmetry.holds
    assert (alike.states, alike.ends, alike.broken_ends) == (plain.states, plain.ends, plain.broken_ends)


def test_the_proof_fails_where_the_names_do_not_fit() -> None:
    machine = build(pair(STORE), find_kernel(STOCK))
    moves, symmetry = Moves(machine, None, renamings(machine)), Symmetry(machine, renamings(machine))
    first = moves.of(machine.tasks["A"])
    assert first is not None
    assert symmetry._comes_to(symmetry.others[0], [first], moves.mirrors[0] ^ first.mirrors[0])  # noqa: SLF001
    assert not symmetry._comes_to(symmetry.others[0], [first], moves.key ^ first.change)  # noqa: SLF001


@pytest.mark.parametrize(
    "scenario",
    [
        make({"A": STORE, "B": [MAP, 'm[2P] = "A"']}, blocks=1),
        make({"A": STORE, "B": {"user": "bob", "script": STORE}}, blocks=1),
        make({"A": STORE, "B": STORE, "C": {"thread_of": "A", "script": ["x = m[1P]"]}}, blocks=1),
        make({"A": STORE, "B": STORE, "C": [MAP, "x = m[1P]"]}, blocks=1),  # shares the processor of A
        make({"A": [MAP, 'm[1P] = "/A"'], "B": [MAP, 'm[1P] = "/A"']}, blocks=1),
    ],
    ids=["other page", "other user", "has a thread", "processors", "reads like a name"],
)
def test_tasks_that_differ_in_anything_are_not_equal(scenario: Scenario) -> None:
    assert renamings(build(scenario, find_kernel(STOCK))) == ()


def test_the_name_of_a_task_may_be_what_it_stores() -> None:
    (other,) = renamings(build(pair(STORE), find_kernel(STOCK)))
    assert other.text("Run(start=0, stop=1, text='A', store='A.2')") == "Run(start=0, stop=1, text='A', store='B.2')"
    assert other.text("cpu/0/tlb/0x40001.entry=mm/B") == "cpu/1/tlb/0x40001.entry=mm/A"
    assert other.told(frozenset({"A.2", "C.1"})) == {"B.2", "C.1"}
