"""Challenges: each can be met, is not met at the start, and says why."""

import re

import pytest
from fastapi.testclient import TestClient

import engine
from app import links
from app.challenges import CHALLENGES, judge, measures
from engine import gallery, load_scenario

SOLVED = {
    "one-page-in-silence": "mail",
    "a-sync-that-lies": "fsync-first-store",
    "one-kept-one-refused": "ltp-mmap16",
}
FULL = """\
title: First come, first served
filesystem: {blocks: 3}
files:
  f: {owner: alice, size: 4P, data: {0P: a}}
tasks:
  A:
    user: alice
    script:
      - m = mmap(f, 4P, READ|WRITE, SHARED)
      - m[1P] = "B"
      - m[2P] = "C"
      - msync(m, SYNC)
"""


@pytest.mark.parametrize("name", CHALLENGES)
def test_no_challenge_is_met_at_its_start(name: str) -> None:
    challenge = CHALLENGES[name]
    scenario = load_scenario(challenge.start)
    found = list(judge(challenge, scenario, engine.run(scenario, challenge.kernel)))
    assert found[0].met
    assert not all(each.met for each in found)


@pytest.mark.parametrize("name", CHALLENGES)
def test_every_challenge_can_be_met(name: str) -> None:
    challenge = CHALLENGES[name]
    scenario = gallery()[SOLVED[name]] if name in SOLVED else load_scenario(FULL)
    found = list(judge(challenge, scenario, engine.run(scenario, challenge.kernel)))
    assert all(each.met for each in found), found


@pytest.mark.parametrize("name", CHALLENGES)
def test_what_a_challenge_names_is_there(name: str) -> None:
    challenge = CHALLENGES[name]
    assert challenge.see in gallery()
    assert challenge.filesystem in engine.KERNELS[challenge.kernel].filesystems


def test_the_page_says_met_and_why_not(client: TestClient) -> None:
    where = links.challenge("one-page-in-silence")
    assert "exactly one page is lost" in client.get(where).text
    tried = client.post(where, data={"scenario": CHALLENGES["one-page-in-silence"].start})
    assert tried.status_code == 200
    assert "Not met yet. Everything that was accepted is where it belongs." in tried.text
    assert "(counted: 0)" in tried.text
    assert tried.headers["cache-control"] == "no-store"
    solved = client.post(where, data={"scenario": engine.to_yaml(gallery()["mail"])})
    assert "Met. Data is lost, and nobody was told." in solved.text


def test_what_can_not_be_run_comes_back_with_what_is_wrong(client: TestClient) -> None:
    where = links.challenge("one-page-in-silence")
    wrong = client.post(where, data={"scenario": "title: x\ntasks: {A: {user: a, script: [steal(f)]}}\n"})
    assert wrong.status_code == 422
    assert "This can not be run" in wrong.text
    assert "steal" in wrong.text
    hostile = client.post(where, data={"scenario": "</textarea><script>alert(1)</script>"})
    assert hostile.status_code == 422
    assert "<script>alert" not in hostile.text


def test_the_wrong_filesystem_does_not_count(client: TestClient) -> None:
    text = engine.to_yaml(gallery()["mail"]).replace("blocks: 4", "blocks: 4\n  type: ext3")
    page = client.post(links.challenge("one-page-in-silence"), data={"scenario": text}).text
    assert "Not met yet" in page


def test_a_page_of_another_site_can_not_hand_in(client: TestClient) -> None:
    where = links.challenge("one-page-in-silence")
    assert client.post(where, data={"scenario": "x"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_all_challenges_are_listed(client: TestClient) -> None:
    page = client.get(links.CHALLENGES).text
    assert all(links.challenge(name) in page for name in CHALLENGES)
    assert client.get("/challenge/nothing").status_code == 404


@pytest.mark.parametrize(("store", "pages"), [('m[2P + 1] = "D"', 1), ('m[3P] = "D"', 2)])
def test_pages_are_counted_not_letters(store: str, pages: int) -> None:
    """Two letters of one page go with that page; facts 1a.14: the page is what leaves memory."""
    text = FULL.replace("blocks: 3", "blocks: 1").replace('      - m[1P] = "B"\n', f"      - {store}\n")
    text = text.replace(
        "      - msync(m, SYNC)\n", "      - exit()\n  C:\n    user: bob\n    script: [writeback(), drop_caches()]\n"
    )
    scenario = load_scenario(text)
    assert measures(engine.run(scenario, "linux-2.6.9"), scenario.machine.page_size)["lost"] == pages


def test_what_was_written_can_be_watched(client: TestClient) -> None:
    page = client.get(links.challenge("one-page-in-silence")).text
    found = re.search(r'formaction="([^"]+)" name="then" value="watch"', page)
    assert found
    watched = client.post(found[1], data={"scenario": FULL, "kernel": "linux-2.6.9", "then": "watch"})
    assert watched.status_code == 303
    assert "First come, first served" in client.get(watched.headers["location"]).text
