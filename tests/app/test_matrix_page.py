"""The pages of all verdicts: what is known is there, what is missing is searched when asked, and is sent as it comes."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import asking, catalogue, matrix, orders
from app.links import RunLink
from app.main import create_app
from app.matrix import MARKS, Board, Place
from app.settings import Settings
from app.verdicts import Verdicts
from engine import KERNELS, OFFERS, PROPERTIES, Budget, gallery
from engine.matrix import NEVER
from tests.app.seeking import LONG, until, workers

pytestmark = pytest.mark.timeout(120)
STOCK, CORRECTED = "linux-2.6.9", "wli-corrected"
LOSS = "no-loss"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(data=tmp_path, rate="")), follow_redirects=False) as client:
        yield client


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The whole gallery is two small scenarios, and a cell is soon decided, or not."""
    few = {name: gallery()[name] for name in ("mail", "tmpfs-read")}
    monkeypatch.setattr("engine.gallery", lambda: few)
    monkeypatch.setattr(asking, "BUDGET_CELL", Budget(states=5_000, seconds=60))
    matrix.asks.cache_clear()
    yield
    matrix.asks.cache_clear()


def cells(page: str) -> dict[str, tuple[str, str]]:
    """The cells that lead somewhere, by name: the verdict, and where to."""
    found = re.findall(r'<a class="cell" id="cell-([^"]+)"[^>]* href="([^"]+)" data-verdict="([^"]+)"', page)
    return {name: (word, html.unescape(url)) for name, url, word in found}


def keep(site: TestClient, kernel: str, name: str = LOSS, **answer: Any) -> None:
    """Have the storage know a verdict."""
    question = asking.cell(orders.order("mail", kernel), name, ())
    blank = {"stopped": "", "states": 7, "transitions": 9, "ends": 1, "panics": 0, "endless": 0, "witnesses": []}
    verdicts: Verdicts = site.app.state.verdicts  # type: ignore[attr-defined]  # a Starlette application has a state
    assert verdicts.put(question.id, question.about | blank | {"seconds": 0.1} | answer)


WAY = {"url": "/run/mail/linux-2.6.9?switch=A", "schedule": "A", "says": "gone", "steps": 9, "preemptions": 0, "shortest": True}  # fmt: skip


def test_the_gallery_is_there_by_chapters_a_column_a_kernel(site: TestClient) -> None:
    page = site.get("/matrix").text
    assert re.findall(r'<th scope="rowgroup"[^>]*><span>([^<]+)<', page) == [
        html.escape(chapter, quote=False).replace("'", "&#39;")
        for chapter in catalogue.grouped(gallery().values(), "chapter")
    ]
    assert re.findall(r'<th scope="row"><a href="/matrix/([^"?]+)">', page) == list(gallery())
    assert re.findall(r'<th scope="col"><a href="/kernel/([^"]+)"', page) == list(KERNELS)
    assert page.count("<td>") == len(gallery()) * len(KERNELS)
    asked = sum(len(catalogue.kernels_with(each.filesystem.type)) for each in gallery().values())
    assert len(cells(page)) == asked
    assert page.count('data-verdict="never existed"') == len(gallery()) * len(KERNELS) - asked + 1  # and the legend
    assert workers() == []


def test_a_scenario_has_each_property_on_each_kernel(site: TestClient) -> None:
    page = site.get("/matrix/mail").text
    able = [kernel.id for kernel in catalogue.kernels_with("ext2")]
    wanted = {f"mail-{kernel}-{name}".replace(".", "_") for kernel in able for name in PROPERTIES}
    assert cells(page).keys() == wanted
    assert 'class="never"' not in page
    assert 'class="never"' in site.get("/matrix/tmpfs-read").text


def test_what_is_known_is_there_at_once_a_broken_cell_leads_to_its_run(site: TestClient) -> None:
    keep(site, STOCK, verdict="broken", witnesses=[WAY])
    keep(site, CORRECTED, verdict="holds")
    for page in (site.get("/matrix").text, site.get("/matrix/mail").text):
        found = cells(page)
        assert found["mail-linux-2_6_9-no-loss"] == ("broken", WAY["url"])
        assert found["mail-wli-corrected-no-loss"] == ("holds", f"/search/mail/{CORRECTED}?property=no-loss")
        assert found["mail-wli-posted-no-loss"] == ("not searched", "/search/mail/wli-posted?property=no-loss")
        for word, mark in (("broken", "✗"), ("holds", "✓")):
            assert f'<span aria-hidden="true">{mark}</span><span class="vh">{word}</span>' in page
    assert workers() == []


def test_no_two_verdicts_have_the_same_mark() -> None:
    marks = [mark for word, mark in MARKS.items() if word not in (matrix.IMPOSSIBLE, NEVER)]
    assert len(set(marks)) == len(marks)


def test_the_page_of_a_search_and_a_matrix_know_what_the_other_found(site: TestClient) -> None:
    keep(site, CORRECTED, verdict="holds")
    assert 'data-verdict="holds"' in site.get(f"/search/mail/{CORRECTED}?property=no-loss").text
    site.post(f"/search/mail/{STOCK}", data={"property": LOSS})
    until(lambda: 'data-state="done"' in site.get(f"/search/mail/{STOCK}?property=no-loss").text, 60)
    word, url = cells(site.get("/matrix").text)["mail-linux-2_6_9-no-loss"]
    assert word == "broken"
    link = RunLink.parse(url)
    assert link is not None
    assert {store["fate"] for store in site.get(link.api()).json()["stores"]} & {"lost", "clean-unsaved"}


