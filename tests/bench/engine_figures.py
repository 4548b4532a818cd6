"""The engine alone: steps a second, and a gallery text to its trace."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from importlib.resources import files
from statistics import median

import msgspec

from engine import (
    build,
    find_kernel,
    find_scenario,
    gallery,
    kernels_of,
    load_scenario,
    run,
    scenario_from_data,
)
from tests.bench.figures import ROUNDS, Figure, kilobytes, ms, once, timed


def engine_figures() -> list[Figure]:
    """Speed beside a bare generator; the median of all gallery runs, and the worst."""
    speed, generator = steps_per_second(), generator_steps_per_second()
    beside = f"bare generator {generator:,.0f} steps/s, {generator / speed:.0f} times as many"
    runs = gallery_runs()
    watched = [min(once(lambda: trace_json(*each, watch=True)) for _ in range(3)) for each in runs]  # noqa: B023 - as below
    spent = [min(once(lambda: trace_json(*each)) for _ in range(3)) for each in runs]  # noqa: B023 - called at once
    sizes = [len(gzip.compress(trace_json(*each))) for each in runs]
    trace = run(load_scenario(runs[0][0], default_id="bench"), runs[0][1])
    bare = timed(lambda: msgspec.json.encode(trace))
    return [
        Figure("forward with deltas, engine alone", f"{speed:,.0f} steps/s", "≥ 100,000 steps/s", beside),
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
        heaviest(),
    ]


def gallery_runs() -> list[tuple[str, str]]:
    """Each scenario's text with each kernel that has its filesystem."""
    folder = files("engine") / "scenarios"
    return [
        (folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8"), kernel)
        for name, scenario in gallery().items()
        for kernel in kernels_of(scenario)
    ]


def heaviest() -> Figure:
    """What eight tasks with wide stores take until a limit cuts them."""
    script = ["m = mmap(f, 128P, READ|WRITE, SHARED)", *['m[0:128P] = "x"'] * 30, "fsync(f)", "fsync(f)"]
    scenario = scenario_from_data({
        "title": "wide", "machine": {"frames": 1024}, "filesystem": {"blocks": 4096, "block_size": 1024},
        "files": {"f": {"owner": "alice", "size": "128P"}},
        "tasks": {name: {"user": "alice", "script": script} for name in "ABCDEFGH"},
    })  # fmt: skip
    spent, count = min((once(lambda: run(scenario)), len(run(scenario).steps)) for _ in range(2))
    return Figure("a run that a limit cuts", ms(spent), "≤ 2,000 ms", f"8 tasks, wide stores; {count:,} steps")


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


def generator_steps_per_second() -> float:
    """The baseline: a bare generator that yields one tuple a step."""

    def steps() -> Iterator[tuple[str, int, int]]:
        for i in range(10_000):
            yield ("page/1.count", i, i + 1)

    return 10_000 / timed(lambda: list(steps()))


def trace_json(text: str, kernel: str, *, watch: bool = False) -> bytes:
    """A scenario's text to the whole trace as JSON."""
    return msgspec.json.encode(run(load_scenario(text, default_id="bench"), kernel, watch=watch))
