"""What the facts say of a scenario on some kernels, as a row, and how a row is held against a run.

A row is worked out from kernel-facts.md, real-kernels.md or the statement of a test before any run; where it comes from
stands in it. `.` is a byte of zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine import Scenario, gallery, run, scenario_from_data, to_data
from tests.engine.build import Told


@dataclass(frozen=True)
class Stated:
    """Kernels, the section of the facts, and what they say: outcome, results of lines, fates, who was told, cells.

    An empty outcome says nothing of it. `on` is a filesystem in place of the scenario's own.
    """

    scenario: str
    kernels: tuple[str, ...]
    facts: str
    outcome: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)
    fates: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str | None] = field(default_factory=dict)
    cells: Mapping[str, object] = field(default_factory=dict)
    on: str = ""


def cases(rows: Iterable[Stated]) -> list[Any]:
    """A test for each kernel of each row, named after both and after the section of the facts."""
    return [
        pytest.param(
            row, kernel, id=f"{row.scenario} on {kernel}{row.on and '/'}{row.on}, {row.facts.partition(':')[0]}"
        )
        for row in rows
        for kernel in row.kernels
    ]


def moved(scenario: Scenario, filesystem: str) -> Scenario:
    """The same scenario on another filesystem."""
    data = to_data(scenario)
    return scenario_from_data(data | {"filesystem": data.get("filesystem", {}) | {"type": filesystem}})


def check(row: Stated, kernel: str) -> Told:
    """Run the scenario and hold it against the row."""
    scenario = gallery()[row.scenario]
    told = Told(run(moved(scenario, row.on) if row.on else scenario, kernel))
    assert told.trace.complete
    assert {line: told.end.get(f"line/{line}.result") for line in row.lines} == row.lines
    assert {name: told.stores[name].fate for name in row.fates} == row.fates
    assert {name: told.stores[name].told for name in row.told} == row.told
    assert {at: told.end.get(at) for at in row.cells} == row.cells
    assert row.outcome in ("", told.outcome)
    return told
