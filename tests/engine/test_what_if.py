"""A schedule that does something to the machine in the middle of a run, and the task on call that does it."""

from __future__ import annotations

import pytest

import engine
from engine import Scenario, ScenarioError, ScheduleError, Trace
from tests.engine.build import MAP, make

STORE = 'm[2P] = "C"'


def fork(scenario: Scenario, *items: str, kernel: str = "linux-2.6.9") -> tuple[Scenario, Trace]:
    """The scenario with these calls in it, and its run; its own schedule holds beside them."""
    changed, renamed = engine.called_in(scenario, [*scenario.default_schedule().items(), *items])
    schedule = engine.parse_schedule(",".join(renamed), tasks=changed.tasks)
    return changed, engine.run(changed, kernel, schedule)


def done_by_you(trace: Trace) -> list[tuple[int, str]]:
    return [(step.line, step.name) for step in trace.steps if step.task == "you"]


def test_a_run_is_the_same_up_to_the_step_and_differs_from_there() -> None:
    scenario = engine.gallery()["mail"]
    before = engine.run(scenario)
    _, trace = fork(scenario, "A@store.write>power_fails()")
    at = next(step.n for step in before.steps if step.name == "write")
    same = [(step.task, step.function, step.name, step.writes) for step in trace.steps[:at]]
    assert same == [(step.task, step.function, step.name, step.writes) for step in before.steps[:at]]
    assert trace.steps[at].task == "you"


def test_a_power_cut_after_the_store_loses_what_nobody_promised() -> None:
    """H1: the dirty bit is in the page table alone; nobody has called msync, so nobody was lied to."""
    _, trace = fork(engine.gallery()["mail"], "A@store.write>power_fails()")
    assert trace.outcome == "lost-unsynced"


def test_a_block_given_back_in_time_saves_the_store() -> None:
    """facts 1a.14: writepage looks for a block when it writes. One that is free by then is found."""
    lost = engine.run(engine.gallery()["mail"])
    _, trace = fork(engine.gallery()["mail"], "A@store.write>free(g, 1)")
    assert (lost.outcome, trace.outcome) == ("lost-silent", "kept")


def test_who_was_preempted_goes_on_when_the_call_is_done() -> None:
    _, trace = fork(engine.gallery()["mail"], "A@handle_mm_fault.lock>take(h, 1)")
    places = [step.n for step in trace.steps if step.task == "you"]
    assert [trace.steps[n - 2].task for n in places] == ["A"]
    assert [trace.steps[n].task for n in places] == ["A"]


def test_calls_are_made_in_their_order_and_each_once() -> None:
    scenario = make({"A": [MAP, STORE, "msync(m, SYNC)"]})
    changed, trace = fork(scenario, "A@1>take(h, 1)", "A@2>take(h, 2)")
    assert changed.tasks["you"].script == ("take(h, 1)", "take(h, 2)")
    assert done_by_you(trace) == [(1, "change"), (2, "change")]
    assert not trace.notes


def test_a_call_that_comes_while_one_before_it_waits_is_made_after_it() -> None:
    """reclaim() waits for kswapd, which waits for the lock that A holds: the second call is not forgotten."""
    _, trace = fork(engine.gallery()["mail"], "A@handle_mm_fault.lock>reclaim()", "A@3>take(h, 1)")
    assert [line for line, _ in done_by_you(trace)][-1] == 2


def test_a_call_whose_step_never_comes_is_said_and_its_task_is_no_deadlock() -> None:
    _, trace = fork(make({"A": [MAP, STORE]}), "A@do_wp_page.copy#9>power_fails()")
    assert trace.complete
    assert [note for note in trace.notes if "never reached" in note]
    assert not [note for note in trace.notes if "Deadlock" in note]


def test_the_text_of_a_schedule_with_calls_is_given_back() -> None:
    text = "B,A@do_no_page.set_pte>B,A@store.write>take(g, 1),A@3>power_fails()"
    scenario = engine.gallery()["mail"]
    changed, renamed = engine.called_in(scenario, engine.split_schedule(text))
    schedule = engine.parse_schedule(",".join(renamed), tasks=changed.tasks)
    assert engine.spelt(changed, schedule) == text


def test_a_fork_of_a_fork_replaces_the_task_of_the_first() -> None:
    first, _ = engine.called_in(engine.gallery()["mail"], ["A@store.write>power_fails()"])
    second, items = engine.called_in(first, ["A@store.write>reclaim()"])
    assert second.tasks["you"].script == ("reclaim()",)
    assert items == ["A@store.write>you"]


def test_a_task_of_the_scenarios_own_keeps_its_name() -> None:
    scenario = make({"you": [MAP, STORE]})
    changed, items = engine.called_in(scenario, ["you@1>power_fails()"])
    assert items == ["you@1>you2"]
    assert not changed.tasks["you"].on_call


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("A@3>power_failz()", "Did you mean power_fails?"),
        ("A@3>take(g, 1", "does not parse"),
        ("A@3>free(nobody, 1)", "nobody takes blocks"),
    ],
)
def test_a_call_that_cannot_be_made_is_refused_with_a_cure(item: str, said: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        engine.called_in(engine.gallery()["mail"], [item])
    assert said in f"{refused.value.message} {refused.value.cure}"


def test_not_every_task_can_wait_to_be_called() -> None:
    with pytest.raises(ScenarioError, match="every task waits to be called"):
        make({"A": {"script": ["sync()"], "on_call": True}})
