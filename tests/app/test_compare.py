"""The page of a comparison, its data, and what is said of one that can not be."""

import html
import re

import pytest
from fastapi.testclient import TestClient

from app.links import CompareLink
from app.lockstep_page import LockstepPage
from app.view import Value
from engine import gallery
from tests.app.playing import played
from tests.app.side_by_side import side_by_side
from tests.app.test_pages import Addresses

MAIL = "/compare/mail?kernels=linux-2.6.9,wli-corrected,linux-2.6.23"

SCRIPT = """
title: Two stores
files: {f: {owner: alice, size: 2P}}
tasks:
  A: {user: alice, script: ["m = mmap(f, 2P, READ|WRITE, SHARED)", "m[1P] = 'x'"]}
  B: {user: bob, script: ["fill(g)"]}
"""


def test_an_address_is_spelt_as_it_was_parsed() -> None:
    link = CompareLink("mail", ("linux-2.6.9", "wli-corrected+N4"), ("ext2",), ("A@do_no_page.enough_space>B",))
    assert link.url(step=7) == (
        "/compare/mail?kernels=linux-2.6.9,wli-corrected%2BN4&fs=ext2&switch=A@do_no_page.enough_space>B&step=7"
    )
    query = [("kernels", "linux-2.6.9,wli-corrected N4"), ("fs", "ext2"), ("switch", link.switches[0])]
    assert CompareLink.parse("mail", query) == link
    assert CompareLink.parse("mail", [("kernels", "a"), ("kernels", "b")]).kernels == ("a", "b")
    assert link.url(suffix=".json").startswith("/compare/mail.json?")


def test_the_page_opens_on_the_first_difference_and_says_it(client: TestClient) -> None:
    page = client.get(MAIL).text
    assert re.search(r'<kernel-compare [^>]*data-step="45"[^>]* data-difference="45"', page)
    assert "First difference, step 45" in page
    assert "traps, asks ext2 and hears ENOSPC" in page
    assert page.count('<section class="column"') == 3
    assert 'style="' not in page


def test_the_mail_loses_in_silence_or_refuses(client: TestClient) -> None:
    page = client.get(f"{MAIL}&step=999").text
    fates = re.findall(r'data-at="col/\d/badge"[^>]* data-fate="([a-z-]+)"', page)
    assert fates == ["lost", "refused", "lost"]


def test_each_column_leads_to_its_run_at_its_step(client: TestClient) -> None:
    addresses = Addresses(client.get(f"{MAIL}&step=45").text).found
    assert {"/run/mail/linux-2.6.9?step=43", "/run/mail/wli-corrected?step=43"} <= set(addresses)
    assert "/run/mail/linux-2.6.23?step=45" in addresses


def test_without_scripts_every_beat_is_a_link(client: TestClient) -> None:
    addresses = Addresses(client.get(f"{MAIL}&step=9").text).found
    assert {f"{MAIL}&step={step}" for step in (0, 8, 10, 45, 181)} <= set(addresses)


def test_a_run_leads_to_its_comparison(client: TestClient) -> None:
    addresses = Addresses(client.get("/run/mail/wli-posted").text).found
    wanted = next(address for address in addresses if address.startswith("/compare/"))
    assert "wli-posted" in wanted
    assert client.get(wanted).status_code == 200


def test_without_kernels_those_are_compared_that_say_most(client: TestClient) -> None:
    found = client.get("/compare/mail.json").json()
    assert [column["kernel"] for column in found["columns"]] == ["linux-2.6.9", "wli-corrected", "linux-6.18"]
    assert found["url"] == "/compare/mail?kernels=linux-2.6.9,wli-corrected,linux-6.18"


@pytest.mark.parametrize("scenario", gallery())
def test_every_scenario_has_a_comparison_or_a_cure(client: TestClient, scenario: str) -> None:
    found = client.get(f"/compare/{scenario}.json")
    assert found.status_code == 200 or "fs=a,b" in found.json()["cure"], found.text


