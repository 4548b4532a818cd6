"""The pages: every run has one, at every step, for people and for htmx."""

import re
import zlib
from collections.abc import MutableMapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import catalogue, links
from app.main import create_app
from app.settings import Settings
from engine import KERNELS, gallery
from tests.app.conftest import INLINE
from tests.engine.build import RESERVE, possible

MAIL = "/run/mail/linux-2.6.9"


class Addresses(HTMLParser):
    """The addresses that a page names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its signature
        self.found += [value for name, value in attrs if name in ("href", "src", "hx-get") and value]


def step_of(page: str) -> int:
    """The step that a run page shows."""
    found = re.search(r'<fault-theatre[^>]* data-step="(\d+)"', page)
    assert found is not None
    return int(found[1])


def test_the_gallery_leads_to_every_scenario_on_every_kernel(client: TestClient) -> None:
    addresses = set(Addresses(client.get("/").text).found)
    for scenario, kernel in possible():
        assert links.RunLink(scenario, kernel).url() in addresses


def test_every_kernel_and_scenario_has_a_page(client: TestClient) -> None:
    for url in (*map(links.kernel, KERNELS), *map(links.scenario, gallery())):
        response = client.get(url)
        assert response.status_code == 200, url
        assert "<h1>" in response.text


@pytest.mark.timeout(900)  # it opens every run of the gallery, and browsers may be at work beside it
def test_no_page_names_an_address_that_is_not_there(client: TestClient) -> None:
    seen: set[str] = set()
    for page in ("/", MAIL, "/kernel/wli-posted", "/scenario/mail", "/docs", "/nothing"):
        for address in Addresses(client.get(page).text).found:
            parts = urlsplit(address)
            assert parts.netloc in ("", "testserver"), f"{page} names {address}"
            if parts.path and address not in seen:
                seen.add(address)
                assert client.get(address).status_code == 200, f"{page} names {address}"


def test_a_run_opens_where_it_is_asked_to(client: TestClient) -> None:
    assert step_of(client.get(f"{MAIL}?step=17").text) == 17
    assert step_of(client.get(f"{MAIL}?step=0").text) == 0


def test_a_step_beyond_the_end_is_the_last(client: TestClient) -> None:
    steps = client.get(f"{MAIL}.json").json()["steps"]
    assert step_of(client.get(f"{MAIL}?step=999999").text) == steps
    assert step_of(client.get(f"{MAIL}?step=-3").text) == 0


def test_a_step_can_be_named_by_what_happens_in_it(client: TestClient) -> None:
    trace = client.get(f"{MAIL}.json").json()["trace"]
    wanted = next(step["n"] for step in trace if step["event"] == "A.2.do_no_page.set_pte")
    assert step_of(client.get(f"{MAIL}?at=A.2.do_no_page.set_pte").text) == wanted
    begins = next(step["n"] for step in trace if (step["task"], step["line"]) == ("A", 3))
    assert step_of(client.get(f"{MAIL}?at=A.3.do_no_page.set_pte").text) == begins


def test_the_same_event_is_found_under_another_kernel(client: TestClient) -> None:
    for kernel in [name for name in KERNELS if name != RESERVE]:  # where mmap() is refused, nothing is stored
        trace = client.get(f"/run/mail-store-first/{kernel}.json").json()["trace"]
        step = step_of(client.get(f"/run/mail-store-first/{kernel}?at=A.2.do_no_page.enough_space").text)
        event = trace[step - 1]["event"]  # later kernels ask elsewhere: the question is what the address means
        assert (event.startswith("A.2."), event.endswith(".enough_space")) == (True, True), (kernel, event)


def test_without_a_step_a_run_opens_at_the_question(client: TestClient) -> None:
    trace = client.get(f"{MAIL}.json").json()["trace"]
    for address in (MAIL, f"{MAIL}?at=nonsense", f"{MAIL}?step="):
        assert trace[step_of(client.get(address).text) - 1]["name"] == "enough_space"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("step=999999", "There is no step 999999: this run has 121 steps. Shown instead: step 121,"),
        ("step=-3", "There is no step -3: this run has 121 steps. Shown instead: the beginning."),
        ("at=nonsense", "Nothing happens at &#39;nonsense&#39;: this run has 121 steps. Shown instead: step "),
        ("at=A.99", "Nothing happens at &#39;A.99&#39;"),
    ],
)
def test_an_address_that_names_no_step_is_told_so(client: TestClient, query: str, said: str) -> None:
    page = client.get(f"{MAIL}?{query}").text
    assert f'<p class="astray">{said}' in page


@pytest.mark.parametrize("query", ["", "step=0", "step=17", "step=", "at=", "at=A.2", "at=A.2.do_no_page.no_such_step"])
def test_an_address_that_names_a_step_needs_no_word(client: TestClient, query: str) -> None:
    assert "astray" not in client.get(f"{MAIL}?{query}").text


def test_a_step_that_is_no_number_is_explained(client: TestClient) -> None:
    response = client.get(f"{MAIL}?step=two")
    assert response.status_code == 422
    assert "step=1" in response.text


def test_a_short_link_opens_on_its_step(client: TestClient) -> None:
    url = client.post("/api/v1/links", json={"scenario": INLINE, "kernel": "wli-corrected"}).json()["url"]
    page = client.get(f"{url}?step=5").text
    assert step_of(page) == 5
    assert f"{url}?step=4" in page
    assert f"{url}?step=6" in page


def test_a_form_makes_a_link_without_scripts(client: TestClient) -> None:
    form = {"scenario": "mail", "kernel": "wli-posted", "switch": "A@do_no_page.set_pte>B", "step": "9"}
    made = client.post("/links", data=form)
    assert made.status_code == 303
    assert step_of(client.get(made.headers["location"]).text) == 9
    link = made.headers["location"].removeprefix("/s/").partition("?")[0]
    assert client.get(f"/api/v1/links/{link}").json()["schedule"] == "A@do_no_page.set_pte>B"


def test_htmx_gets_the_theatre_alone(client: TestClient) -> None:
    whole, part = client.get(MAIL), client.get(MAIL, headers={"HX-Request": "true"})
    assert "<!doctype html>" in whole.text
    assert "<!doctype html>" not in part.text
    assert part.text.count("<fault-theatre") == 1
    assert step_of(whole.text) == step_of(part.text)
    assert "HX-Request" in whole.headers["vary"]
    assert whole.headers["etag"] != part.headers["etag"]


def test_htmx_gets_the_whole_page_when_it_restores_history(client: TestClient) -> None:
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<!doctype html>" in client.get(MAIL, headers=headers).text


def test_a_page_that_did_not_change_is_not_sent_again(client: TestClient) -> None:
    first = client.get(f"{MAIL}?step=3")
    again = client.get(f"{MAIL}?step=3", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "no-cache" in first.headers["cache-control"]


@pytest.mark.parametrize("packing", ["gzip", "identity"])
def test_a_page_that_has_to_be_made_comes_in_two_parts(tmp_path: Path, packing: str) -> None:
    site = create_app(Settings(data=tmp_path))
    headers = [(b"host", b"x"), (b"accept", b"text/html"), (b"accept-encoding", packing.encode())]
    with start_blocking_portal() as portal:
        first, again = (portal.call(body_parts, site, f"{MAIL}?step=4", headers) for _ in range(2))
    assert (len(first), len(again)) == (2, 1)
    assert first[0] + first[1] == again[0]
    unpacked = zlib.decompressobj(31) if packing == "gzip" else None
    head = (unpacked.decompress(first[0]) if unpacked else first[0]).decode()
    assert "fault-theatre.js" in head
    assert "site" in head
    assert "<body>" not in head


async def body_parts(site: FastAPI, url: str, headers: list[tuple[bytes, bytes]]) -> list[bytes]:
    """The parts in which the body of an answer is sent, straight through ASGI."""
    path, _, query = url.partition("?")
    parts: list[bytes] = []
    asked: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not asked:
            await anyio.sleep_forever()
        return asked.pop()

    async def send(message: MutableMapping[str, Any]) -> None:
        parts.extend([message["body"]] if message.get("body") else [])

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "headers": headers, "server": ("x", 80),
        "client": ("x", 1), "root_path": "",
    }  # fmt: skip
    await site(scope, receive, send)
    return parts


def test_the_same_address_is_data_for_who_wants_data(client: TestClient) -> None:
    assert client.get(MAIL, headers={"Accept": "application/json"}).json()["scenario"] == "mail"
    assert client.get(MAIL, headers={"Accept": "text/plain"}).text == client.get(f"{MAIL}.txt").text
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    for accept in (browser, "*/*", "text/*", "text/html;q=0.9,application/json;q=0.8", "", "nonsense;q=x"):
        assert "text/html" in client.get(MAIL, headers={"Accept": accept}).headers["content-type"], accept


@pytest.mark.parametrize("url", ["/", MAIL, "/api/v1/kernels", "/healthz", "/nothing", "/static/x/nothing.js"])
def test_every_answer_guards_its_reader(client: TestClient, url: str) -> None:
    headers = client.get(url).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in headers


def test_no_page_has_script_or_style_inline(client: TestClient) -> None:
    for url in ("/", MAIL, "/docs", "/kernel/wli-posted", "/scenario/mail", "/nothing"):
        page = client.get(url).text
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=", page), url
        for attributes in re.findall(r"<script\b([^>]*)>", page):
            assert "src=" in attributes or 'type="application/json"' in attributes, url


def test_a_run_page_is_small_enough_for_a_phone(client: TestClient) -> None:
    packed = {"Accept-Encoding": "gzip"}
    page = [client.get(MAIL, headers=packed) for _ in range(2)][-1]  # its length is known when it is made
    parts = [page, *(client.get(url, headers=packed) for url in set(re.findall(r'"(/static/[^"]+)"', page.text)))]
    sizes = [int(part.headers["content-length"]) for part in parts]
    assert len(sizes) > 5
    assert sum(sizes) <= 150_000  # DESIGN 7: the whole page, gzipped


def test_static_files_are_kept_for_ever_under_their_version(client: TestClient) -> None:
    address = next(url for url in Addresses(client.get("/").text).found if url.endswith(".css"))
    response = client.get(address)
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    again = client.get(address, headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304


def test_a_static_file_of_another_version_is_served_and_not_kept(client: TestClient) -> None:
    response = client.get("/static/old/vendor/htmx.min.js")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["../pyproject.toml", "%2e%2e/pyproject.toml", "css/../../pyproject.toml", "/etc/passwd"]
)
def test_nothing_outside_the_static_files_is_served(client: TestClient, path: str) -> None:
    assert client.get(f"/static/x/{path}", follow_redirects=True).status_code == 404


HTMX = {"HX-Request": "true"}


def test_a_page_does_not_wait_for_other_kernels_and_asks_for_them_when_it_is_there(client: TestClient) -> None:
    run = client.post("/api/v1/links", json={"scenario": {**INLINE, "title": "never seen"}}).json()["url"]
    first = client.get(run).text
    assert f'hx-get="{run}/others"' in first
    assert 'hx-trigger="load"' in first
    assert first.count("not run yet") == catalogue.CARDS - 1
    cards = client.get(f"{run}/others", headers=HTMX).text
    assert cards.startswith('<section class="card others"')
    assert "not run yet" not in cards
    assert "hx-trigger" not in cards
    kernel = next(name for name in KERNELS if name != "linux-2.6.9")
    assert "not run yet" not in client.get(f"{run}?kernel={kernel}").text


def test_without_scripts_the_other_kernels_have_a_page_of_their_own(client: TestClient) -> None:
    page = client.get("/run/mail/linux-2.6.9/others?at=A.2.do_no_page.set_pte").text
    assert page.startswith("<!doctype html>")
    for kernel in ("linux-2.6.9", "wli-posted", "wli-corrected", "linux-2.6.19", "linux-6.18"):
        assert f'href="/run/mail/{kernel}?at=A.2.do_no_page.set_pte"' in page
    assert page.count('id="other-') == catalogue.CARDS
    assert "refused, nothing lost" in page
    assert client.get("/run/mail/nothing/others").status_code == 404
