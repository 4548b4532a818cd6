"""The loss curve: a scenario run with more and more room, and what becomes of its stores.

The room is the free blocks, or a user's hard quota. Where a script fills the disk, what that leaves free is the room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.claims import PROPERTIES
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


def curve(scenario: Scenario, kernel: str | Kernel, of: str = BLOCKS, most: int = 8) -> Iterator[Point]:
    """The points from no room to `most`. `of` is "blocks" or a user with a quota. Raises EngineError for another."""
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    users = list(scenario.filesystem.quota)
    if of != BLOCKS and of not in users:
        raise EngineError(f"{of!r} has no quota here", where="curve", cure=suggestion(of, [BLOCKS, *users]))
    used = _used(scenario, chosen)
    for room in range(most + 1):
        yield _point(_with(scenario, of, room, used), chosen, room)


def _used(scenario: Scenario, kernel: Kernel) -> int:
    """The blocks that files have before anything runs."""
    space = build(scenario, kernel).space
    return space.total - space.free


def _with(scenario: Scenario, of: str, room: int, used: int) -> Scenario:
    """The scenario with so much room."""
    data: dict[str, Any] = to_data(scenario) | {"beats": []}
    if of != BLOCKS:
        data["filesystem"]["quota"][of] = {"hard": used + room}
        return scenario_from_data(data, scenario.id)
    blocks, fills = data["filesystem"].get("blocks", scenario.filesystem.blocks), False
    for task in data["tasks"].values():
        script = [_FILL.sub(rf"fill(\1, leave={room})", line) for line in task["script"]]
        fills, task["script"] = fills or script != task["script"], script
    data["filesystem"]["blocks"] = max(blocks, used + room) if fills else max(1, used + room)
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


def _point(scenario: Scenario, kernel: Kernel, room: int) -> Point:
    driver = _Attentive(build(scenario, kernel), scenario.default_schedule())
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
