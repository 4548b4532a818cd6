"""The loss curve: a scenario run with more and more room, and what becomes of its stores.

The room is the free blocks beside those reserved for root, or what a user's hard quota leaves. Where a script fills the
disk, what that leaves free is the room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.claims import PROPERTIES
from engine.crew import Crew, each
from engine.errors import EngineError, suggestion
from engine.fates import AT_RISK, BACKED, CLEAN_UNSAVED, DURABLE, LOST, REFUSED, REPLACED
from engine.kernel import Kernel
from engine.kernels import find_kernel
from engine.machine import Moved
from engine.objects.task import Task
from engine.run import Driver, Limits
from engine.scenario import Scenario, scenario_from_data, to_data
from engine.setup import build

MOST = 64
BLOCKS = "blocks"
"""What is varied, unless it is a user's quota, which is named by the user."""
OCCUPIED = "occupied"
"""A file of one block, where without it there were nothing to fill: no disk has no blocks, and a quota of 0 is none."""
_FILL = re.compile(r"fill\(\s*(\w+)[^)]*\)")


@dataclass(frozen=True, slots=True)
class Point:
    """A run with so much room: how many stores are kept, refused, lost, or neither on the disk nor lost.

    `needless` are those of the refused for which there was room.
    """

    room: int
    kept: int
    refused: int
    lost: int
    open: int
    needless: int
    outcome: str


def curve(
    scenario: Scenario, kernel: str | Kernel, of: str = BLOCKS, most: int = 8, crew: Crew | None = None
) -> Iterator[Point]:
    """The points from no room to `most`. `of` is "blocks" or a user with a quota. Raises EngineError for another.

    A `crew` (engine/crew.py) runs them by all its workers; they come in order all the same.
    """
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    users = list(scenario.filesystem.quota)
    if of != BLOCKS and of not in users:
        raise EngineError(f"{of!r} has no quota here", where="curve", cure=suggestion(of, [BLOCKS, *users]))
    used = _used(scenario, chosen, of)
    runs = [(_with(scenario, of, room, used), kernel, room) for room in range(most + 1)]
    if crew is None:
        yield from map(_point, runs)
    else:
        yield from (point for _, point in sorted(each(crew, _point, runs)))


def _used(scenario: Scenario, kernel: Kernel, of: str) -> int:
    """The blocks that files have before anything runs: all, or those of a user."""
    machine = build(scenario, kernel)
    return machine.space.total - machine.space.free if of == BLOCKS else machine.quotas[of].used


def _with(scenario: Scenario, of: str, room: int, used: int) -> Scenario:
    """The scenario with so much room."""
    data: dict[str, Any] = to_data(scenario) | {"beats": []}
    disk = data.setdefault("filesystem", {})
    blocks, total, fills = scenario.filesystem.blocks, used + room, False
    if of != BLOCKS:
        disk["quota"][of] = {"hard": max(1, total)}
        if not total:
            disk["blocks"] = blocks + 1
            data["files"][OCCUPIED] = {"owner": of, "size": "1B", "data": {"0B": "-"}}
        return scenario_from_data(data, scenario.id)
    for task in data["tasks"].values():
        script = [_FILL.sub(rf"fill(\1, leave={room})", line) for line in task["script"]]
        fills, task["script"] = fills or script != task["script"], script
    total += scenario.filesystem.reserved
    if not fills and not total:
        data.setdefault("files", {})[OCCUPIED] = {"size": "1B", "data": {"0B": "-"}}
    disk["blocks"] = max(blocks, total) if fills else max(1, total)
    return scenario_from_data(data, scenario.id)


class _Attentive(Driver):
    """Notes which stores are refused needlessly, when it happens."""

    needless = 0

    def _record(self, moved: Moved, waiting: Task | None) -> None:
        writes = tuple(self.machine.journal.since_mark())
        judge = PROPERTIES["no-false-refusal"].at_step
        if judge is not None and any(at.endswith(".refused") for at, _, _ in writes):
            self.needless += bool(judge(self.machine, writes, frozenset()))
        super()._record(moved, waiting)


def _point(run: tuple[Scenario, str | Kernel, int]) -> Point:
    scenario, kernel, room = run
    machine = build(scenario, find_kernel(kernel) if isinstance(kernel, str) else kernel)
    driver = _Attentive(machine, scenario.default_schedule())
    trace = driver.run(Limits())
    fates = [store.fate for store in trace.stores if store.file is not None]
    return Point(
        room,
        kept=sum(fate in (DURABLE, BACKED, REPLACED) for fate in fates),
        refused=fates.count(REFUSED),
        lost=sum(fate in (LOST, CLEAN_UNSAVED) for fate in fates),
        open=fates.count(AT_RISK),
        needless=driver.needless,
        outcome=trace.outcome,
    )
