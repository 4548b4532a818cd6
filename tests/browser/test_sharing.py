"""Sharing, as people do it: the dialog, a long link that nobody keeps, and an address that says the whole view."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from app.orders import order
from app.packing import pack
from tests.app.conftest import INLINE
from tests.browser.conftest import Open, ready
from tests.browser.test_axe import in_themes, violations

pytestmark = pytest.mark.browser

MAIL = "/run/mail/linux-2.6.9"


def test_the_dialog_has_a_short_and_a_long_link_a_frame_and_files(tab: Open, site: str) -> None:
    page = tab(f"{MAIL}?step=53")
    page.keyboard.press("s")
    expect(page.locator("#share-long")).to_have_value(re.compile(r"/x\?step=53#[\w-]+$"))
    expect(page.locator("#share-frame")).to_have_value(
        re.compile(f'^<iframe src="{site}/embed/mail/linux-2.6.9\\?step=53"')
    )
    expect(page.get_by_role("link", name=".html")).to_have_attribute("href", f"{MAIL}.html?step=53")
    assert in_themes(page, "dialog[open]") == {}
    page.get_by_role("button", name="Make one, with a QR code").click()
    expect(page).to_have_url(re.compile(r"/s/\w+\?step=53$"))
    ready(page)
    page.keyboard.press("s")
    expect(page.get_by_alt_text("A QR code of the short link")).to_be_visible()


def test_the_dialog_speaks_of_the_step_it_was_opened_on(tab: Open) -> None:
    page = tab(f"{MAIL}?step=53")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("s")
    expect(page.locator("#share-long")).to_have_value(re.compile(r"/x\?step=54#"))


def test_a_long_link_to_the_gallery_opens_the_run(tab: Open) -> None:
    page = tab(f"/x?step=53#{pack(order('mail', 'linux-2.6.9').content)}")
    expect(page).to_have_url(re.compile(r"/run/mail/linux-2\.6\.9\?step=53$"))
    expect(page.locator("fault-theatre")).to_have_attribute("data-settled", "53")


def test_a_long_link_of_ones_own_plays_and_keeps_its_run_in_the_address(tab: Open) -> None:
    packed = pack(order(INLINE, "linux-2.6.9").content)
    page = tab(f"/x?step=7#{packed}")
    player = page.locator("fault-player")
    expect(player).to_have_attribute("data-settled", "7")
    page.keyboard.press("ArrowRight")
    expect(player).to_have_attribute("data-settled", "8")
    expect(page).to_have_url(re.compile(rf"/x\?step=8#{packed}$"))
    page.reload()
    expect(player).to_have_attribute("data-settled", "8")
    assert violations(page) == []
    page.get_by_role("button", name="Keep it under a short link").click()
    expect(page).to_have_url(re.compile(r"/s/\w+"))


@pytest.mark.parametrize("broken", ["abc", "%%%", "A" * 60_000])
def test_a_long_link_without_its_end_says_so(tab: Open, broken: str) -> None:
    page = tab(f"/x#{broken}")
    expect(page.get_by_role("status").first).to_contain_text("not whole")


def test_the_page_of_long_links_is_accessible(tab: Open) -> None:
    assert in_themes(tab("/x")) == {}
    assert in_themes(tab(f"{MAIL}/share?step=53")) == {}


def test_the_address_says_speed_zoom_and_pane(tab: Open) -> None:
    page = tab(f"{MAIL}?step=43", viewport={"width": 390, "height": 844})
    page.locator("fault-theatre[data-settled]").wait_for()
    page.get_by_role("button", name="Stores", exact=True).click()
    page.keyboard.press("]")
    page.keyboard.press("z")
    expect(page).to_have_url(re.compile(r"\?step=43&zoom=function&pane=stores&speed=2$"))
    other = tab(urlsplit(page.url).path + "?" + urlsplit(page.url).query, viewport={"width": 390, "height": 844})
    expect(other.locator("fault-theatre")).to_have_attribute("data-pane", "stores")
    expect(other.locator("[data-do=speed]")).to_have_text("2\u00d7")
    expect(other.locator("fault-theatre")).to_have_attribute("data-zoom", "function")


def test_a_comparison_has_its_speed_in_the_address(tab: Open) -> None:
    page = tab("/compare/mail?step=3&speed=4")
    expect(page.locator("[data-do=speed]")).to_have_text("4\u00d7")
    page.keyboard.press("]")
    expect(page).to_have_url(re.compile(r"step=3&speed=8$"))


def test_a_view_that_makes_no_sense_is_the_usual_one(tab: Open) -> None:
    page = tab(f'{MAIL}?step=43&pane="]x&speed=3')
    expect(page.locator("fault-theatre")).to_have_attribute("data-settled", "43")
    expect(page.locator("fault-theatre")).to_have_attribute("data-pane", "picture")
    expect(page.locator("[data-do=speed]")).to_have_text("1\u00d7")
