"""Laws that hold in every small world under every schedule; the shorter laws of the journal are in test_laws.py.

A world is a file of a few toy pages, two processes, a thread or a child, and root, who does things to the machine. A walk
steps it, at each step a task drawn at random among those that can go on, with a liking for the one that went last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import (
    KERNELS,
    Limits,
    Machine,
    Panic,
    Preemption,
    Scenario,
    Schedule,
    build,
    run,
    scenario_from_data,
    to_data,
)
from engine.checks import blocks_of
from engine.fates import CLEAN_UNSAVED, DURABLE, LOST, byte_fate, pieces
from engine.hardware.paging import FORMATS
from engine.objects.task import DONE, IDLE, KILLED, Task
from engine.properties import INVARIANTS, violations
from engine.run import Driver
from engine.trace import Violation
from engine.values import Data, Run, show
from engine.watch import Watch
from tests.engine.build import CORRECTED, POSTED, STOCK, every_step

PAGE, PAGES = 32, 4
SOUND = (STOCK, CORRECTED)
PAIRS = [(name, fs) for name, kernel in KERNELS.items() if name != POSTED for fs in kernel.filesystems]
OLD_HOOK = [("linux-2.6.18", "ext2-mkwrite"), ("linux-2.6.19", "ext2-mkwrite")]
RACING = [*OLD_HOOK, *(pair for pair in PAIRS if pair[0] == "mmap-reserve")]
"""Kernels that say they promise, and have known ways round it: facts 1d, and the race that 2.6.21 mended."""
few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(few, max_examples=60)
sound_kernels = st.sampled_from(SOUND)
randoms = st.integers(0, 2**32).map(Random)

# -- worlds -----------------------------------------------------------------------------------------------------------

SHARED = "m = mmap(f, 4P, READ|WRITE, SHARED)"
spots = st.sampled_from(["0", "1P", "1P+16", "2P", "3P", "3P+31", "8:40", "1P:3P", "0:4P"])
stores = spots.map('m[{}] = "?"'.format)
lines = st.one_of(
    stores,
    stores,
    spots.map("x = m[{}]".format),
    st.sampled_from(["msync(m, SYNC)", "msync(m, ASYNC)", "msync(m[1P:2P], SYNC)", "fsync(f)", "sync()"]),
    st.sampled_from(['pwrite(f, "?", 1P)', 'pwrite(f, "?" * 48, 16)', 'pwrite(f, "?", 3P)', "x = pread(f, 64, 0)"]),
    st.sampled_from(["madvise(m, DONTNEED)", "mprotect(m, READ)", "mprotect(m, READ|WRITE)", "mremap(m, 5P)"]),
    st.sampled_from(["ftruncate(f, 1P)", "ftruncate(f, 40)", "ftruncate(f, 4P)", "reclaim()"]),
)
maps = st.sampled_from(
    [SHARED, SHARED, SHARED.replace("SHARED", "PRIVATE"), SHARED.replace("SHARED", "SHARED|POPULATE")]
)
endings = st.sampled_from([[], ["exit()"], ["munmap(m)"], ["munmap(m)", "exit()"]])
root_lines = st.sampled_from(
    ["writeback()", "reclaim()", "drop_caches()", "sync()", "fill(g)", "free(g, 1)", "take(g, 1)", "fsync(f)",
     "quota(alice, hard=9)", "disk_error(f, 2P)", "shutdown()", "zero(f, 1P, 1P)", "clone(c, f)", "clone(c, f)", "clone(f, c)",
     'pwrite(c, "?" * 40, 1P)', "punch(f, 8, 1P)", "ftruncate(c, 40)", "fsync(c)", "disk_error(c)", "disk_heals(c)"]
)  # fmt: skip
LETTERS = "bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@st.composite
def worlds(draw: st.DrawFn, *, block_size: int | None = None, last: tuple[str, ...] = ()) -> Scenario:
    """A scenario; every store has a letter of its own. `last` are root's last lines."""
    first = [draw(maps), *draw(st.lists(lines, min_size=2, max_size=6))]
    other = [draw(maps), *draw(st.lists(lines, max_size=4)), *draw(endings)]
    tasks: dict[str, Any] = {
        "A": {"user": "alice", "cpu": 0, "on_sigbus": draw(st.sampled_from(["die", "next"])), "script": first},
        "B": {"user": "bob", "cpu": 1, "on_sigbus": "next", "script": other},
    }
    if relative := draw(st.sampled_from(["", "thread_of", "child_of"])):
        tasks["T"] = {
            relative: "A",
            "cpu": 1,
            "on_sigbus": "next",
            "script": draw(st.lists(stores, min_size=1, max_size=3)),
        }
        if relative == "child_of":
            first.insert(draw(st.integers(1, len(first))), "fork(T)")
    first += draw(endings)
    root = [f"fill(g, leave={draw(st.integers(0, 4))})", *draw(st.lists(root_lines, max_size=3)), *last]
    tasks["R"] = {"user": "root", "script": root}
    letters = iter(LETTERS)
    for task in tasks.values():
        task["script"] = [line.replace("?", next(letters)) if "?" in line else line for line in task["script"]]
    return scenario_from_data(
        {
            "title": "a small world",
            "machine": {
                "arch": draw(st.sampled_from(["i386", *FORMATS])),
                "page_size": PAGE,
                "frames": draw(st.sampled_from([5, 8, 16])),
            },
            "filesystem": {
                "blocks": draw(st.integers(4, 9)),
                "block_size": block_size or draw(st.sampled_from([16, 32])),
                "reserved": draw(st.sampled_from([0, 2])),
                "quota": {"alice": {"hard": draw(st.integers(3, 9))}} if draw(st.booleans()) else {},
            },
            "files": {
                "f": {"owner": "alice", "size": "4P", "data": draw(st.sampled_from([{}, {"0P": "a"}, {"1B": "a"}]))},
                "c": {"owner": draw(st.sampled_from(["alice", "bob"])), "size": "0"},
            },
            "tasks": tasks,
        }
    )


