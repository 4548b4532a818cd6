"""Before the trace is there: links are links, what is pressed is done when it comes, and a word is said when it does not."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Open, ready, step_of

pytestmark = pytest.mark.browser

MAIL = "/run/mail/linux-2.6.9"


def held(page: Page) -> list[Route]:
    """Holds back the traces that a tab asks for; what is held can be let go."""
    kept: list[Route] = []
    page.route("**/trace", lambda route: kept.append(route))  # noqa: PLW0108 - playwright notes something on the handler
    return kept


def let_go(page: Page, kept: list[Route]) -> None:
    page.wait_for_function("() => document.querySelector('[data-awaited].htmx-request')")
    kept.pop().continue_()
    ready(page)


@pytest.mark.parametrize("press", ["ArrowRight", "l", "#scrub", "[data-do=play]"])
def test_what_is_pressed_before_the_trace_is_there_is_done_when_it_is(tab: Open, press: str) -> None:
    page = tab("/")
    kept = held(page)
    page.goto(f"{MAIL}?step=42")
    target = page.locator(press if press[0] in "#[" else "body")
    target.click() if press.startswith("[") else target.press("ArrowRight" if press == "#scrub" else press)
    assert step_of(page) == 42
    let_go(page, kept)
    page.wait_for_function("() => document.querySelector('fault-theatre').at === 43")


def test_a_key_that_comes_before_the_scripts_is_pressed_when_they_are_there(tab: Open) -> None:
    page = tab("/")
    kept: list[Route] = []
    page.route("**/js/keys*.js", lambda route: kept.append(route))  # noqa: PLW0108 - as above
    page.goto(f"{MAIL}?step=42", wait_until="commit")
    page.locator("#picture").wait_for()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.readyState === 'interactive'")
    assert kept, "keys.js is asked for under another name"
    for route in kept:
        route.continue_()
    page.wait_for_function("() => document.querySelector('fault-theatre').at === 43")


def test_before_the_trace_is_there_links_are_links_and_panes_change(tab: Open) -> None:
    page = tab("/", viewport={"width": 390, "height": 844})
    held(page)
    page.goto(f"{MAIL}?step=42")
    page.get_by_role("button", name="Code").click()
    expect(page.locator("fault-theatre")).to_have_attribute("data-pane", "code")
    page.locator(".controls [rel=next]").click()
    page.wait_for_url("**step=43")
    expect(page.locator("fault-theatre")).not_to_have_attribute("data-ready", "")


def test_another_run_waits_for_its_trace_and_back_leads_to_the_first(tab: Open) -> None:
    page = tab(f"{MAIL}?step=42")
    page.locator("#others:not([hx-trigger])").wait_for(state="attached")
    kept = held(page)
    page.locator("#other-wli-corrected").click()
    page.wait_for_url("**/wli-corrected*")
    assert page.locator("fault-theatre").get_attribute("data-ready") is None
    let_go(page, kept)
    page.unroute("**/trace")
    page.go_back()
    expect(page.locator("fault-theatre")).to_have_attribute("data-self", MAIL)
    ready(page)
    page.keyboard.press("ArrowRight")
    expect(page.locator("fault-theatre")).to_have_attribute("data-settled", "43")


def test_a_trace_that_does_not_come_leaves_a_page_of_links_and_says_so(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.route("**/trace", lambda route: route.abort())
    page.goto(f"{site}{MAIL}?step=42")
    expect(page.locator("#toast")).to_contain_text("each step is a page of its own")
    page.locator(".controls [rel=next]").click()
    page.wait_for_url("**step=43")
    page.close()
