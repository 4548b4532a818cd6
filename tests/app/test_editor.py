"""The editor without a browser: what it opens, what it says of a text, and that nothing is kept until it is shared."""

import html
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import engine
from app import drafts, links_edit, orders
from app.packing import unpack
from app.storage import FILE
from engine import gallery, scenario_text
from tests.app.conftest import INLINE, INLINE_YAML

PART = {"HX-Request": "true"}


def text_in(page: str) -> str:
    """What stands in the editor's field."""
    found = re.search(r'<textarea id="scenario".*?>\n?(.*?)</textarea>', page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_a_new_scenario_begins_with_one_that_runs(client: TestClient) -> None:
    page = client.get(links_edit.edit())
    assert page.status_code == 200
    assert text_in(page.text) == drafts.START
    assert "Nothing is wrong" in page.text
    assert engine.run(engine.load_scenario(drafts.START)).outcome == "lost-told"


@pytest.mark.parametrize("name", gallery())
def test_every_gallery_scenario_can_be_forked_with_its_comments(client: TestClient, name: str) -> None:
    page = client.get(links_edit.edit(name)).text
    assert text_in(page) == scenario_text(name)
    assert "Nothing is wrong" in page


def test_a_short_link_can_be_forked_with_its_schedule(client: TestClient) -> None:
    made = client.post("/api/v1/links", json={"scenario": INLINE_YAML, "schedule": ["A@store.write>power_fails()"]})
    link = made.json()["id"]
    text = text_in(client.get(links_edit.edit(f"s/{link}")).text)
    assert "A@store.write>you" in text
    forked = drafts.read(text, "linux-2.6.9")
    assert forked.order is not None
    kept, fresh = (engine.run(each) for each in (engine.load_scenario(text), forked.order.scenario))
    assert [step.event for step in kept.steps] == [step.event for step in fresh.steps]
    assert kept.outcome == client.get(f"/s/{link}.json").json()["outcome"]


@pytest.mark.parametrize(("path", "status"), [("/edit/nope", 404), ("/edit/s/aaaaaaaaaaaa", 404)])
def test_what_is_not_there_can_not_be_forked(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_every_problem_stands_beside_its_line_as_the_api_says_it(client: TestClient) -> None:
    wrong = INLINE_YAML.replace("msync(m, SYNC)", "msinc(m, SYNC)").replace("size: 2P", "size: many")
    part = client.post(links_edit.CHECK, data={"scenario": wrong, "kernel": "linux-2.6.9"}, headers=PART)
    said = client.post("/api/v1/runs", json={"scenario": wrong}).json()["problems"]
    assert part.status_code == 200
    assert len(said) > 1
    for problem in said:
        assert f'data-goto="{problem["line"]}:{problem["column"]}"' in part.text
        assert html.escape(problem["message"], quote=True).replace("&#x27;", "&#39;") in part.text
    assert f"{len(said)} problems" in part.text


def test_a_combination_that_never_was_stands_at_the_filesystem(client: TestClient) -> None:
    text = drafts.START.replace("type: ext2", "type: btrfs")
    part = client.post(links_edit.CHECK, data={"scenario": text, "kernel": "linux-2.6.9"}, headers=PART).text
    assert 'data-goto="4:20"' in part
    assert "linux-2.6.9 has no btrfs" in part


def test_what_a_text_names_can_be_completed(client: TestClient) -> None:
    part = client.post(links_edit.CHECK, data={"scenario": drafts.START}, headers=PART).text
    found = re.search(r'data-names="([^"]+)"', part)
    assert found
    assert json.loads(html.unescape(found[1])) == {
        "file": ["f"],
        "tasks": ["A", "B", "C"],
        "task": [],
        "user": ["alice", "bob"],
    }


def test_a_form_changes_its_part_of_the_text_alone(client: TestClient) -> None:
    data = {
        "scenario": scenario_text("mail"),
        "kernel": "linux-2.6.9",
        "machine.frames": "32",
        "filesystem.blocks": "9",
    }
    part = client.post(f"{links_edit.SET}?field=machine.frames", data=data, headers=PART).text
    found = re.search(r'data-text="([^"]+)"', part)
    assert found
    assert html.unescape(found[1]) == scenario_text("mail").replace("frames: 16", "frames: 32")
    page = client.post(links_edit.SET, data={**data, "from": "mail"})
    assert text_in(page.text) == scenario_text("mail").replace("frames: 16", "frames: 32").replace(
        "blocks: 4", "blocks: 9"
    )


def test_a_form_says_why_it_can_not_change_a_text(client: TestClient) -> None:
    part = client.post(
        f"{links_edit.SET}?field=machine.frames", data={"scenario": "a: [", "machine.frames": "8"}, headers=PART
    )
    assert "The form was not taken: this is not YAML" in part.text


def test_a_value_that_does_not_fit_stands_beside_its_line(client: TestClient) -> None:
    data = {"scenario": drafts.START, "machine.frames": "1"}
    part = client.post(f"{links_edit.SET}?field=machine.frames", data=data, headers=PART).text
    assert "frames cannot be 1" in part


def test_running_shows_the_fates_and_keeps_nothing(client: TestClient, tmp_path: Path) -> None:
    data = {"scenario": scenario_text("mail"), "kernel": "linux-2.6.9"}
    part = client.post(links_edit.RUN, data=data, headers=PART)
    assert "Data is lost, and nobody was told." in part.text
    assert '<svg class="scene"' in part.text
    page = client.post(links_edit.RUN, data={**data, "from": "mail"})
    assert "Data is lost, and nobody was told." in page.text
    assert text_in(page.text) == scenario_text("mail")
    assert not (tmp_path / "data" / FILE).exists()
    client.post(links_edit.SHARE, data=data)
    assert (tmp_path / "data" / FILE).exists()


def test_sharing_keeps_what_was_written_and_says_so(client: TestClient) -> None:
    data = {"scenario": INLINE_YAML, "kernel": "linux-2.6.9"}
    part = client.post(links_edit.SHARE, data=data, headers=PART).text
    found = re.search(r'href="(/s/\w+)"', part)
    assert found
    assert "Kept here: the scenario as data" in part
    assert "One page too many" in client.get(f"{found[1]}.txt").text
    watched = client.post(links_edit.SHARE, data={**data, "then": "watch"})
    assert (watched.status_code, watched.headers["location"]) == (303, found[1])


@pytest.mark.parametrize("path", [links_edit.CHECK, links_edit.RUN, links_edit.SHARE])
def test_a_wrong_text_comes_back_as_a_page_without_scripts(client: TestClient, path: str) -> None:
    wrong = INLINE_YAML.replace("msync", "steal")
    page = client.post(path, data={"scenario": wrong, "from": ""})
    assert page.status_code == 422
    assert text_in(page.text) == wrong
    assert "there is no call steal" in page.text
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "hostile", ["</textarea><script>alert(1)</script>", "a: !!python/object:os.system x", "x" * 70_000, "&" * 500]
)
def test_what_is_hostile_is_text_and_nothing_else(client: TestClient, hostile: str) -> None:
    for path in (links_edit.CHECK, links_edit.RUN):
        page = client.post(path, data={"scenario": hostile})
        assert page.status_code == 422
        assert "<script>alert" not in page.text
        assert text_in(page.text) == hostile


def test_too_much_is_refused_before_it_is_read(client: TestClient) -> None:
    assert client.post(links_edit.CHECK, data={"scenario": "x" * 300_000}).status_code == 413
    many = client.post(links_edit.CHECK, content="&".join(f"a{n}=1" for n in range(90)))
    assert many.status_code == 422
    assert "too many fields" in many.text


def test_a_page_of_another_site_can_not_hand_in(client: TestClient) -> None:
    for path in (links_edit.CHECK, links_edit.SET, links_edit.RUN, links_edit.SHARE):
        sent = client.post(path, data={"scenario": INLINE_YAML}, headers={"Sec-Fetch-Site": "cross-site"})
        assert sent.status_code == 403


def test_an_endless_scenario_shows_what_was_made_of_it(client: TestClient) -> None:
    lines = "".join(f'      - m[{n % 4}P] = "C"\n      - reclaim()\n' for n in range(180))
    text = drafts.START.replace("      - msync(m, SYNC)\n", lines)
    page = client.post(links_edit.RUN, data={"scenario": text, "kernel": "linux-2.6.9"}, headers=PART)
    assert page.status_code == 200
    assert "What comes of it" in page.text


def test_the_editor_is_found_from_where_runs_are(client: TestClient) -> None:
    assert f'href="{links_edit.EDIT}"' in client.get("/").text
    assert f'href="{links_edit.edit("mail")}"' in client.get("/scenario/mail").text
    assert 'href="/edit/mail?kernel=linux-2.6.18"' in client.get("/run/mail/linux-2.6.18").text
    page = client.get("/edit/mail?kernel=wli-corrected+N4").text
    assert '<option value="wli-corrected+N4" selected>' in page


def test_strangers_wait_for_each_other_and_the_gallery_for_nobody(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.runs.WAITING", 0)
    busy = client.post(links_edit.CHECK, data={"scenario": drafts.START}, headers=PART)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
    assert client.get(links_edit.edit("mail")).status_code == 200


def test_a_run_of_the_editor_moves_at_an_address_that_keeps_nothing(client: TestClient) -> None:
    said = client.post(links_edit.RUN, data={"scenario": INLINE_YAML, "kernel": "linux-2.6.9"}).text
    found = re.search(r'href="(/x#[\w-]+)">Watch it move', said)
    assert found is not None
    order = orders.unpacked(unpack(found[1].partition("#")[2]))
    assert (order.scenario.title, order.kernel) == (INLINE["title"], "linux-2.6.9")
