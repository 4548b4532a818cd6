"""What if, from here: the same run up to a step, and another from there, at an address of its own."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

import engine
from app import forks
from engine import gallery

MAIL = "/run/mail/linux-2.6.9"


@cache
def after_the_store() -> int:
    """The step of the mail's experiment at which the letter is stored."""
    return next(step.n for step in engine.run(gallery()["mail"]).steps if step.event == "A.3.store.write")


def asked(client: TestClient, url: str) -> str:
    """Where asking leads."""
    response = client.get(url, follow_redirects=False)
    assert response.status_code == 303, response.text
    return response.headers["location"]


def test_asking_leads_to_a_run_of_its_own_on_the_step_after(client: TestClient) -> None:
    n = after_the_store()
    url = asked(client, f"{MAIL}?step={n}&if=power_fails()")
    said = parse_qs(urlsplit(url).query)
    assert said == {"switch": ["B.A.C,A@store.write>power_fails()"], "step": [str(n + 1)]}
    page = client.get(url).text
    assert 'data-outcome="lost-unsynced"' in page
    assert "power_fails()" in page


def test_the_data_of_a_fork_is_asked_for_alike(client: TestClient) -> None:
    n = after_the_store()
    url = asked(client, f"{MAIL}.json?step={n}&if=free(g,1)")
    assert urlsplit(url).path == f"{MAIL}.json"
    whole = client.get(url.replace(f"&step={n + 1}", "")).json()
    assert whole["outcome"] == "kept"
    assert whole["schedule"] == "B.A.C,A@store.write>free(g,1)"


def test_a_fork_of_a_fork_keeps_what_came_before_and_drops_what_comes_later(client: TestClient) -> None:
    n = after_the_store()
    first = asked(client, f"{MAIL}?step={n}&if=take(h,1)")
    later = asked(client, first.replace(f"step={n + 1}", f"step={n + 4}") + "&if=power_fails()")
    assert "take(h,1)" in later
    assert "power_fails()" in later
    earlier = asked(client, later.replace(f"step={n + 5}", f"step={n - 2}") + "&if=reclaim()")
    assert "reclaim()" in earlier
    assert "power_fails()" not in earlier
    assert "take(h,1)" not in earlier


def test_another_task_can_be_let_first(client: TestClient) -> None:
    url = asked(client, "/run/last-block/wli-corrected?step=10&if=B")
    page = client.get(url).text
    shown = re.search(r'<fault-theatre[^>]*data-step="11"', page)
    assert shown
    assert url.endswith("&step=11")


def test_a_short_link_forks_too(client: TestClient) -> None:
    made = client.post("/api/v1/links", json={"scenario": "mail", "kernel": "linux-2.6.9"}).json()
    n = after_the_store()
    url = asked(client, f"{made['url']}?step={n}&if=power_fails()")
    assert url.startswith(made["url"])
    assert 'data-outcome="lost-unsynced"' in client.get(url).text
    again = asked(client, f"{url.replace(f'step={n + 1}', f'step={n}')}&if=free(g,1)")
    assert 'data-outcome="kept"' in client.get(again).text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("step=99999&if=nonsense()", "there is no call nonsense"),
        ("step=30&if=nobody", "there is no task"),
        ("step=30&if=free(zz,1)", "nobody takes blocks"),
        ("step=30&if=take(g,1", "does not parse"),
    ],
)
def test_what_cannot_be_is_refused_with_a_cure(client: TestClient, query: str, said: str) -> None:
    response = client.get(f"{MAIL}?{query}", headers={"accept": "application/json"})
    assert 400 <= response.status_code < 500
    assert said in response.text
    assert response.json()["cure"]


def test_nothing_is_put_into_the_middle_of_what_was_asked_for(client: TestClient) -> None:
    n = after_the_store()
    url = asked(client, f"{MAIL}?step={n}&if=power_fails()")
    response = client.get(f"{url}&if=reclaim()", headers={"accept": "application/json"})
    assert 400 <= response.status_code < 500
    assert "still going on" in response.json()["detail"]
    assert response.json()["cure"] == "Go on to a step of another task", "nothing comes after it"
    url = asked(client, f"{MAIL}?step={n}&if=writeback()")
    response = client.get(f"{url}&if=reclaim()", headers={"accept": "application/json"})
    assert re.fullmatch(r"Go on to step \d+, when it is done", response.json()["cure"])
    assert "data-busy" in client.get(url).text, "the page says why nothing is offered"


def test_before_the_first_step_a_task_can_be_let_first(client: TestClient) -> None:
    url = asked(client, f"{MAIL}?step=0&if=A")
    assert parse_qs(urlsplit(url).query) == {"switch": ["A.B.C"], "step": ["1"]}
    assert re.search(r'class="where"[^>]*><b data-show="task">A</b>', client.get(url).text)


def test_what_is_asked_for_before_the_first_step_comes_right_after_it(client: TestClient) -> None:
    url = asked(client, f"{MAIL}?step=0&if=power_fails()")
    assert url == asked(client, f"{MAIL}?step=1&if=power_fails()")
    assert "data-first" in client.get(f"{MAIL}?step=0").text


def test_every_offer_of_every_scenario_can_be_taken(client: TestClient) -> None:
    """Each kind of offer once in each scenario, on its own kernel: none is refused, whatever it comes to."""
    for scenario in gallery().values():
        address = f"/run/{scenario.id}/{scenario.kernel or 'linux-2.6.9'}"
        for group in forks.offers(scenario).values():
            offer = next(offer for offer in group if offer.task != next(iter(scenario.tasks)))
            response = client.get(f"{address}.json", params={"step": 1, "if": offer.to})
            assert response.status_code == 303 or "preempt itself" in response.text, (scenario.id, offer.to)
            assert (
                response.status_code != 303
                or client.get(response.headers["location"].replace("&step=2", "")).status_code == 200
            )
