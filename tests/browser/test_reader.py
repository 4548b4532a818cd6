"""What a screen reader is told, by the accessibility tree: one voice, a twin in words of the picture, tables that are tables."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, go

pytestmark = pytest.mark.browser

MAIL = "/run/mail/linux-2.6.9"
VOICES = """() => [...document.querySelectorAll('[aria-live], [role="status"], [role="alert"], [role="log"], output')]
  .filter(el => el.getAttribute('aria-live') !== 'off' && (el.checkVisibility() || el.closest('dialog')))
  .map(el => el.id || el.className)"""
"""What may speak by itself; what is not rendered is silent, unless it is a dialog that can open."""

LISTEN = """() => {
  window.heard = []
  new MutationObserver(records => {
    const regions = new Set(records.map(({ target }) => (target.closest ?? target.parentElement.closest).call(
      target.closest ? target : target.parentElement, '[aria-live]:not([aria-live="off"]), [role="status"]:not([aria-live])')))
    for (const region of regions) if (region?.checkVisibility() && region.innerText) heard.push(region.innerText)
  }).observe(document.body, { subtree: true, childList: true, characterData: true })
}"""
"""Notes in window.heard what each live region says; several changes of one at once are one sentence."""


def tree(page: Page) -> list[dict[str, Any]]:
    """Every node of the accessibility tree that is not ignored."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [node for node in nodes if not node["ignored"]]


def named(nodes: list[dict[str, Any]], role: str) -> list[str]:
    """The names of all nodes with a role."""
    return [node.get("name", {}).get("value", "") for node in nodes if node["role"]["value"] == role]


def test_a_step_is_said_once_and_by_one_voice(tab: Open) -> None:
    page = tab(f"{MAIL}?step=42")
    page.evaluate(LISTEN)
    for step in (43, 44, 45):
        page.keyboard.press("ArrowRight")
        page.wait_for_function("step => document.querySelector('fault-theatre').dataset.settled == step", arg=step)
        said = page.locator("#caption").inner_text()
        assert page.evaluate("heard.splice(0)") == [said]


def test_nothing_is_said_while_playing(tab: Open) -> None:
    page = tab(f"{MAIL}?step=42")
    page.evaluate(LISTEN)
    for _ in range(3):
        page.keyboard.press("]")
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('fault-theatre').at > 44")
    page.keyboard.press("k")
    assert page.evaluate("heard") == []


def test_only_the_caption_speaks_of_steps(tab: Open) -> None:
    page = tab(f"{MAIL}?step=42")
    page.keyboard.press("ArrowRight")
    assert set(page.evaluate(VOICES)) == {"caption", "said", "palette-said", "toast"}


def test_the_picture_has_a_twin_in_words(tab: Open) -> None:
    page = tab(f"{MAIL}?step=53")
    picture = page.get_by_role("img", name=re.compile("Address space, page table"))
    expect(picture).to_have_accessible_description(re.compile(r"Page 2 of f: frame 1 · page 2, C, only copy; a hole\."))
    go(page, 104)
    expect(picture).to_have_accessible_description(re.compile("Page 2 of f:.*lost"))


def test_the_picture_itself_is_one_thing(tab: Open) -> None:
    nodes = tree(tab(f"{MAIL}?step=53"))
    (picture,) = [
        node for node in nodes if node["role"]["value"] in ("image", "img") and "Address space" in str(node.get("name"))
    ]
    assert not [node for node in nodes if node["nodeId"] in picture.get("childIds", ())]


def test_the_ledger_is_a_table_whose_rows_and_columns_have_names(tab: Open) -> None:
    page = tab(f"{MAIL}?step=53")
    table = page.get_by_role("table", name="Where each store lives")
    expect(table.get_by_role("columnheader")).to_have_text(["store", "tlb", "pte", "page", "block", "disk", "fate"])
    row = table.get_by_role("row").nth(1)
    expect(row.get_by_role("rowheader")).to_contain_text('m[2P]="C"')
    cells = row.get_by_role("cell")
    expect(cells).to_have_count(6)
    expect(cells.nth(1)).to_have_text("dirty")
    expect(cells.last).to_contain_text("at risk")


def test_the_landmarks_and_headings_lead_through_the_page(tab: Open) -> None:
    nodes = tree(tab(f"{MAIL}?step=53"))
    assert named(nodes, "main") == ["The picture"]
    assert {"Processes and kernel", "What happens, and where each store lives"} <= set(named(nodes, "complementary"))
    headings = named(nodes, "heading")
    assert headings.count("The mail's experiment, on Linux 2.6.9 as shipped") == 1
    for heading in ("processes", "where each store lives", "steps", "what changed", "the same script on other kernels"):
        assert [each for each in headings if each.lower().startswith(heading)]


def test_every_control_has_a_name(tab: Open) -> None:
    nodes = tree(tab(f"{MAIL}?step=53"))
    for role in ("button", "link", "slider", "combobox", "checkbox", "radio", "DisclosureTriangle", "table", "list"):
        assert "" not in [name for name in named(nodes, role) if role != "list"], role


def test_the_station_that_is_reached_is_the_current_one(tab: Open) -> None:
    page = tab(f"{MAIL}?step=43")
    snapshot = page.locator(".rail").aria_snapshot()
    assert "set_pte" in snapshot
    assert "never asked" in snapshot


@pytest.mark.parametrize(
    "control",
    ["#kernel-chooser", "#other-wli-corrected", ".events a[href='?step=40']", ".controls [rel=next]", "[data-do=play]"],
)
def test_the_focus_is_never_lost_when_another_run_comes(tab: Open, control: str) -> None:
    page = tab(f"{MAIL}?step=42")
    page.locator("#others:not([hx-trigger])").wait_for(state="attached")
    page.locator(control).focus()
    kept = page.evaluate("document.activeElement.outerHTML.slice(0, 40)")
    page.evaluate("document.querySelector('#other-wli-corrected').click()")
    expect(page).to_have_title(re.compile("The idea, corrected"))
    page.wait_for_function("() => document.activeElement !== document.body")
    assert page.evaluate("document.activeElement.closest('fault-theatre') !== null"), kept
