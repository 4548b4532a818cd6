"""A run in the trace formats of other tools: Chrome's (Perfetto, speedscope) and Apalache's ITF (TLA+ tools)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec

from app.runs import Run
from engine import KERNEL_TASKS, Step

TICK = 1_000
"""Microseconds that a step is drawn with: steps have an order, and no duration."""
ITF = "https://apalache-mc.org/docs/adr/015adr-trace.html"


def perfetto(run: Run, *_: object) -> str:
    """A thread a task; in it the script's line, the kernel function, the step; fates are instants, blocks a counter."""
    found = {"traceEvents": [*_threads(run), *_slices(run), *_fates(run), *_free(run)], "otherData": _about(run)}
    return msgspec.json.encode(found).decode()


def itf(run: Run, *_: object) -> str:
    """A state a step, the beginning first: who did what, and a map from each cell's address to its value as text."""
    states = [_state(run, n) for n in range(len(run.trace.steps) + 1)]
    meta = {"format": "ITF", "format-description": ITF, **_about(run)}
    names = ["n", "task", "function", "name", "event", "cells"]
    types = {"n": "Int", **dict.fromkeys(names[1:5], "Str"), "cells": "Str -> Str"}
    found = {"#meta": {**meta, "varTypes": types}, "params": [], "vars": names, "states": states}
    return msgspec.json.encode(found).decode()


def _about(run: Run) -> dict[str, str]:
    order = run.order
    return {
        "source": "Pagefate", "scenario": order.scenario.title, "kernel": order.kernel,
        "filesystem": order.scenario.filesystem.type, "outcome": run.trace.outcome,
    }  # fmt: skip


def _tasks(run: Run) -> dict[str, int]:
    """The number of each task that does something, those of the scenario first."""
    names = dict.fromkeys((*run.order.scenario.tasks, *KERNEL_TASKS, *(step.task for step in run.trace.steps)))
    acting = {step.task for step in run.trace.steps}
    return {name: number for number, name in enumerate((name for name in names if name in acting), start=1)}


def _threads(run: Run) -> Iterator[dict[str, Any]]:
    yield {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": run.order.scenario.title}}
    for name, number in _tasks(run).items():
        yield {"ph": "M", "pid": 1, "tid": number, "name": "thread_name", "args": {"name": name}}


def _slices(run: Run) -> Iterator[dict[str, Any]]:
    """What runs, from the widest to the narrowest, so that a viewer nests them."""
    numbers, scenario = _tasks(run), run.order.scenario
    for (task, line), steps in groupby(run.trace.steps, key=lambda step: (step.task, step.line)):
        stretch = list(steps)
        spec = scenario.tasks.get(task)
        yield _slice(spec.script[line - 1] if spec and line else task, "line", numbers[task], stretch)
        for function, inner in groupby(stretch, key=lambda step: step.function):
            group = list(inner)
            yield _slice(function, "function", numbers[task], group)
            yield from (_slice(step.name, "step", numbers[task], [step], **_said(step)) for step in group)


def _slice(name: str, kind: str, thread: int, steps: list[Step], **args: object) -> dict[str, Any]:
    start = (steps[0].n - 1) * TICK
    place = {"ph": "X", "pid": 1, "tid": thread, "ts": start, "dur": len(steps) * TICK}
    return {"name": name, "cat": kind, **place, "args": args}


def _said(step: Step) -> dict[str, object]:
    writes = {at: f"{_word(old)} -> {_word(new)}" for at, old, new in step.writes}
    answer = {"answer": step.answer} if step.answer else {}
    return {"step": step.n, "event": step.event, "caption": step.caption, **answer, "writes": writes}


def _fates(run: Run) -> Iterator[dict[str, Any]]:
    numbers = _tasks(run)
    for step in run.trace.steps:
        for change in step.fates:
            place = {"ph": "i", "s": "g", "pid": 1, "tid": numbers[step.task], "ts": step.n * TICK}
            yield {"name": f"{change.store} is {change.new}", "cat": "fate", **place, "args": {"why": change.why}}


def _free(run: Run) -> Iterator[dict[str, Any]]:
    """The blocks that are free, whenever their number changes."""
    for step in run.trace.steps:
        for at, _, new in step.writes:
            if at in ("fs.free", "fs.unpromised") and isinstance(new, int):
                yield {"ph": "C", "pid": 1, "name": at, "ts": step.n * TICK, "args": {"blocks": new}}


def _state(run: Run, n: int) -> dict[str, Any]:
    step = run.trace.steps[n - 1] if n else None
    cells = [[at, str(_word(value))] for at, value in run.trace.state_at(n).items() if value is not None]
    return {
        "#meta": {"index": n}, "n": {"#bigint": str(n)}, "task": step.task if step else "",
        "function": step.function if step else "", "name": step.name if step else "",
        "event": step.event if step else "", "cells": {"#map": cells},
    }  # fmt: skip


def _word(value: object) -> object:
    """A value as JSON has it: true, not True."""
    return "nothing" if value is None else str(value).lower() if isinstance(value, bool) else value
