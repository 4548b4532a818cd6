"""Keys, the list of them, and the palette: what is listed is what happens, and all of it can be switched off or typed."""

import re

import pytest
from playwright.sync_api import Page, expect

from app import keys
from tests.browser.conftest import Open, ready, step_of

pytestmark = pytest.mark.browser

MAIL = "/run/mail/linux-2.6.9"
CAN = """async () => {
  const { can } = await import(document.querySelector('script[src*="js/keys.js"]').src)
  return [...document.querySelectorAll('#help [data-act]')].map(row => row.dataset.act).filter(act => !can(act))
}"""
"""The acts that the overlay of a page lists and nothing on the page can do."""

WAKING = """() => {
  window.held = 0
  const request = async () => {
    window.held++
    return { release: async () => { window.held-- } }
  }
  Object.defineProperty(navigator, 'wakeLock', { value: { request } })
}"""


def options(page: Page) -> list[str]:
    """What the palette has found, once it has."""
    page.get_by_role("option").first.wait_for()
    return [" ".join(text.split()) for text in page.get_by_role("option").all_inner_texts()]


@pytest.mark.parametrize("path", [f"{MAIL}?step=1", "/", "/kernel/linux-6.18"])
def test_whatever_is_listed_can_be_done(tab: Open, path: str) -> None:
    page = tab(path)
    assert page.evaluate(CAN) == []


@pytest.mark.parametrize(
    ("key", "step"), [("PageDown", 11), ("PageUp", 9), ("l", 11), ("p", 9), ("Home", 0), ("End", 121)]
)
def test_a_key_does_what_the_list_says(tab: Open, key: str, step: int) -> None:
    page = tab(f"{MAIL}?step=10")
    page.keyboard.press(key)
    assert step_of(page) == step


