"""A link made with an older engine shows the same run, or says so and shows both; names that steps once had still work."""

import json

import pytest
from fastapi.testclient import TestClient

import engine
from app import editions, orders, serving
from app.packing import pack
from app.storage import Storage
from engine import EDITION
from engine.former import FORMER, present
from tests.app.conftest import INLINE
from tests.app.test_embed import kept

HTML = {"accept": "text/html"}


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine of tomorrow: one edition on."""
    for module in (engine, serving, editions):
        monkeypatch.setattr(module, "EDITION", EDITION + 1)


def storage(client: TestClient) -> Storage:
    found: Storage = client.app.state.storage  # type: ignore[attr-defined]
    return found


def test_a_link_of_now_says_nothing_of_editions(client: TestClient) -> None:
    assert "edition" not in client.get(f"/s/{kept(client)}").text


def test_a_link_whose_run_is_the_same_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    link = kept(client)
    later(monkeypatch)
    page = client.get(f"/s/{link}").text
    assert f"made with edition {EDITION} of the engine; this is edition {EDITION + 1}" in page
    assert "Its run is the same as it was." in page


def test_a_link_whose_run_is_another_now_says_so_and_shows_both(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = "1 A\n  2 store.put\n"
    said = {"record": EDITION, "outcome": "kept", "steps": 77, "text": pack(then)}
    with monkeypatch.context() as before:
        before.setattr(editions, "record", lambda _run: json.dumps(said, separators=(",", ":")))
        link = kept(client)
    later(monkeypatch)
    page = client.get(f"/s/{link}").text
    assert "Its run is not the same any more." in page
    assert "Then it had 77 steps and ended <b>kept</b>" in page
    assert "1 A" in page.partition("<dt>then</dt>")[2].partition("<dt>now</dt>")[0]
    assert "One page too many" in page.partition("<dt>now</dt>")[2].partition("</dl>")[0]
    assert client.get(f"/s/{link}/then.txt").text == then
    assert "fault-theatre" in page, "the run of now is drawn"


def test_a_link_from_before_anything_was_kept_beside_it_says_what_is_not_known(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = orders.order(INLINE, "linux-2.6.9")
    link, _ = storage(client).put(made.content)
    later(monkeypatch)
    assert "nobody knows whether its run is the same" in client.get(f"/s/{link}").text
    assert client.get(f"/s/{link}/then.txt").status_code == 404


def test_a_link_that_can_not_be_run_any_more_leads_to_what_it_showed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = kept(client)
    later(monkeypatch)
    monkeypatch.setattr(engine, "find_kernel", _gone)
    answer = client.get(f"/s/{link}", headers={"accept": "application/json"})
    assert answer.status_code == 410
    assert f"/s/{link}/then.txt" in answer.text
    assert "One page too many" in client.get(f"/s/{link}/then.txt").text


def _gone(name: str) -> engine.Kernel:
    raise engine.UnknownKernel(name, ["linux-7"])


def test_another_kernel_for_an_old_link_is_no_run_of_then(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    link = kept(client)
    later(monkeypatch)
    assert "edition-title" not in client.get(f"/s/{link}?kernel=linux-6.18").text


def test_what_a_link_shows_when_it_is_made_is_noted(client: TestClient) -> None:
    link = kept(client)
    assert '"outcome":' in storage(client).noted(link)


@pytest.mark.parametrize(("former", "now"), FORMER.items())
def test_every_former_name_leads_to_a_step_of_today_and_is_none_itself(former: str, now: str) -> None:
    known = {f"{function}.{step}" for function, steps in engine.known_steps().items() for step in steps}
    assert now in known
    assert former not in known
    assert present(*former.split(".")) == tuple(now.split("."))


def test_an_address_may_name_a_step_by_its_former_name(client: TestClient) -> None:
    path = "/run/last-block/wli-corrected"
    trace = client.get(f"{path}.json").json()["trace"]
    step = next(step for step in trace if (step["function"], step["name"]) == ("block_page_mkwrite", "commit_write"))
    former = step["event"].replace("block_page_mkwrite.commit_write", "enough_space.commit_write")
    assert former != step["event"]
    assert f'data-step="{step["n"]}"' in client.get(path, params={"at": former}).text


def test_a_schedule_may_name_a_step_by_its_former_name(client: TestClient) -> None:
    path = "/run/last-block/wli-corrected.json"
    before, now = (
        client.get(path, params={"switch": f"A@{function}.commit_write>B"}).json()
        for function in ("enough_space", "block_page_mkwrite")
    )
    assert before["schedule"] == now["schedule"]
    assert before["trace"] == now["trace"]


def test_a_name_that_a_run_knows_is_taken_as_it_is(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.former.FORMER", {"store.write": "store.walk"})
    page = client.get("/run/mail/linux-2.6.9", params={"at": "A.3.store.write"}).text
    assert 'data-step="53"' in page
