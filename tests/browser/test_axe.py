"""What axe has to say: nothing, of every kind of page, in every theme, on a phone and on a desk, and with a dialog open."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Page

from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

MAIL = "/run/mail/linux-2.6.9"
PAGES = (
    "/",
    f"{MAIL}?step=53",
    f"{MAIL}?step=121",
    f"{MAIL}?story=1",
    "/run/mail/linux-2.6.18?story=1&step=53",
    f"{MAIL}?predict=1&step=17",
    "/challenges",
    "/challenge/one-page-in-silence",
    "/edit/mail",
    "/run/last-block/wli-posted?step=0",
    "/kernel/wli-posted",
    "/kernel/linux-6.18",
    "/filesystem/ext4",
    "/scenario/mail",
    "/docs",
    "/docs/tour",
    "/docs/language",
    "/docs/lessons/the-race",
    "/search/mail/linux-2.6.9",
    "/search/mail/linux-2.6.9?property=no-loss",
    "/matrix",
    "/matrix/mail",
    "/curve/last-block",
    "/-/patterns",
    "/print/mail/linux-2.6.9",
    "/print/mail/linux-2.6.9?blanks=1",
    "/run/nope/linux-2.6.9",
    "/run/mail/linux-2.6.9?fs=btrfs",
)
THEMES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "high contrast, light": {"color_scheme": "light", "contrast": "more"},
    "high contrast, dark": {"color_scheme": "dark", "contrast": "more"},
    "forced colours": {"color_scheme": "dark", "forced_colors": "active"},
}
USUAL = {"color_scheme": "light", "contrast": "no-preference", "forced_colors": "none"}
WIDTHS = (390, 1440)


def violations(page: Page, rules: list[str] | None = None, within: str | None = None) -> list[tuple[str, list[Any]]]:
    """The rules that axe finds broken, of these or of all, with the places; `within` is a selector."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    found = Axe().run(page, context=within, options=options).response["violations"]
    return [(rule["id"], [(node["target"], node["failureSummary"]) for node in rule["nodes"]][:6]) for rule in found]


def in_themes(page: Page, within: str | None = None) -> dict[str, list[tuple[str, list[Any]]]]:
    """What is broken in which theme; a theme in which nothing is broken is left out. Only colours depend on the theme."""
    page.evaluate("for (const each of document.querySelectorAll('.chapter ~ .chapter')) each.remove()")  # all are alike
    broken = {"any": found} if (found := violations(page, within=within)) else {}
    for theme, media in THEMES.items():
        page.emulate_media(**(USUAL | media))
        contrast = "color-contrast-enhanced" if theme.startswith("high") else "color-contrast"
        if found := violations(page, [contrast], within):
            broken[theme] = found
    return broken


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(tab: Open, path: str, width: int) -> None:
    assert in_themes(tab(path, viewport={"width": width, "height": 900})) == {}


@pytest.mark.parametrize("kind", ["Kernels", "Filesystems", "Schedules"])
def test_axe_finds_nothing_where_columns_are_chosen(tab: Open, kind: str) -> None:
    page = tab("/compare/mail")
    page.locator("#columns-chooser").click()
    if kind != "Kernels":
        page.get_by_text(kind, exact=True).click()
    assert in_themes(page, ".menu") == {}


@pytest.mark.parametrize("where", ["?step=0", "?switch=B.A.C,A@store.write>writeback()&step=54"])
def test_axe_finds_nothing_in_what_if(tab: Open, where: str) -> None:
    page = tab(f"{MAIL}{where}")
    page.keyboard.press("w")
    assert in_themes(page, ".what-if") == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_a_short_link(tab: Open, site: str, width: int) -> None:
    page = tab("/", viewport={"width": width, "height": 900})
    made = page.request.post("/links", form={"scenario": "mail", "kernel": "linux-2.6.9"}, headers={"Origin": site})
    assert "/s/" in made.url
    page.goto(made.url)
    assert violations(page) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("key", ["?", "Control+k", "s", "g"])
def test_axe_finds_nothing_in_a_dialog(tab: Open, key: str, width: int) -> None:
    page = tab(f"{MAIL}?step=53", viewport={"width": width, "height": 900})
    page.keyboard.press(key)
    page.get_by_role("dialog").wait_for()
    assert in_themes(page, "dialog[open]") == {}


@pytest.mark.parametrize(
    "menu", ["#scenario-chooser", "#kernel-chooser", "#filesystem-chooser", "[aria-label=Colours]"]
)
def test_axe_finds_nothing_in_a_menu(tab: Open, menu: str) -> None:
    page = tab(f"{MAIL}?step=53")
    page.locator(f"summary{menu}").click()
    assert in_themes(page, "details[open]") == {}


@pytest.mark.parametrize("pane", ["Code", "Stores", "Events"])
def test_axe_finds_nothing_in_a_pane_of_a_phone(tab: Open, pane: str) -> None:
    page = tab(f"{MAIL}?step=103", viewport={"width": 390, "height": 844})
    page.get_by_role("button", name=pane, exact=True).click()
    assert violations(page) == []


def test_axe_finds_nothing_while_presenting(tab: Open) -> None:
    page = tab(f"{MAIL}?step=103")
    page.keyboard.press("f")
    assert violations(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_while_a_scenario_is_written(tab: Open, width: int) -> None:
    page = tab("/edit", viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Run it").click()
    page.locator("#result > h2").wait_for()
    assert in_themes(page, "#result") == {}
    page.locator("#scenario").press("End")
    page.keyboard.type("x: ]")
    page.locator("#checked [data-line]").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.type("fi")
    page.locator("#completions:not([hidden])").wait_for()
    assert in_themes(page, "#desk") == {}
