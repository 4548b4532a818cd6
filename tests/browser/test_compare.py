"""Side by side in a browser: by keys, by links, on every screen; nothing jumps, and server and script agree."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Page, expect

from tests.browser.conftest import PICTURE, Open

pytestmark = pytest.mark.browser

MAIL = "/compare/mail?kernels=linux-2.6.9,wli-corrected,linux-2.6.23"
SERVED = f"""async url => {{
  const text = await (await fetch(url)).text()
  return ({PICTURE})(new DOMParser().parseFromString(text, 'text/html').querySelector('kernel-compare'))
}}"""
SHAPE = """() => [...document.querySelectorAll('.column > *, .row, .controls, .line, .told')]
  .map(el => el.getBoundingClientRect()).map(({ x, y, width }) => [x, y, width].map(Math.round).join())"""


def at(page: Page) -> int:
    """The beat that is shown."""
    return int(page.evaluate("document.querySelector('kernel-compare').at"))


def go(page: Page, beat: int) -> None:
    page.evaluate("beat => document.querySelector('kernel-compare').go(beat)", beat)


def test_one_key_jumps_to_the_first_difference(tab: Open) -> None:
    page = tab(f"{MAIL}&step=3")
    page.keyboard.press("d")
    assert at(page) == 45
    expect(page).to_have_url(re.compile("step=45$"))
    expect(page.locator(".told [data-now], .told p[data-now]").first).to_contain_text("2.6.9 maps page 2 writable")
    expect(page.locator('[data-at="col/0/pte"]')).to_contain_text("P W U A")
    expect(page.locator('[data-at="col/1/pte"]')).to_have_attribute("data-differs", "true")
    page.go_back()
    assert at(page) == 3
    page.keyboard.press("Shift+D")
    assert at(page) == 45


def test_filesystems_and_schedules_are_chosen_on_the_page(tab: Open) -> None:
    page = tab(MAIL)
    page.locator("#columns-chooser").click()
    page.get_by_text("Filesystems", exact=True).click()
    page.get_by_label("XFS", exact=True).check()
    page.get_by_role("button", name="Compare filesystems").click()
    expect(page.locator(".column h2")).to_have_text(["ext2", "XFS"])
    page.locator("#columns-chooser").click()
    page.get_by_text("Schedules", exact=True).click()
    page.get_by_label("Schedule 2").fill("A.C.B")
    page.get_by_label("Schedule 2").press("Enter")
    expect(page.locator(".column h2")).to_have_text(["B.A.C", "A.C.B"])


def test_a_run_that_was_forked_is_compared_with_what_it_was(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?switch=B.A.C,A@store.write>free(g,1)&step=54")
    page.get_by_role("link", name="compare with as it was").click()
    expect(page.locator(".column")).to_have_count(2)
    expect(page.locator(".told")).to_contain_text("loses data in silence")


@pytest.mark.parametrize("path", [MAIL, "/compare/last-block?kernels=linux-2.6.9,wli-posted,wli-corrected,linux-6.18"])
def test_a_comparison_is_printed_on_one_page(tab: Open, path: str) -> None:
    page = tab(path)
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", paper)) == 1
    page.emulate_media(media="print")
    expect(page.locator(".controls")).to_be_hidden()
    expect(page.locator("#scenario-chooser")).to_be_visible()
    expect(page.locator(".told").first).to_be_visible()


def test_keys_are_those_of_a_run(tab: Open) -> None:
    page = tab(f"{MAIL}&step=0")
    for key, beat in (("ArrowRight", 1), ("n", 2), ("p", 1), ("End", 181), ("Home", 0), ("Shift+ArrowRight", 8)):
        page.keyboard.press(key)
        assert at(page) == beat, key
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("the first difference")
    page.keyboard.press("d")
    assert at(page) == 8
    page.keyboard.press("Escape")
    page.keyboard.press("Control+d")
    assert at(page) == 8
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("k")


def test_the_kernels_come_to_different_ends(tab: Open) -> None:
    page = tab(MAIL)
    page.keyboard.press("End")
    badges = page.locator(".column .fate.big")
    expect(badges).to_have_text(["lost", "refused", "lost"])
    expect(page.locator('[data-at="col/1/store"]')).to_contain_text("told by SIGBUS")


def test_a_column_leads_to_its_run_at_this_step(tab: Open) -> None:
    page = tab(f"{MAIL}&step=44")
    page.keyboard.press("ArrowRight")
    page.locator(".column").nth(1).locator(".full").click()
    expect(page).to_have_url(re.compile("/run/mail/wli-corrected[?]step=43"))


def test_the_page_of_a_run_leads_here(tab: Open) -> None:
    page = tab("/run/mail/wli-corrected?step=42")
    page.get_by_role("link", name="compare").click()
    expect(page).to_have_url(re.compile("/compare/mail[?]kernels=linux-2.6.9,wli-corrected,linux-6.18"))


def test_other_kernels_are_chosen_from_the_bar(tab: Open) -> None:
    page = tab(MAIL)
    page.locator("#columns-chooser").click()
    page.get_by_role("checkbox", name="The patch as posted").check()
    page.get_by_role("checkbox", name="Linux 2.6.23").uncheck()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".column h2")).to_have_text(
        ["Linux 2.6.9 as shipped", "The patch as posted", "The idea, corrected"]
    )


@pytest.mark.parametrize("path", [MAIL, "/compare/last-block"])
def test_the_script_shows_each_beat_as_the_server_does(tab: Open, path: str) -> None:
    page = tab(f"{path}{'&' if '?' in path else '?'}step=0")
    self = page.evaluate("document.querySelector('kernel-compare').dataset.self")
    length = page.evaluate("document.querySelector('kernel-compare').length")
    for beat in [*range(0, length, 13), length, 2]:
        go(page, beat)
        here = page.evaluate(f"({PICTURE})(document.querySelector('kernel-compare'))")
        assert here == page.evaluate(SERVED, f"{self}&step={beat}"), beat


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_ever_jumps(tab: Open, width: int) -> None:
    page = tab(f"{MAIL}&step=1", viewport={"width": width, "height": 900})
    before = page.evaluate(SHAPE)
    for beat in range(1, 181, 9):
        go(page, beat)
        assert page.evaluate(SHAPE) == before, beat


def test_without_script_every_beat_is_a_page(tab: Open) -> None:
    page = tab(f"{MAIL}&step=44", java_script_enabled=False)
    page.get_by_role("link", name="Next step").click()
    expect(page.locator("[data-at=time] b").first).to_have_text("45")
    expect(page.locator('[data-at="col/0/pte"]')).to_contain_text("P W U A")
    page.get_by_role("link", name="Last step").click()
    page.get_by_role("link", name="First difference, step 45").click()
    expect(page.locator("[data-at=time] b").first).to_have_text("45")
    expect(page.get_by_role("button", name="Play")).to_be_hidden()


def test_a_phone_swipes_from_column_to_column(tab: Open) -> None:
    page = tab(MAIL, viewport={"width": 390, "height": 844}, has_touch=True)
    second = page.locator(".column").nth(1)
    expect(second).not_to_be_in_viewport(ratio=0.5)
    page.evaluate("document.querySelector('.columns').scrollBy(340, 0)")
    expect(second).to_be_in_viewport(ratio=0.9)
    page.get_by_role("link", name="Next step").tap()
    assert at(page) == 46
    expect(second).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("width", [320, 390, 820, 1440, 1920])
def test_nothing_scrolls_sideways(tab: Open, width: int) -> None:
    page = tab(MAIL, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [f"{MAIL}&step=110", f"{MAIL}&step=181"])
def test_axe_finds_nothing(tab: Open, path: str, scheme: str) -> None:
    page = tab(path, color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["target"] for node in rule["nodes"]][:4]) for rule in found] == []
