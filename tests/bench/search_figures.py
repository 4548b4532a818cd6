"""The search: what reduction saves, what a state weighs, how soon there is an answer; SPIN beside it."""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from engine import build, find_kernel
from engine.claims import PROPERTIES
from engine.explore import STATE_BYTES, Budget, Search
from engine.perft import Count, walk
from engine.verdict import explore
from tests.bench.figures import Figure, ms, once, timed
from tests.engine.test_perft import COUNTS, SCENARIOS
from tests.peers import spin

MANY = 10**9
RACE = ("last-block", "wli-posted")
HEAVY = ("xfs", "linux-2.6.23")


def search_figures() -> Iterator[Figure]:
    """Beside perft's walk, which leaves nothing out, in the same run."""
    began = time.process_time()
    counts = [walk(SCENARIOS[scenario], kernel) for scenario, kernel in COUNTS]
    speed = sum(count.states for count in counts) / (time.process_time() - began)
    yield exhaustive(counts, speed)
    yield reduced(counts)
    yield weight()
    yield from answers()
    yield from peer(speed)


def exhaustive(counts: list[Count], speed: float) -> Figure:
    """Distinct states a second over every interleaving of the perft table, with dedupe and without reduction."""
    states, steps = sum(count.states for count in counts), sum(count.transitions for count in counts)
    beside = f"{steps * speed / states:,.0f} transitions/s; {states:,} states of {len(counts)} walks"
    return Figure("exhaustive search with dedupe", f"{speed:,.0f} states/s", "≥ 50,000 states/s", beside)


def reduced(counts: list[Count]) -> Figure:
    """The same table, by the search that leaves out what comes to the same; what it begins again counts as time."""
    searches = [search(*key) for key in COUNTS]
    began = time.process_time()
    left = sum(each.run().states for each in searches)
    spent = time.process_time() - began
    every = sum(count.states for count in counts)
    beside = f"{left:,} states of {every:,}: {every / left:.1f} times fewer; {spent:.1f} s for the table"
    return Figure("reduced search, every losing end", f"{left / spent:,.0f} states/s", "", beside)


def search(scenario: str, kernel: str, *, reduced: bool = True) -> Search:
    """A search of the table for every end that loses data."""
    machine = build(SCENARIOS[scenario], find_kernel(kernel))
    return Search(machine, PROPERTIES["no-loss"], Budget(), wanted=MANY, reduced=reduced)


def weight() -> Figure:
    """Bytes that a search has taken at most, for each of its states."""
    once_learnt = search(*HEAVY, reduced=False)
    once_learnt.run()  # what steps do is remembered by now: it is weighed no more
    tracemalloc.start()
    states = once_learnt.run().states
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    beside = f"{states:,} states; budgets count {STATE_BYTES} B for each"
    return Figure("memory of a search, a state", f"{peak / states:,.0f} B", f"≤ {STATE_BYTES} B", beside)


def answers() -> Iterator[Figure]:
    """How long one waits for the first way, for the shortest, and for a verdict that there is none."""
    scenario, first = SCENARIOS[RACE[0]], Search(build(SCENARIOS[RACE[0]], find_kernel(RACE[1])), PROPERTIES["no-loss"])
    found, shortest = once(first.run), timed(lambda: explore(scenario, RACE[1]), 3)
    holds = timed(lambda: explore(scenario, "wli-corrected"), 3)
    yield Figure("time to the first way to lose a byte", ms(found), "", "the last block, as posted")
    yield Figure("time to its shortest witness", ms(shortest), "", "the same, with the verdict and the run")
    yield Figure("time to the verdict that it holds", ms(holds), "", "the last block, corrected; reduced search")


def peer(speed: float) -> Iterator[Figure]:
    """SPIN's states a second on our model of the same race, larger; its states are finer steps of a smaller machine."""
    if reason := spin.missing():
        yield Figure("SPIN on the same race", "not measured", "", reason)
        return
    with tempfile.TemporaryDirectory() as folder:
        checked = spin.check("take_while_answering", Path(folder), TASKS=7, BLOCKS=3)
    rate = checked.states / max(checked.seconds, 0.01)
    beside = f"{checked.states:,} states, {checked.verdict}; {rate / speed:,.0f} times our exhaustive search"
    yield Figure("SPIN on the same race", f"{rate:,.0f} states/s", "", beside)
