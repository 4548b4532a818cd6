"""The scenarios that come with Pagefate, in their order."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from engine.errors import UnknownScenario
from engine.kernels import KERNELS
from engine.scenario import Scenario, load_scenario


@lru_cache(maxsize=1)
def gallery() -> dict[str, Scenario]:
    """Every scenario by its id, in the order to show them."""
    found = [
        load_scenario(item.read_text(encoding="utf-8"), item.name, default_id=item.name.removesuffix(".yaml"))
        for item in files("engine").joinpath("scenarios").iterdir()
        if item.name.endswith(".yaml")
    ]
    return {scenario.id: scenario for scenario in sorted(found, key=lambda item: (item.order, item.id))}


def find_scenario(name: str) -> Scenario:
    """A scenario of the gallery. Raises UnknownScenario, which names near ones."""
    scenarios = gallery()
    if name not in scenarios:
        raise UnknownScenario(name, scenarios)
    return scenarios[name]


def scenario_text(name: str) -> str:
    """The text of a gallery scenario as it was written, comments and all. Raises UnknownScenario."""
    find_scenario(name)
    return files("engine").joinpath("scenarios", f"{name}.yaml").read_text(encoding="utf-8")


def kernels_of(scenario: Scenario) -> tuple[str, ...]:
    """The kernels that have a scenario's filesystem, in their order."""
    return tuple(name for name, kernel in KERNELS.items() if scenario.filesystem.type in kernel.filesystems)
