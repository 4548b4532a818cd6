"""What if: a schedule that does something to the machine in the middle of a run, `A@do_no_page.set_pte>power_fails()`.

Where a preemption names a task, it may call what a teacher does to the machine. Each such call becomes a line of one
more task, which is on call (engine/run.py): so that a run with it is a scenario and a schedule like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import ScenarioError, ScheduleError
from engine.scenario import Scenario, scenario_from_data, to_data
from engine.schedule import Schedule

WHO = "you"
"""The task that does what is asked for, unless the scenario has one of that name."""


def called_in(scenario: Scenario, items: Sequence[str]) -> tuple[Scenario, list[str]]:
    """The scenario with a task that makes the calls of a schedule's items, and the items, naming that task.

    Raises ScheduleError with the item whose call cannot be made, and why.
    """
    asked = [_call(item) for item in items]
    lines = [call for call in asked if call]
    if not lines:
        return scenario, list(items)
    who = _name(scenario, [item.rpartition(">")[2] for item in items])
    renamed = [item.rpartition(">")[0] + f">{who}" if call else item for item, call in zip(items, asked, strict=True)]
    return _with(scenario, who, lines), renamed


def _call(item: str) -> str:
    """What an item calls: `power_fails()`; empty if it names a task, or nothing."""
    called = item.partition(">")[2].strip()
    return called if "(" in called else ""


def spelt(scenario: Scenario, schedule: Schedule) -> str:
    """The text of a schedule, with the calls of that task in place of its name: what `called_in` was given."""
    task = scenario.tasks.get(WHO)
    if task is None or not task.on_call:
        return str(schedule)
    lines = iter(task.script)
    items = ((item, item.rpartition(">")) for item in schedule.items())
    return ",".join(f"{at}>{next(lines, to)}" if to == WHO and at else item for item, (at, _, to) in items)


def _name(scenario: Scenario, named: Sequence[str]) -> str:
    """A name that is free: that of an earlier such task is, if no item names it any more."""
    names = (WHO, *(f"{WHO}{number}" for number in range(2, len(scenario.tasks) + 3)))
    old = {WHO} if WHO in scenario.tasks and scenario.tasks[WHO].on_call and WHO not in named else set()
    return next(name for name in names if name not in scenario.tasks or name in old)


def _with(scenario: Scenario, who: str, lines: list[str]) -> Scenario:
    """The scenario with a task on call; what is wrong with a line is said of the schedule."""
    data = to_data(scenario)
    task = {"user": "root", "on_call": True, "script": lines}
    try:
        return scenario_from_data({**data, "tasks": {**data["tasks"], who: task}}, scenario.id)
    except ScenarioError as error:
        problem = error.problems[0]
        line = problem.path.rpartition("/")[2]
        where = lines[int(line)] if line.isdecimal() and int(line) < len(lines) else "schedule"
        raise ScheduleError(problem.message, where=where, cure=problem.cure) from error
