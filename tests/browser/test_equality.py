"""Server and island show every step alike: the same attributes and texts, from below, from above and afresh."""

import pytest

from engine import KERNELS
from tests.browser.conftest import PICTURE, Open, go, picture

pytestmark = pytest.mark.browser

SERVED = f"""async url => {{
  const text = await (await fetch(url)).text()
  return ({PICTURE})(new DOMParser().parseFromString(text, 'text/html').querySelector('fault-theatre'))
}}"""


@pytest.mark.parametrize(
    ("scenario", "kernel", "stride"),
    [
        ("mail", "linux-2.6.9", 1),
        ("mail-store-first", "wli-corrected", 3),
        ("last-block", "wli-posted", 7),
        ("fork", "wli-posted", 5),
        ("private-full-disk", "wli-posted", 7),
        ("quota", "linux-2.6.9", 5),
        ("truncate-race", "wli-corrected", 5),
        ("power-cut", "linux-2.6.9", 5),
        ("index-block", "linux-2.6.9", 11),
        ("lock-drop", "wli-corrected", 9),
    ],
)
def test_the_island_shows_each_step_as_the_server_does(tab: Open, scenario: str, kernel: str, stride: int) -> None:
    path = f"/run/{scenario}/{kernel}"
    page = tab(f"{path}?step=0")
    length = page.evaluate("document.querySelector('fault-theatre').length")
    for step in [*range(0, length, stride), length]:
        go(page, step)
        assert picture(page) == page.evaluate(SERVED, f"{path}?step={step}"), step


@pytest.mark.parametrize("kernel", KERNELS)
def test_there_and_back_gives_the_same_picture(tab: Open, kernel: str) -> None:
    page = tab(f"/run/last-block/{kernel}?step=42")
    before = picture(page)
    for there in (43, 99, 0, 10_000, 41):
        go(page, there)
        go(page, 42)
        assert picture(page) == before, there
