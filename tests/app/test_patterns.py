"""The page of patterns leaves nothing out: each state that a style sheet knows is on it."""

import re

import pytest
from starlette.testclient import TestClient

from app import patterns
from app.assets import static_dir

ELSEWHERE = {"on", "blank"}
"""States that no object of the picture has."""


def known(sheet: str, attribute: str, within: str) -> set[str]:
    """The values of an attribute that the rules for some part of the page name."""
    css = (static_dir() / "css" / sheet).read_text(encoding="utf-8")
    rules = [line for line in css.splitlines() if within in line]
    return set(re.findall(rf'data-{attribute}="([a-z-]+)"', "\n".join(rules)))


@pytest.mark.parametrize(
    ("sheet", "attribute", "within", "shown"),
    [
        ("scene.css", "state", ".scene", {*patterns.PAGES, *patterns.BLOCKS, *patterns.DISKS, *patterns.TLBS}),
        ("rail.css", "state", ".station", set(patterns.STATIONS)),
        ("panels.css", "state", ".dot", set(patterns.DOTS)),
        ("panels.css", "kind", ".bits", set(patterns.BITS)),
        ("panels.css", "state", ".bits.thin", {*patterns.GAUGE, *patterns.PAGES}),
        ("panels.css", "state", ".bits.lru", set(patterns.PAGES)),
        ("controls.css", "fate", "[data-fate", {*patterns.FATES, *patterns.OUTCOMES, "broken"}),
    ],
)
def test_every_state_that_has_a_style_is_shown(sheet: str, attribute: str, within: str, shown: set[str]) -> None:
    assert known(sheet, attribute, within) - shown - ELSEWHERE == set()


def test_the_page_shows_each_state_in_light_and_in_dark(client: TestClient) -> None:
    text = client.get("/-/patterns").text
    light, dark = text.split('data-scheme="dark"')
    for state in patterns.PAGES:
        assert f'data-state="{state}"' in light
        assert f'data-state="{state}"' in dark
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
