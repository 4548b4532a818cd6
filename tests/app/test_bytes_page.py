"""The way of bytes over the wire: at once without foresight, then with it; for a run, for a link, without scripts."""

import re

import pytest
from fastapi.testclient import TestClient

from app import outlook
from app.runs import Shelf

MAIL = "/run/mail/linux-2.6.9"
LAST_BLOCK = "/run/last-block/wli-posted?step=60"
"""One of its stores reaches the disk, the other is lost."""
PART = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No foresight is kept from other tests."""
    monkeypatch.setattr(outlook, "_known", Shelf(9, 9_999, lambda found: len(found.outlook)))


def steps(text: str, kind: str) -> list[int]:
    """The steps of one of the two lists."""
    (part,) = re.findall(rf'<ol class="{kind}".*?</ol>', text, re.DOTALL)
    return [int(step) for step in re.findall(r'data-n="(\d+)"', part)]


def test_the_way_comes_at_once_and_asks_for_what_is_not_known(client: TestClient) -> None:
    part = client.get(f"{MAIL}/bytes?step=60&of=slot/f/2", headers=PART)
    assert part.status_code == 200
    assert steps(part.text, "back") + steps(part.text, "forward") == [53, 94, 104]
    assert "Doomed" not in part.text
    assert 'hx-get="/run/mail/linux-2.6.9/bytes?step=60&amp;of=slot/f/2&amp;ahead=1" hx-trigger="load"' in part.text


def test_with_foresight_the_doomed_step_is_a_link_and_strip_and_ledger_know_it(client: TestClient) -> None:
    part = client.get(f"{MAIL}/bytes?step=60&of=slot/f/2&ahead=1", headers=PART).text
    assert (steps(part, "back"), steps(part, "forward")) == ([53, 57], [94, 104])
    assert 'hx-trigger="load"' not in part
    assert 'id="outlook" hx-swap-oob="true"' in part
    (row,) = re.findall(r'<small class="doom" id="doom-A.3" hx-swap-oob="true">(.*?)</small>', part)
    assert re.sub("<.*?>", "", row) == "doomed from step 57 on, shows at 94"
    assert "Doomed" in client.get(f"{MAIL}/bytes?step=60&of=slot/f/2", headers=PART).text  # it is known now


def test_the_present_step_is_marked_and_each_link_is_one_of_this_run(client: TestClient) -> None:
    part = client.get(f"{MAIL}/bytes?step=94&of=ledger/A.3", headers=PART).text
    assert re.findall(r'data-step="(\d+)" aria-current="step"', part) == ["94"]
    assert re.findall(r'<a id="way[^"]*" href="([^"]*)" data-step="(\d+)"', part) == [
        (f"{MAIL}?step={step}", str(step)) for step in (53, 94, 104)
    ]
    assert "aria-current" not in client.get(f"{MAIL}/bytes?step=1&of=ledger/A.3", headers=PART).text


def test_without_scripts_it_is_a_page_that_says_where_all_bytes_are(client: TestClient) -> None:
    page = client.get(f"{MAIL}/bytes?step=60").text
    assert "<title>Who lost my byte?" in page
    assert 'frame 1 (page 2 of f): <a href="/run/mail/linux-2.6.9/bytes?step=60&amp;of=ledger/A.3">A.3</a>' in page
    assert f'href="{MAIL}?step=60"' in page
    assert "hx-" not in page
    one = client.get(f"{MAIL}/bytes?step=60&of=ledger/A.3").text
    assert (steps(one, "back"), steps(one, "forward")) == ([53], [94, 104])


def test_the_run_of_a_link_has_its_own_addresses(client: TestClient) -> None:
    link = client.post("/api/v1/links", json={"scenario": "mail", "kernel": "linux-2.6.9"}).json()["id"]
    part = client.get(f"/s/{link}/bytes?step=60&of=slot/f/2", headers=PART).text
    assert f'href="/s/{link}?step=53"' in part
    assert f'href="/s/{link}/bytes' in part


def test_a_row_of_the_ledger_and_the_inspector_lead_there(client: TestClient) -> None:
    page = client.get(f"{MAIL}?step=60").text
    assert f'<a href="{MAIL}/bytes?step=60&amp;of=ledger/A.3"' in page
    assert f'<form hx-get="{MAIL}/bytes" hx-trigger="fault:bytes"' in page
    assert (
        'id="doom-A.3"><a href="/run/mail/linux-2.6.9/bytes?step=60&amp;of=ledger/A.3">when was it doomed?</a>' in page
    )
    kept, lost = re.findall(r'<small class="doom" id="doom-[^"]*">(.*?)</small>', client.get(LAST_BLOCK).text)
    assert (kept, "when was it doomed?" in lost) == ("", True)
    assert "/bytes" not in client.get("/embed/mail/linux-2.6.9?step=60").text


@pytest.mark.parametrize(
    ("query", "status"),
    [("step=x", 422), ("step=999", 404), ("step=1&of=slot/f/99", 404), ("step=1&of=ledger/Z.1", 404)],
)
def test_what_makes_no_sense_is_refused(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"{MAIL}/bytes?{query}", headers=PART).status_code == status


def test_foresight_and_who_can_run_are_pages_without_scripts(client: TestClient) -> None:
    for part, says in (("foresight", "Doomed from"), ("next?step=53", "let C run")):
        page = client.get(f"{MAIL}/{part}").text
        assert "<html" in page
        assert f'action="{MAIL}"' in page
        assert says in page
        assert "<html" not in client.get(f"{MAIL}/{part}", headers=PART).text
