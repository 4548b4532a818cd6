"""A player in a frame of another site: who may frame it, where its links lead, what it refuses."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.app.conftest import INLINE

MAIL = "/embed/mail/linux-2.6.9"


def kept(client: TestClient, scenario: Any = INLINE) -> str:
    """The id of a short link to a scenario of somebody's own."""
    made = client.post("/api/v1/links", json={"scenario": scenario, "kernel": "linux-2.6.9"})
    return str(made.json()["id"])


def test_any_site_may_frame_a_player_and_nothing_else(client: TestClient) -> None:
    framed, whole = client.get(MAIL), client.get("/run/mail/linux-2.6.9")
    assert "frame-ancestors *" in framed.headers["content-security-policy"]
    assert "x-frame-options" not in framed.headers
    assert "frame-ancestors 'none'" in whole.headers["content-security-policy"]
    assert whole.headers["x-frame-options"] == "DENY"
    assert "script-src" not in framed.headers["content-security-policy"]  # as elsewhere: scripts of this site alone
    assert "set-cookie" not in framed.headers


def test_an_address_that_only_looks_like_a_player_may_not_be_framed(client: TestClient) -> None:
    for path in ("/embed", "/embedded/mail/linux-2.6.9", "/run/embed/linux-2.6.9"):
        assert client.get(path).headers["x-frame-options"] == "DENY", path


@pytest.mark.parametrize("query", ["?step=43", "?step=43&fs=ext3", "?step=43&switch=B,A"])
def test_its_steps_stay_in_the_frame_and_one_link_leads_out(client: TestClient, query: str) -> None:
    page = client.get(MAIL + query).text
    links = re.findall(r'<a [^>]*href="([^"]+)"[^>]*>', page)
    steps = [link for link in links if link.startswith(MAIL)]
    assert {int(re.findall(r"step=(\d+)", link)[0]) for link in steps} >= {0, 42, 44}
    assert [link for link in links if link not in steps] == [
        "/run/mail/linux-2.6.9" + query.replace("?step=43&", "?") + "&amp;step=43" * ("&" in query)
        if "&" in query
        else "/run/mail/linux-2.6.9?step=43"
    ]
    assert client.get(steps[-1].replace("&amp;", "&")).status_code == 200


def test_a_short_link_can_be_framed_too(client: TestClient) -> None:
    link = kept(client)
    page = client.get(f"/embed/s/{link}?step=3").text
    assert f'href="/embed/s/{link}?step=4"' in page
    assert f'href="/s/{link}?step=3"' in page
    assert "One page too many" in page


def test_it_says_the_same_as_the_page(client: TestClient) -> None:
    cells = re.compile(r'<g class="(?:slot|vpage|pte|blockslot|diskslot)[^>]*>')
    assert cells.findall(client.get(MAIL + "?step=53").text) == cells.findall(
        client.get("/run/mail/linux-2.6.9?step=53").text
    )


def test_what_makes_no_sense_is_refused_with_a_cure(client: TestClient) -> None:
    for query, cure in {"?theme=pink": "theme=light", "?step=x": "step=1"}.items():
        found = client.get(MAIL + query, headers={"accept": "application/json"})
        assert found.status_code == 422, query
        assert cure in found.text
    assert client.get("/embed/s/2222222222").status_code == 404
    assert client.get("/embed/nothing/linux-2.6.9").status_code == 404


def test_a_theme_can_be_asked_for(client: TestClient) -> None:
    assert '<html lang="en" data-theme="dark">' in client.get(MAIL + "?theme=dark").text
    assert '<html lang="en">' in client.get(MAIL).text


def test_a_second_look_costs_nothing(client: TestClient) -> None:
    first = client.get(MAIL + "?step=5")
    again = client.get(MAIL + "?step=5", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
