"""Predict in a real browser: the page asks before it shows, and keeps a small score."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, step_of

pytestmark = pytest.mark.browser

BEFORE = "/run/mail/linux-2.6.9?predict=1&step=41"


def test_a_prediction_is_asked_answered_and_scored(tab: Open) -> None:
    page = tab(BEFORE)
    panel = page.locator(".predict")
    expect(panel).to_contain_text("What does this kernel do about room?")
    expect(page.locator(".caption")).to_be_hidden()
    page.keyboard.press("n")
    assert step_of(page) == 41, "it asks before it shows"
    page.keyboard.press("1")
    assert step_of(page) == 42
    expect(panel).to_contain_text("Right: It asks nobody")
    expect(panel.locator(".score")).to_have_text("1 of 1 right")
    page.keyboard.press("End")
    page.goto("/run/mail/linux-2.6.9?predict=1&step=18")
    page.get_by_role("link", name="No, it leads to a page").click()
    expect(panel).to_contain_text("Not so: Yes, it is empty")
    expect(panel.locator(".score")).to_have_text("1 of 2 right")


def test_a_key_turns_it_on_and_off(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?step=41")
    expect(page.locator(".predict")).to_be_hidden()
    page.keyboard.press("q")
    expect(page.locator(".predict")).to_be_visible()
    page.wait_for_url("**?predict=1&step=41")
    page.keyboard.press("q")
    expect(page.locator(".predict")).to_be_hidden()
    page.wait_for_url("**/linux-2.6.9?step=41")


def test_playing_halts_at_a_question(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?predict=1&step=40")
    page.keyboard.press("k")
    expect(page.locator(".predict")).to_be_visible()
    assert step_of(page) == 41
    expect(page.locator('[data-do="play"]')).to_have_attribute("aria-label", "Play")


def test_a_press_by_fault_goes_no_further_than_the_next_question(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?predict=1&step=9&zoom=fault")
    page.keyboard.press("n")
    assert step_of(page) == 18
    page.keyboard.press("k")
    assert step_of(page) == 18, "playing asks too"
    page.keyboard.press("1")
    page.keyboard.press("Shift+ArrowRight")
    assert step_of(page) == 41, "so does the way to the next fault"


def test_other_kernels_give_nothing_away_before_the_end(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?predict=1&step=9")
    cards = page.locator(".others li")
    expect(cards.nth(3)).to_contain_text("reserve")
    for verdict in page.locator(".others .verdict").all():
        expect(verdict).to_be_hidden()
    expect(page.locator(".covered")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator(".others .verdict").first).to_be_visible()
    expect(page.locator(".covered")).to_be_hidden()


def test_another_kernel_asks_on_from_the_same_moment(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?step=42")
    page.keyboard.press("q")
    page.locator("#other-wli-corrected").click()
    page.wait_for_url("**/wli-corrected?predict=1&step=*")
    expect(page.locator(".covered")).to_be_visible()
    page.keyboard.press("q")
    page.locator("#other-linux-2\\.6\\.9").click()
    page.wait_for_url("**/linux-2.6.9?step=*")


def test_nothing_jumps_for_a_question(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?predict=1&step=40")
    top = "document.querySelector('.changed-now').getBoundingClientRect().top"
    before = page.evaluate(top)
    page.keyboard.press("n")
    expect(page.locator(".predict")).to_be_visible()
    assert abs(page.evaluate(top) - before) < 1.5


def test_without_script_each_choice_leads_to_the_answer(tab: Open) -> None:
    page = tab(BEFORE, java_script_enabled=False)
    page.get_by_role("link", name="It asks nobody").click()
    expect(page.locator(".predict")).to_contain_text("It asks nobody")
    expect(page.locator(".predict")).to_contain_text("Here somebody could ask")
