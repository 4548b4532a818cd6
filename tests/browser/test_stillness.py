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
  }).observe({ type: 'layout-shift', buffered: BUFFERED })
}"""
"""Notes every layout shift with what moved, those just after a key included."""

PLAY = """async () => {
  const theatre = document.querySelector('fault-theatre'), frame = () => new Promise(requestAnimationFrame)
  for (let n = 1; n <= theatre.length; n++) { theatre.go(n); await frame(); await frame() }
}"""


WIDTHS = [(390, 844), (820, 1180), (1280, 800), (1920, 1080)]
FLOWING = (
    "li ",
    "li.station",
    "svg.mark",
    "span.",
    "b ",
    "i.shape",
    "#text",
    "undefined",
    "code",
    "pre",
    "div.function",
    "ol.steps",
)
"""The lines of lists that scroll to the present step, the stations of the rail (another journey, another rail), and words."""


def shifts(page: Page) -> list[str]:
    """What has shifted so far."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    return [str(moved) for _, *moves in page.evaluate("window.shifts") for moved in moves]


def standing(page: Page) -> list[str]:
    """What has shifted that should stand: not the lines of a list that scrolls, nor text that is set flush right or in the middle."""
    return [moved for moved in shifts(page) if not moved.startswith(FLOWING)]


@pytest.mark.parametrize(("width", "height"), WIDTHS)
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/run/mail/linux-2.6.9?step=53",
        "/run/last-block/wli-posted?step=0",
        "/run/quota/linux-6.18?step=9",
        "/kernel/linux-6.18",
        "/print/mail/linux-2.6.9",
        "/run/mail/linux-2.6.9?story=1",
        "/compare/mail",
    ],
)
def test_nothing_shifts_while_a_page_loads(tab: Open, path: str, width: int, height: int) -> None:
    page = tab("/healthz", viewport={"width": width, "height": height}, reduced_motion="no-preference")
    page.add_init_script(f"({WATCH.replace('BUFFERED', 'true')})()")
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert shifts(page) == []


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, {"width": 390, "height": 844}])
@pytest.mark.parametrize(
    ("scenario", "kernel"), [("mail", "linux-2.6.9"), ("last-block", "wli-posted"), ("fork", "wli-corrected")]
)
def test_nothing_that_stands_shifts_while_a_run_plays(
    tab: Open, scenario: str, kernel: str, viewport: dict[str, int]
) -> None:
    page = tab(f"/run/{scenario}/{kernel}?step=1", viewport=viewport)
    page.locator("#others:not([hx-trigger])").wait_for(state="attached")
    page.evaluate(WATCH.replace("BUFFERED", "false"))
    page.evaluate(PLAY)
    assert standing(page) == []
