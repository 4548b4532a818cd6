"""The pages that search: a form, progress without scripts, each way a run, the same on every kernel, and the curve."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import search_page, searches
from app.links import RunLink
from app.main import create_app
from app.settings import Settings
from engine import OFFERS, PROPERTIES, Budget
from engine.kernels import KERNELS
from tests.app.conftest import INLINE
from tests.app.seeking import LONG, until

pytestmark = pytest.mark.timeout(180)
MAIL = "/search/mail/linux-2.6.9"
SLOW = "/search/mail/wli-corrected?property=no-loss&" + "&".join(f"offer={each}" for each in LONG)


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


def found(pages: TestClient, address: str, **headers: Any) -> str:
    """What a search has found in the end."""
    until(lambda: stands(pages.get(address).text) not in ("waiting", "searching"), 90)
    return pages.get(address, headers=headers).text


def test_the_form_asks_everything_that_there_is_and_begins_nothing(pages: TestClient) -> None:
    page = pages.get(MAIL).text
    assert stands(page) == ""
    assert re.findall(r'name="property" value="([^"]+)"', page) == list(PROPERTIES)
    assert re.findall(r'name="offer" value="([^"]+)"', page) == list(OFFERS)
    assert 'value="no-loss" checked' in page


def test_each_way_that_is_found_opens_as_a_run(pages: TestClient) -> None:
    page = found(pages, f"{MAIL}?property=no-loss")
    assert stands(page) == "broken"
    ways = [html.unescape(url) for url in re.findall(r'<li><a href="([^"]+)"><b>', page)]
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


def test_who_has_scripts_gets_the_part_that_changes(pages: TestClient) -> None:
    part = found(pages, f"{MAIL}?property=no-loss", **{"hx-request": "true"})
    assert part.lstrip().startswith("<section")
    assert pages.get(f"{MAIL}?property=no-loss").headers["vary"] == "Accept-Encoding, HX-Request"


def test_a_search_that_is_stopped_shows_how_far_it_got_and_is_not_begun_again(pages: TestClient) -> None:
    page = pages.get(SLOW).text
    assert stands(page) in ("waiting", "searching")
    (looks,) = re.findall(r'hx-get="([^"]+)"', page)
    (stop,) = re.findall(r'<form method="post" action="([^"]+)"', page)
    assert html.unescape(looks) in html.unescape(page.split("needs-none")[1])
    looks = html.unescape(looks)
    until(lambda: "0 states in" not in pages.get(looks).text.replace(",", "x"))
    assert pages.post(stop, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    answer = pages.post(stop)
    assert (answer.status_code, answer.headers["location"]) == (303, looks)
    until(lambda: stands(pages.get(looks).text) == "undecided")
    assert "then the search was stopped" in pages.get(looks).text
    assert stands(pages.get(SLOW).text) in ("waiting", "searching"), "who asks anew gets a new search"
    pages.post(stop)
    until(lambda: stands(pages.get(looks).text) == "undecided")


def test_a_link_has_its_search(pages: TestClient) -> None:
    link = pages.post("/api/v1/links", json={"scenario": INLINE, "kernel": "linux-2.6.9"}).json()["id"]
    assert f'action="/search/{link}"' in pages.get(f"/search/{link}").text
    assert f'href="/search/{link}"' in pages.get(f"/s/{link}").text
    page = found(pages, f"/search/{link}?property=no-loss")
    assert stands(page) == "broken"
    other = pages.get(f"/search/{link}?kernel=wli-corrected").text
    assert KERNELS["wli-corrected"].short in other
    assert '<input type="hidden" name="kernel" value="wli-corrected">' in other


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (f"{MAIL}?property=no-los", 422, "no-loss"),
        (f"{MAIL}?property=no-loss&offer=write-back", 422, "writeback"),
        ("/search/mail/linux-2.7", 404, "linux-2"),
        ("/search/aaaaaaaaaaaa", 404, "No link"),
        ("/matrix/mial", 404, "mail"),
        ("/matrix/mail?row=linux-2.7", 404, "whole matrix"),
        ("/curve/mail?of=bob", 422, "no quota"),
    ],
)
def test_what_is_not_there_is_named_with_a_cure(pages: TestClient, path: str, status: int, says: str) -> None:
    answer = pages.get(path, headers={"accept": "text/html"})
    assert answer.status_code == status
    assert says in answer.text


def test_the_matrix_asks_every_kernel_that_has_the_filesystem(
    pages: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_page, "BUDGET_EACH", Budget(states=60, seconds=15))
    page = pages.get("/matrix/room-enough").text
    rows = re.findall(r'<th scope="row"><a href="/kernel/([^"]+)">', page)
    assert rows == [kernel.id for kernel in KERNELS.values() if "ext2" in kernel.filesystems]
    address = html.unescape(re.findall(r'hx-get="([^"]+)"', page)[-1])
    row = found(pages, address, **{"hx-request": "true"})
    assert row.lstrip().startswith("<tr")
    assert stands(row) == "undecided"  # sixty states are not enough for two tasks


def test_a_row_for_which_there_is_no_place_waits_and_asks_again(
    pages: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_page, "BUDGET_EACH", Budget(states=61, seconds=15))
    monkeypatch.setattr(searches, "MOST_WAITING", 0)
    page = pages.get("/matrix/mail")
    assert page.status_code == 200
    assert set(re.findall(r'<tr data-verdict="([^"]*)" hx-get', page.text)) == {"waiting"}
    monkeypatch.undo()


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
