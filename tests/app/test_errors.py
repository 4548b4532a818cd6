"""Bad input: where, why and what would be right, in the form the client can read, and never a stack trace."""

import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

import engine
from app.main import create_app
from app.middleware import BodyLimit
from app.settings import Settings
from app.storage import FILE
from engine import EDITION
from tests.app.conftest import INLINE, INLINE_YAML

MAIL = {"scenario": "mail", "kernel": "linux-2.6.9"}
LINE = "/scenario/tasks/A/script/1"


def with_line(line: str) -> dict[str, Any]:
    """A request with a scenario whose second script line is `line`."""
    script = [INLINE["tasks"]["A"]["script"][0], line]
    return {"scenario": {**INLINE, "tasks": {"A": {"user": "alice", "script": script}}}}


BAD_BODIES: list[tuple[dict[str, Any], str, str, str]] = [
    ({**MAIL, "kernel": "linux-2.6"}, "unknown-kernel", "/kernel", "linux-2.6.9"),
    ({**MAIL, "scenario": "mial"}, "unknown-scenario", "/scenario", "mail"),
    ({**MAIL, "filesystem": "ext9"}, "bad-scenario", "/filesystem", "ext2"),
    ({**MAIL, "schedule": "A@do_no_page.enough_spice>B"}, "bad-schedule", "/schedule", "enough_space"),
    ({**MAIL, "schedule": "A@do_some_page.set_pte>B"}, "bad-schedule", "/schedule", "do_no_page"),
    ({**MAIL, "schedule": "A@do_no_page.set_pte>Z"}, "bad-schedule", "/schedule", "B"),
    ({**MAIL, "schedule": "what?"}, "bad-schedule", "/schedule", "A@do_no_page.enough_space>B"),
    ({"kernel": "linux-2.6.9"}, "bad-request", "/scenario", '"scenario"'),
    ({"scenari": "mail", "scenario": "mail"}, "bad-request", "/scenari", "scenario"),
    ({**MAIL, "kernel": 269}, "bad-request", "/kernel", "one of /api/v1/kernels"),
    ({"scenario": None}, "bad-request", "/scenario", "its YAML text"),
    ({**MAIL, "schedule": ["B", 7]}, "bad-request", "/schedule/1", "a list of texts"),
    (with_line("m[2P] = "), "bad-scenario", LINE, 'm[2P] = "C"'),
    (with_line("n[0] = 'C'"), "bad-scenario", LINE, "m"),
    (with_line("msink(m, SYNC)"), "bad-scenario", LINE, "msync"),
    (with_line("pwrite(g, 'C', 0)"), "bad-scenario", LINE, "f"),
    (with_line("__import__('os').system('true')"), "bad-scenario", LINE, ""),
    ({"scenario": {**INLINE, "machine": {"frames": 10**9}}}, "bad-scenario", "/scenario/machine/frames", "1024"),
]


@pytest.mark.parametrize(("body", "kind", "path", "cure"), BAD_BODIES)
def test_a_refusal_names_the_place_and_what_would_be_right(
    client: TestClient, body: dict[str, Any], kind: str, path: str, cure: str
) -> None:
    response = client.post("/api/v1/runs", json=body)
    problem = response.json()
    assert response.status_code == problem["status"] == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/docs#{kind}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["limits"]["body_bytes"] == 256 * 1024
    found = next(each for each in problem["problems"] if each["path"].startswith(path))
    assert found["message"]
    assert cure in found["cure"]
    assert client.post("/api/v1/links", json=body).json() == problem | {"instance": "/api/v1/links"}


def test_every_kind_of_trouble_is_explained_in_the_documentation(client: TestClient) -> None:
    page = client.get("/docs").text
    for body, *_ in BAD_BODIES:
        assert f'id="{client.post("/api/v1/runs", json=body).json()["type"].partition("#")[2]}"' in page


def test_yaml_has_lines_and_columns(client: TestClient) -> None:
    text = INLINE_YAML.replace('m[1P] = "D"', "msync(n)")
    (problem,) = client.post("/api/v1/runs", json={"scenario": text}).json()["problems"]
    assert problem["line"] == 1 + INLINE_YAML[: INLINE_YAML.index('m[1P] = "D"')].count("\n")
    assert problem["column"] == len("      - msync(n")


