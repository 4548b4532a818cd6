"""The outlook of a run as its page shows it: a strip below the timeline, and the steps that decide."""

import re

import pytest
from fastapi.testclient import TestClient

from app import orders, outlook, runs
from app.outlook import Stretch
from app.runs import Run
from engine import Limits
from engine.foresight import AT_RISK, DOOMED, SAFE, UNKNOWN, Doom, Foresight

MAIL = "/run/mail/linux-2.6.9"


@pytest.fixture(scope="module")
def run() -> Run:
    return runs.perform(orders.order("mail", "linux-2.6.9"), Limits())


def test_the_strip_is_as_long_as_the_timeline() -> None:
    # Four steps: the outlook before the first is no step's.
    found = Foresight((AT_RISK, AT_RISK, DOOMED, DOOMED, DOOMED), (), 9, complete=True)
    stretches = list(outlook.stretches(found))
    assert [(each.outlook, float(each.x), float(each.width)) for each in stretches] == [
        (AT_RISK, 0, 25),
        (DOOMED, 25, 75),
    ]
    assert stretches[1].says.startswith("doomed: whoever runs when")
    assert [each.brief for each in stretches] == ["at risk at step 1", "doomed from step 2 to 4"]


def test_a_run_without_a_step_has_a_strip_too() -> None:
    (only,) = outlook.stretches(Foresight((SAFE,), (), 1, complete=True))
    assert isinstance(only, Stretch)
    assert (only.outlook, float(only.width)) == (SAFE, 100)


def test_each_turn_is_a_sentence_with_its_step(run: Run) -> None:
    found = outlook.of(run)
    said = list(outlook.sentences(run, found))
    for turn in found.turns:
        name = run.trace.steps[turn.step - 1].name
        assert (turn.step, name) in [(step, name) for step, says in said if f"from {name} on" in says]
    (store,) = found.stores
    assert f"It shows at step {store.shows}." in said[-1][1]
    assert store.store in said[-1][1]


def test_what_was_foreseen_is_kept(run: Run) -> None:
    assert outlook.of(run) is outlook.of(run) is outlook.known(run)


def test_what_never_changes_is_said_once(run: Run) -> None:
    safe = Foresight((SAFE, SAFE), (), 3, complete=True)
    assert list(outlook.sentences(run, safe)) == [
        (0, "Safe from the beginning: from here on no order of events loses anything.")
    ]


def test_what_is_not_known_is_said(run: Run) -> None:
    lost = Foresight((UNKNOWN, DOOMED), (Doom("A.2", None, 1),), 3, complete=False)
    (*_, (step, says)) = outlook.sentences(run, lost)
    assert step == 1
    assert "when that became certain is not known" in says


def test_of_steps_that_are_not_known_nothing_is_said(run: Run) -> None:
    found = Foresight((UNKNOWN, UNKNOWN, DOOMED, DOOMED), (), 3, complete=False)
    ((step, says),) = outlook.sentences(run, found)
    assert step == 2
    assert "from step 2 on, the first that is known" in says
    assert "beginning" not in says


def test_the_page_has_room_for_the_strip_and_asks_for_it_when_wanted(client: TestClient) -> None:
    page = client.get(MAIL).text
    assert '<svg class="outlook" id="outlook" height="6" aria-hidden="true"></svg>' in page
    assert f'hx-get="{MAIL}/foresight"' in page
    part = client.get(f"{MAIL}/foresight")
    assert part.status_code == 200
    assert 'id="outlook" hx-swap-oob="true"' in part.text
    widths = [float(width) for width in re.findall(r'width="([\d.]+)%"', part.text)]
    assert sum(widths) == pytest.approx(100, abs=0.1)


def test_its_steps_lead_to_the_run_that_was_asked(client: TestClient) -> None:
    # The run of a link is that of the gallery: each has its own addresses.
    link = client.post("/api/v1/links", json={"scenario": "mail", "kernel": "linux-2.6.9"}).json()["id"]
    by_name, by_link = client.get(f"{MAIL}/foresight").text, client.get(f"/s/{link}/foresight").text
    steps = re.findall(r'href="([^"]*)" data-step="(\d+)"', by_name)
    assert steps
    assert steps == [(f"{MAIL}?step={step}", step) for _, step in steps]
    assert re.findall(r'href="([^"]*)" data-step="(\d+)"', by_link) == [
        (f"/s/{link}?step={step}", step) for _, step in steps
    ]


@pytest.mark.parametrize("path", ["/run/mail/linux-2.7/foresight", "/s/aaaaaaaaaaaa/foresight"])
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
