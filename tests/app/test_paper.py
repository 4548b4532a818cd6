"""A run on paper: a frame for each fault and each fate, and a handout that does not give its answers away."""

import re
from html import unescape

import pytest
from starlette.testclient import TestClient

from app import strip, theatre
from app.links import RunLink
from app.orders import order
from app.runs import perform
from engine import Limits


def stage(scenario: str, kernel: str) -> theatre.Stage:
    return theatre.make_stage(perform(order(scenario, kernel), Limits()))


def test_each_fault_and_each_fate_has_a_frame() -> None:
    mail = stage("mail", "linux-2.6.9")
    steps, more = strip.frames(mail.trace.steps, mail.view.journeys)
    assert [mail.trace.steps[n - 1].name for n in steps] == ["set_pte", "write", "recover", "drop_page"]
    assert more == 0


def test_a_strip_has_an_end() -> None:
    last = stage("mail", "linux-2.6.9")
    steps, more = strip.frames(last.trace.steps * 20, last.view.journeys * 20)
    assert (len(steps), more) == (strip.MOST, 4 * 20 - strip.MOST)


def test_a_blank_hides_what_the_gates_answer_and_what_becomes_of_the_store() -> None:
    mail = stage("mail", "linux-2.6.9")
    for step in range(len(mail.trace.steps) + 1):
        full = mail.state_at(step)
        shown = strip.blanked(full)
        for place in range(10):
            if full.get(f"rail/{place}.kind") == "gate":
                assert f"rail/{place}.answer" not in shown
        told = {"lost", "risk", "unsaved", "missing", "nowhere"}
        drawn = [at for at, value in shown.items() if value in told and at.startswith(strip.DRAWN)]
        assert drawn == []
        assert not [at for at in shown if at.startswith("ledger/") and at.endswith((".word", ".told", ".fate"))]
        assert "caption.text" not in shown


def test_every_blank_has_its_answer_in_the_key(client: TestClient) -> None:
    text = client.get("/print/mail/linux-2.6.9?blanks=1").text
    handout, key = text.split('class="answers"')
    assert "never asked" not in handout
    assert "nobody was told" not in handout
    assert "only copy" not in handout
    for said in ("never asked", "still yes", "at risk", "lost, nobody was told"):
        assert said in unescape(key)


def test_the_film_strip_draws_each_frame_with_ids_of_its_own(client: TestClient) -> None:
    text = client.get("/print/mail/linux-2.6.9").text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert text.count('<svg class="scene"') == 4
    assert "http://testserver/run/mail/linux-2.6.9?step=43" in text


def test_a_short_link_has_its_strip_too(client: TestClient) -> None:
    form = {"scenario": "mail", "kernel": "linux-2.6.9"}
    made = client.post("/links", data=form, headers={"Origin": "http://testserver"}, follow_redirects=False)
    link = made.headers["location"].split("/s/")[1].split("?")[0]
    address = RunLink(link=link).paper(blanks=True)
    assert address == f"/print/{link}?blanks=1"
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("path", ["/print/nope/linux-2.6.9", "/print/mail/nope", "/print/23456789ab"])
def test_what_is_not_there_is_not_printed(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_every_gallery_run_at_home_can_be_printed() -> None:
    for name in ("quota", "fork", "power-cut", "last-block", "truncate-race"):
        each = stage(name, "linux-2.6.9")
        steps, _ = strip.frames(each.trace.steps, each.view.journeys)
        assert steps == sorted(steps)
        assert steps, name
