"""The story in a real browser: one button, free play, and a way back."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, step_of

pytestmark = pytest.mark.browser

STORY = "/run/mail/linux-2.6.9?story=1"
BEATS = 13


def test_one_button_tells_the_story(tab: Open) -> None:
    page = tab("/")
    page.get_by_role("link", name="Start: the mail's experiment in a minute").click()
    panel = page.locator(".storyline")
    for number in range(1, BEATS):
        expect(panel).to_contain_text(f"{number} of {BEATS}")
        page.get_by_role("link", name="Continue").click()
    expect(panel).to_contain_text("nobody knows that a letter is gone")
    expect(page.get_by_role("link", name="Next story")).to_be_visible()
    page.wait_for_url("**/run/mail/linux-2.6.9?story=1&step=121")


def test_a_first_visit_lands_on_the_story_and_tells_it(tab: Open) -> None:
    page = tab("/", first_visit=True, reduced_motion="no-preference")
    page.wait_for_url("**/run/mail/linux-2.6.9?story=1&step=0")
    expect(page.get_by_role("button", name="Pause the story")).to_be_visible()
    expect(page.locator(".storyline")).to_contain_text(f"2 of {BEATS}", timeout=8_000)
    page.get_by_role("link", name="Pagefate: the gallery").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Step through a page fault")
    page.reload()
    expect(page.locator("#find")).to_be_visible()


def test_a_first_visit_to_something_else_stays_there_and_the_gallery_comes_after_it(tab: Open) -> None:
    page = tab("/?q=quota", first_visit=True)
    expect(page.locator("#find")).to_have_value("quota")
    page.get_by_role("link", name="Pagefate: the gallery").click()
    expect(page.locator("#find")).to_have_value("")


def test_a_crawler_that_remembers_nothing_finds_the_gallery(tab: Open) -> None:
    page = tab("/", first_visit=True, user_agent="Mozilla/5.0 (compatible; Googlebot/2.1)")
    expect(page.locator("#find")).to_be_visible()


def test_who_wants_less_motion_is_told_at_their_own_pace(tab: Open) -> None:
    page = tab(f"{STORY}#play")
    expect(page.get_by_role("button", name="Tell it by itself")).to_be_visible()


def test_without_scripts_a_first_visit_is_one_click_from_the_story(tab: Open) -> None:
    page = tab("/", first_visit=True, java_script_enabled=False)
    page.get_by_role("link", name="Start: the mail's experiment").click()
    expect(page.locator(".storyline")).to_contain_text(f"1 of {BEATS}")


def test_any_press_takes_over_from_a_story_that_tells_itself(tab: Open) -> None:
    page = tab(STORY, reduced_motion="no-preference")
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Pause the story")).to_be_visible()
    page.keyboard.press("Shift")
    expect(page.get_by_role("button", name="Tell it by itself")).to_be_visible()
    expect(page.locator(".storyline")).to_contain_text(f"1 of {BEATS}")
    page.get_by_role("link", name="Continue").click()
    expect(page.locator(".storyline")).to_contain_text(f"2 of {BEATS}")


@pytest.mark.parametrize("key", ["Enter", " ", "ArrowRight"])
def test_keys_continue_and_go_back(tab: Open, key: str) -> None:
    page = tab(STORY)
    page.keyboard.press(key)
    expect(page.locator(".storyline")).to_contain_text(f"2 of {BEATS}")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".storyline")).to_contain_text(f"1 of {BEATS}")


def test_free_play_at_any_moment_and_a_way_back(tab: Open) -> None:
    page = tab(f"{STORY}&step=43")
    page.keyboard.press("n")
    assert step_of(page) == 44
    expect(page.locator(".caption")).to_be_visible()
    page.get_by_role("link", name="Back to the story").click()
    assert step_of(page) == 43
    expect(page.locator(".caption")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator(".storyline")).to_be_hidden()
    page.wait_for_url("**/run/mail/linux-2.6.9?step=43")
    page.locator(".voices").get_by_role("link", name="Story").click()
    expect(page.locator(".storyline")).to_contain_text(f"1 of {BEATS}")


def test_with_motion_the_steps_between_are_played(tab: Open) -> None:
    page = tab(STORY, reduced_motion="no-preference")
    page.get_by_role("link", name="Continue").click()
    expect(page.locator(".storyline")).to_contain_text(f"2 of {BEATS}")
    page.get_by_role("link", name="Continue").click()
    page.keyboard.press("Escape")
    expect(page.locator(".storyline")).to_be_hidden()


def test_nothing_moves_when_the_story_gives_way_to_the_caption(tab: Open) -> None:
    page = tab(f"{STORY}&step=43")
    top = "document.querySelector('.changed-now').getBoundingClientRect().top"
    before = page.evaluate(top)
    page.keyboard.press("n")
    assert abs(page.evaluate(top) - before) < 1.5
    page.keyboard.press("Escape")
    assert abs(page.evaluate(top) - before) < 1.5


def test_another_kernel_goes_on_with_its_own_story(tab: Open) -> None:
    page = tab(f"{STORY}&step=53")
    page.locator("#other-linux-6\\.18").click()
    page.wait_for_url("**/linux-6.18?story=1&step=*")
    expect(page.locator(".storyline .say")).to_be_visible()
    page.get_by_role("link", name="The written one: 2.6.9").click()
    expect(page.locator(".storyline")).to_contain_text(f"1 of {BEATS}")


def test_a_phone_has_one_big_button(tab: Open) -> None:
    page = tab(STORY, viewport={"width": 390, "height": 844})
    button = page.get_by_role("link", name="Continue")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 48
    assert box["y"] + box["height"] <= 844
    button.click()
    expect(page.locator(".storyline")).to_contain_text(f"2 of {BEATS}")
    expect(page.locator(".caption")).to_be_hidden()


def test_without_script_the_story_is_pages(tab: Open) -> None:
    page = tab(STORY, java_script_enabled=False)
    page.get_by_role("link", name="Continue").click()
    expect(page.locator(".storyline")).to_contain_text(f"2 of {BEATS}")
    page.get_by_role("link", name="Play freely").click()
    expect(page.locator(".caption")).to_be_visible()


def test_the_voice_changes_what_is_said_and_is_remembered(tab: Open) -> None:
    page = tab("/run/mail/linux-2.6.9?step=43")
    expect(page.locator("#caption")).to_contain_text("becomes writable, although A has only read")
    page.keyboard.press("v")
    expect(page.locator("#caption .developer")).to_be_visible()
    expect(page.locator("#caption .student")).to_be_hidden()
    page.wait_for_url("**?voice=developer&step=43")
    page.goto("/run/mail/linux-2.6.9?step=42")
    expect(page.locator("#caption .developer")).to_be_visible()
    page.goto("/run/mail/linux-2.6.9?voice=student&step=42")
    expect(page.locator("#caption .student")).to_be_visible()