CLONING = [pair for pair in PAIRS if KERNELS[pair[0]].filesystems[pair[1]].clone is not None]
clone_lines = st.sampled_from(
    ["clone(c, f)", "clone(c, f)", "clone(f, c)", 'n[0] = "?"', 'n[1P+4:2P+9] = "?"', "x = n[0:2P]", "msync(n, SYNC)",
     'pwrite(c, "?" * 40, 8)', 'pwrite(h, "?" * 32, 1P)', 'pwrite(h, "?" * 16, 1P)', "fsync(c)", "ftruncate(c, 40)",
     "ftruncate(c, 4P)", "punch(c, 8, 1P)", "zero(c, 8, 1P)", "fallocate(c, 0, 4P)", "disk_error(c)"]
)  # fmt: skip


@st.composite
def sharing_worlds(draw: st.DrawFn) -> Scenario:
    """A world in which a program does to a clone of f, and with it, whatever can be done."""
    data = to_data(draw(worlds()))
    script = ["clone(c, f)", "h = open(c, RDWR|DIRECT)", SHARED.replace("m = mmap(f", "n = mmap(c")]
    script += draw(st.lists(clone_lines, min_size=3, max_size=8))
    letters = iter("!#$%&*+:<=>@^_|~")
    script = [line.replace("?", next(letters)) if "?" in line else line for line in script]
    data["tasks"]["D"] = {"user": "bob", "on_sigbus": "next", "script": script}
    data["files"]["f"]["data"] = {"0P": "a", "1P": "b", "2P": "c"}
    return scenario_from_data(data | {"filesystem": data["filesystem"] | {"blocks": draw(st.integers(6, 14))}})


def on(scenario: Scenario, filesystem: str) -> Scenario:
    """The same world on another filesystem, which has room for the files also where it knows no holes."""
    data = to_data(scenario)
    needed = sum(blocks_of(file, scenario.geometry, filesystem) for file in scenario.files.values())
    blocks = max(scenario.filesystem.blocks, needed)
    return scenario_from_data(data | {"filesystem": data["filesystem"] | {"type": filesystem, "blocks": blocks}})


def restless(random: Random) -> Callable[[list[Task]], Task]:
    """Go on with the same task two times of three, else with any."""
    went: list[Task] = []

    def pick(able: list[Task]) -> Task:
        task = went[0] if went and went[0] in able and random.random() < 0.67 else random.choice(able)
        went[:] = [task]
        return task

    return pick


def walk(scenario: Scenario, kernel: str, random: Random) -> Iterator[Machine]:
    """A machine after each step of a random walk."""
    machine = build(scenario, KERNELS[kernel])
    for _ in every_step(machine, restless(random)):
        yield machine


def test_the_walks_meet_what_they_are_meant_to_meet() -> None:
    seen: Counter[str] = Counter()

    @settings(many, derandomize=True, database=None)
    @given(worlds(), sound_kernels, randoms)
    def look(scenario: Scenario, kernel: str, random: Random) -> None:
        machine = build(scenario, KERNELS[kernel])
        seen["steps"] += sum(1 for _ in every_step(machine, restless(random)))
        seen.update(str(value) for at, value in machine.journal.cells.items() if at.startswith("line/"))

    look()
    assert seen["steps"] > 5000
    assert seen["ok"] > 50
    assert seen["ENOSPC"] + seen["EDQUOT"] > 5
    assert seen["SIGBUS"] > 5


