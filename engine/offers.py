"""What the world may do at any moment of a search, if it is offered: writeback, a power failure, others' files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from engine.errors import EngineError, ScenarioError, suggestion
from engine.operations import Fill, Mmap, Store, Take
from engine.scenario import MAX_TASKS, Scenario, scenario_from_data, to_data

PREFIX = "world_"
"""Tasks of such a name do what was offered; no script has them."""
OTHERS = "others"
"""Whose file a competitor's blocks are in."""
MAX_PLACES = 3


def _once(call: str) -> Callable[[Scenario], Iterable[str]]:
    return lambda _scenario: (call,)


def _broken_places(scenario: Scenario) -> Iterator[str]:
    """The pages that scripts store to, each on a disk that fails there."""
    size = scenario.machine.page_size
    found: dict[str, None] = {}
    for task in scenario.tasks:
        operations = [line.operation for line in scenario.lines(task)]
        files = {each.var: each.file for each in operations if isinstance(each, Mmap)}
        for operation in operations:
            if isinstance(operation, Store) and (file := files.get(operation.var)):
                found[f"disk_error({file}, {operation.start // size}P)"] = None
    yield from list(found)[:MAX_PLACES]


def _given_back(scenario: Scenario) -> Iterator[str]:
    """A block of whoever takes blocks in a script; else of whoever takes one if that is offered."""
    operations = [line.operation for task in scenario.tasks for line in scenario.lines(task)]
    names = [each.name for each in operations if isinstance(each, Fill | Take)]
    yield f"free({(*names, OTHERS)[0]}, 1)"


OFFERS: dict[str, tuple[str, Callable[[Scenario], Iterable[str]]]] = {
    "writeback": ("the flusher wakes up, once", _once("writeback()")),
    "reclaim": ("memory gets short, once", _once("reclaim()")),
    "drop-caches": ("clean pages are dropped, once", _once("drop_caches()")),
    "power-cut": ("the power fails, once", _once("power_fails()")),
    "take": ("somebody else takes a block, once", _once(f"take({OTHERS}, 1)")),
    "free": ("somebody else gives a block back, once", _given_back),
    "disk-error": ("the disk fails under a page that is stored to", _broken_places),
}
"""What can be offered: what it says, and the calls that do it."""


class UnknownOffer(EngineError):
    """Nothing of that name can be offered."""

    def __init__(self, name: str) -> None:
        """The cure names what was probably meant."""
        super().__init__(f"{name!r} cannot be offered to a search", where="offer", cure=suggestion(name, OFFERS))


def offered(scenario: Scenario, offers: Iterable[str]) -> Scenario:
    """The scenario with a task for each thing that may happen. Raises UnknownOffer, or EngineError for too many."""
    calls: dict[str, None] = {}
    for name in offers:
        if name not in OFFERS:
            raise UnknownOffer(name)
        calls |= dict.fromkeys(OFFERS[name][1](scenario))
    if not calls:
        return scenario
    tasks = {
        f"{PREFIX}{place}": {"user": "root", "on_call": True, "script": [call]} for place, call in enumerate(calls, 1)
    }
    data = to_data(scenario)
    if len(data["tasks"]) + len(tasks) > MAX_TASKS:
        message = f"{len(data['tasks'])} tasks and {len(tasks)} offers are more than {MAX_TASKS}"
        raise EngineError(message, where="offer", cure="Offer less, or search a scenario with fewer tasks")
    try:
        return scenario_from_data({**data, "beats": [], "tasks": {**data["tasks"], **tasks}}, scenario.id)
    except ScenarioError as error:
        problem = error.problems[0]
        raise EngineError(problem.message, where="offer", cure=problem.cure) from error


def call_of(scenario: Scenario, task: str) -> str:
    """What the world does in a task of its own; empty for the tasks of the scenario."""
    return scenario.tasks[task].script[0] if task.startswith(PREFIX) else ""
