"""Nothing shifts: not while a page loads, not while a whole run plays, not while it is scrubbed."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

WATCH = """() => {
  window.shifts = []
  const name = node => node?.nodeType === 1 ? node.tagName.toLowerCase() + (node.className?.baseVal ?? node.className ? '.' + (node.className.baseVal ?? node.className) : '') : node?.nodeName
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.shifts.push([entry.value, ...entry.sources.map(({ node, previousRect, currentRect }) =>
      `${name(node)} ${node?.textContent?.slice(0, 20)} ${JSON.stringify(previousRect)} ${JSON.stringify(currentRect)}`)])
  }).observe({ type: 'layout-shift', buffered: true })
}"""
"""Notes every layout shift with what moved, those just after a key included."""

PLAY = """async () => {
  const theatre = document.querySelector('fault-theatre'), frame = () => new Promise(requestAnimationFrame)
  for (let n = 0; n <= theatre.length; n++) { theatre.go(n); await frame(); await frame() }
}"""


def shifts(page: Page) -> list[list[object]]:
    """What has shifted so far."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    found: list[list[object]] = page.evaluate("window.shifts")
    return found


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, {"width": 390, "height": 844}, {"width": 820, "height": 1180}])
@pytest.mark.parametrize(
    "path",
    ["/", "/run/mail/linux-2.6.9?step=53", "/run/last-block/wli-posted?step=0", "/run/quota/linux-6.18?step=9", "/kernel/linux-6.18", "/print/mail/linux-2.6.9"],
)
def test_nothing_shifts_while_a_page_loads(tab: Open, path: str, viewport: dict[str, int]) -> None:
    page = tab("/healthz", viewport=viewport)
    page.add_init_script(f"({WATCH})()")
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert shifts(page) == []


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, {"width": 390, "height": 844}])
@pytest.mark.parametrize(("scenario", "kernel"), [("mail", "linux-2.6.9"), ("last-block", "wli-posted"), ("fork", "wli-corrected")])
def test_nothing_shifts_while_a_run_plays(tab: Open, scenario: str, kernel: str, viewport: dict[str, int]) -> None:
    page = tab(f"/run/{scenario}/{kernel}?step=0", viewport=viewport)
    page.locator("#others:not([hx-trigger])").wait_for(state="attached")
    page.evaluate(WATCH)
    page.evaluate(PLAY)
    assert shifts(page) == []