# -- traces -----------------------------------------------------------------------------------------------------------


@st.composite
def schedules(draw: st.DrawFn, steps: tuple[Any, ...], tasks: tuple[str, ...]) -> Schedule:
    """Preemptions after steps that a run has made."""
    switches: dict[tuple[str, str, str], Preemption] = {}
    for step in draw(st.lists(st.sampled_from(steps), max_size=3)):
        place = (step.task, step.function, step.name)
        others = [task for task in tasks if task != step.task]
        switches[place] = Preemption(*place, 1, draw(st.sampled_from(others)))
    return Schedule(tuple(draw(st.permutations(tasks))), tuple(switches.values()))


@few
@given(worlds(), sound_kernels, st.data())
def test_a_run_cut_anywhere_is_the_beginning_of_the_whole(scenario: Scenario, kernel: str, data: st.DataObject) -> None:
    whole = run(scenario, kernel)
    switched = run(scenario, kernel, data.draw(schedules(whole.steps, tuple(scenario.tasks))))
    for trace in (whole, switched):
        n = data.draw(st.integers(1, len(trace.steps)))
        cut = run(scenario, kernel, trace.schedule, Limits(steps=n))
        assert len(cut.steps) == n
        assert cut.steps == trace.steps[:n]
        assert cut.state_at(n) == trace.state_at(n)


@few
@given(worlds(), sound_kernels)
def test_a_trace_ends_where_the_machine_does(scenario: Scenario, kernel: str) -> None:
    driver = Driver(build(scenario, KERNELS[kernel]), scenario.default_schedule())
    trace = driver.run(Limits())
    derived = (".fate", ".told", ".waits")
    told = {at: value for at, value in trace.state_at(len(trace.steps)).items() if not at.endswith(derived)}
    cells = driver.machine.journal.cells
    assert told.keys() == cells.keys()
    assert all(told[at] == show(value) for at, value in cells.items() if not at.endswith(".stack"))


@few
@given(worlds(), sound_kernels, randoms)
def test_looking_and_waiting_write_nothing(scenario: Scenario, kernel: str, random: Random) -> None:
    for count, machine in enumerate(walk(scenario, kernel, random)):
        if count % 7:
            continue
        before, key = dict(machine.journal.cells), machine.journal.key
        for task in machine.tasks.values():
            machine.preview(task)
            assert (machine.journal.cells, machine.journal.key) == (before, key)


# -- the machine: facts 7.1 -------------------------------------------------------------------------------------------


