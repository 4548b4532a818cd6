"""Questions: what is asked at the telling steps of the mail, and that the right choice is always what the trace did."""

from itertools import pairwise

import pytest
from fastapi.testclient import TestClient

import engine
from app import questions
from app.questions import Question
from engine import Step, Trace, gallery

MAIL = "/run/mail/linux-2.6.9"


def asked(scenario: str, kernel: str = "linux-2.6.9") -> tuple[Trace, tuple[Question, ...]]:
    trace = engine.run(gallery()[scenario], kernel)
    return trace, questions.questions_of(trace)


def right(scenario: str, kernel: str = "linux-2.6.9") -> dict[str, str]:
    """The right choice of each question of a run, by the event it is asked before."""
    trace, found = asked(scenario, kernel)
    return {trace.steps[each.step - 1].event: each.choices[each.right] for each in found}


def test_the_mail_on_the_kernel_that_asks_nobody() -> None:
    assert right("mail") == {
        "A.2.handle_pte_fault.pte_none": "Yes, it is empty",
        "A.2.do_no_page.enough_space": "It asks nobody",
        "A.2.load.read": "A zero",
        "A.4.do_exit.done": "No",
        "pdflush.0.ext2_new_block.reserve_blocks": "No",
        "pdflush.0.block_write_full_page.recover": "It counts as clean: nobody will try again",
        "C.3.do_generic_mapping_read.finish": "A zero",
    }


def test_the_mail_on_the_corrected_patch() -> None:
    found = right("mail", "wli-corrected")
    assert found["A.3.handle_pte_fault.pte_none"] == "No, it leads to a page but forbids stores"
    assert found["A.3.enough_space.drop_lock"] == "It asks, and the answer is no"
    assert not [event for event in found if event.startswith("pdflush")], "nothing is left to be written"


def test_the_mail_today() -> None:
    found = right("mail", "linux-6.18")
    assert found["A.3.do_wp_page.enough_space"] == "It asks nobody"
    assert found["A.4.do_exit.done"] == "No"


def test_a_store_that_msync_has_saved_survives_a_power_cut() -> None:
    assert right("last-block")["A.4.do_exit.done"] == "Yes"
    assert right("last-block")["B.4.do_exit.done"] == "No"


def test_the_second_msync_says_that_all_is_well() -> None:
    found = right("msync-twice")
    assert found["A.3.sys_msync.up_read"] == "ENOSPC: no space"
    assert found["A.4.sys_msync.up_read"] == "0: all is well"


@pytest.mark.parametrize("kernel", ["linux-2.6.9", "wli-posted", "wli-corrected", "linux-6.18"])
@pytest.mark.parametrize("scenario", [name for name in gallery() if gallery()[name].filesystem.type == "ext2"][::3])
def test_every_question_can_be_answered_and_its_answer_is_the_steps(scenario: str, kernel: str) -> None:
    trace, found = asked(scenario, kernel)
    assert len(found) <= questions.MOST
    assert all(after.step > before.step + 1 for before, after in pairwise(found))
    for each in found:
        assert 2 <= len(each.choices) <= questions.CHOICES
        assert len(set(each.choices)) == len(each.choices)
        assert _bears_out(trace.steps[each.explained - 1], each), each


def _bears_out(step: Step, question: Question) -> bool:
    """The right choice, held against the step by other means than those that made it."""
    choice, answer = question.choices[question.right], step.answer or ""
    found = choice.strip("“”") == answer or choice in ("A zero", "Zeroes")
    if question.choices == questions.EMPTY:
        found = any("/pte/" in at for at in step.reads) and (answer == "yes") == choice.startswith("Yes")
    elif question.choices == questions.ROOM:
        found = ("never" in answer, "yes" in answer, "E" in answer)[question.right]
    elif question.choices == questions.FAILED:
        found = choice.startswith("It counts") == any(change.new == "clean-unsaved" for change in step.fates)
    elif question.choices == questions.ANSWERS:
        found = [choice.partition(":")[0]] == [str(new) for at, _, new in step.writes if at.endswith(".result")]
    elif step.name == "reserve_blocks":
        found = (choice == "Yes") == any(at.startswith("block/") for at, _, _ in step.writes)
    return found or step.name == "done"  # what a power cut leaves is held against the facts above


# --- the page ------------------------------------------------------------------------------------------------------


def test_the_page_asks_one_step_before_and_explains_at_the_step(client: TestClient) -> None:
    before = client.get(f"{MAIL}?predict=1&step=41").text
    assert "data-predict data-pane" not in before
    assert " data-predict>" in before
    assert "What does this kernel do about room?" in before
    assert f'data-choice="0" href="{MAIL}?predict=1&amp;step=42"' in before
    after = client.get(f"{MAIL}?predict=1&step=42").text
    assert 'data-answer="It asks nobody"' in after
    assert 'data-why="Here somebody could ask whether the disk has room' in after


def test_without_the_mode_nothing_is_asked(client: TestClient) -> None:
    assert " data-predict>" not in client.get(f"{MAIL}?step=41").text
    assert f'href="{MAIL}?predict=1&amp;step=41"' in client.get(f"{MAIL}?step=41").text
