"""Writing a scenario in a browser: errors beside the line, completion, forms, undo, what the browser keeps; by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from app import drafts
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def put(page: Page, before: str) -> None:
    """Set the caret behind a piece of the text."""
    page.locator("#scenario").focus()
    page.evaluate(
        "piece => { const f = document.querySelector('#scenario'); const at = f.value.indexOf(piece) + piece.length; f.setSelectionRange(at, at) }",
        before,
    )


def text(page: Page) -> str:
    return page.locator("#scenario").input_value()


def test_a_wrong_line_is_told_beside_it_and_a_right_one_runs(tab: Open) -> None:
    page = tab("/edit")
    verdict = page.locator("#verdict")
    put(page, "msync")
    page.keyboard.type("x")
    note = page.locator("#checked [data-line='13']")
    expect(note).to_contain_text("there is no call msyncx")
    expect(verdict).to_contain_text("1 problem. Line 13")
    expect(page.locator("#scenario")).to_have_attribute("aria-invalid", "true")
    line = page.locator(".mirror > [data-wrong]")
    assert abs(_middle(page, ".gutter > [data-wrong]") - _top(line.bounding_box(), 0.5)) < 2
    assert abs(_top(note.bounding_box(), 0) - _top(line.bounding_box(), 0)) < 3
    page.keyboard.press("Backspace")
    expect(verdict).to_contain_text("Nothing is wrong")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#result")).to_contain_text("Data is lost, and somebody was told")
    expect(page.locator("#result")).to_be_focused()
    assert page.url.endswith("/edit")


def _top(box: Any, part: float) -> float:
    return float(box["y"] + part * box["height"])


def _middle(page: Page, selector: str) -> float:
    return _top(page.locator(selector).bounding_box(), 0.5)


def test_the_mirror_lies_exactly_under_the_text(tab: Open) -> None:
    page = tab("/edit/mail")
    page.locator(".mirror > span").first.wait_for()
    sizes = page.evaluate(
        """() => ['.mirror', '#scenario'].map(at => { const el = document.querySelector(at), s = getComputedStyle(el), r = el.getBoundingClientRect()
        return [s.fontSize, s.lineHeight, s.fontFamily, s.paddingInlineStart, Math.round(r.left), Math.round(r.top), el.scrollHeight <= r.height + 1] })"""
    )
    assert sizes[0] == sizes[1]
    assert page.locator(".mirror").inner_text().replace("\u200b", "").rstrip("\n") == text(page).rstrip("\n")


def test_a_note_leads_to_its_place(tab: Open) -> None:
    page = tab("/edit")
    put(page, "msync(m, SYN")
    page.keyboard.press("Backspace")
    page.locator("#checked a").click()
    start = page.evaluate("document.querySelector('#scenario').selectionStart")
    assert text(page)[start:].startswith("SYC)")


def test_calls_names_and_words_are_completed_by_keyboard(tab: Open) -> None:
    page = tab("/edit")
    put(page, "script:\n      - m = mmap(f, 4P, READ|WRITE, SHARED)")
    page.keyboard.press("Enter")
    page.keyboard.type("mpr")
    options = page.locator("#completions [role=option]")
    expect(options).to_have_count(1)
    expect(options).to_contain_text("change the rights")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Space")
    expect(page.locator("#hint")).to_contain_text("mprotect(mapping, prot, start, stop)")
    expect(page.locator("#scenario")).to_have_attribute("aria-activedescendant", "completion-0")
    page.keyboard.press("Enter")
    page.keyboard.type(", ")
    page.keyboard.press("Control+Space")
    assert options.all_inner_texts()[0].startswith("READ")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.type(")")
    assert "      - mprotect(m, NONE)\n" in text(page)
    expect(page.locator("#verdict")).to_contain_text("Nothing is wrong")


@pytest.mark.parametrize(
    ("behind", "typed", "offered"),
    [
        ("schedule: [", "", "B"),
        ("filesystem: {type: ", "", "btrfs"),
        ("filesystem: {", "", "reserved:"),
        ("user: alice\n", "    ", "on_sigbus:"),
        ("title: My own experiment\n", "ker", "kernel:"),
        ("      - fill(g)", "\npread(", "f"),
    ],
)
def test_what_fits_the_place_is_offered(tab: Open, behind: str, typed: str, offered: str) -> None:
    page = tab("/edit")
    put(page, behind)
    for each in typed:
        page.keyboard.press("Enter") if each == "\n" else page.keyboard.type(each)
    page.keyboard.press("Control+Space")
    assert any(each.split("\n")[0] == offered for each in page.locator("#completions [role=option]").all_inner_texts())


def test_a_form_rewrites_its_part_and_the_browser_can_undo_it(tab: Open) -> None:
    page = tab("/edit")
    page.get_by_label("arch").focus()
    page.get_by_label("arch").select_option("x86-64")
    expect(page.locator("#scenario")).to_have_value(drafts.START.replace("{frames: 16}", "{arch: x86-64, frames: 16}"))
    expect(page.get_by_label("arch")).to_be_focused()
    page.locator("#scenario").focus()
    page.keyboard.press("Control+z")
    expect(page.locator("#scenario")).to_have_value(drafts.START)
    expect(page.get_by_label("arch")).to_have_value("i386")


def test_back_to_the_start_can_be_undone_too(tab: Open) -> None:
    page = tab("/edit")
    put(page, "title: ")
    page.keyboard.type("Very ")
    page.get_by_role("button", name="Back to the start").click()
    assert text(page) == drafts.START
    page.get_by_role("button", name="Undo").click()
    assert "title: Very My own experiment" in text(page)


def test_the_browser_keeps_what_was_written_and_offers_it(tab: Open) -> None:
    page = tab("/edit")
    put(page, "title: ")
    page.keyboard.type("Kept ")
    while "Kept" not in page.evaluate("localStorage.getItem('edit:') ?? ''"):
        page.wait_for_timeout(50)
    page.reload()
    assert text(page) == drafts.START
    page.get_by_role("button", name="Restore it").click()
    assert "title: Kept My own experiment" in text(page)
    page.goto("/edit/mail")
    expect(page.locator("#saved")).to_be_hidden()
    page.goto("/edit")
    page.get_by_role("button", name="Forget it").click()
    page.reload()
    expect(page.locator("#saved")).to_be_hidden()


def test_sharing_gives_a_link_that_shows_the_run(tab: Open) -> None:
    page = tab("/edit")
    put(page, "title: ")
    page.keyboard.type("Shared ")
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#result")).to_contain_text("Nothing about you")
    page.get_by_role("link", name="Watch it").click()
    expect(page.locator("#scenario-chooser")).to_contain_text("Shared My own experiment")


def test_everything_can_be_done_by_keyboard_and_nothing_holds_it(tab: Open) -> None:
    page = tab("/edit")
    put(page, "msync")
    page.keyboard.press("Tab")
    expect(page.locator("#scenario")).not_to_be_focused()
    put(page, "msync")
    page.keyboard.press("Escape")
    expect(page.locator("#run")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_contain_text("What comes of it")


def test_without_scripts_it_is_a_form(tab: Open) -> None:
    page = tab("/edit", java_script_enabled=False)
    page.locator("#scenario").fill(drafts.START.replace("msync", "msinc"))
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#checked")).to_contain_text("there is no call msinc")
    page.locator("#scenario").fill(drafts.START)
    page.get_by_label("frames").fill("32")
    page.get_by_role("button", name="Write this into the text").click()
    assert "frames: 32" in text(page)
    page.get_by_role("button", name="Run it").click()
    expect(page.locator("#result")).to_contain_text("Every store, and its fate")


def test_a_phone_has_all_of_it_and_does_not_scroll_sideways(tab: Open) -> None:
    page = tab("/edit", viewport={"width": 320, "height": 640})
    put(page, "msync")
    page.keyboard.type("x")
    expect(page.locator("#checked a")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_label("frames").fill("4")
    expect(page.get_by_role("button", name="Run it")).to_be_in_viewport()


def test_a_check_that_comes_after_does_not_stop_a_link_from_being_made(tab: Open) -> None:
    page = tab("/edit")
    put(page, "title: ")

    def late(route: Route) -> None:
        page.wait_for_timeout(900)
        route.continue_()

    page.route("**/edit/share", late)
    page.keyboard.type("Slow ")
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#result")).to_contain_text("Nothing about you")
