"""Verdicts through the API: asked, followed, stopped; each witness opens as a run that ends as was said."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from app import orders, outlook, packing, runs
from app.links import RunLink
from app.main import create_app
from app.settings import Settings
from app.wire_verdicts import VerdictOut
from engine import Limits
from tests.app.conftest import INLINE
from tests.app.seeking import QUESTION, until

pytestmark = pytest.mark.timeout(120)
VERDICTS = "/api/v1/verdicts"
GONE = {"lost", "clean-unsaved"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A site with its searches; those that are made are kept from test to test."""
    app = create_app(Settings(data=tmp_path_factory.mktemp("site"), rate=""))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def verdict(api: TestClient, **asked: Any) -> dict[str, Any]:
    """Ask, and look again until there is an answer."""
    answer = api.post(VERDICTS, json=asked)
    assert answer.status_code in (200, 202), answer.text
    here = answer.headers["location"]
    until(lambda: api.get(here).json()["state"] in ("done", "cancelled", "failed"), 60)
    return dict(api.get(here).json())


def test_the_mail_loses_silently_and_the_corrected_patch_holds(api: TestClient) -> None:
    # Kernel facts 1a: on 2.6.9 the store is accepted and nobody is told; 7.2: the corrected patch refuses it.
    for name in ("no-loss", "no-loss-untold"):
        assert verdict(api, scenario="mail", kernel="linux-2.6.9", property=name)["verdict"] == "broken"
        held = verdict(api, scenario="mail", kernel="wli-corrected", property=name)
        assert (held["verdict"], held["witnesses"], held["stopped"]) == ("holds", [], "")
        assert held["states"] > held["ends"] > 0


def test_a_witness_opens_and_its_run_ends_as_was_said(api: TestClient) -> None:
    found = verdict(api, scenario="mail", kernel="linux-2.6.9", offers=["writeback", "drop-caches"], witnesses=4)
    assert found["witnesses"]
    assert len({each["says"] for each in found["witnesses"]}) == len(found["witnesses"])
    assert [each["preemptions"] for each in found["witnesses"]] == sorted(e["preemptions"] for e in found["witnesses"])
    for witness in found["witnesses"]:
        assert api.get(witness["url"]).status_code == 200
        if "#" in witness["url"]:  # what the world does has tasks of its own, which only the link carries
            order = orders.unpacked(packing.unpack(witness["url"].partition("#")[2]))
            trace = runs.perform(order, Limits()).trace
            assert {store.fate for store in trace.stores} & GONE, witness["says"]
            continue
        link = RunLink.parse(witness["url"])
        assert link is not None
        run = api.get(link.api()).json()
        assert run["steps"] >= witness["steps"]
        assert {store["fate"] for store in run["stores"]} & GONE, witness["says"]
        again = api.post(
            "/api/v1/runs", json={"scenario": "mail", "kernel": "linux-2.6.9", "schedule": witness["schedule"]}
        )
        assert again.json()["outcome"] == run["outcome"]


def test_a_witness_of_ones_own_scenario_carries_its_run(api: TestClient) -> None:
    found = verdict(api, scenario=INLINE, kernel="linux-2.6.9")
    path, _, packed = found["witnesses"][0]["url"].partition("#")
    assert api.get(path).status_code == 200
    order = orders.unpacked(packing.unpack(packed))
    assert {store.fate for store in runs.perform(order, Limits()).trace.stores} & GONE


def test_what_takes_long_is_202_and_says_where_to_look(api: TestClient) -> None:
    asked = api.post(VERDICTS, json=QUESTION)
    assert asked.status_code == 202
    begun, here = asked.json(), asked.headers["location"]
    assert here == begun["links"]["self"] == f"{VERDICTS}/{begun['id']}"
    assert begun["state"] in ("waiting", "searching")
    assert begun["verdict"] == ""
    assert api.post(VERDICTS, json=QUESTION).headers["location"] == here
    until(lambda: api.get(here).json()["states"] > 0)
    seen = api.get(here).json()["states"]
    until(lambda: api.get(here).json()["states"] > seen)
    assert api.get(here).headers["cache-control"] == "no-store"

    assert api.delete(begun["links"]["cancel"]).status_code == 200
    until(lambda: api.get(here).json()["state"] == "cancelled")
    stopped = api.get(here).json()
    assert (stopped["verdict"], stopped["stopped"]) == ("undecided", "asked to")
    assert stopped["states"] > seen
    assert stopped["links"] == {"self": here}