def test_what_an_offer_makes_no_sense_for_is_quiet_and_says_why(site: TestClient) -> None:
    page = site.get("/matrix?offer=free").text
    assert "mail-linux-2_6_9-no-loss" in cells(page)
    assert 'data-verdict="cannot be asked" title="' in page
    assert "nobody takes blocks" in page


@pytest.mark.usefixtures("two")
def test_what_is_missing_is_searched_and_each_change_is_sent(site: TestClient) -> None:
    keep(site, CORRECTED, verdict="holds")
    able = catalogue.kernels_with("ext2"), catalogue.kernels_with("tmpfs")
    missing = sum(len(each) for each in able) - 1
    assert f"{missing} cells are not decided yet" in site.get("/matrix").text
    answer = site.post("/matrix", data={"property": LOSS, "do": "search"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/matrix?property=no-loss")
    sent: list[str] = []
    since = 0
    while True:
        part = site.get(f"/matrix?property=no-loss&since={since}", headers={"hx-request": "true"}).text
        assert part.lstrip().startswith('<section class="sweep"')
        assert all('hx-swap-oob="true"' in tag for tag in re.findall(r'<a class="cell"[^>]*>', part))
        sent += [name for name, (word, _) in cells(part).items() if word != "searching"]
        looks = re.search(r'hx-get="/matrix\?property=no-loss&amp;since=(\d+)"', part)
        if looks is None:
            break
        assert int(looks[1]) >= since
        since = int(looks[1])
    assert f"{missing} of {missing} cells searched." in part
    assert len(set(sent)) == missing
    page = site.get("/matrix").text
    assert {word for word, _ in cells(page).values()} <= {"holds", "broken", "undecided"}
    assert cells(page)["mail-linux-2_6_9-no-loss"][0] == "broken"  # kernel facts 7.2
    assert "Every cell has its verdict." in page
    assert "hx-get" not in page
    site.post("/matrix", data={"property": LOSS, "do": "search"})
    assert "hx-get" not in site.get("/matrix").text, "nothing was missing"


@pytest.mark.usefixtures("two")
def test_what_was_found_is_there_after_the_server_has_gone(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(data=tmp_path, rate="")), follow_redirects=False) as first:
        first.post("/matrix/tmpfs-read", data={"do": "search"})
        until(lambda: "Every cell has its verdict." in first.get("/matrix/tmpfs-read").text, 90)
        before = cells(first.get("/matrix/tmpfs-read").text)
    with TestClient(create_app(Settings(data=tmp_path, rate=""))) as second:
        assert cells(second.get("/matrix/tmpfs-read").text) == before
        assert {word for word, _ in before.values()} <= {"holds", "broken"}


def test_a_sweep_is_stopped_and_what_it_found_stays(site: TestClient) -> None:
    site.post("/matrix", data={"property": LOSS, "do": "search"})
    until(lambda: "<output>0 of" not in site.get("/matrix").text, 60)
    assert 'data-verdict="searching"' in site.get("/matrix").text or workers()
    answer = site.post("/matrix", data={"property": LOSS, "do": "stop"})
    assert answer.headers["location"] == "/matrix?property=no-loss"
    part = site.get("/matrix?property=no-loss&since=0", headers={"hx-request": "true"}).text
    assert "not searched" in {word for word, _ in cells(part).values()}, "who looks on sees that it is not searched now"
    page = site.get("/matrix").text
    assert "Search what is missing" in page
    assert 'data-verdict="searching"' not in page
    assert any(word in ("broken", "holds") for word, _ in cells(page).values())
    until(lambda: workers() == [])


def test_a_sweep_of_other_offers_is_another(site: TestClient) -> None:
    form = {"property": LOSS, "offer": ["writeback", "take"], "do": "search"}
    answer = site.post("/matrix", data=form)
    assert answer.headers["location"] == "/matrix?property=no-loss&offer=writeback&offer=take"
    assert "hx-get" in site.get(answer.headers["location"]).text
    assert "hx-get" not in site.get("/matrix").text
    site.post("/matrix", data=form | {"do": "stop"})


def test_undecided_for_lack_of_time_is_missing_and_for_lack_of_states_is_not(site: TestClient) -> None:
    board = Board((), scenario="mail")
    keep(site, STOCK, verdict="undecided", stopped="seconds")
    keep(site, CORRECTED, verdict="undecided", stopped="states")
    verdicts: Verdicts = site.app.state.verdicts  # type: ignore[attr-defined]  # a Starlette application has a state
    missing = board.missing(board.known(verdicts, None))
    assert Place("mail", STOCK, LOSS) in missing
    assert Place("mail", CORRECTED, LOSS) not in missing


def test_the_offers_are_all_there_and_those_that_are_asked_are_ticked(site: TestClient) -> None:
    query = "&".join(f"offer={each}" for each in LONG)
    for path in ("/matrix", "/matrix/mail"):
        page = site.get(f"{path}?{query}").text
        boxes = re.findall(r'<input type="checkbox" name="offer" value="([^"]+)"( checked)?>', page)
        assert [name for name, _ in boxes] == list(OFFERS)
        assert {name for name, checked in boxes if checked} == set(LONG)


def test_the_gallery_and_a_scenario_lead_to_it(site: TestClient) -> None:
    assert 'href="/matrix"' in site.get("/").text
    assert 'href="/matrix"' in site.get("/matrix/mail").text
    assert 'href="/matrix/mail"' in site.get("/scenario/mail").text