def test_all_problems_come_at_once(client: TestClient) -> None:
    body = {"scenario": {**INLINE, "machine": {"frames": 1}, "filesystem": {"blocks": -1}, "titel": "x"}}
    assert len(client.post("/api/v1/runs", json=body).json()["problems"]) >= 3


def test_json_that_breaks_off_has_its_place(client: TestClient) -> None:
    response = client.post(
        "/api/v1/runs", content='{\n  "scenario" "mail"}', headers={"Content-Type": "application/json"}
    )
    (problem,) = response.json()["problems"]
    assert response.status_code == 422
    assert (problem["line"], problem["column"]) == (2, 14)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"3", b'"mail"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000]
)
def test_what_is_no_request_is_refused(client: TestClient, content: bytes) -> None:
    response = client.post("/api/v1/runs", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert '{"scenario": "mail"' in response.json()["cure"]


def test_a_body_that_is_not_sent_as_json_is_told_how(client: TestClient) -> None:
    for media_type in ("application/x-www-form-urlencoded", "text/plain"):
        response = client.post("/api/v1/runs", content=b'{"scenario": "mail"}', headers={"Content-Type": media_type})
        assert response.status_code == 415
        assert "Content-Type: application/json" in response.json()["cure"]


@pytest.mark.parametrize(
    ("content", "why"), [(b'{"scenario": "\xff"}', "byte 15"), (b'{"scenario": ' + b"9" * 5_000 + b"}", "number")]
)
def test_a_body_that_can_not_be_read_says_why(client: TestClient, content: bytes, why: str) -> None:
    response = client.post("/api/v1/runs", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert why in response.json()["detail"]


def test_data_that_is_nested_deep_is_refused(client: TestClient) -> None:
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    (problem,) = client.post("/api/v1/runs", json={"scenario": {**INLINE, "files": deep}}).json()["problems"]
    assert "more than 12 deep" in problem["message"]


def test_a_crowd_is_refused_in_one_sentence(client: TestClient) -> None:
    crowd = {f"T{number}": {"script": ["exit()"]} for number in range(5_000)}
    (problem,) = client.post("/api/v1/runs", json={"scenario": {**INLINE, "tasks": crowd}}).json()["problems"]
    assert problem["path"] == "/scenario/tasks"
    assert problem["cure"].startswith("The limit is ")


def test_of_very_many_problems_the_first_are_listed(client: TestClient) -> None:
    script = ["what?"] * 150
    problems = client.post(
        "/api/v1/runs", json={"scenario": {**INLINE, "tasks": {"A": {"user": "alice", "script": script}}}}
    )
    assert [problem["path"] for problem in problems.json()["problems"]][:40] == [
        f"/scenario/tasks/A/script/{n}" for n in range(40)
    ]
    assert problems.json()["problems"][40]["message"] == "110 more problems are not listed"


async def asked_for_a_body(length: int) -> bool:
    """Whether the limit waits for the body of a request that says it has this length."""
    asked = False

    async def receive() -> Message:
        nonlocal asked
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        pass

    async def application(_scope: Scope, receive: Receive, _send: Send) -> None:
        with suppress(HTTPException):
            await receive()

    scope = {"type": "http", "headers": [(b"content-length", str(length).encode())]}
    await BodyLimit(application, limit=100)(scope, receive, send)
    return asked


def test_a_body_that_says_it_is_too_large_is_not_waited_for() -> None:
    with start_blocking_portal() as portal:
        assert not portal.call(asked_for_a_body, 101)
        assert portal.call(asked_for_a_body, 100)


def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so(client: TestClient) -> None:
    large = json.dumps({"scenario": "x" * 300_000}).encode()
    for content in (large, iter([large[:200_000], large[200_000:]])):
        response = client.post("/api/v1/runs", content=content, headers={"Content-Type": "application/json"})
        assert response.status_code == 413
        assert "262144" in response.json()["cure"]


@pytest.mark.parametrize(
    "text",
    [
        "x: " + "a" * 200_000,
        "tasks: " + "[" * 10_000,
        "a: &a [x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]",
        "title: !!python/object/apply:os.system [true]",
        "{" * 5_000,
        "\0",
        "title: x\n\ttasks: y",
    ],
)
def test_a_text_that_is_no_scenario_is_refused(client: TestClient, text: str) -> None:
    response = client.post("/api/v1/runs", json={"scenario": text})
    assert response.status_code == 422
    for problem in response.json()["problems"]:
        assert problem["message"]


@pytest.mark.parametrize(
    ("url", "status", "kind", "said"),
    [
        ("/run/mial/linux-2.6.9", 404, "unknown-scenario", "mail"),
        ("/run/mail/linux-2.6", 404, "unknown-kernel", "linux-2.6.9"),
        ("/run/title:%20x/linux-2.6.9", 404, "unknown-scenario", "mail"),
        ("/run/mail/linux-2.6.9?switch=A@do_no_page.nope%3EB", 422, "bad-schedule", "nopage"),
        ("/run/mail/linux-2.6.9?fs=ext9", 422, "bad-scenario", "ext2"),
        ("/run/mail/linux-2.6.9/step/3.gif", 404, "not-found", ".txt"),
        ("/s/abcdefghjkmn", 404, "unknown-link", "gallery"),
        ("/s/..%2F..%2Fetc", 404, "not-found", "/"),
        ("/s/0", 404, "unknown-link", "letter by letter"),
        ("/kernel/linux", 404, "unknown-kernel", "linux-2.6.9"),
        ("/scenario/male", 404, "unknown-scenario", "mail"),
        ("/scenario/male.yaml", 404, "unknown-scenario", "mail"),
        ("/nothing/here", 404, "not-found", "/docs"),
    ],
)
def test_an_address_that_leads_nowhere_is_explained_in_every_form(
    client: TestClient, url: str, status: int, kind: str, said: str
) -> None:
    problem = client.get(url, headers={"Accept": "application/json"})
    text = client.get(url, headers={"Accept": "text/plain"})
    page = client.get(url, headers={"Accept": "text/html"})
    assert problem.status_code == text.status_code == page.status_code == status
    assert problem.json()["type"] == f"/docs#{kind}"
    assert said in problem.json()["cure"]
    assert said in text.text
    assert said in page.text
    assert "<h1>" in page.text
    assert 'href="/"' in page.text
    for response in (problem, text, page):
        assert "Accept" in response.headers["vary"]
        assert "Traceback" not in response.text


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("/api/v1/nothing", "application/problem+json"),
        ("/api/v1/runs/mail/linux", "application/problem+json"),
        ("/api/v1/links/abcdefghjkmn", "application/problem+json"),
        ("/run/mail/linux.json", "application/problem+json"),
        ("/run/mail/linux.txt", "text/plain; charset=utf-8"),
        ("/run/mail/linux", "text/html; charset=utf-8"),
    ],
)
def test_the_address_says_in_which_form_it_fails(client: TestClient, url: str, media_type: str) -> None:
    for headers in ({}, {"Accept": "*/*"}):
        assert client.get(url, headers=headers).headers["content-type"] == media_type


