"""Who lost my byte, in a browser: a click gives the way of bytes, each link is a jump, and foresight adds the doomed step."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open, complete, go, step_of
from tests.browser.test_axe import in_themes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

RUN = "/run/mail/linux-2.6.9"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
PATIENCE = 60_000


def numbers(links: Locator) -> list[int]:
    return [int(each) for each in links.evaluate_all("all => all.map(each => each.dataset.n)")]


def has_way(page: Page, back: list[int], forward: list[int]) -> None:
    """Wait until the way of A.3 lies so."""
    page.wait_for_function(
        """([back, forward]) => ['.back', '.forward'].every((list, i) => String([...document.querySelectorAll(
          `.inspector ${list} li`)].map(each => each.dataset.n)) === String([back, forward][i]))""",
        arg=[back, forward],
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("thing", ["slot/f/2", "vpage/A/0x40002", "diskslot/f/2"])
def test_a_click_on_bytes_gives_their_way_and_foresight_adds_a_link(tab: Open, thing: str) -> None:
    page = tab(f"{RUN}?step=55")
    page.locator(f'[data-at="{thing}"]').click()
    has_way(page, [53], [57, 94, 104])
    expect(page.locator("#outlook rect")).to_have_count(2)
    expect(page.locator("#doom-A\\.3")).to_have_text("doomed from step 57 on, shows at 94")
    expect(page.locator(".inspector [data-n='57']")).to_contain_text("Doomed")
    expect(page.locator(".inspector [data-n='94'] .where")).to_have_text("in frame 1 (page 2 of f)")


def test_each_link_is_a_jump_and_the_present_step_is_marked(tab: Open) -> None:
    page = tab(f"{RUN}?step=60")
    page.locator('[data-at="slot/f/2"]').click()
    has_way(page, [53, 57], [94, 104])
    now = page.locator(".inspector [aria-current=step]")
    expect(now).to_have_attribute("data-step", "57")
    link = page.locator(".inspector [data-step='94'][id]")
    link.focus()
    page.keyboard.press("Enter")
    assert step_of(page) == 94
    has_way(page, [53, 57, 94], [104])
    expect(now).to_have_attribute("data-step", "94")
    expect(link).to_be_focused()
    expect(page).to_have_url(re.compile("step=94$"))
    go(page, 104)
    expect(page.locator(".inspector .what").last).to_contain_text("page 2 of f in memory")
    expect(page.locator(".inspector")).to_contain_text("Meant for here, and not here at this step")
    go(page, 20)
    expect(page.locator(".inspector")).to_contain_text("No bytes are here now")


def test_a_store_is_asked_by_the_keyboard(tab: Open) -> None:
    page = tab(f"{RUN}?step=53")
    row = page.locator(".ledger a").first
    row.focus()
    page.keyboard.press("Enter")
    has_way(page, [53], [57, 94, 104])
    expect(page.locator(".inspector").get_by_role("button", name="Close")).to_be_focused()
    expect(page.locator(".inspector table")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator(".inspector")).to_be_hidden()


def test_the_palette_leads_to_the_way_too(tab: Open) -> None:
    page = tab(f"{RUN}?step=53")
    page.keyboard.press("i")
    page.keyboard.type("page cache f 2")
    page.keyboard.press("Enter")
    has_way(page, [53], [57, 94, 104])


def test_foresight_leads_to_the_way_of_a_store(tab: Open) -> None:
    page = tab(f"{RUN}?step=53")
    page.keyboard.press("o")
    page.locator(".foreseen [data-bytes='ledger/A.3']").click(timeout=PATIENCE)
    has_way(page, [53], [57, 94, 104])


def test_the_strip_is_heard_and_so_is_where_one_is_on_it(tab: Open) -> None:
    page = tab(f"{RUN}?step=56")
    scrub = page.locator("#scrub")
    before = scrub.get_attribute("aria-valuetext") or ""
    assert "risk" not in before
    page.keyboard.press("o")
    strip = page.get_by_role("img", name="Foresight: at risk from step 1 to 56, doomed from step 57 to 121")
    expect(strip).to_be_visible(timeout=PATIENCE)
    expect(scrub).to_have_attribute("aria-valuetext", f"{before}, at risk")
    go(page, 57)
    expect(scrub).to_have_attribute("aria-valuetext", re.compile(", doomed$"))
    page.keyboard.press("o")
    expect(page.locator(".foreseen")).to_be_hidden()


def test_the_strip_has_shapes_where_the_system_chooses_the_colours(tab: Open) -> None:
    page = tab(f"{RUN}?step=56", forced_colors="active")
    page.keyboard.press("o")
    expect(page.locator("#outlook rect").first).to_be_visible(timeout=PATIENCE)
    shapes = page.evaluate("""() => [...document.querySelectorAll('#outlook rect')].map(each => {
      const { strokeDasharray, fill } = getComputedStyle(each)
      return [strokeDasharray, fill]
    })""")
    assert len({tuple(shape) for shape in shapes}) == len(shapes) == 2
    expect(page.locator(".strips")).to_contain_text("doomed")


def test_a_phone_has_foresight_and_the_way_of_what_is_tapped(tab: Open) -> None:
    page = tab(f"{RUN}?step=56", **PHONE)
    page.locator("#foresee").tap()
    expect(page.locator(".foreseen")).to_be_visible(timeout=PATIENCE)
    box = page.locator("#outlook").bounding_box()
    assert box is not None
    assert box["width"] > 200
    page.locator("#foresee").tap()
    page.locator(".focus-page").tap()
    has_way(page, [53], [57, 94, 104])
    expect(page.locator(".chain")).to_be_in_viewport()
    page.locator(".inspector [data-step='57'][id]").tap()
    assert step_of(page) == 57
    page.locator("[data-tab=picture]").tap()
    page.locator(".focus-disk a").press("Enter")
    expect(page.locator(".inspector")).to_contain_text("page 2 of f on the disk")


@pytest.mark.parametrize("phone", [False, True])
def test_axe_finds_nothing_in_the_way_of_bytes(tab: Open, phone: bool) -> None:
    page = tab(f"{RUN}?step=60", **(PHONE if phone else {}))
    page.locator(".focus-page").tap() if phone else page.locator('[data-at="slot/f/2"]').click()
    has_way(page, [53, 57], [94, 104])
    complete(page)
    assert in_themes(page) == {}


def test_without_scripts_a_row_of_the_ledger_leads_to_its_way(tab: Open) -> None:
    # Nobody else asks here for the foresight of this run: it is not known yet.
    page = tab("/run/msync-twice/linux-2.6.9?step=60", java_script_enabled=False)
    page.locator(".ledger a").first.click()
    expect(page.locator(".back, .forward")).to_have_count(2)
    assert numbers(page.locator("li[data-n]"))[0] == 51
    page.get_by_role("link", name="From which step on was it doomed?").click()
    expect(page.locator("[data-n='1']")).to_contain_text("Doomed")
    page.locator("[data-n='51'] a").click()
    expect(page.locator("[data-at=time] b").first).to_have_text("51")


def test_axe_finds_nothing_on_the_page_of_all_bytes(tab: Open) -> None:
    page = tab(f"{RUN}/bytes?step=60")
    assert in_themes(page) == {}
