"""The pages that search: a form, progress without scripts, each way a run, the same on every kernel, and the curve."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.links import RunLink
from app.main import create_app
from app.settings import Settings
from engine import OFFERS, PROPERTIES
from engine.kernels import KERNELS
from tests.app.conftest import INLINE
from tests.app.seeking import LONG, until

pytestmark = pytest.mark.timeout(180)
MAIL = "/search/mail/linux-2.6.9"
SLOW = "/search/mail/wli-corrected?property=no-loss&" + "&".join(f"offer={each}" for each in LONG)
MANY = "/search/mail/linux-2.6.9?property=no-loss&" + "&".join(f"offer={each}" for each in LONG)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A site with its searches."""
    app = create_app(Settings(data=tmp_path_factory.mktemp("site"), rate=""))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def stands(page: str) -> str:
    """The verdict, or how far the search is."""
    found = re.search(r'<(?:section|tr)[^>]* data-verdict="([^"]*)"', page)
    return found[1] if found else ""


def search(pages: TestClient, address: str) -> str:
    """What the form of a page sends; where it leads to."""
    path, _, query = address.partition("?")
    answer = pages.post(path, content=query, headers={"content-type": "application/x-www-form-urlencoded"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{address}#found")
    return address


def found(pages: TestClient, address: str) -> str:
    """What a search has found in the end."""
    search(pages, address)
    until(lambda: stands(pages.get(address).text) not in ("waiting", "searching"), 90)
    return pages.get(address).text


def part(pages: TestClient, address: str) -> Any:
    """What htmx is sent."""
    return pages.get(address, headers={"hx-request": "true"})


def test_the_form_asks_everything_that_there_is_and_begins_nothing(pages: TestClient) -> None:
    page = pages.get(MAIL).text
    assert stands(page) == ""
    assert re.findall(r'name="property" value="([^"]+)"', page) == list(PROPERTIES)
    assert re.findall(r'name="offer" value="([^"]+)"', page) == list(OFFERS)
    assert 'value="no-loss" checked' in page


def test_each_way_that_is_found_opens_as_a_run(pages: TestClient) -> None:
    page = found(pages, f"{MAIL}?property=no-loss")
    assert stands(page) == "broken"
    ways = [html.unescape(url) for url in re.findall(r'<li><a href="([^"]+)" id="way-\d+"><b>', page)]
    assert ways
    for url in ways:
        link = RunLink.parse(url)
        assert link is not None
        assert pages.get(url).status_code == 200
        assert {store["fate"] for store in pages.get(link.api()).json()["stores"]} & {"lost", "clean-unsaved"}


def test_what_holds_says_of_how_many_states(pages: TestClient) -> None:
    page = found(pages, "/search/mail/wli-corrected?property=no-loss-untold")
    assert stands(page) == "holds"
    assert re.search(r"True of every run: [\d,]+ states and [\d,]+ ends", page)
    assert "pagefate explore mail --kernel wli-corrected --property no-loss-untold" in page


def test_to_look_begins_no_search(pages: TestClient) -> None:
    address = f"{MAIL}?property=accounts-balance&offer=take"
    pages.get(address)
    page = pages.get(address).text
    assert stands(page) == "unknown"
    assert "Not searched yet." in page
    assert "hx-get" not in page
    assert 'value="accounts-balance" checked' in page
    assert 'value="take" checked' in page
    form = page.partition('id="found"')[2].partition("</form>")[0]
    assert f'method="post" action="{MAIL}"' in form
    sent = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', form)
    assert search(pages, MAIL + "?" + "&".join("=".join(field) for field in sent)) == address
    assert stands(pages.get(address).text) != "unknown"


def test_a_verdict_that_is_known_is_there_at_once(pages: TestClient) -> None:
    address = f"{MAIL}?property=no-loss-untold"
    known = found(pages, address)
    assert search(pages, address) == address
    assert pages.get(address).text == known


def test_who_has_scripts_gets_the_figures_and_all_of_it_when_more_has_changed(pages: TestClient) -> None:
    search(pages, MANY)
    until(lambda: 'id="way-1"' in pages.get(MANY).text, 60)
    (looks,) = re.findall(r'hx-get="([^"]+)"', pages.get(MANY).text)
    looks = html.unescape(looks)
    figures = part(pages, looks)
    assert figures.text.lstrip().startswith('<p class="progress"')
    assert "hx-retarget" not in figures.headers
    whole = part(pages, MANY)
    assert whole.text.lstrip().startswith("<section")
    assert (whole.headers["hx-retarget"], whole.headers["hx-reswap"]) == ("#found", "outerHTML")
    assert re.search(r'hx-swap-oob="innerHTML:#found-said">\d+ ways? found so far', whole.text)
    assert pages.get(MANY).headers["vary"] == whole.headers["vary"] == "Accept-Encoding, HX-Request"


def test_a_way_is_a_link_before_the_search_is_over_and_after_it_was_stopped(pages: TestClient) -> None:
    search(pages, MANY)
    until(lambda: 'id="way-1"' in pages.get(MANY).text, 60)
    page = pages.get(MANY).text
    assert stands(page) == "searching"
    assert "not yet the shortest" in page
    (way, *_) = re.findall(r'<li><a href="([^"]+)" id="way-1"', page)
    assert pages.get(html.unescape(way).partition("#")[0]).status_code == 200
    (stop,) = re.findall(r'<form method="post" action="([^"]+cancel)"', page)
    pages.post(stop)
    until(lambda: stands(pages.get(MANY).text) == "broken")
    page = pages.get(MANY).text
    assert "The search was stopped before the shortest were known" in page
    assert 'id="way-1"' in page


def test_a_search_that_is_stopped_shows_how_far_it_got_and_is_begun_again_when_asked(pages: TestClient) -> None:
    search(pages, SLOW)
    page = pages.get(SLOW).text
    assert stands(page) in ("waiting", "searching")
    (stop,) = re.findall(r'<form method="post" action="([^"]+cancel)"', page)
    assert html.unescape(SLOW) in html.unescape(page.partition("needs-none")[2].partition("</a>")[0])
    until(lambda: " states in " in pages.get(SLOW).text)
    assert pages.post(stop, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    answer = pages.post(stop)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SLOW}#found")
    until(lambda: stands(pages.get(SLOW).text) == "undecided")
    assert "then the search was stopped" in pages.get(SLOW).text
    search(pages, SLOW)
    assert stands(pages.get(SLOW).text) in ("waiting", "searching"), "who asks anew gets a new search"
    pages.post(stop)
    until(lambda: stands(pages.get(SLOW).text) == "undecided")


def test_who_waits_is_told_its_place(pages: TestClient) -> None:
    search(pages, SLOW)
    other = SLOW.replace("no-loss", "no-private-byte")
    search(pages, other)
    assert "At place 1 in the queue." in pages.get(other).text
    for address in (other, SLOW):
        pages.post(re.findall(r'<form method="post" action="([^"]+cancel)"', pages.get(address).text)[0])
    until(lambda: stands(pages.get(SLOW).text) == "undecided")


def test_no_other_site_may_search(pages: TestClient) -> None:
    for path in (MAIL, "/matrix", "/matrix/mail"):
        refused = pages.post(path, data={"property": "no-loss"}, headers={"sec-fetch-site": "cross-site"})
        assert refused.status_code == 403


def test_a_search_that_is_not_there_can_not_be_stopped(pages: TestClient) -> None:
    refused = pages.post("/search/abcdefghjkmn/cancel", headers={"accept": "text/html"})
    assert refused.status_code == 404
    assert "Ask the question again" in refused.text


def test_a_link_has_its_search(pages: TestClient) -> None:
    link = pages.post("/api/v1/links", json={"scenario": INLINE, "kernel": "linux-2.6.9"}).json()["id"]
    assert f'action="/search/{link}"' in pages.get(f"/search/{link}").text
    assert f'href="/search/{link}"' in pages.get(f"/s/{link}").text
    page = found(pages, f"/search/{link}?property=no-loss")
    assert stands(page) == "broken"
    other = pages.get(f"/search/{link}?kernel=wli-corrected").text
    assert KERNELS["wli-corrected"].short in other
    assert f'action="/search/{link}?kernel=wli-corrected"' in other


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (f"{MAIL}?property=no-los", 422, "no-loss"),
        (f"{MAIL}?property=no-loss&offer=write-back", 422, "writeback"),
        ("/search/mail/linux-2.7", 404, "linux-2"),
        ("/search/aaaaaaaaaaaa", 404, "No link"),
        ("/matrix/mial", 404, "mail"),
        ("/matrix?property=no-los", 422, "no-loss"),
        ("/matrix/mail?offer=write-back", 422, "writeback"),
        ("/curve/mail?of=bob", 422, "no quota"),
    ],
)
def test_what_is_not_there_is_named_with_a_cure(pages: TestClient, path: str, status: int, says: str) -> None:
    answer = pages.get(path, headers={"accept": "text/html"})
    assert answer.status_code == status
    assert says in answer.text


def test_the_curve_draws_every_kernel(pages: TestClient) -> None:
    page = pages.get("/curve/quota")
    assert page.status_code == 200
    assert page.text.count('<svg viewBox="-14') == sum("ext2" in kernel.filesystems for kernel in KERNELS.values())
    assert 'href="/curve/quota?of=alice"' in page.text
    assert "in the quota of alice" in pages.get("/curve/quota?of=alice").text


def test_a_scenario_and_a_run_lead_to_these_pages(pages: TestClient) -> None:
    scenario = pages.get("/scenario/mail").text
    assert 'href="/matrix/mail"' in scenario
    assert 'href="/curve/mail"' in scenario
    assert f'href="{MAIL}"' in pages.get("/run/mail/linux-2.6.9").text
