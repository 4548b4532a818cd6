"""Searches, and the small worlds that tests send them through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from engine import Scenario, ScenarioError, build, find_kernel, scenario_from_data, to_data
from engine.claims import PROPERTIES, Property
from engine.explore import Budget, Search
from engine.kernel import Kernel
from engine.offers import offered
from engine.tour import Report
from tests.engine.build import CORRECTED, POSTED, STOCK
from tests.engine.test_random_worlds import PAIRS, on, worlds

ALL_OF_THEM = 10**9


def searched(  # one search for all there is to find
    scenario: Scenario,
    kernel: str | Kernel,
    prop: str | Property = "no-loss",
    *,
    offers: Iterable[str] = (),
    states: int = 1_000_000,
    reduced: bool = True,
) -> Report:
    """What a search for every state in which a property shows has met."""
    asked = PROPERTIES[prop] if isinstance(prop, str) else prop
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    machine = build(offered(scenario, tuple(offers)), chosen)
    return Search(machine, asked, Budget(states), reduced=reduced, wanted=ALL_OF_THEM).run()


SHORT = st.sampled_from([["writeback()"], ["fill(g)"], ["fill(g)", "writeback()"], ["reclaim()"], ["drop_caches()"]])


@st.composite
def small_worlds(draw: st.DrawFn, lines: int = 2) -> tuple[Scenario, str]:
    """A random world of two tasks, each with a line or two of what it does, and a kernel that has it."""
    kernel, filesystem = draw(
        st.sampled_from([*PAIRS, *[(name, "ext2") for name in (POSTED, POSTED, STOCK, CORRECTED)]])
    )
    data: dict[str, Any] = to_data(draw(worlds()))
    tasks = data["tasks"]
    other = draw(st.sampled_from([name for name in tasks if name != "A"]))
    for name, task in tasks.items():
        forks = [line for line in task["script"] if line == f"fork({other})"]
        own = [line for line in task["script"][1:] if not line.startswith("fork")]
        task["script"] = [*task["script"][:1], *forks, *own][: draw(st.integers(2, lines + 1)) if name == "A" else 1]
    tasks["A"]["script"] += draw(st.sampled_from([[], ["munmap(m)"]])) if len(tasks["A"]["script"]) < 4 else []
    tasks["R"]["script"] = draw(SHORT)
    data["tasks"] = {name: tasks[name] for name in ("A", other)}
    if "child_of" in tasks[other] and f"fork({other})" not in tasks["A"]["script"]:
        assume(False)
    data["files"]["c"]["owner"] = "alice"
    try:
        return on(scenario_from_data(data), filesystem), kernel
    except ScenarioError:  # a line is left that wants one that is not
        assume(False)
        raise