def test_the_ways_are_told_while_the_search_goes_on_and_those_of_one_that_is_stopped_stay(api: TestClient) -> None:
    asked = QUESTION | {"kernel": "linux-2.6.9", "witnesses": 20}
    here = api.post(VERDICTS, json=asked).headers["location"]
    until(lambda: bool(api.get(here).json()["witnesses"]), 60)
    now = api.get(here).json()
    assert (now["state"], now["verdict"], now["phase"]) == ("searching", "", "search")
    assert now["found"] == len(now["witnesses"])
    for way in now["witnesses"]:
        assert way["says"]
        assert bool(way["url"]) == bool(way["schedule"])
        assert not way["shortest"]
    opens = next(way["url"] for way in now["witnesses"] if way["url"])
    assert api.get(opens.partition("#")[0]).status_code == 200
    api.delete(here)
    until(lambda: api.get(here).json()["state"] == "cancelled")
    stopped = api.get(here).json()
    assert stopped["verdict"] == "broken"
    assert {way["says"] for way in now["witnesses"]} <= {way["says"] for way in stopped["witnesses"]}


def test_who_waited_and_was_stopped_is_undecided(api: TestClient) -> None:
    first = api.post(VERDICTS, json=QUESTION).json()["links"]["cancel"]
    second = api.post(VERDICTS, json=QUESTION | {"states": 999_999}).json()
    assert (second["state"], second["place"]) == ("waiting", 1)
    stopped = api.delete(second["links"]["cancel"]).json()
    assert (stopped["state"], stopped["verdict"], stopped["states"]) == ("cancelled", "undecided", 0)
    api.delete(first)


def test_a_budget_that_is_spent_says_which(api: TestClient) -> None:
    few = verdict(api, scenario="mail", kernel="wli-corrected", states=50)
    assert (few["verdict"], few["stopped"]) == ("undecided", "states")


def test_something_that_shall_happen_once_has_a_witness_when_it_holds(api: TestClient) -> None:
    # Kernel facts 1b: the patch kills the task whose store finds no room; stock never does.
    hit = verdict(api, scenario="mail", kernel="wli-corrected", property="somebody-gets-sigbus")
    assert (hit["mode"], hit["verdict"], len(hit["witnesses"])) == ("sometimes", "holds", 1)
    never = verdict(api, scenario="mail", kernel="linux-2.6.9", property="somebody-gets-sigbus")
    assert (never["verdict"], never["witnesses"]) == ("broken", [])


@pytest.mark.parametrize(
    ("said", "status", "names", "cure"),
    [
        ({"property": "no-los"}, 422, "no-los", "no-loss"),
        ({"offers": ["write-back"]}, 422, "write-back", "writeback"),
        ({"kernel": "linux-2.7"}, 422, "linux-2.7", "linux-2"),
        ({"scenario": "mial"}, 422, "mial", "mail"),
        ({"states": 0}, 422, "states", ""),
        ({"seconds": 1e9}, 422, "seconds", ""),
    ],
)
def test_what_is_wrong_is_named_with_a_cure(
    api: TestClient, said: dict[str, Any], status: int, names: str, cure: str
) -> None:
    refused = api.post(VERDICTS, json={"scenario": "mail"} | said)
    assert refused.status_code == status
    assert names in refused.text
    assert cure in refused.json()["cure"] + json.dumps(refused.json()["problems"])


def test_no_other_site_may_ask_or_stop(api: TestClient) -> None:
    foreign = {"sec-fetch-site": "cross-site"}
    assert api.post(VERDICTS, json={"scenario": "mail"}, headers=foreign).status_code == 403
    assert api.delete(f"{VERDICTS}/abc", headers=foreign).status_code == 403


def test_a_search_that_is_not_kept_is_not_found(api: TestClient) -> None:
    for answer in (api.get(f"{VERDICTS}/abc"), api.delete(f"{VERDICTS}/abc")):
        assert answer.status_code == 404
        assert "Ask the question again" in answer.json()["cure"]


def test_the_documentation_names_what_the_question_has(api: TestClient) -> None:
    page = api.get("/docs").text
    (part,) = (each for each in page.split("<section") if 'id="make_verdict"' in each)
    assert "&#34;property&#34;" in part
    assert "<code>witnesses</code> in the body" in part
    assert "X-Link-Secret" not in next(each for each in page.split("<section") if 'id="cancel_verdict"' in each)


def test_foresight_is_the_same_of_a_name_and_of_a_link(api: TestClient) -> None:
    link = api.post("/api/v1/links", json={"scenario": "mail", "kernel": "linux-2.6.9"}).json()["id"]
    named = api.get("/api/v1/runs/mail/linux-2.6.9/foresight").json()
    kept = api.get(f"/api/v1/links/{link}/foresight").json()
    assert {**named, "links": {}} == {**kept, "links": {}}
    assert kept["links"]["page"] == f"/s/{link}"
    told = msgspec.convert(named, outlook.ForesightOut)
    run = api.get(named["links"]["run"]).json()
    assert len(told.outlook) == run["steps"] + 1
    assert [run["trace"][turn.step - 1]["event"] for turn in told.turns] == [turn.event for turn in told.turns]


def test_a_verdict_is_what_the_schema_says(api: TestClient) -> None:
    found = verdict(api, scenario="mail", kernel="linux-2.6.9")
    assert json.loads(msgspec.json.encode(msgspec.convert(found, VerdictOut, strict=False))) == found
