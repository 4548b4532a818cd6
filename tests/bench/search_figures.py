"""The search: a fixed table of scenarios, what reduction saves and several cores gain, and SPIN on models of the same."""

from __future__ import annotations

import os
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from engine import Scenario, build, find_kernel, find_scenario
from engine.claims import PROPERTIES
from engine.crew import Cores, Crew
from engine.explore import STATE_BYTES, Budget, Search
from engine.perft import walk
from engine.regions import Question
from engine.spread import Spread
from engine.tour import Report
from engine.verdict import BUDGET, explore
from tests.bench.figures import Figure, ms, once
from tests.engine.test_perft import COUNTS, SCENARIOS
from tests.peers import spin

MANY = 10**9
TABLE = (
    ("last-block", "linux-2.6.9"),
    ("last-block", "wli-posted"),
    ("last-block", "wli-corrected"),
    ("lock-drop", "linux-6.18"),
    ("mail", "linux-6.18"),
    ("xfs", "linux-2.6.23"),
    ("ext4", "linux-6.18"),
)
"""Scenarios of the perft table and kernels: the larger ones, some of them broken, some not."""
LARGE, CORES = Budget(states=150_000, seconds=300), 2
"""How far the gallery's last block is searched by one process and by several."""


def search_figures() -> Iterator[Figure]:
    """Beside perft's walk, which leaves nothing out, in the same run."""
    began = time.process_time()
    counts = [walk(SCENARIOS[scenario], kernel) for scenario, kernel in COUNTS]
    spent, states = time.process_time() - began, sum(count.states for count in counts)
    beside = f"{sum(count.transitions for count in counts) / spent:,.0f} transitions/s; {states:,} states of the table"
    yield Figure(
        "every interleaving of the perft table", f"{states / spent:,.0f} states/s", "≥ 50,000 states/s", beside
    )
    yield reduced(states)
    speeds = dict[tuple[str, str], float]()
    for scenario, kernel in TABLE:
        speeds[scenario, kernel], figure = searched(scenario, kernel)
        yield figure
    yield from together()
    yield from peers(speeds)


def reduced(every: int) -> Figure:
    """The same table, by the search that leaves out what comes to the same; what it begins again counts as time."""
    searches = [search(SCENARIOS[scenario], kernel) for scenario, kernel in COUNTS]
    began = time.process_time()
    left = sum(each.run().states for each in searches)
    spent = time.process_time() - began
    beside = f"{left:,} states of {every:,}: {every / left:.1f} times fewer; {spent:.1f} s for the table"
    return Figure("reduced search, every losing end", f"{left / spent:,.0f} states/s", "", beside)


def search(scenario: Scenario, kernel: str, budget: Budget = BUDGET, *, reduced: bool = True) -> Search:
    """A search for every end that loses data."""
    machine = build(scenario, find_kernel(kernel))
    return Search(machine, PROPERTIES["no-loss"], budget, wanted=MANY, reduced=reduced)


def searched(scenario: str, kernel: str) -> tuple[float, Figure]:
    """One of the table: every state of it, what they weigh, and how long one waits for an answer; and its states/s."""
    world, reports = SCENARIOS[scenario], list[Report]()
    whole = search(world, kernel, reduced=False)
    spent = once(lambda: reports.append(whole.run()))
    found = reports[0]
    weight = memory(whole) / found.states
    first = Search(build(world, find_kernel(kernel)), PROPERTIES["no-loss"])
    way = once(lambda: reports.append(first.run()))
    verdict = once(lambda: explore(world, kernel))
    answered = f"first witness {ms(way)}, shortest and verdict" if reports[-1].found else "no witness, verdict"
    beside = (
        f"{found.transitions / spent:,.0f} transitions/s; {weight:,.0f} B a state; {answered} {ms(verdict)}; "
        f"{found.states:,} states"
    )
    speed = found.states / spent
    return speed, Figure(f"{scenario}, {kernel}", f"{speed:,.0f} states/s", f"≤ {STATE_BYTES} B a state", beside)


def memory(once_learnt: Search) -> int:
    """Bytes that a search takes at most; what steps do it remembers from before, that is weighed no more."""
    tracemalloc.start()
    once_learnt.run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def together() -> Iterator[Figure]:
    """One large search by one process and by several, by the clock: processor time would not show what they gain."""
    cores = min(CORES, os.cpu_count() or 1)
    with Cores(cores) as crew:
        explore(SCENARIOS["fork"], "linux-2.6.9", crew=crew)  # they have begun
        for reduced, how in ((False, "every interleaving"), (True, "reduced")):
            alone, several = large(None, reduced=reduced), large(crew, reduced=reduced)
            beside = f"{several / alone:.2f} times one process, {alone:,.0f} states/s; load {os.getloadavg()[0]:.1f}"
            yield Figure(f"last block on {cores} cores, {how}", f"{several:,.0f} states/s", "", beside)


def large(crew: Crew | None, *, reduced: bool) -> float:
    """States a second of the clock in a large search."""
    scenario, kernel = find_scenario("last-block"), "wli-posted"
    one = search(scenario, kernel, LARGE, reduced=reduced)
    began = time.monotonic()
    if crew is None:
        states = one.run().states
    else:
        states = Spread(one, crew, Question(scenario, kernel, "no-loss", (), reduced, MANY)).run().states
    return states / (time.monotonic() - began)


def peers(speeds: dict[tuple[str, str], float]) -> Iterator[Figure]:
    """SPIN on our models of the race, larger; its states are finer steps of a smaller machine."""
    for model, kernel in spin.MODELS.items():
        what = f"SPIN, {model}"
        if reason := spin.missing():
            yield Figure(what, "not measured", "", reason)
            continue
        with tempfile.TemporaryDirectory() as folder:
            first = spin.check(model, Path(folder), TASKS=7, BLOCKS=3)
            whole = spin.check(model, Path(folder), whole=True, TASKS=7, BLOCKS=3)
        spent, ours = max(whole.seconds, 0.01), speeds["last-block", kernel]
        rate = whole.states / spent
        waited = ms(first.seconds) if first.seconds else "under 10 ms"
        answered = "first witness" if first.broken else "no witness, verdict"
        beside = (
            f"{rate / ours:,.0f} times ours of last-block, {kernel}; {whole.transitions / spent:,.0f} transitions/s; "
            f"{whole.memory / whole.states:,.0f} B a state; {answered} {waited}; {whole.states:,} states"
        )
        yield Figure(what, f"{rate:,.0f} states/s", "", beside)
