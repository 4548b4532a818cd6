"""Every screen: a phone, a laptop, a projector; light and dark."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, step_of

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/run/mail/linux-2.6.9?step=53",
    "/run/mail/wli-posted?step=0",
    "/run/mail/linux-2.6.9?story=1&step=43",
    "/run/mail/linux-2.6.9?predict=1&step=41",
    "/challenge/one-page-in-silence",
    "/scenario/mail",
    "/search/mail/linux-2.6.9?property=no-loss",
    "/matrix",
    "/matrix/mail",
    "/kernel/wli-posted",
    "/docs",
    "/run/nope/linux-2.6.9",
)
PAPER = "getComputedStyle(document.documentElement).backgroundColor"
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("width", [320, 390, 820, 1440, 1920])
@pytest.mark.parametrize("path", PAGES[:-1])
def test_nothing_scrolls_sideways(tab: Open, path: str, width: int) -> None:
    page = tab(path, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_shows_one_pane_at_a_time(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?step=53", viewport=PHONE, has_touch=True)
    expect(page.locator(".focus")).to_be_visible()
    expect(page.locator(".focus")).to_contain_text("hole: no block")
    expect(page.locator("svg.scene")).to_be_hidden()
    expect(page.locator(".ledger")).to_be_hidden()
    page.get_by_role("button", name="Stores").click()
    expect(page.locator(".ledger")).to_be_visible()
    expect(page.locator(".focus")).to_be_hidden()
    page.get_by_role("button", name="Code").click()
    expect(page.locator(".steps li[data-now]")).to_be_visible()
    page.get_by_role("link", name="Next step").tap()
    assert step_of(page) == 54


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1440, "height": 900}])
def test_every_control_is_large_enough_to_hit(tab: Open, viewport: dict[str, int]) -> None:
    page = tab("/run/mail/linux-2.6.9?step=53", viewport=viewport)
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, summary, .controls a, input')]
             .filter(el => el.checkVisibility())
             .map(el => [el.getAttribute('aria-label') ?? el.textContent.trim(), el.getBoundingClientRect()])
             .filter(([, box]) => box.width < 24 || box.height < 24).map(([name]) => name)"""
    )
    assert small == []


def test_the_theme_is_remembered(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?step=1", color_scheme="light")
    page.locator("summary[aria-label=Colours]").click()
    page.get_by_label("Dark", exact=True).check()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(PAPER) == "rgb(18, 22, 27)"


@pytest.mark.parametrize(("choice", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(0, 0, 0)")])
def test_high_contrast_is_a_choice_and_a_wish_of_the_system(tab: Open, choice: str, paper: str) -> None:
    asked = tab("/", contrast="more", color_scheme=choice)
    assert asked.evaluate(PAPER) == paper
    page = tab("/")
    page.keyboard.press("Control+k")
    page.keyboard.type(f"high contrast {choice}")
    page.keyboard.press("Enter")
    assert page.evaluate(PAPER) == paper
    page.goto("/run/mail/linux-2.6.9?step=1")
    assert page.evaluate(PAPER) == paper
    page.locator("summary[aria-label=Colours]").click()
    expect(page.get_by_label(f"High contrast, {choice}")).to_be_checked()
