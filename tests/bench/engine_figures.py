"""The engine alone: steps a second, and a gallery text to its trace."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from importlib.resources import files
from statistics import median

import msgspec

from engine import KERNELS, build, find_kernel, find_scenario, gallery, load_scenario, run
from engine.explore import walk
from tests.bench.figures import ROUNDS, Figure, kilobytes, ms, once, timed
from tests.engine.test_perft import COUNTS, SCENARIOS


def engine_figures() -> list[Figure]:
    """Speed beside a bare generator; the median of all gallery runs, and the worst."""
    speed, generator = steps_per_second(), generator_steps_per_second()
    beside = f"bare generator {generator:,.0f} steps/s, {generator / speed:.0f} times as many"
    texts = [files("engine").joinpath(f"scenarios/{name}.yaml").read_text(encoding="utf-8") for name in gallery()]
    runs = [(text, kernel) for text in texts for kernel in KERNELS if can_run(text, kernel)]
    watched = [min(once(lambda: trace_json(*each, watch=True)) for _ in range(3)) for each in runs]  # noqa: B023 - as below
    spent = [min(once(lambda: trace_json(*each)) for _ in range(3)) for each in runs]  # noqa: B023 - called at once
    sizes = [len(gzip.compress(trace_json(*each))) for each in runs]
    trace = run(load_scenario(runs[0][0], default_id="bench"), runs[0][1])
    bare = timed(lambda: msgspec.json.encode(trace))
    return [
        Figure("forward with deltas, engine alone", f"{speed:,.0f} steps/s", "≥ 100,000 steps/s", beside),
        search(),
        Figure(
            "a gallery run, text to full trace JSON",
            ms(median(spent)),
            "≤ 10 ms (median)",
            f"of {len(runs)} runs; the slowest {ms(max(spent))}; writing the JSON of a trace alone {ms(bare)}",
        ),
        Figure(
            "the same, invariants watched", ms(median(watched)), "≤ 10 ms (median)", f"the slowest {ms(max(watched))}"
        ),
        Figure("its trace, gzipped", kilobytes(int(median(sizes))), "≤ 40 KB", f"the largest {kilobytes(max(sizes))}"),
    ]


def steps_per_second() -> float:
    """Steps of the longest way through the fault path, with deltas kept, scenario set up outside of the clock."""
    scenario, kernel, rates = find_scenario("mail-store-first"), find_kernel("linux-2.6.9"), []
    for _ in range(ROUNDS):
        machine, count, moved = build(scenario, kernel), 0, True
        began = time.process_time()
        while moved:
            moved = False
            for task in machine.tasks.values():
                while machine.step(task) is not None:
                    moved, count = True, count + 1
        rates.append(count / (time.process_time() - began))
    return median(rates)


def search() -> Figure:
    """Distinct states a second over every interleaving of the perft table, with dedupe and without reduction."""
    began = time.process_time()
    counts = [walk(SCENARIOS[scenario], kernel) for scenario, kernel in COUNTS]
    spent = time.process_time() - began
    states, steps = (sum(count.states for count in counts), sum(count.transitions for count in counts))
    beside = f"{steps / spent:,.0f} transitions/s; {states:,} states of {len(counts)} walks"
    return Figure("exhaustive search with dedupe", f"{states / spent:,.0f} states/s", "≥ 50,000 states/s", beside)


def can_run(text: str, kernel: str) -> bool:
    """Whether a kernel has the filesystem of a scenario."""
    return load_scenario(text, default_id="bench").filesystem.type in find_kernel(kernel).filesystems


def generator_steps_per_second() -> float:
    """The baseline: a bare generator that yields one tuple a step."""

    def steps() -> Iterator[tuple[str, int, int]]:
        for i in range(10_000):
            yield ("page/1.count", i, i + 1)

    return 10_000 / timed(lambda: list(steps()))


def trace_json(text: str, kernel: str, *, watch: bool = False) -> bytes:
    """A scenario's text to the whole trace as JSON."""
    return msgspec.json.encode(run(load_scenario(text, default_id="bench"), kernel, watch=watch))
