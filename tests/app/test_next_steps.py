"""Who can run after a step, for the page: what each reads and writes in words, who waits for whom, how each is let run."""

import pytest

from app import forks, next_steps, orders, runs
from app.next_steps import Choice
from app.runs import Run
from app.troubles import Trouble
from engine import KERNEL_TASKS, Limits


def performed(scenario: str, kernel: str, switch: str = "") -> Run:
    return runs.perform(orders.order(scenario, kernel, schedule=switch or None), Limits())


def choices(run: Run, step: int) -> dict[str, Choice]:
    return {each.task: each for each in next_steps.choices(run, step)}


def after(run: Run, event: str) -> int:
    return next(step.n for step in run.trace.steps if step.event == event)


@pytest.fixture(scope="module")
def mail() -> Run:
    return performed("mail", "linux-2.6.9")


def test_of_those_that_can_run_one_is_next_and_the_others_fork(mail: Run) -> None:
    for step in range(1, len(mail.trace.steps)):
        found = choices(mail, step)
        task = mail.trace.steps[step].task
        assert found[task].lets == "next"
        assert {each.lets for name, each in found.items() if name != task} <= {"fork", ""}


def test_who_is_let_run_does_run_next_and_up_to_there_all_is_as_it_was(mail: Run) -> None:
    step = after(mail, "A.3.store.write")
    found = [name for name, each in choices(mail, step).items() if each.lets == "fork"]
    assert found == ["C"]
    link, at = forks.fork(mail, step, "C")
    other = runs.perform(orders.at_address(link), Limits())
    assert other.trace.steps[step].task == "C"
    assert [each.event for each in other.trace.steps[:step]] == [each.event for each in mail.trace.steps[:step]]
    assert at == step + 1


def test_who_was_preempted_can_be_let_go_on() -> None:
    run = performed("mail", "linux-2.6.9", "B.A.C,A@store.write>C")
    step = next(each.n for each in run.trace.steps if run.trace.steps[each.n].task == "C" and each.name == "write")
    assert choices(run, step)["A"].lets == "fork"
    link, _ = forks.fork(run, step, "A")
    assert runs.perform(orders.at_address(link), Limits()).trace.steps[step].task == "A"
    plain = performed("mail", "linux-2.6.9")
    with pytest.raises(Trouble, match="preempt itself"):
        forks.fork(plain, after(plain, "A.3.store.write"), "A")  # nobody comes in there


def test_a_thread_of_the_kernel_can_be_let_run() -> None:
    run = performed("last-block", "wli-posted")
    step, task = next(
        (n, name)
        for n in range(1, len(run.trace.steps))
        for name, each in choices(run, n).items()
        if name in KERNEL_TASKS and each.lets == "fork"
    )
    link, _ = forks.fork(run, step, task)
    assert runs.perform(orders.at_address(link), Limits()).trace.steps[step].task == task


def test_before_the_first_step_another_task_can_be_let_first(mail: Run) -> None:
    assert {name: each.lets for name, each in choices(mail, 0).items()} == {"B": "next", "A": "fork", "C": "fork"}


def test_while_what_was_asked_for_goes_on_nobody_else_is_let_run() -> None:
    run = performed("mail", "linux-2.6.9", "B.A.C,A@store.write>writeback()")
    step = next(each.n for each in run.trace.steps if each.task not in {*"ABC", *KERNEL_TASKS})
    assert {each.lets for each in choices(run, step).values()} <= {"next", ""}


def test_locks_wakings_and_answers_are_said_in_words(mail: Run) -> None:
    said = " ".join(each.writes for step in range(121) for each in choices(mail, step).values())
    for words in ("takes page_table_lock", "lets go of page_table_lock", "wakes pdflush", "the call returns ok"):
        assert words in said
    assert "stack" not in said
    waiting = [each.waits for step in range(121) for each in choices(mail, step).values() if each.waits]
    assert "pdflush to have done its work" in waiting
