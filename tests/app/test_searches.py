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
    assert site.find(quick().id) is search
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
    assert site.find(slow().id) is search
    again = site.ask(slow())
    assert again is not search
    assert again.asked.id == search.asked.id


@pytest.mark.parametrize(("budget", "again"), [(Budget(2_000_000, 0.4), True), (Budget(50, 60), False)])
def test_what_had_too_little_time_is_searched_again_and_what_had_too_few_states_is_not(
    site: Searches, budget: Budget, again: bool
) -> None:
    question = asking.question(orders.order("mail", "wli-corrected"), offers=LONG, budget=budget)
    search = site.ask(question)
    assert search.over.wait(30)
    assert (search.state, search.answer["verdict"]) == (DONE, "undecided")
    assert (site.ask(question) is not search) == again


def test_the_ways_are_told_as_they_are_found_and_a_search_that_is_stopped_keeps_them(site: Searches) -> None:
    order = orders.order("mail", "linux-2.6.9")
    search = site.ask(asking.question(order, offers=LONG, budget=Budget(2_000_000, 120), wanted=20))
    until(lambda: bool(search.progress.get("witnesses")))
    told = search.progress["witnesses"]
    assert search.state == SEARCHING
    assert len(told) == search.progress["found"]
    assert any(way["url"].startswith("/") for way in told)
    site.cancel(search.asked.id)
    assert search.over.wait(20)
    assert (search.state, search.answer["verdict"]) == (CANCELLED, "broken")
    assert {way["says"] for way in told} <= {way["says"] for way in search.answer["witnesses"]}


def test_one_process_answers_what_comes_next_and_ends_when_nothing_does(site: Searches) -> None:
    first = site.ask(slow())
    until(lambda: first.progress["states"] > 0)
    before = workers()
    second, third = site.ask(quick()), site.ask(slow(1_999_999))
    site.cancel(first.asked.id)
    assert second.over.wait(30)
    until(lambda: third.state == SEARCHING)
    assert workers() == before
    site.cancel(third.asked.id)
    until(lambda: workers() == [])


def test_who_waits_knows_its_place(site: Searches) -> None:
    first = site.ask(slow())
    until(lambda: first.state == SEARCHING)
    others = [site.ask(slow(1_000_000 + more)) for more in (1, 2)]
    assert [site.place(search) for search in (first, *others)] == [0, 1, 2]
    site.cancel(others[0].asked.id)
    assert [site.place(search) for search in (first, *others)] == [0, 0, 1]


def test_who_waits_can_be_stopped_too(site: Searches) -> None:
    site.ask(slow())
    second = site.ask(quick())
    assert site.cancel(second.asked.id) is second
    assert (second.state, second.over.is_set()) == (CANCELLED, True)


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
        search = site.find(question.id)
        assert search is not None
        assert search.asked == question
    assert site.find(questions[0].id) is None
    assert site.cancel(questions[0].id) is None


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


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_only_a_verdict_is_kept_and_before_anybody_hears_of_it() -> None:
    kept: list[tuple[str, bool]] = []
    made = Searches(lambda name, _answer: kept.append((name, search.over.is_set())))
    search = made.ask(quick())
    assert search.over.wait(30)
    stopped = made.ask(slow())
    until(lambda: stopped.progress["states"] > 0)
    made.cancel(stopped.asked.id)
    assert stopped.over.wait(20)
    made.close()
    assert kept == [(quick().id, False)]


# -- sweeps -----------------------------------------------------------------------------------------------------------

SMALL = [asking.cell(orders.order("mail", kernel), "no-loss", ()) for kernel in ("linux-2.6.9", "wli-corrected")]


def test_a_sweep_answers_one_question_after_another(site: Searches) -> None:
    sweep = site.sweep("a", SMALL)
    assert site.sweep("a", SMALL) is sweep
    until(lambda: sweep.is_over, 60)
    assert sweep.ended == [question.id for question in SMALL]
    # Kernel facts 7.2: stock accepts the store and loses it, the corrected patch refuses it.
    assert [sweep.answers[name]["verdict"] for name in sweep.ended] == ["broken", "holds"]
    until(lambda: workers() == [])
    assert site.sweeping("a") is sweep
    assert site.sweep("a", SMALL) is not sweep


def test_who_asks_goes_before_what_a_sweep_has_left(site: Searches) -> None:
    sweep = site.sweep("a", [slow(), *SMALL])
    until(lambda: sweep.current is not None)
    asked = site.ask(quick("no-loss-untold"))
    assert site.place(asked) == 1
    site.stop("a")
    assert asked.over.wait(30)
    assert asked.state == DONE
    assert (sweep.is_over, sweep.ended) == (True, []), "the one that was stopped has no verdict"


def test_a_question_of_a_sweep_that_fails_says_so_and_the_next_has_its_turn(site: Searches) -> None:
    sweep = site.sweep("a", [slow(), SMALL[0]])
    until(lambda: bool(workers()))
    until(lambda: sweep.current is not None)
    os.kill(workers()[0], signal.SIGKILL)
    until(lambda: sweep.is_over, 30)
    assert [sweep.answers[name]["verdict"] for name in sweep.ended] == ["failed", "broken"]
    assert "stopped unexpectedly" in sweep.answers[slow().id]["stopped"]


def test_too_many_sweeps_are_refused_and_old_ones_forgotten(site: Searches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "MOST_SWEEPS", 1)
    site.sweep("a", [slow()])
    with pytest.raises(Trouble, match="1 matrices are being filled") as refused:
        site.sweep("b", SMALL)
    assert refused.value.kind == "busy"
    for name in ("a", "b", "c"):
        site.stop(name)
        site.sweep(f"{name}+", [slow()])
        site.stop(f"{name}+")
    site.sweep("d", SMALL[:1])
    assert site.sweeping("a") is None
    assert site.sweeping("d") is not None


def test_a_site_that_closes_in_the_middle_of_a_sweep_leaves_no_process(site: Searches) -> None:
    site.sweep("a", [slow(), slow(1_999_999)])
    until(lambda: bool(workers()))
    site.close()
    assert workers() == []
