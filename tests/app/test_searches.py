"""Searches in the background: one at a time, known again, stopped when told, and none left behind."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app import asking, orders, searches
from app.asking import Question
from app.main import create_app
from app.searches import CANCELLED, DONE, FAILED, SEARCHING, WAITING, Searches
from app.settings import Settings
from app.troubles import Trouble
from engine import Budget
from tests.app.seeking import LONG, QUESTION, until, workers

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def site() -> Iterator[Searches]:
    made = Searches()
    yield made
    made.close()
    assert workers() == []


def slow(states: int = 2_000_000) -> Question:
    """Other `states` make another question, which takes as long."""
    return asking.question(orders.order("mail", "wli-corrected"), offers=LONG, budget=Budget(states, 120))


def quick(name: str = "no-loss") -> Question:
    return asking.question(orders.order("mail", "linux-2.6.9"), name)


def test_a_question_is_answered_by_another_process(site: Searches) -> None:
    search = site.ask(quick())
    assert search.over.wait(30)
    assert (search.state, search.answer["verdict"]) == (DONE, "broken")
    assert 0 < search.seconds < 30
    until(lambda: workers() == [])


def test_the_same_question_is_the_same_search(site: Searches) -> None:
    search = site.ask(quick())
    assert site.ask(quick()) is search
    assert search.over.wait(30)
    assert site.ask(quick()) is search
    assert site.get(quick().id) is search
    assert site.ask(quick("no-loss-untold")) is not search


def test_the_order_of_two_offers_that_are_the_same_is_another_question_but_twice_the_same_is_not() -> None:
    order = orders.order("mail", "linux-2.6.9")
    once, twice = (asking.question(order, offers=offers) for offers in (["take"], ["take", "take"]))
    assert once.id == twice.id


def test_one_search_goes_on_while_others_wait(site: Searches) -> None:
    first, second = site.ask(slow()), site.ask(quick())
    until(lambda: first.progress["states"] > 0)
    assert (first.state, second.state) == (SEARCHING, WAITING)
    assert len(workers()) == 1
    before = first.progress["states"]
    until(lambda: first.progress["states"] > before)
    site.cancel(first.asked.id)
    assert second.over.wait(30)
    assert second.state == DONE


def test_a_search_that_is_stopped_says_how_far_it_got(site: Searches) -> None:
    search = site.ask(slow())
    until(lambda: search.progress["states"] > 0)
    seen = search.progress["states"]
    site.cancel(search.asked.id)
    assert search.over.wait(20)
    assert (search.state, search.answer["verdict"], search.answer["stopped"]) == (CANCELLED, "undecided", "asked to")
    assert search.answer["states"] >= seen


def test_what_was_stopped_is_begun_again_when_it_is_asked_and_not_when_it_is_looked_at(site: Searches) -> None:
    search = site.ask(slow())
    site.cancel(search.asked.id)
    assert search.over.wait(20)
    assert site.ask(slow(), look=True) is search
    again = site.ask(slow())
    assert again is not search
    assert again.asked.id == search.asked.id


def test_who_waits_can_be_stopped_too(site: Searches) -> None:
    site.ask(slow())
    second = site.ask(quick())
    assert site.cancel(second.asked.id).state == CANCELLED
    assert second.over.is_set()


def test_too_many_are_refused(site: Searches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "MOST_WAITING", 2)
    first = site.ask(slow())
    until(lambda: first.state == SEARCHING)
    for more in (1, 2):
        site.ask(slow(1_000_000 + more))
    with pytest.raises(Trouble, match="2 searches wait") as refused:
        site.ask(quick())
    assert (refused.value.kind, refused.value.status) == ("busy", 503)
    assert site.ask(slow()) is first, "what is asked already needs no place"


def test_what_was_found_is_kept_up_to_a_number(site: Searches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "KEPT", 3)
    questions = [asking.question(orders.order("mail", "linux-2.6.9"), budget=Budget(states)) for states in range(1, 6)]
    for question in questions:
        assert site.ask(question).over.wait(30)
    for question in questions[-3:]:
        assert site.get(question.id).asked == question
    with pytest.raises(Trouble, match="No search") as refused:
        site.get(questions[0].id)
    assert "Ask the question again" in refused.value.cure


def test_a_process_that_is_killed_fails_and_the_next_search_works(site: Searches) -> None:
    search = site.ask(slow())
    until(lambda: search.progress["states"] > 0)
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    assert search.over.wait(20)
    assert search.state == FAILED
    assert "stopped unexpectedly" in search.says
    following = site.ask(quick())
    assert following.over.wait(30)
    assert following.state == DONE


def test_a_process_that_can_not_be_begun_fails_and_the_next_search_works(
    site: Searches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    search = site.ask(quick())
    assert search.over.wait(10)
    assert search.state == FAILED
    monkeypatch.undo()
    again = site.ask(quick())
    assert again.over.wait(30)
    assert again.state == DONE


def test_a_site_that_closes_leaves_no_process_behind(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(data=tmp_path))) as client:
        client.post("/api/v1/verdicts", json=QUESTION)
        until(lambda: bool(workers()))
    assert workers() == []


@pytest.mark.parametrize(
    ("asked", "offers", "says", "cure"),
    [
        ("no-los", [], "'no-los'", "no-loss"),
        ("no-loss", ["write-back"], "'write-back' cannot be offered", "writeback"),
    ],
)
def test_what_is_not_there_is_named_with_a_cure(asked: str, offers: list[str], says: str, cure: str) -> None:
    with pytest.raises(Trouble, match=says) as refused:
        asking.question(orders.order("mail", "linux-2.6.9"), asked, offers)
    assert refused.value.kind == "bad-request"
    assert cure in refused.value.cure