@pytest.mark.parametrize("n", ["99999", "-1", "two", "1e400"])
def test_a_step_that_is_not_there_is_named(client: TestClient, n: str) -> None:
    response = client.get(f"/api/v1/runs/mail/linux-2.6.9/steps/{n}")
    assert response.status_code in (404, 422)
    assert response.json()["problems"][0]["cure"]


def test_what_somebody_wrote_is_never_markup(client: TestClient) -> None:
    page = client.get("/run/%3Cscript%3Ealert(1)%3C%2Fscript%3E/linux-2.6.9").text
    assert "alert(1)" not in page or "<script>alert" not in page
    title = {**INLINE, "title": "</script><script>alert(1)</script>"}
    url = client.post("/api/v1/links", json={"scenario": title}).json()["url"]
    assert "<script>alert" not in client.get(url).text


def test_a_method_that_is_not_taken_is_named(client: TestClient) -> None:
    response = client.request("DELETE", "/api/v1/runs")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert "POST" in response.json()["cure"]


@pytest.mark.parametrize("accept", ["text/html", "application/json", "text/plain"])
def test_what_nobody_foresaw_is_calm_and_has_a_ticket(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, accept: str
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("the secret of line 7")

    monkeypatch.setattr(engine, "run", fails)
    response = client.get("/run/mail/linux-2.6.9", headers={"Accept": accept})
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    (logged,) = (record for record in caplog.records if record.exc_info)
    assert isinstance(logged.args, tuple)
    assert str(logged.args[0]) in response.text
    assert "default-src" in response.headers["content-security-policy"]


def test_a_panic_of_the_machine_names_the_step(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def panics(*_: object, **__: object) -> None:
        raise engine.Panic("entry not none", "A", "do_no_page.set_pte")

    monkeypatch.setattr(engine, "run", panics)
    response = client.get("/api/v1/runs/mail/linux-2.6.9")
    assert response.status_code == 500
    assert response.json()["type"] == "/docs#panic"
    assert "do_no_page.set_pte" in response.json()["detail"]
    assert response.json()["ticket"] in response.json()["cure"]


def test_storage_that_can_not_be_reached_stops_only_links(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    client = TestClient(create_app(Settings(data=tmp_path / "file" / "folder")), raise_server_exceptions=False)
    assert client.get("/run/mail/linux-2.6.9").status_code == 200
    assert client.post("/api/v1/runs", json=MAIL).status_code == 200
    assert client.get("/healthz").status_code == 200
    for response in (client.post("/api/v1/links", json=MAIL), client.get("/readyz")):
        assert response.status_code == 503
        assert str(tmp_path) not in response.text  # the operator's log has it


def test_no_room_for_another_link_is_said(tmp_path: Path) -> None:
    client = TestClient(create_app(Settings(data=tmp_path, max_stored=64 * 1024)), raise_server_exceptions=False)
    statuses = [client.post("/api/v1/links", json={"scenario": {**INLINE, "story": f"{n} " * 900}}) for n in range(40)]
    assert [statuses[0].status_code, statuses[-1].status_code] == [201, 507]
    assert client.get(statuses[0].json()["url"]).status_code == 200


def test_a_link_of_another_edition_that_can_not_be_run_says_so(client: TestClient, tmp_path: Path) -> None:
    link = client.post("/api/v1/links", json={**MAIL, "schedule": "A@do_no_page.set_pte>B"}).json()["id"]
    with closing(sqlite3.connect(tmp_path / "data" / FILE, isolation_level=None)) as raw:
        edited = f"replace(replace(content, '\"edition\":{EDITION}', '\"edition\":0'), 'set_pte', 'set_ptes')"
        raw.execute(f"UPDATE links SET content = {edited}")  # noqa: S608 - the text stands above
    response = client.get(f"/api/v1/links/{link}")
    assert response.status_code == 410
    assert "edition 0" in response.json()["detail"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEYS = ("title", "machine", "filesystem", "files", "tasks", "schedule", "id", "story")
scenario_parts = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, json_values))


@given(body=st.fixed_dictionaries({}, optional={
    "scenario": json_values | scenario_parts | scenario_parts.map(lambda parts: {**INLINE, **parts}),
    "kernel": json_values | st.just("linux-2.6.9"),
    "schedule": json_values,
}))  # fmt: skip
@how(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_nothing_that_anybody_sends_is_unforeseen(client: TestClient, body: dict[str, Any]) -> None:
    response = client.post("/api/v1/runs", json=body)
    assert response.status_code in (200, 201, 422)
    if response.status_code == 422:
        assert response.json()["problems"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ('{"scenario": "mail", "kernel": "a", "kernel": "linux-2.6.9"}', ["/kernel"]),
        ('{"scenario": {"title": "t", "tasks": {"A": {"user": "a"}, "A": {}}}}', ["/scenario/tasks/A"]),
        (
            '{"scenario": "mail", "scenario": "mail", "schedule": [{"a": 1, "a": 2, "a": 3}]}',
            ["/scenario", "/schedule/0/a"],
        ),
    ],
)
@pytest.mark.parametrize("url", ["/api/v1/runs", "/api/v1/links"])
def test_a_key_that_stands_twice_in_a_body_is_refused(
    client: TestClient, url: str, body: str, paths: list[str]
) -> None:
    answer = client.post(url, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert [problem["path"] for problem in answer.json()["problems"]] == paths
    assert answer.json()["cure"] == "Keep one of them"


@pytest.mark.parametrize("query", ["step=99999", "step=-1", "at=nonsense", "at=A.99"])
def test_data_of_a_step_that_is_not_there_is_a_problem(client: TestClient, query: str) -> None:
    answer = client.get(f"/run/mail/linux-2.6.9.json?{query}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "0 is the beginning" in answer.json()["cure"]
    assert client.get("/run/mail/linux-2.6.9.json?step=3&at=A.2").status_code == 200
