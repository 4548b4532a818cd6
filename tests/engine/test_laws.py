"""Laws that hold for every scenario and every order of steps, tried on random ones."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import (
    INVARIANTS,
    KERNELS,
    Machine,
    Trace,
    build,
    find_kernel,
    find_scenario,
    run,
    scenario_from_data,
)
from engine.hardware.paging import FORMATS
from engine.locking import place
from engine.objects.locks import SPIN
from engine.values import show
from tests.engine.build import possible

FIRST = [
    "m = mmap(f, 4P, READ|WRITE, SHARED)",
    "m = mmap(f, 4P, READ|WRITE, PRIVATE)",
    "m = mmap(ANON, 4P, READ|WRITE, PRIVATE)",
]
REST = [
    'm[1P] = "X"', 'm[1P:3P] = "Y"', "x = m[2P]", "msync(m, SYNC)", "msync(m, ASYNC)", "fsync(f)", "sync()",
    "munmap(m, 1P, 2P)", "madvise(m, DONTNEED)", 'pwrite(f, "W" * 2P, 1P)', "y = pread(f, 2P, 0P)",
    "ftruncate(f, 1P)", "ftruncate(f, 6P)", "writeback()", "reclaim()", "drop_caches()", "take(g, 1)", "power_fails()",
]  # fmt: skip
scripts = st.tuples(st.sampled_from(FIRST), st.lists(st.sampled_from(REST), min_size=1, max_size=5))
scenarios = st.builds(
    lambda a, b, blocks, size, quota, arch: scenario_from_data({
        "title": "random",
        "machine": {"frames": 8, "arch": arch},
        "filesystem": {"blocks": blocks * 4096 // size, "block_size": size, "quota": {"alice": {"hard": quota}}},
        "files": {"f": {"owner": "alice", "size": "4P", "data": {"0P": "a"}}},
        "tasks": {"A": {"user": "alice", "on_sigbus": "next", "script": [a[0], *a[1]]},
                  "B": {"user": "bob", "script": [b[0], *b[1]]}},
    }),
    scripts, scripts, st.integers(2, 6), st.sampled_from([4096, 1024]), st.sampled_from([0, 6]),
    st.sampled_from(sorted(FORMATS)),
)  # fmt: skip
FIRST_FIVE = ("I1", "I2", "I3", "I4", "I5")
kernels = st.sampled_from(sorted(KERNELS))
choices = st.lists(st.integers(0, 4), max_size=150)
law = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def wander(k: Machine, picks: list[int]) -> list[str]:
    """Let tasks step as the picks say; returns who stepped."""
    tasks, went = list(k.tasks.values()), []
    for pick in picks:
        task = tasks[pick % len(tasks)]
        if k.step(task) is not None:
            went.append(task.task)
    return went


@law
@given(scenarios, kernels, choices)
def test_undo_is_the_inverse_of_a_step(scenario: Any, kernel: str, picks: list[int]) -> None:
    k = build(scenario, find_kernel(kernel))
    before, key = dict(k.journal.cells), k.journal.key
    went = wander(k, picks)
    k.journal.key  # noqa: B018 -- the key is kept up from here on, so that undo has to keep it up as well
    for _ in went:
        k.journal.undo()
    assert (k.journal.cells, k.journal.key) == (before, key)


@law
@given(scenarios, kernels, choices)
def test_equal_states_have_equal_keys_whatever_their_history(scenario: Any, kernel: str, picks: list[int]) -> None:
    first, second = (build(scenario, find_kernel(kernel)) for _ in range(2))
    for name in wander(first, picks):
        for task in second.tasks.values():
            if second.step(task) is not None:
                second.journal.undo()
        second.step(second.tasks[name])
    assert show(tuple(sorted(first.journal.cells))) == show(tuple(sorted(second.journal.cells)))
    assert first.journal.key == second.journal.key


@law
@given(scenarios, kernels, choices)
def test_the_invariants_hold_after_every_step_of_whoever_goes(scenario: Any, kernel: str, picks: list[int]) -> None:
    k = build(scenario, find_kernel(kernel))
    # The posted patch breaks counts and promises, a promise at mmap() ends too early (1b, 1d).
    names = {"wli-posted": ("I2", "I3", "I5"), "mmap-reserve": ("I1", "I2", "I3", "I5")}.get(kernel, FIRST_FIVE)
    tasks = list(k.tasks.values())
    for pick in picks:
        k.step(tasks[pick % len(tasks)])
        assert [str(found) for name in names for found in INVARIANTS[name].check(k)] == []


@law
@given(scenarios, kernels, choices)
def test_nobody_waits_for_a_sleeping_lock_under_a_spinlock(scenario: Any, kernel: str, picks: list[int]) -> None:
    k = build(scenario, find_kernel(kernel))
    tasks = list(k.tasks.values())
    for pick in picks:
        task = tasks[pick % len(tasks)]
        if k.step(task) is None and k.blocked_on and "_sem" in k.blocked_on:
            assert not [held for held in task.locks or () if place(held)[1] == SPIN]


@pytest.mark.parametrize(("name", "kernel"), possible())
def test_delta_replay_equals_a_fresh_run(name: str, kernel: str) -> None:
    trace = run(find_scenario(name), kernel)
    backwards = trace.state_at(len(trace.steps))
    for step in reversed(trace.steps):
        for at, old, _ in reversed((*step.writes, *step.derived)):
            if old is None:
                backwards.pop(at, None)
            else:
                backwards[at] = old
    assert backwards == trace.initial
    assert run(find_scenario(name), kernel) == trace


def test_one_trace_under_two_hash_seeds() -> None:
    program = "import hashlib; from engine import *\nfor s in gallery().values():\n  for k in KERNELS:\n    if s.filesystem.type in KERNELS[k].filesystems: print(run(s, k))"
    seen = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        seen.add(subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True).stdout)
    assert len(seen) == 1


def test_a_limit_gives_the_beginning_and_says_so() -> None:
    from engine import Limits

    trace: Trace = run(find_scenario("mail"), "linux-2.6.9", limits=Limits(steps=10))
    assert (len(trace.steps), trace.complete) == (10, False)
    assert "stopped after 10 steps" in trace.notes[0]
