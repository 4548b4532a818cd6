"""Pictures that stand alone: every style in the file, nothing from elsewhere, the same in pixels."""

import re
import struct
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from app import ink, raster
from tests.app.test_embed import kept

MAIL = "/run/mail/linux-2.6.9"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(client: TestClient, path: str) -> ET.Element:
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert answer.headers["content-type"].startswith("image/svg+xml")
    return ET.fromstring(answer.text)


@pytest.mark.parametrize(
    "run", ["mail/linux-2.6.9", "last-block/wli-corrected", "four-levels/linux-2.6.9", "software-tlb/wli-posted"]
)
def test_a_picture_has_all_it_needs_in_itself(client: TestClient, run: str) -> None:
    path = f"/run/{run}.svg?step=40"
    text = client.get(path).text
    assert not re.search(r"var\(|light-dark|color-mix|class=|style=|<style|href=|url\(|data-", text)
    root = ET.fromstring(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "g", "rect", "text", "tspan", "path", "circle", "title", "desc",
    }  # fmt: skip


def test_a_picture_shows_its_step_and_no_other(client: TestClient) -> None:
    before, after = (drawn(client, f"{MAIL}.svg?step={step}") for step in (52, 53))
    said = "".join(after.itertext())
    assert "“C” is in memory now, in frame 1." in said
    assert "1 store at risk" in said
    assert "only copy" in said
    assert "only copy" not in "".join(before.itertext())


def test_a_picture_says_in_words_what_it_shows(client: TestClient) -> None:
    root = drawn(client, f"{MAIL}.svg?step=53")
    assert root.findtext(f"{SVG}title") == "The mail's experiment, on Linux 2.6.9 as shipped: step 53 of 121"
    assert "Page 2 of f: frame 1 · page 2, C, only copy; a hole." in (root.findtext(f"{SVG}desc") or "")


def test_steps_and_short_links_have_pictures_too(client: TestClient) -> None:
    link = kept(client)
    assert drawn(client, f"/s/{link}.svg?step=2").tag == f"{SVG}svg"
    one = client.get(f"{MAIL}/step/53.svg").text
    assert one == client.get(f"{MAIL}.svg?step=53").text
    assert one == client.get(f"{MAIL}.svg?at=A.3.store.write").text


def test_a_picture_in_pixels_is_twice_as_wide_as_it_says(client: TestClient) -> None:
    root, image = drawn(client, f"{MAIL}.svg?step=53"), client.get(f"{MAIL}.png?step=53").content
    width, height = struct.unpack(">II", image[16:24])
    assert width == 2 * int(root.attrib["width"])
    assert abs(height - 2 * int(root.attrib["height"])) <= 1


def test_letters_are_drawn_with_the_fonts_of_the_installation() -> None:
    blank, word, bold = (
        raster.png(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><text y="20" {weight}>{text}</text></svg>'
        )
        for text, weight in (("", ""), ("page", ""), ("page", 'font-weight="700"'))
    )
    assert len({blank, word, bold}) == 3


def test_a_step_that_is_not_there_is_refused(client: TestClient) -> None:
    for path in (f"{MAIL}.svg?step=9999", f"{MAIL}/step/9999.svg", f"{MAIL}.svg?at=Z.9.no.no"):
        answer = client.get(path, headers={"accept": "application/json"})
        assert answer.status_code == 404, path
        assert "121 steps" in answer.text


def test_a_form_that_is_not_there_is_refused_with_those_that_are(client: TestClient) -> None:
    answer = client.get(f"{MAIL}/step/3.gif", headers={"accept": "application/json"})
    assert answer.status_code == 404
    assert ".svg" in answer.json()["cure"]


def test_a_picture_is_sent_once(client: TestClient) -> None:
    first = client.get(f"{MAIL}.svg?step=53")
    assert client.get(f"{MAIL}.svg?step=53", headers={"if-none-match": first.headers["etag"]}).status_code == 304


def test_strange_names_can_not_break_out_of_a_picture(client: TestClient) -> None:
    scenario = {
        "title": "<script>alert(1)</script>", "filesystem": {"blocks": 1}, "files": {"f": {"owner": "alice", "size": "1P"}},
        "tasks": {"A": {"user": "alice", "script": ["m = mmap(f, 1P, READ|WRITE, SHARED)", 'm[0] = "<"']}},
    }  # fmt: skip
    root = drawn(client, f"/s/{kept(client, scenario)}.svg?step=20")
    assert "<script>alert(1)</script>" in "".join(root.itertext())
    assert not root.findall(f".//{SVG}script")


def test_the_sheet_is_read_as_a_browser_would() -> None:
    painted = ink.paint(
        '<svg xmlns="http://www.w3.org/2000/svg" class="scene"><g class="slot tile" data-state="risk"><g class="sheet">'
        '<rect width="9" height="9"/><text class="word">only copy</text></g></g>'
        '<g class="tlb"><rect width="9" height="9"/></g><g class="heads"><text>Disk</text></g></svg>'
    )
    root = ET.fromstring(painted)
    rects = root.findall(f".//{SVG}rect")
    assert [rect.attrib["fill"] for rect in rects] == ["#fff4dc"], "an empty TLB is not seen"
    assert rects[0].attrib["stroke"] == "#e39a00"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["only copy", "DISK"]
