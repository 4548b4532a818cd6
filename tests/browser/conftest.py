"""A site on a port of its own, and tabs that fail a test on any console error or request to another host."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.running import running

Open = Callable[..., Page]

PICTURE = """root => [...root.querySelectorAll(
  '[data-at]:not(.function:not([data-now]), .function:not([data-now]) *, .events li:not([data-now])), [data-show], .controls [rel], a[data-keep], #here, #scrub')].map(el =>
    el.tagName + ' '
    + [...el.attributes].filter(a => a.name !== 'aria-live').map(a => `${a.name}=${a.value}`).sort().join(' ')
    + ('show' in el.dataset ? ' :: ' + el.textContent : ''))"""
"""Everything that says a step: all attributes and all texts that come from cells. Other functions and other steps say nothing."""

READY = """() => document.readyState === 'complete'
  && [...document.querySelectorAll('fault-theatre')].every(it => 'ready' in it.dataset)"""
"""Half a page has no theatre yet, and its keys do nothing."""

VISITED = "try { localStorage.setItem('visited', '1') } catch { /* about:blank keeps nothing */ }"
"""What a browser remembers that has been here before."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running site."""
    folder: Path = tmp_path_factory.mktemp("site")
    with running(folder) as address:
        yield address


@pytest.fixture
def tab(browser: Browser, site: str, pytestconfig: pytest.Config) -> Iterator[Open]:
    """Opens a path in a tab of its own. At the end nothing may have gone wrong in any of them."""
    is_slow = pytestconfig.getoption("--slow-browser")
    expect.set_options(timeout=60_000 if is_slow else 5_000)
    wrong: list[str] = []
    contexts = []

    def open_tab(path: str, *, first_visit: bool = False, **context: Any) -> Page:
        settings: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | context
        contexts.append(browser.new_context(base_url=site, **settings))
        if not first_visit:
            contexts[-1].add_init_script(VISITED)
        page = contexts[-1].new_page()
        if is_slow:
            _slow_down(page)
        page.on("console", lambda message: wrong.append(message.text) if _is_wrong(message, page) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if _foreign(request.url, site) else None)
        page.goto(path)
        if settings.get("java_script_enabled", True):
            ready(page)
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert wrong == []


def _slow_down(page: Page) -> None:
    """A line on which each answer takes a third of a second, and a computer that thinks at a quarter of the speed."""
    page.set_default_timeout(120_000)
    devtools = page.context.new_cdp_session(page)
    line = {"offline": False, "latency": 300, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.emulateNetworkConditions", line)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})


def _is_wrong(message: ConsoleMessage, page: Page) -> bool:
    """An error or a warning; but that the page itself is the page of an error is none."""
    return message.type in ("error", "warning") and message.location.get("url") != page.url


def _foreign(url: str, site: str) -> bool:
    return urlsplit(url).netloc != urlsplit(site).netloc and not url.startswith("data:")


def picture(page: Page) -> list[str]:
    """What the run page in a tab shows, as comparable lines, once the other kernels are there."""
    page.locator("#others:not([hx-trigger], .htmx-settling)").wait_for(state="attached")
    page.locator(".functions[data-adopted]").wait_for(state="attached")
    found: list[str] = page.evaluate(f"({PICTURE})(document.querySelector('fault-theatre'))")
    return found


def complete(page: Page) -> None:
    """Wait until everything that comes after the page has come, and htmx has put it in its place."""
    page.wait_for_function(
        "() => !document.querySelector('[hx-trigger=load], .htmx-request, .htmx-swapping, .htmx-settling')"
    )


FLIGHTS = """window.flown = []
new MutationObserver(changes => {
  for (const { addedNodes } of changes) for (const thing of addedNodes) window.flown.push([thing.getAttribute('class') ?? '', thing.textContent])
}).observe(document.querySelector('.overlay'), { childList: true })"""
"""Notes what moves over the page when it sets out: a slow machine may look only when it has arrived and is gone."""


def watch_flights(page: Page) -> Callable[[str, str], None]:
    """From now on note what flies over the page; the answer waits until a thing whose class begins so, with that text, has."""
    page.evaluate(f"() => {{ {FLIGHTS} }}")

    def flew(kind: str, text: str) -> None:
        page.wait_for_function(
            "([kind, text]) => window.flown.some(([is, says]) => is.startsWith(kind) && says.includes(text))",
            arg=[kind, text],
        )

    return flew


def ready(page: Page) -> None:
    """Wait until a page is there whole, and plays where it has a theatre: the trace comes after the page."""
    page.wait_for_function(READY)


def go(page: Page, step: int) -> None:
    """Have the island show a step."""
    page.evaluate("step => document.querySelector('fault-theatre').go(step)", step)


def step_of(page: Page) -> int:
    """The step the island shows."""
    return int(page.evaluate("document.querySelector('fault-theatre').at"))
