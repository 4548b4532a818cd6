"""Who can run now, in a browser: a click lets it, the run forks, and both futures stay one click away."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, go, ready, step_of
from tests.browser.test_axe import in_themes

pytestmark = pytest.mark.browser

RUN = "/run/mail/linux-2.6.9"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def let_run(page: Page, name: str) -> None:
    """Press the button of a task, and wait for the run in which it goes on."""
    page.locator(".ahead").get_by_role("button", name=f"let {name} run").click()
    page.wait_for_url(re.compile("switch="))
    ready(page)


def test_who_can_run_says_what_each_would_touch(tab: Open) -> None:
    page = tab(f"{RUN}?step=53")
    page.keyboard.press("w")
    rows = page.locator(".ahead li")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="do_exit, exit_signals")).to_contain_text("A is next")
    expect(rows.filter(has_text="wake, wake_up")).to_contain_text("wakes pdflush")
    rows.get_by_role("link", name="A is next").click()
    assert step_of(page) == 54


def test_at_another_step_it_is_asked_again(tab: Open) -> None:
    page = tab(f"{RUN}?step=53")
    page.keyboard.press("w")
    expect(page.locator(".ahead h3")).to_have_text("Who can run after step 53")
    go(page, 70)
    expect(page.locator(".ahead h3")).to_have_text("Who can run after step 70")
    waiting = page.locator(".ahead li[data-waits]")
    expect(waiting).to_contain_text("would wait for pdflush to have done its work")
    expect(waiting.get_by_role("button")).to_have_count(0)


def test_a_click_forks_the_run_and_both_futures_are_one_click_away(tab: Open) -> None:
    page = tab(f"{RUN}?step=53")
    page.keyboard.press("w")
    let_run(page, "C")
    assert step_of(page) == 54
    futures = page.locator(".futures a")
    expect(futures).to_have_count(2)
    expect(page.locator(".futures [aria-current]")).to_contain_text("let C run")
    assert in_themes(page, ".futures") == {}
    futures.filter(has_text="as it was").click()
    page.wait_for_url(re.compile(r"step=53$"))
    ready(page)
    expect(page.locator("fault-theatre")).to_have_attribute("data-outcome", "lost-silent")
    page.locator(".futures a", has_text="let C run").click()
    page.wait_for_url(re.compile("switch=.*step=54$"))
    expect(page.locator(".futures li li")).to_have_count(1)


def test_on_the_phone_too(tab: Open) -> None:
    page = tab(f"{RUN}?step=53", **PHONE)
    expect(page.locator(".futures")).to_be_hidden()
    page.locator("#what-if").tap()
    let_run(page, "C")
    expect(page.locator("#what-if")).to_have_text("What if")
    expect(page.locator(".futures a", has_text="let C run")).to_be_in_viewport()
    page.locator(".futures a", has_text="as it was").tap()
    page.wait_for_url(re.compile(r"step=53$"))


def test_without_scripts_it_is_a_page_with_the_same_buttons(tab: Open) -> None:
    page = tab(f"{RUN}?step=53", java_script_enabled=False)
    page.locator("#what-if").click()
    page.get_by_role("link", name="Who can run now").click()
    page.get_by_role("button", name="let C run").click()
    expect(page).to_have_url(re.compile(r"switch=.*%3EC.*step=54$|switch=.*>C.*step=54$"))
    expect(page.locator("[data-at=time] b").first).to_have_text("54")


def test_axe_finds_nothing_where_it_is_said_who_can_run(tab: Open) -> None:
    page = tab(f"{RUN}?step=70")
    page.keyboard.press("w")
    expect(page.locator(".ahead li").first).to_be_visible()
    assert in_themes(page, ".what-if") == {}
    page.goto(f"{RUN}/next?step=70")
    assert in_themes(page) == {}
