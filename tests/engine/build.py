"""Scenarios in five lines, and a machine one can walk by hand.

told = play({"A": ["m = mmap(f, 4P, READ|WRITE, SHARED)", 'm[2P] = "C"', "msync(m, SYNC)"]}, blocks=1)
assert told.result("A", 3) == "ENOSPC"

stage = Stage(make({"A": [MAP, 'm[2P] = "C"']}))
stage.lines("A", 2)
assert stage.pte("A", 0x40002) == 0x67
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine import (
    KERNEL_TASKS,
    KERNELS,
    Kernel,
    Limits,
    Machine,
    Scenario,
    Trace,
    build,
    gallery,
    parse_schedule,
    run,
    scenario_from_data,
)
from engine.machine import Moved
from engine.objects.page import Page
from engine.objects.task import Task

MAP = "m = mmap(f, 4P, READ|WRITE, SHARED)"
PRIVATE_MAP = "m = mmap(f, 4P, READ|WRITE, PRIVATE)"
BASE = 0x40000
"""The virtual page number of the first mapping of a process: TASK_UNMAPPED_BASE."""

Script = Sequence[str] | Mapping[str, Any]
ALL = tuple(KERNELS)
RESERVE = "mmap-reserve"
LATER = ("linux-2.6.18", "linux-2.6.19", "linux-2.6.23")
"""What came of the idea in the 2.6 line."""
STOCK, POSTED, CORRECTED = "linux-2.6.9", "wli-posted", "wli-corrected"


def make(
    tasks: Mapping[str, Script],
    *,
    blocks: int = 16,
    size: str = "4P",
    data: Mapping[str, str] | None = None,
    schedule: Sequence[str] = (),
    machine: Mapping[str, Any] | None = None,
    files: Mapping[str, Any] | None = None,
    **filesystem: Any,
) -> Scenario:
    """A scenario with one file `f` of alice's: page 0 has a block, the others are holes. A task is its script.

    A task that is a list belongs to alice; a mapping is a task as scenarios write it, alice's unless it says otherwise.
    """
    mine = {"f": {"owner": "alice", "size": size, "data": {"0P": "a"} if data is None else dict(data)}}
    return scenario_from_data(
        {
            "title": "a test",
            "machine": dict(machine or {}),
            "filesystem": {"blocks": blocks, **filesystem},
            "files": mine | dict(files or {}),
            "tasks": {name: _task(script) for name, script in tasks.items()},
            "schedule": list(schedule),
        }
    )


def _task(script: Script) -> dict[str, Any]:
    return {"user": "alice", **script} if isinstance(script, Mapping) else {"user": "alice", "script": list(script)}


def possible(names: Iterable[str] = ALL) -> list[tuple[str, str]]:
    """(scenario of the gallery, kernel) where the kernel has the scenario's filesystem."""
    return [
        (s.id, name) for s in gallery().values() for name in names if s.filesystem.type in KERNELS[name].filesystems
    ]


class Told:
    """A finished run, and short ways to ask it."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.end = trace.state_at(len(trace.steps))
        self.outcome = trace.outcome
        self.stores = {store.id: store for store in trace.stores}

    def result(self, task: str, line: int) -> object:
        """What a script line came to; None if it was never run."""
        return self.end.get(f"line/{task}.{line}.result")

    def results(self, task: str) -> list[object]:
        """The results of the lines that were run, in order."""
        found: list[object] = []
        while (result := self.result(task, len(found) + 1)) is not None:
            found.append(result)
        return found

    def fates(self, store: str) -> list[str]:
        """Every fate a store had, in order."""
        return [change.new for step in self.trace.steps for change in step.fates if change.store == store]

    def after(self, event: str) -> dict[str, Any]:
        """The cells right after the step of that name."""
        n = self.trace.find(event)
        assert n is not None, f"no step {event}"
        return self.trace.state_at(n)

    def steps(self, task: str | None = None) -> list[str]:
        """The names of the steps, `function.step`, of one task or of all."""
        return [f"{s.function}.{s.name}" for s in self.trace.steps if task in (None, s.task)]


def play(
    tasks: Mapping[str, Script],
    kernel: str = STOCK,
    *,
    under: str | None = None,
    limits: Limits | None = None,
    **world: Any,
) -> Told:
    """Make a scenario, run it, and give what there is to tell. `under` is a schedule as text."""
    scenario = make(tasks, **world)
    schedule = None if under is None else parse_schedule(under, tasks=tuple(scenario.tasks))
    return Told(run(scenario, kernel, schedule, limits or Limits()))


class Stage:
    """A machine walked by hand: each call goes on from where the last one stopped."""

    def __init__(self, scenario: Scenario, kernel: str | Kernel = STOCK) -> None:
        self.k: Machine = build(scenario, KERNELS[kernel] if isinstance(kernel, str) else kernel)

    def step(self, name: str) -> Moved | None:
        """One step of a task, or of the kernel's own if the task has to wait."""
        for task in (self.k.tasks[name], *(self.k.tasks[other] for other in KERNEL_TASKS)):
            if (moved := self.k.step(task)) is not None:
                return moved
        return None

    def lines(self, name: str, count: int = 1) -> Stage:
        """Run a task until so many more lines are done, one that it is in the middle of included."""
        task = self.k.tasks[name]
        target = task.line + count - (task.stack is not None)
        while task.line < target or task.stack is not None:
            assert self.step(name) is not None, f"{name} is stuck in line {task.line}"
        return self

    def until(self, name: str, where: str, time: int = 1) -> Stage:
        """Run a task until it has done the step `function.step`, for the nth time from now."""
        while time:
            moved = self.step(name)
            assert moved is not None, f"{name} never came to {where}"
            time -= moved.task == name and f"{moved.function.c_name}.{moved.name}" == where
        return self

    def rest(self, *names: str) -> Stage:
        """Run tasks to their end, one after the other."""
        for name in names:
            while self.step(name) is not None:
                pass
        return self

    def pte(self, process: str, vpn: int = BASE) -> int | None:
        """The low bits of an entry; None where it is empty."""
        entry = self.k.mms[process].pte[vpn]
        return None if entry is None else entry.flags

    def tlb(self, cpu: int, vpn: int = BASE) -> int | None:
        """The low bits of what a CPU remembers of an entry."""
        entry = self.k.cpus[cpu].tlb[vpn]
        return None if entry is None else entry.flags

    def page(self, index: int, file: str = "f") -> Page:
        """The page a file has cached at an index."""
        page = self.k.cached(self.k.mappings[file], index)
        assert page is not None, f"page {index} of {file} is not cached"
        return page

    def frame(self, process: str, vpn: int = BASE) -> Page:
        """The page an entry points at."""
        entry = self.k.mms[process].pte[vpn]
        assert entry is not None, f"{vpn:#x} is not mapped"
        return self.k.page(entry.pfn)

    def free_frames(self) -> int:
        """How many frames nobody uses."""
        return sum(page.count is None for page in self.k.ram.pages)

    def result(self, task: str, line: int) -> str | None:
        """What a script line came to."""
        return self.k.result(task, line).result


def every_step(machine: Machine, pick: Callable[[list[Task]], Task], limit: int = 3000) -> Iterator[Moved]:
    """Step a machine, at each step the task that `pick` chooses among those that can go on."""
    for _ in range(limit):
        able = machine.enabled()
        if not able:
            return
        moved = machine.step(pick(able))
        assert moved is not None
        yield moved
