"""What a link says of itself elsewhere: the card with the picture of that step, and oEmbed."""

import re
import struct
from html import unescape
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from tests.app.test_embed import kept

MAIL = "/run/mail/linux-2.6.9"
SITE = "http://testserver"


def told(page: str) -> dict[str, str]:
    """The Open Graph of a page."""
    return {name: unescape(said) for name, said in re.findall(r'<meta property="og:([\w:]+)" content="([^"]*)">', page)}


@pytest.mark.parametrize("asked", ["?step=53", "?at=A.3.store.write"])
def test_a_link_shows_the_step_it_opens_on(client: TestClient, asked: str) -> None:
    found = told(client.get(MAIL + asked).text)
    assert found["title"] == "The mail's experiment, on Linux 2.6.9 as shipped: step 53 of 121"
    assert found["description"] == "“C” is in memory now, in frame 1. The kernel does not notice."
    assert found["image"] == f"{SITE}{MAIL}.card.png?step=53"
    assert "<body>" not in client.get(MAIL + asked).text.partition("og:image")[0], "a card stands in the head"


def test_the_beginning_tells_the_story(client: TestClient) -> None:
    page = client.get(f"{MAIL}?step=0").text
    story = re.findall(r'<meta name="description" content="([^"]*)">', page)[0]
    assert told(page)["description"] == unescape(story)


def test_the_picture_of_a_card_has_the_size_that_it_says(client: TestClient) -> None:
    found = told(client.get(f"{MAIL}?step=53").text)
    image = client.get(found["image"].removeprefix(SITE))
    assert image.headers["content-type"] == "image/png"
    assert image.content.startswith(b"\x89PNG")
    assert struct.unpack(">II", image.content[16:24]) == (int(found["image:width"]), int(found["image:height"]))
    other = client.get(f"{MAIL}.card.png?step=54")
    assert other.content != image.content


def test_the_sentence_of_a_card_is_that_of_the_page(client: TestClient) -> None:
    for step in (1, 20, 43, 80, 121):
        page = client.get(f"{MAIL}?step={step}").text
        plain = re.findall(r'<span class="student" data-show="plain">([^<]*)</span>', page)[0]
        assert told(page)["description"] == unescape(plain), step


def test_a_short_link_has_a_card_too(client: TestClient) -> None:
    link = kept(client)
    found = told(client.get(f"/s/{link}?step=5").text)
    assert found["image"] == f"{SITE}/s/{link}.card.png?step=5"
    assert client.get(found["image"].removeprefix(SITE)).status_code == 200


def test_oembed_is_found_from_the_page_and_gives_a_frame(client: TestClient) -> None:
    page = client.get(f"{MAIL}?step=53").text
    address = unescape(re.findall(r'type="application/json\+oembed" href="([^"]+)"', page)[0])
    found = client.get(address.removeprefix(SITE)).json()
    assert (found["version"], found["type"], found["provider_name"]) == ("1.0", "rich", "Pagefate")
    assert f'src="{SITE}/embed/mail/linux-2.6.9?step=53"' in found["html"]
    assert found["html"].startswith("<iframe ")
    assert found["thumbnail_url"] == f"{SITE}{MAIL}.card.png?step=53"
    source = re.findall(r'src="([^"]+)"', found["html"])[0]
    assert client.get(source.removeprefix(SITE)).status_code == 200


def test_oembed_speaks_xml(client: TestClient) -> None:
    answer = client.get("/oembed", params={"url": f"{SITE}{MAIL}?step=53", "format": "xml"})
    root = ET.fromstring(answer.content)
    assert answer.headers["content-type"].startswith("text/xml")
    assert (root.tag, root.findtext("type"), root.findtext("width")) == ("oembed", "rich", "800")
    assert "<iframe" in (root.findtext("html") or "")


def test_oembed_keeps_to_the_room_there_is(client: TestClient) -> None:
    asked = {"url": f"{SITE}{MAIL}", "maxwidth": "500", "maxheight": "9999"}
    found = client.get("/oembed", params=asked).json()
    assert (found["width"], found["height"]) == (500, 640)
    assert 'width="500"' in found["html"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        (f"url={quote('https://example.org/run/mail/linux-2.6.9', safe='')}", 404),
        (f"url={quote(SITE + '/kernel/linux-2.6.9', safe='')}", 404),
        (f"url={quote(SITE + '/run/none/linux-2.6.9', safe='')}", 404),
        (f"url={quote(SITE + '/s/2222222222', safe='')}", 404),
        (f"url={quote(SITE + MAIL, safe='')}&format=yaml", 501),
        (f"url={quote(SITE + MAIL, safe='')}&maxwidth=wide", 422),
        ("url=http%3A%2F%2F%5B", 404),
    ],
)
def test_what_oembed_can_not_show_it_refuses_with_a_cure(client: TestClient, query: str, status: int) -> None:
    answer = client.get(f"/oembed?{query}", headers={"accept": "application/json"})
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_oembed_knows_all_kinds_of_addresses(client: TestClient) -> None:
    link = kept(client)
    for path in (MAIL, f"{MAIL}.svg", "/embed/mail/linux-2.6.9", f"/s/{link}", f"/embed/s/{link}?step=2"):
        found = client.get("/oembed", params={"url": SITE + path}).json()
        assert urlsplit(re.findall(r'src="([^"?]+)', found["html"])[0]).path.startswith("/embed/"), path
