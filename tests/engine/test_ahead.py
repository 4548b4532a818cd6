"""Looking ahead says what then happens, and changes nothing."""

from __future__ import annotations

import pytest

from app.catalogue import home
from engine import find_scenario, run
from engine.ahead import ahead
from engine.schedule import schedule_of


@pytest.mark.parametrize("name", ["mail", "lock-drop", "last-block", "fork", "ext4-answers", "power-cut"])
def test_what_is_foretold_of_who_runs_next_is_what_the_run_does(name: str) -> None:
    scenario = find_scenario(name)
    trace = run(scenario, home(scenario))
    for n in range(0, len(trace.steps), 7):
        step = trace.steps[n]
        told = {each.task: each for each in ahead(scenario, home(scenario), None, n)}[step.task]
        assert (told.function, told.step, told.can_run) == (step.function, step.name, True)
        assert (set(told.reads), set(told.writes)) == (set(step.reads), set(step.writes))


def test_who_would_wait_and_for_whom() -> None:
    # mm/memory.c do_no_page holds page_table_lock when it asks pte_none: the other thread has to wait for it.
    scenario = find_scenario("lock-drop")
    schedule = schedule_of(["A", "B", "C", "A@do_no_page.pte_none>B"], tasks=scenario.tasks)
    trace = run(scenario, "linux-2.6.9", schedule)
    n = next(step.n for step in trace.steps if any(at == "task/B.waits" and new for at, _, new in step.derived))
    told = {each.task: each for each in ahead(scenario, "linux-2.6.9", schedule, n)}["B"]
    assert (told.can_run, told.waits_for, told.holder) == (False, "mm/A.page_table_lock", "A")


def test_at_the_end_nobody_has_anything_to_do() -> None:
    scenario = find_scenario("mail")
    trace = run(scenario, "linux-2.6.9")
    assert ahead(scenario, "linux-2.6.9", None, len(trace.steps)) == ()
