"""Searching in a browser: ask, watch, stop, open a way as a run; and the strip that tells what could still become."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.app.seeking import LONG
from tests.browser.conftest import Open
from tests.browser.test_axe import in_themes
from tests.browser.test_stillness import WATCH, shifts

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
SLOW = "/search/mail/wli-corrected?property=no-loss&" + "&".join(f"offer={each}" for each in LONG)
MANY = "/search/mail/linux-2.6.9?property=no-loss&" + "&".join(f"offer={each}" for each in LONG)
PATIENCE = 60_000
STRIP = "#outlook rect"


def test_a_question_is_asked_and_its_first_way_opens_as_a_run(tab: Open) -> None:
    page = tab("/search/mail/linux-2.6.9")
    page.get_by_label("No byte is lost without anybody being told.").check()
    page.get_by_label("The flusher wakes up, once").check()
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("#found")).to_have_attribute("data-verdict", "broken", timeout=PATIENCE)
    expect(page.locator("#found h2")).to_contain_text("It is broken")
    expect(page).to_have_url(re.compile("property=no-loss-untold&offer=writeback#found"))
    page.locator(".witnesses a").first.click()
    expect(page.locator("fault-theatre")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/run/mail/linux-2\.6\.9"))


def begin(page: Page) -> None:
    """Search what the page asks, where it was not searched yet."""
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("#found")).to_have_attribute("data-state", re.compile(r"waiting|searching"), timeout=PATIENCE)


def test_a_long_search_shows_how_far_it_is_and_can_be_stopped(tab: Open) -> None:
    page = tab(SLOW)
    expect(page.locator("#found")).to_contain_text("Not searched yet")
    assert in_themes(page, "#found") == {}
    page.get_by_role("button", name="Search now").click()
    progress = page.locator("#found output")
    expect(progress).to_contain_text(re.compile(r"^[1-9][\d,]* states"), timeout=PATIENCE)
    before = progress.inner_text()
    expect(progress).not_to_have_text(before, timeout=PATIENCE)  # of itself
    assert in_themes(page, "#found") == {}
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#found")).to_have_attribute("data-verdict", "undecided", timeout=PATIENCE)
    expect(page.locator("#found")).to_contain_text("then the search was stopped")
    page.wait_for_timeout(1_500)  # longer than a look takes to come round
    expect(page.locator("#found")).to_have_attribute("data-verdict", "undecided")
    assert in_themes(page) == {}


def test_ways_come_as_links_while_the_search_goes_on_and_move_nothing(tab: Open) -> None:
    page = tab(MANY)
    page.evaluate(WATCH.replace("BUFFERED", "false"))
    begin(page)
    page.evaluate(WATCH.replace("BUFFERED", "false"))  # it is another page now
    way = page.locator("#way-1")
    expect(way).to_contain_text("not yet the shortest", timeout=PATIENCE)
    expect(page.locator("#found-said")).to_contain_text(re.compile(r"^[12] ways? found so far\.$"))
    way.focus()
    progress = page.locator("#found output")
    for _ in range(2):
        before = progress.inner_text()
        expect(progress).not_to_have_text(before, timeout=PATIENCE)
    expect(way).to_be_focused()
    assert shifts(page) == []
    run = page.context.new_page()
    run.goto(way.get_attribute("href") or "")
    expect(run.locator("fault-theatre, fault-player")).to_be_visible(timeout=PATIENCE)
    run.close()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#found")).to_have_attribute("data-verdict", "broken", timeout=PATIENCE)
    expect(way).to_be_visible()


def test_without_scripts_one_looks_again(tab: Open) -> None:
    page = tab(SLOW.replace("no-loss", "no-loss-untold"), java_script_enabled=False)
    page.get_by_role("button", name="Search now").click()
    page.get_by_role("link", name="Look again").click()
    expect(page.locator("#found output")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    for _ in range(40):
        if not page.locator("#found output").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(page.locator("#found")).to_have_attribute("data-verdict", "undecided")


def test_the_cells_of_a_matrix_fill_by_themselves_and_the_count_is_told(tab: Open) -> None:
    page = tab("/matrix/mail")
    page.evaluate(WATCH.replace("BUFFERED", "false"))
    page.get_by_role("button", name="Search what is missing").click()
    expect(page.locator("#sweep progress")).to_be_visible()
    page.evaluate(WATCH.replace("BUFFERED", "false"))
    stock = page.locator("#cell-mail-linux-2_6_9-no-loss")
    expect(stock).to_have_attribute("data-verdict", "broken", timeout=PATIENCE)
    expect(stock).to_have_accessible_name("broken")
    expect(page.locator("#cell-mail-linux-2_6_9-no-private-byte")).to_have_attribute(
        "data-verdict", "holds", timeout=PATIENCE
    )
    expect(page.locator("#counts")).to_contain_text("broken")
    expect(page.locator("#sweep-said")).to_contain_text("cells searched", timeout=PATIENCE)
    assert [moved for moved in shifts(page) if moved.startswith(("table", "td", "tr", "th", "a.", "div"))] == []
    assert in_themes(page) == {}
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Search what is missing")).to_be_visible()
    page.locator("#cell-mail-linux-2_6_9-no-loss").click()
    expect(page.locator("fault-theatre")).to_be_visible()


def test_a_matrix_works_without_scripts(tab: Open) -> None:
    page = tab("/matrix", java_script_enabled=False)
    page.get_by_label("Is it so?").select_option("accounts-balance")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("property=accounts-balance"))
    page.get_by_role("button", name="Search what is missing").click()
    page.get_by_role("link", name="Look again").click()
    expect(page.locator("#sweep output")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Search what is missing")).to_be_visible()


@pytest.mark.parametrize("path", ["/matrix", "/matrix/mail"])
def test_a_phone_scrolls_the_board_and_keeps_its_first_column(tab: Open, path: str) -> None:
    page = tab(path, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    first = page.locator("tbody th[scope=row]").first
    before = first.bounding_box()
    page.locator(".board").evaluate("it => { it.scrollLeft = 200 }")
    after = first.bounding_box()
    assert before is not None
    assert after is not None
    assert before["x"] == after["x"]


@pytest.mark.parametrize("width", [900, 1440])
def test_foresight_colours_the_strip_and_moves_nothing(tab: Open, width: int) -> None:
    page = tab("/run/mail/linux-2.6.9?step=53", viewport={"width": width, "height": 900})
    expect(page.locator(STRIP)).to_have_count(0)
    page.evaluate(WATCH.replace("BUFFERED", "false"))
    _open_by_keyboard(page)
    expect(page.locator(STRIP).first).to_be_visible(timeout=PATIENCE)
    colours = page.evaluate(f"[...document.querySelectorAll('{STRIP}')].map(each => getComputedStyle(each).fill)")
    assert len(set(colours)) == len(colours) == 2  # first it depends, then it is certain
    assert [moved for moved in shifts(page) if not moved.startswith("div.menu")] == []  # which has its answer now
    assert page.locator("#outlook").get_attribute("aria-label")
    step = page.locator(".foresee [data-step]").first
    number = step.get_attribute("data-step") or ""
    step.focus()
    page.keyboard.press("Enter")
    expect(page.locator('[data-show="step"]').first).to_have_text(number)
    expect(page.locator(STRIP)).to_have_count(2)


def test_axe_finds_nothing_in_foresight(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?step=53")
    _open_by_keyboard(page)
    expect(page.locator(".foresee .facts")).to_be_visible(timeout=PATIENCE)
    assert in_themes(page) == {}


def test_foresight_without_scripts_is_a_link(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9", java_script_enabled=False)
    page.locator("#foresee").click()
    page.get_by_role("link", name="What could still become of it").click()
    expect(page.locator("body")).to_contain_text("Doomed from")


def _open_by_keyboard(page: Page) -> None:
    page.locator("#foresee").focus()
    page.keyboard.press("Enter")
