"""The exported file plays from a folder, with the network off, and asks for nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app import standalone
from app.orders import order
from app.runs import perform
from engine import Limits
from tests.browser.test_axe import in_themes

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The file, opened from a folder by a browser without a network. At the end nothing may have gone wrong."""
    file = tmp_path / "mail.html"
    file.write_text(standalone.page(perform(order("mail", "linux-2.6.9"), Limits()), 43), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 760}, reduced_motion="reduce")
    wrong: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if request.url != file.as_uri() else None)
    page.goto(file.as_uri())
    yield page
    context.close()
    assert [each for each in wrong if not each.startswith(("data:", file.as_uri()))] == []


def test_it_plays_with_the_network_off(opened: Page) -> None:
    player = opened.locator("fault-player")
    expect(player).to_have_attribute("data-settled", "43")
    opened.keyboard.press("ArrowRight")
    expect(player).to_have_attribute("data-settled", "44")
    opened.get_by_role("button", name="Play").click()
    expect(player).to_have_attribute("data-settled", "46", timeout=15_000)
    opened.get_by_role("button", name="Pause").click()
    opened.keyboard.press("End")
    expect(player).to_have_attribute("data-settled", "121")
    expect(opened.locator("fault-player .fate.big")).to_contain_text("lost")


def test_its_address_names_the_step_and_opens_there(opened: Page) -> None:
    opened.keyboard.press("Home")
    expect(opened.locator("fault-player")).to_have_attribute("data-settled", "0")
    opened.evaluate("location.hash = '#step=53'")
    expect(opened.locator("fault-player")).to_have_attribute("data-settled", "53")
    opened.reload()
    expect(opened.locator("fault-player")).to_have_attribute("data-settled", "53")


def test_axe_finds_nothing_in_the_file(opened: Page) -> None:
    expect(opened.locator("fault-player")).to_have_attribute("data-settled", "43")
    assert in_themes(opened) == {}