def test_the_data_has_runs_beats_and_the_difference(client: TestClient) -> None:
    found = client.get(MAIL.replace("/mail?", "/mail.json?")).json()
    assert [column["outcome"] for column in found["columns"]] == ["lost-silent", "refused", "lost-silent"]
    assert found["beats"][0] == [0, 0, 0]
    assert found["beats"][-1] == [column["steps"] for column in found["columns"]]
    assert found["difference"]["beat"] == 45
    assert found["difference"]["sentence"].startswith("2.6.9 maps page 2 writable")
    assert found["difference"]["columns"][1]["value"] == "read-only"


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("kernels=linux-2.6.9", 422, "one alone is no comparison"),
        ("kernels=linux-2.6.9,linux-2.6.9", 422, "one alone is no comparison"),
        ("kernels=linux-2.6.9,wli-posted,wli-corrected,linux-2.6.18,linux-6.18", 422, "no more than four"),
        ("kernels=linux-2.6.9,linux-9", 404, "linux-9"),
        ("kernels=linux-2.6.9,linux-6.18&fs=btrfs", 422, "btrfs"),
        ("fs=ext2,nofs", 404, "nofs"),
        ("kernels=linux-6.1,linux-6.18&fs=ext2,ext4", 422, "no one comparison"),
        ("kernels=linux-2.6.9,linux-6.18&switch=nonsense", 422, "nonsense"),
    ],
)
def test_what_can_not_be_compared_is_told_with_a_cure(client: TestClient, query: str, status: int, said: str) -> None:
    problem = client.get(f"/compare/mail.json?{query}")
    assert (problem.status_code, problem.headers["content-type"]) == (status, "application/problem+json")
    assert said in problem.json()["detail"]
    assert problem.json()["cure"]
    page = client.get(f"/compare/mail?{query}", headers={"Accept": "text/html"})
    assert page.status_code == status
    assert "This can not be compared" in page.text
    assert said in html.unescape(page.text)
    assert 'name="kernels"' in page.text


def test_what_is_not_there_is_not_found(client: TestClient) -> None:
    assert client.get("/compare/nope").status_code == 404
    assert client.get("/compare/mail.svg").status_code == 404
    assert client.get("/compare/mail?step=x", headers={"Accept": "application/json"}).status_code == 422


def test_switches_are_compared_with_the_kernel_they_belong_to(client: TestClient) -> None:
    found = client.get("/compare/cut-after-answer.json").json()
    assert {"wli-corrected", "wli-corrected+N5"} <= {column["kernel"] for column in found["columns"]}


@pytest.mark.parametrize("scenario", ["mail", "fork", "power-cut"])
def test_the_cells_that_the_script_plays_are_those_that_the_server_shows(scenario: str) -> None:
    page = LockstepPage(side_by_side(scenario))
    state: dict[str, Value] = {}
    for beat, pairs in enumerate(played(page._data())):  # noqa: SLF001 - before it is JSON
        state.update(pairs)
        assert {at: value for at, value in state.items() if value is not None} == page.reel.at(beat)


def test_all_columns_show_the_same_page() -> None:
    page = LockstepPage(side_by_side("mail", "linux-2.6.9", "wli-corrected", "linux-6.18"))
    for beat in range(page.length + 1):
        cells = page.reel.at(beat)
        for row in ("pte", "block"):
            assert len({cells[f"col/{place}/{row}.head"] for place in range(3)}) == 1, (beat, row)


def test_rows_that_are_not_alike_are_marked_in_every_column() -> None:
    page = LockstepPage(side_by_side("mail", "linux-2.6.9", "wli-corrected"))
    cells = page.reel.at(page.opening)
    assert [cells.get(f"col/{place}/pte.differs") for place in range(2)] == [True, True]
    assert [cells.get(f"col/{place}/block.differs") for place in range(2)] == [None, None]


def test_lanes_are_as_long_as_time() -> None:
    page = LockstepPage(side_by_side("last-block"))
    for place in range(3):
        assert sum(float(each.width) for each in page.lane(place)) == pytest.approx(100, abs=0.1)
    assert all(mark.fate for place in range(3) for mark in page.marks(place))


def test_a_short_links_script_is_compared(client: TestClient) -> None:
    made = client.post("/api/v1/links", json={"scenario": SCRIPT, "kernel": "wli-posted"}).json()["url"]
    assert f'href="{made}/compare?kernels=' in client.get(made).text
    page = client.get(f"{made}/compare")
    assert page.status_code == 200
    assert f'action="{made}/compare"' in page.text
    assert f'data-run="{made}?kernel=wli-posted"' in page.text
    found = client.get(f"{made}/compare.json", params={"switch": ["", "B.A"]}).json()
    assert found["url"] == f"{made}/compare?kernels=wli-posted&switch=&switch=B.A"
    assert [column["kernel"] for column in found["columns"]] == ["wli-posted"] * 2
    refused = client.get(f"{made}/compare?kernels=linux-6.18").text
    assert "one alone is no comparison" in html.unescape(refused)
    assert f'href="{made}/compare">those that say most' in refused
    assert client.get("/s/23456789abcd/compare").status_code == 404
