"""Short links, long links and QR codes: what is stored, what is not, and what is refused."""

import json
import re
import zlib
from base64 import urlsafe_b64decode
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from app import orders
from app.orders import order
from app.packing import pack
from tests.app.conftest import INLINE
from tests.app.test_embed import kept

MAIL = "/run/mail/linux-2.6.9"
HTML = {"accept": "text/html"}


def unpack(fragment: str) -> str:
    """What the browser's script does."""
    return zlib.decompress(urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4)), -zlib.MAX_WBITS).decode()


def long_link(page: str) -> tuple[str, str]:
    """The long link that a page offers: its beginning, and what it carries."""
    whole = unescape(re.findall(r'id="share-long" readonly value="([^"]+)"', page)[0])
    start, _, fragment = whole.partition("#")
    return start, unpack(fragment)


def test_a_link_packs_an_order_and_gives_it_back() -> None:
    made = order(INLINE, "linux-2.6.9")
    assert unpack(pack(made.content)) == made.content
    found = orders.unpacked(made.content)
    assert (found.id, found.scenario) == (made.id, made.scenario)
    assert found.link.url(step=4) == f"/x?step=4#{pack(made.content)}"


def test_both_kinds_of_links_are_offered_plainly(client: TestClient) -> None:
    page = client.get(f"{MAIL}/share?step=53").text
    start, carried = long_link(page)
    assert start == "http://testserver/x?step=53"
    assert json.loads(carried)["kernel"] == "linux-2.6.9"
    assert "nothing is stored" in page
    assert '<form method="post" action="/links">' in page


def test_the_dialog_asks_for_a_part_of_that_page(client: TestClient) -> None:
    run = client.get(f"{MAIL}?step=53").text
    assert 'hx-get="/run/mail/linux-2.6.9/share"' in run
    part = client.get(f"{MAIL}/share?step=53", headers={"hx-request": "true"})
    assert "<html" not in part.text
    assert long_link(part.text)
    assert "HX-Request" in part.headers["vary"]


def test_a_short_link_is_made_without_a_script(client: TestClient) -> None:
    page = client.get(f"{MAIL}/share?step=53&switch=B,A").text
    said = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    answer = client.post("/links", data={name: unescape(value) for name, value in said.items()})
    assert answer.status_code == 303
    assert re.fullmatch(r"/s/\w+\?step=53", answer.headers["location"])
    shared = client.get(answer.headers["location"].replace("?", "/share?")).text
    assert re.search(r'<img src="/qr/\w+\.svg\?step=53"', shared)
    assert "/links" not in shared, "there is one already"


def test_a_long_link_to_the_gallery_leads_there_and_stores_nothing(client: TestClient) -> None:
    _, carried = long_link(client.get(f"{MAIL}/share?step=53").text)
    answer = client.post("/x", data={"run": carried, "step": "53"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/run/mail/linux-2.6.9?step=53")
    assert client.get(f"/s/{order('mail', 'linux-2.6.9').id}").status_code == 404


def test_a_long_link_to_a_scenario_of_ones_own_is_played_and_stores_nothing(client: TestClient) -> None:
    made = order(INLINE, "linux-2.6.9")
    answer = client.post("/x", data={"run": made.content, "step": "7"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "One page too many" in answer.text
    assert 'data-step="7"' in answer.text
    assert f'href="/x?step=8#{pack(made.content)}"' in answer.text
    assert client.get(f"/s/{made.id}").status_code == 404
    keep = client.post("/links", data={"run": made.content, "step": "7"})
    assert keep.headers["location"] == f"/s/{made.id}?step=7"
    assert client.get(f"/s/{made.id}").status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        "", "{", "[]", "null", "3", '"mail"', "[" * 5000, '{"scenario":"mail","kernel":"linux-2.6.9"}',
        '{"scenario":"mail","kernel":"linux-2.6.9","schedule":null,"edition":1}',
        '{"scenario":{},"kernel":7,"schedule":null,"edition":1}',
        '{"scenario":{},"kernel":"linux-2.6.9","schedule":["A"],"edition":1}',
        '{"scenario":{},"kernel":"linux-2.6.9","schedule":null,"edition":"x"}',
    ],
)  # fmt: skip
def test_a_link_that_lost_its_end_is_refused_with_a_cure(client: TestClient, said: str) -> None:
    answer = client.post("/x", data={"run": said}, headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert "cop" in answer.json()["cure"].lower() or "share" in answer.json()["cure"].lower()


def test_what_a_long_link_carries_is_checked_like_everything(client: TestClient) -> None:
    said = json.loads(order(INLINE, "linux-2.6.9").content)
    said["scenario"]["tasks"]["A"]["script"][0] = "m = mmap(nothing, 2P, READ, SHARED)"
    answer = client.post("/x", data={"run": json.dumps(said)}, headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert "nothing" in answer.text
    too_long = client.post("/x", data={"run": "x" * 300_000}, headers={"accept": "application/json"})
    assert too_long.status_code == 413


def test_another_site_can_not_have_a_run_played(client: TestClient) -> None:
    answer = client.post("/x", data={"run": "{}"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


def test_a_code_is_a_picture_of_the_short_link(client: TestClient) -> None:
    link = kept(client)
    answer = client.get(f"/qr/{link}.svg?step=5")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    root = ET.fromstring(answer.text)
    assert root.tag.endswith("svg")
    assert answer.text != client.get(f"/qr/{link}.svg?step=6").text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/qr/2222222222.svg", 404), ("/qr/no.svg", 404), ("/qr/x.png", 404), ("/qr/{}.svg?step=x", 422)],
)
def test_a_code_of_nothing_is_refused(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path.format(kept(client)), headers={"accept": "application/json"})
    assert answer.status_code == status
    assert answer.json()["cure"]