def visible(machine: Machine, piece: Run) -> set[bool]:
    """Whether whoever reads the file sees these bytes: in the page cache where that is up to date, else on the disk."""
    page = machine.cached(machine.mappings["f"], piece.start // PAGE)
    if page is not None and page.uptodate:
        seen = page.content.part(piece.start % PAGE, piece.start % PAGE + piece.stop - piece.start)
    else:
        block, size = machine.map.lookup(machine.inodes["f"], piece.start // machine.block_size), machine.block_size
        data = Data(size) if block is None else machine.disk.read(block)
        seen = data.part(piece.start % size, piece.start % size + piece.stop - piece.start)
    return {letter == piece.text[0] for letter in seen.text()}


def check_fates(machine: Machine) -> None:
    """A byte is lost if, and only if, nobody can see it any more; one marked clean is in memory alone."""
    for piece, fate in fates(machine):
        assert visible(machine, piece) == {fate != LOST}, (piece, fate)
        page = machine.cached(machine.mappings["f"], piece.start // PAGE)
        if fate == CLEAN_UNSAVED:
            assert page is not None
            assert not page.dirty
            assert not page.writeback


def check_idle(machine: Machine) -> None:
    """Nobody waits for ever, and nothing is held, when nothing moves any more."""
    assert {task.task: task.state for task in machine.tasks.values() if task.state not in (DONE, KILLED, IDLE)} == {}
    assert [task.task for task in machine.tasks.values() if task.stack is not None or task.locks] == []
    assert machine.disk.queue is None
    ends = (".locked", "_lock", "_sem")
    assert [at for at, value in machine.journal.cells.items() if at.endswith(ends) and value] == []


def broken(machine: Machine, *invariants: str) -> list[str]:
    """What is broken of these invariants, in words."""
    return [str(violation) for name in invariants for violation in INVARIANTS[name].check(machine)]


def known(found: Iterable[Violation]) -> set[tuple[str, str]]:
    """Which alarms and promises are broken where; clauses that cannot be judged at every step are left out."""
    return {(each.where, each.level) for each in found if each.invariant in ("I4", "I6")}


@many
@given(worlds(), st.sampled_from(PAIRS), randoms)
def test_a_sound_kernel_keeps_its_books_and_never_hangs_or_panics(
    world: Scenario, pair: tuple[str, str], random: Random
) -> None:
    kernel, scenario = KERNELS[pair[0]], on(world, pair[1])
    machine, exact = build(scenario, kernel), kernel.errseq or scenario.filesystem.block_size == PAGE
    watch = Watch(machine)
    for n, _ in enumerate(every_step(machine, restless(random))):
        watch.after(n, machine.journal.since_mark())
        assert broken(machine, "I1", "I2", "I3", "I5") == []
        # Blocks smaller than pages have the known gap of facts 1c.6 (i) until 2014.
        assert broken(machine, *(["I4"] if exact and pair not in RACING else [])) == []
        assert known(watch.now) == known(violations(machine))
        check_fates(machine)
    check_idle(machine)


@many
@given(sharing_worlds(), st.sampled_from(CLONING), randoms)
def test_no_block_of_two_files_is_ever_written_and_each_is_counted_once(
    world: Scenario, pair: tuple[str, str], random: Random
) -> None:
    machine, shared = build(on(world, pair[1]), KERNELS[pair[0]]), dict[int, Data]()
    for _ in every_step(machine, restless(random)):
        assert broken(machine, "I1", "I2", "I3", "I4", "I5") == []
        check_fates(machine)
        now = {block: machine.disk.read(block) for block in machine.space.owner if machine.space.is_shared(block)}
        assert [block for block, data in now.items() if shared.get(block, data) != data] == []
        shared = now
    check_idle(machine)


@pytest.mark.parametrize("fs", ["fuse", "fuse-nokeep", "fuse-short"])
def test_what_a_server_took_is_in_the_pages_that_show_it(fs: str) -> None:
    # fuse_fill_write_pages: the pages are locked while the server is told, so that no fault and no writeback comes between.
    scenario = scenario_from_data({
        "title": "a write and two faults",
        "machine": {"frames": 5, "page_size": PAGE},
        "filesystem": {"type": fs, "blocks": 8, "block_size": 16},
        "files": {"f": {"owner": "alice", "size": "4P", "data": {"0P": "a"}}},
        "tasks": {
            "A": {"user": "alice", "script": [SHARED, 'm[0] = "b"', 'm[0] = "c"']},
            "B": {"user": "bob", "cpu": 1, "script": [SHARED, 'm[0] = "d"', 'pwrite(f, "e" * 48, 16)']},
        },
    })  # fmt: skip
    for seed in range(20):
        machine = build(scenario, KERNELS["linux-6.18"])
        for _ in every_step(machine, restless(Random(seed))):  # noqa: S311 - not a secret
            check_fates(machine)
        assert machine.tasks["B"].state == DONE


@few
@given(worlds(), randoms)
def test_the_posted_patch_breaks_memory_but_no_lock_and_no_block_count(scenario: Scenario, random: Random) -> None:
    machine = build(scenario, KERNELS[POSTED])
    try:
        for _ in every_step(machine, restless(random)):
            assert broken(machine, "I3", "I5") == []
    except Panic as panic:
        assert "lock" not in panic.message
    else:
        check_idle(machine)


# -- power ------------------------------------------------------------------------------------------------------------

READ_ALL = tuple(f"x = pread(f, 64, {at})" for at in range(0, PAGE * PAGES, 64))


@pytest.mark.parametrize("kernel", SOUND)
@many
@given(scenario=worlds(last=("power_fails()", *READ_ALL)), random=randoms)
def test_a_power_cut_keeps_exactly_what_the_fates_called_durable(
    kernel: str, scenario: Scenario, random: Random
) -> None:
    machine = build(scenario, KERNELS[kernel])
    before: list[tuple[Run, str]] = []
    lines, pick = scenario.lines("R"), restless(random)

    def watch(able: list[Task]) -> Task:
        task = pick(able)
        if task.task == "R" and task.stack is None and lines[task.line].text == "power_fails()":
            before[:] = fates(machine)
        return task

    for _ in every_step(machine, watch):
        pass
    content = "".join(machine.result("R", len(lines) - 1 + i).result or "" for i in range(2)).ljust(PAGE * PAGES, ".")
    for piece, fate in before:
        found = [content[at] == piece.text[0] for at in range(piece.start, piece.stop)]
        assert found == [fate == DURABLE] * len(found), (piece, fate, content)


def fates(machine: Machine) -> Iterator[tuple[Run, str]]:
    """Every piece of what the file ought to hold, within one block, and its fate."""
    for piece in pieces(machine, "f"):
        yield piece, byte_fate(machine, "f", piece)
