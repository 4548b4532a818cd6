"""The API: what determines a run determines the answer, and everything can be fetched again."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import yaml
from fastapi.testclient import TestClient

from app import openapi
from app.main import create_app
from app.settings import Settings
from tests.app.conftest import INLINE, INLINE_YAML

MAIL = {"scenario": "mail", "kernel": "linux-2.6.9"}
RACE = "A@do_no_page.enough_space>B"


def test_a_run_says_who_lost_what_and_who_was_told(client: TestClient) -> None:
    answer = client.post("/api/v1/runs", json={"scenario": "mail-store-first", "kernel": "linux-2.6.9"}).json()
    assert answer["outcome"] == "lost-told"  # kernel facts 1a.14: the msync that tries says ENOSPC, once
    (store,) = answer["stores"]
    assert (store["task"], store["op"], store["fate"]) == ("A", 'm[2P] = "C"', "lost")
    assert store["told"] == "A.3: ENOSPC"
    assert [change["fate"] for change in store["changes"]] == ["at-risk", "clean-unsaved", "lost"]
    results = {(call["task"], call["op"]): call["result"] for call in answer["calls"]}
    assert results["A", "msync(m, SYNC)"] == "ENOSPC"
    assert results["A", 'm[2P] = "C"'] == "ok"
    assert results["C", "x = pread(f, 1, 2P)"] == "."
    assert answer["disk"] == {"f": {"size": 16384, "pages": {"0": "a"}}}


def test_the_same_store_is_refused_by_a_kernel_that_asks(client: TestClient) -> None:
    answer = client.post("/api/v1/runs", json={"scenario": "mail-store-first", "kernel": "wli-corrected"}).json()
    assert answer["outcome"] == "refused"
    results = {call["op"]: call["result"] for call in answer["calls"]}
    assert results['m[2P] = "C"'] == "SIGBUS"
    assert results["msync(m, SYNC)"] is None  # the task is dead


def test_an_answer_has_everything_that_a_script_was_promised(client: TestClient) -> None:
    answer = client.post("/api/v1/runs", json=MAIL).json()
    promised = {
        "run", "id", "url", "scenario", "kernel", "filesystem", "schedule", "edition", "steps", "outcome",
        "stores", "calls", "disk",
    }  # fmt: skip
    assert promised <= answer.keys()
    assert (answer["scenario"], answer["kernel"], answer["filesystem"]) == ("mail", "linux-2.6.9", "ext2")
    assert "trace" not in answer
    assert set(answer["stores"][0]) >= {"task", "op", "fate", "told", "changes"}


def test_the_trace_comes_when_asked_for(client: TestClient) -> None:
    answer = client.post("/api/v1/runs?include=trace", json=MAIL).json()
    assert [step["n"] for step in answer["trace"]] == list(range(1, answer["steps"] + 1))
    assert answer["initial"]["machine.clock"] == 0


def test_writes_applied_to_the_initial_cells_give_each_step_as_it_is_served(client: TestClient) -> None:
    answer = client.get("/api/v1/runs/mail/linux-2.6.9").json()
    cells = dict(answer["initial"])
    for step in answer["trace"]:
        cells |= {at: new for at, _, new in [*step.get("writes", []), *step.get("derived", [])]}
        if step["n"] % 20 == 0 or step["n"] == answer["steps"]:
            moment = client.get(f"/api/v1/runs/mail/linux-2.6.9/steps/{step['n']}").json()
            assert moment["cells"] == {at: value for at, value in cells.items() if value is not None}
            assert moment["did"] == step


def test_a_step_leads_to_its_neighbours(client: TestClient) -> None:
    first = client.get("/api/v1/runs/mail/linux-2.6.9/steps/0").json()
    assert "did" not in first
    assert "prev" not in first["links"]
    second = client.get(first["links"]["next"]).json()
    assert second["step"] == 1
    assert second["links"]["prev"] == first["links"]["self"]
    last = client.get(f"/api/v1/runs/mail/linux-2.6.9/steps/{first['steps']}").json()
    assert "next" not in last["links"]


def test_every_link_of_an_answer_can_be_followed(client: TestClient) -> None:
    answers = [client.post("/api/v1/runs", json=body).json() for body in (MAIL, {"scenario": INLINE})]
    answers += [client.get("/api/v1/kernels/wli-posted").json(), client.get("/api/v1/scenarios/mail").json()]
    for answer in answers:
        for url in answer["links"].values():
            assert client.get(url).status_code == 200, url


def test_a_scenario_by_name_as_an_object_and_as_yaml_is_the_same_run(client: TestClient) -> None:
    runs = [client.post("/api/v1/runs", json={"scenario": given}).json() for given in (INLINE, INLINE_YAML)]
    assert runs[0] == runs[1]
    gallery = client.get("/api/v1/scenarios/mail").json()["scenario"]
    by_name, as_object = (client.post("/api/v1/runs", json={"scenario": given}).json() for given in ("mail", gallery))
    assert by_name == as_object


def test_a_scenario_of_ones_own_can_be_opened_where_the_answer_says(client: TestClient) -> None:
    first, again = (client.post("/api/v1/runs", json={"scenario": INLINE}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    url = first.json()["url"]
    assert first.headers["location"] == url == f"/s/{first.json()['id']}"
    assert client.get(url).status_code == 200
    assert client.get(url + ".json").json()["stores"] == first.json()["stores"]


def test_a_gallery_run_is_where_its_name_says(client: TestClient) -> None:
    response = client.post("/api/v1/runs", json={**MAIL, "schedule": RACE})
    assert response.status_code == 200
    assert response.json()["url"] == f"/run/mail/linux-2.6.9?switch={RACE}"


def test_a_schedule_is_a_text_or_a_list(client: TestClient) -> None:
    body = {"scenario": "last-block", "kernel": "wli-corrected"}
    text = client.post("/api/v1/runs", json={**body, "schedule": f"B.A,{RACE}"}).json()
    parts = client.post("/api/v1/runs", json={**body, "schedule": ["B", "A", RACE]}).json()
    assert text["id"] == parts["id"]
    assert text["id"] != client.post("/api/v1/runs", json=body).json()["id"]


def test_the_schedule_that_a_scenario_has_anyway_makes_no_other_run(client: TestClient) -> None:
    plain = client.post("/api/v1/runs", json=MAIL).json()
    assert client.post("/api/v1/runs", json={**MAIL, "schedule": plain["schedule"]}).json() == plain
    assert client.post("/api/v1/runs", json={**MAIL, "filesystem": "ext2"}).json() == plain


def test_a_schedule_keeps_its_sense_under_a_kernel_without_that_step(client: TestClient) -> None:
    answer = client.post("/api/v1/runs", json={**MAIL, "schedule": "A@enough_space.drop_lock>B"}).json()
    assert any("never reached" in note for note in answer["notes"])


def test_a_run_that_was_fetched_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/api/v1/runs/mail/linux-2.6.9")
    tag = first.headers["etag"]
    again = client.get("/api/v1/runs/mail/linux-2.6.9", headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = client.get("/api/v1/runs/mail/wli-corrected", headers={"If-None-Match": tag})
    assert other.status_code == 200
    as_text = client.get("/api/v1/runs/mail/linux-2.6.9", headers={"If-None-Match": tag, "Accept": "text/plain"})
    assert as_text.status_code == 200


def test_data_is_packed_for_who_can_unpack_it(client: TestClient) -> None:
    packed = client.get("/api/v1/runs/mail/linux-2.6.9", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/api/v1/runs/mail/linux-2.6.9", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) <= 40_000 < int(plain.headers["content-length"])  # DESIGN 7


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("/api/v1/runs/mail/linux-2.6.9", "application/json"),
        ("/run/mail/linux-2.6.9.json", "application/json"),
        ("/run/mail/linux-2.6.9.txt", "text/plain; charset=utf-8"),
        ("/api/v1/scenarios/mail.yaml", "application/yaml; charset=utf-8"),
        ("/scenario/mail.yaml", "application/yaml; charset=utf-8"),
        ("/api/v1/schema", "application/schema+json"),
    ],
)
def test_every_form_says_what_it_is(client: TestClient, url: str, media_type: str) -> None:
    response = client.get(url)
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type


def test_curl_gets_text_when_it_wants_text(client: TestClient) -> None:
    text = client.get("/api/v1/runs/mail/linux-2.6.9", headers={"Accept": "text/plain"}).text
    assert text == client.get("/run/mail/linux-2.6.9.txt").text
    assert "outcome  lost-silent" in text.splitlines()
    step = client.get("/api/v1/runs/mail/linux-2.6.9/steps/1", headers={"Accept": "text/plain"}).text
    assert "1> fill(g)" in text
    assert "fill" not in step.splitlines()[0]


def test_the_gallery_is_listed_with_its_runs(client: TestClient) -> None:
    found = {scenario["id"]: scenario for scenario in client.get("/api/v1/scenarios").json()}
    wanted = {
        "mail", "mail-store-first", "last-block", "lock-drop", "quota", "root-reserve", "private-full-disk", "fork",
        "msync-twice", "memory-pressure",
    }  # fmt: skip
    assert wanted <= found.keys()
    for name in wanted:
        assert found[name]["title"]
        assert found[name]["story"]
        assert found[name]["question"]
        assert found[name]["sources"]
        assert set(found[name]["runs"]) >= {"linux-2.6.9", "wli-posted", "wli-corrected"}


def test_the_text_of_a_scenario_can_be_sent_back(client: TestClient) -> None:
    text = client.get("/api/v1/scenarios/mail.yaml").text
    assert yaml.safe_load(text)["title"] == "The mail's experiment"
    assert client.post("/api/v1/runs", json={"scenario": text}).json()["url"] == "/run/mail/linux-2.6.9"


def test_a_kernel_says_which_functions_it_has(client: TestClient) -> None:
    kernels = {kernel["id"]: kernel for kernel in client.get("/api/v1/kernels").json()}
    assert {"linux-2.6.9", "wli-posted", "wli-corrected"} <= kernels.keys()
    for kernel in kernels.values():
        steps = {step for function in kernel["functions"].values() for step in function}
        assert {"pte_none", "enough_space", "set_pte"} <= steps  # the three gates stand under every kernel
    posted = client.get("/api/v1/kernels/wli-posted").json()
    assert posted["build"]["errors"]  # as posted it does not compile


def test_a_limit_cuts_a_run_and_says_so(tmp_path: Path) -> None:
    client = TestClient(create_app(Settings(data=tmp_path, max_steps=50)))
    answer = client.post("/api/v1/runs", json=MAIL).json()
    assert (answer["steps"], answer["complete"]) == (50, False)
    assert any("50 steps" in note for note in answer["notes"])


def test_any_site_may_read(client: TestClient) -> None:
    read = client.get("/api/v1/runs/mail/linux-2.6.9", headers={"Origin": "https://elsewhere.example"})
    assert read.headers["access-control-allow-origin"] == "*"
    asked = client.options("/api/v1/runs", headers={"Access-Control-Request-Method": "POST"})
    assert asked.headers["access-control-allow-methods"] == "GET, HEAD"


@pytest.mark.parametrize("url", ["/api/v1/runs", "/api/v1/links"])
def test_no_other_site_may_write(client: TestClient, url: str) -> None:
    refused = client.post(url, json=MAIL, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert client.post(url, json=MAIL, headers={"Sec-Fetch-Site": "same-origin"}).status_code in (200, 201)


@pytest.mark.parametrize("url", ["/", "/run/mail/linux-2.6.9", "/api/v1/runs/mail/linux-2.6.9", "/docs", "/healthz"])
def test_head_says_what_get_would(client: TestClient, url: str) -> None:
    client.get(url)  # a page that has to be made is sent in two parts, before its length is known
    got, asked = client.get(url), client.head(url)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-type"] == got.headers["content-type"]
    assert asked.headers["content-length"] == got.headers["content-length"]


def test_a_link_is_made_once(client: TestClient) -> None:
    first, again = (client.post("/api/v1/links", json=MAIL) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() | {"secret": first.json()["secret"]}
    assert first.headers["location"] == first.json()["url"] == f"/s/{first.json()['id']}"
    assert first.json()["edition"] >= 1
    assert client.get(f"/api/v1/links/{first.json()['id']}").json() == again.json()


def test_what_differs_has_another_link(client: TestClient) -> None:
    bodies: list[dict[str, Any]] = [
        MAIL,
        {**MAIL, "kernel": "wli-posted"},
        {**MAIL, "schedule": "A.B"},
        {"scenario": INLINE},
        {"scenario": {**INLINE, "title": "Another title"}},
        {"scenario": {**INLINE, "tasks": {**INLINE["tasks"], "B": {"user": "bob", "script": ["sync()"]}}}},
        {"scenario": {**INLINE, "tasks": {"B": {"user": "bob", "script": ["sync()"]}, **INLINE["tasks"]}}},
    ]
    assert len({client.post("/api/v1/links", json=body).json()["id"] for body in bodies}) == len(bodies)


def test_the_id_of_a_run_is_the_id_of_its_link(client: TestClient) -> None:
    assert client.post("/api/v1/links", json=MAIL).json()["id"] == client.post("/api/v1/runs", json=MAIL).json()["id"]


def test_a_link_shows_the_run_it_was_made_for(client: TestClient) -> None:
    body = {"scenario": INLINE, "kernel": "wli-corrected"}
    link = client.post("/api/v1/links", json=body).json()
    run = client.get(link["url"] + ".json").json()
    assert (run["kernel"], run["id"], run["url"]) == ("wli-corrected", link["id"], link["url"])
    assert run["outcome"] == "refused"
    other = client.get(f"{link['url']}.json?kernel=linux-2.6.9").json()
    assert other["calls"][3]["result"] == "ENOSPC"  # one block for two pages, and nobody asked before
    step = client.get(f"/api/v1/links/{link['id']}/steps/2").json()
    assert step["did"] == run["trace"][1]


def test_openapi_describes_every_route_with_an_answer(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    references = set(json.dumps(document).split('"#/components/schemas/')[1:])
    assert {reference.partition('"')[0] for reference in references} <= schemas.keys()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert operation["responses"].keys() & {"200", "204"}, path


def test_the_examples_of_the_documentation_work(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    content = document["paths"]["/api/v1/runs"]["post"]["requestBody"]["content"]["application/json"]
    assert len(content["examples"]) >= 2
    for example in content["examples"].values():
        assert client.post("/api/v1/runs", json=example["value"]).status_code in (200, 201)


def test_the_documentation_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "/api/v1/runs/{scenario}/{kernel}" in page
    addresses = [part.split('"')[0] for attribute in ("src=", "href=") for part in page.split(f'{attribute}"')[1:]]
    assert addresses
    assert not [address for address in addresses if urlsplit(address).netloc]


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").text == "ready\n"


def test_a_run_that_is_watched_says_what_broke_and_one_that_is_not_says_nothing(client: TestClient) -> None:
    wanted = {"scenario": "mail", "kernel": "linux-2.6.9"}
    assert "violations" not in client.post("/api/v1/runs", json=wanted).json()
    watched = client.post("/api/v1/runs", json=wanted | {"watch": True}).json()["violations"]
    assert [each["violation"]["level"] for each in watched] == ["orange", "yellow", "red"]
    corrected = client.post("/api/v1/runs", json=wanted | {"kernel": "wli-corrected", "watch": True}).json()
    assert corrected["violations"] == []


def test_a_kernel_with_defects_says_so_without_being_asked(client: TestClient) -> None:
    found = client.post("/api/v1/runs", json={"scenario": "lock-drop", "kernel": "wli-posted"}).json()["violations"]
    assert {"first": 85, "last": None} in [{"first": each["first"], "last": each["last"]} for each in found]


def test_the_examples_of_openapi_are_answers_of_this_api(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    kinds = {kind.__name__: kind for kind in openapi.ANSWERS}
    shown = {name: schema["examples"][0] for name, schema in schemas.items() if name in kinds and "examples" in schema}
    assert len(shown) >= 9
    for name, example in shown.items():
        assert json.loads(msgspec.json.encode(msgspec.convert(example, kinds[name], strict=False))) == example, name
    run = dict(client.post("/api/v1/runs", json=MAIL).json())
    assert shown["RunOut"] == run