def test_every_action_has_a_row_in_the_overlay(tab: Open) -> None:
    page = tab(f"{MAIL}?step=1")
    page.keyboard.press("?")
    rows = page.get_by_role("dialog", name="Keys").locator("dd")
    for action in keys.actions(keys.RUN):
        expect(rows.filter(has_text=action.text).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_usual_speed_comes_back_at_a_key(tab: Open) -> None:
    page = tab(f"{MAIL}?step=1")
    speed = page.get_by_role("button", name="Speed")
    page.keyboard.press("]")
    expect(speed).to_have_text(re.compile("^2"))
    page.keyboard.press("0")
    expect(speed).to_have_text(re.compile("^1"))


def test_single_keys_can_be_switched_off_and_stay_off(tab: Open) -> None:
    page = tab(f"{MAIL}?step=10")
    page.keyboard.press("?")
    page.get_by_label(re.compile("single character")).uncheck()
    expect(page.locator("#help [data-key=l]")).to_be_hidden()
    page.keyboard.press("Escape")
    for _ in range(2):
        page.keyboard.press("l")
        assert step_of(page) == 10
        page.keyboard.press("ArrowRight")
        assert step_of(page) == 11
        page.keyboard.press("ArrowLeft")
        expect(page).to_have_url(re.compile("step=10$"))
        page.reload()
        ready(page)


def test_keys_are_left_to_who_types_and_to_what_scrolls(tab: Open) -> None:
    page = tab(f"{MAIL}?step=43")
    page.locator("li[data-now]").locator("xpath=ancestor::ol[@tabindex]").first.evaluate(
        "list => { list.querySelector('li').style.minHeight = '200vh'; list.focus() }"
    )
    page.keyboard.press("PageDown")
    assert step_of(page) == 43
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 44
    home = tab("/")
    home.keyboard.press("/")
    home.keyboard.type("quota?")
    expect(home.get_by_role("searchbox")).to_have_value("quota?")
    expect(home.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("keystroke", ["Control+k", "Control+Shift+P"])
def test_the_palette_does_what_is_typed(tab: Open, keystroke: str) -> None:
    page = tab(f"{MAIL}?step=10")
    page.keyboard.press(keystroke)
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    page.keyboard.type("last step")
    assert options(page)[0].startswith("last step")
    expect(field).to_have_attribute("aria-activedescendant", "palette-0")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert step_of(page) == 121


def test_the_palette_goes_to_a_step_by_number_name_or_event(tab: Open) -> None:
    page = tab(f"{MAIL}?step=10")
    for said, step in (("43", 43), ("A do_no_page set_pte", 43), ("writepage", None), ("A.2.do_no_page.set_pte", 43)):
        page.keyboard.press("g")
        page.keyboard.type(said)
        found = options(page)[0]
        page.keyboard.press("Enter")
        number = re.search(r"\d+", found)
        assert number is not None
        assert step_of(page) == (step or int(number[0])), found


def test_the_palette_jumps_to_another_kernel_and_the_focus_is_not_lost(tab: Open) -> None:
    page = tab(f"{MAIL}?step=43")
    page.keyboard.press("/")
    page.keyboard.type("idea corrected")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("The idea, corrected"))
    page.wait_for_function("() => document.activeElement.id === 'kernel-chooser'")


def test_the_palette_says_when_it_finds_nothing(tab: Open) -> None:
    page = tab("/kernel/linux-6.18")
    page.keyboard.press("Control+k")
    page.keyboard.type("zzzz")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(page.locator("#palette-said")).to_have_text("Nothing found")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_phone_reaches_everything_by_the_palette(tab: Open) -> None:
    page = tab(f"{MAIL}?step=10", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Find an action").tap()
    page.get_by_role("option", name=re.compile("share this step")).tap()
    expect(page.get_by_role("dialog", name="Share")).to_be_visible()


def test_the_link_is_copied_and_that_is_said(tab: Open) -> None:
    page = tab(f"{MAIL}?step=10", permissions=["clipboard-read", "clipboard-write"])
    page.keyboard.press("c")
    expect(page.locator("#toast")).to_have_text("Link copied.")
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"{MAIL}?step=10")


@pytest.mark.parametrize("back", ["b", ".", "PageDown", "Escape"])
def test_a_blank_screen_shows_nothing_until_a_key(tab: Open, back: str) -> None:
    page = tab(f"{MAIL}?step=10")
    page.keyboard.press("b")
    blank = page.get_by_role("dialog", name=re.compile("blank"))
    box = blank.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (1440, 900)
    page.keyboard.press(back)
    expect(blank).to_be_hidden()
    assert step_of(page) == 10
    page.keyboard.press(".")
    expect(blank).to_be_visible()


def test_the_screen_stays_awake_while_presenting_and_seen(tab: Open) -> None:
    page = tab("/docs")
    page.context.add_init_script(f"({WAKING})()")
    page.goto(f"{MAIL}?step=10")
    held = "() => window.held"
    page.keyboard.press("f")
    page.wait_for_function("() => window.held === 1")
    for seen, count in (("hidden", 0), ("visible", 1)):
        page.evaluate(
            """seen => {
              Object.defineProperty(document, 'visibilityState', { value: seen, configurable: true })
              document.dispatchEvent(new Event('visibilitychange'))
            }""",
            seen,
        )
        page.wait_for_function("count => window.held === count", arg=count)
    page.keyboard.press("f")
    page.wait_for_function("() => window.held === 0")
    assert page.evaluate(held) == 0


def test_another_kernel_does_not_end_the_presentation(tab: Open) -> None:
    page = tab(f"{MAIL}?step=43")
    page.keyboard.press("f")
    page.keyboard.press("Control+k")
    page.keyboard.type("idea corrected")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("The idea, corrected"))
    expect(page.locator("fault-theatre")).to_have_attribute("data-present", "")
    page.keyboard.press("Escape")
    expect(page.locator("fault-theatre")).not_to_have_attribute("data-present", "")


def test_what_is_in_the_picture_can_be_looked_into_without_a_pointer(tab: Open) -> None:
    page = tab(f"{MAIL}?step=53")
    page.keyboard.press("i")
    page.keyboard.type("entry 0x40002")
    page.keyboard.press("Enter")
    panel = page.locator(".inspector")
    expect(panel).to_contain_text("P W U A D pfn=1")
    expect(panel.get_by_role("button", name="Close")).to_be_focused()
