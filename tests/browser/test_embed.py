"""A player within the page of another site: it starts paused, hears and tells, and is one column in 320 px."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Open
from tests.browser.test_axe import in_themes

pytestmark = pytest.mark.browser

MAIL = "/embed/mail/linux-2.6.9"
HOST = """<!doctype html><title>Another site</title><script>
  const states = []
  addEventListener('message', event => states.push(event.data))
</script><iframe title="A page fault" src="{site}{path}" sandbox="allow-scripts allow-popups" width="{width}" height="560"></iframe>"""


@pytest.fixture(scope="module")
def another() -> Iterator[tuple[str, dict[str, str]]]:
    """The address of another site, and what it answers by path."""
    pages: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(pages.get(self.path, "").encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()
    server.server_close()


@pytest.fixture
def framed(browser: Browser, site: str, another: tuple[str, dict[str, str]]) -> Iterator[Any]:
    """Opens a page of another site that frames a path of ours."""
    contexts = []
    wrong: list[str] = []
    other, pages = another

    def open_page(path: str, width: int = 800, **context: Any) -> Page:
        contexts.append(browser.new_context(viewport={"width": 2000, "height": 900}, **context))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        pages["/post"] = HOST.format(site=site, path=path, width=width)
        page.goto(f"{other}/post")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def test_it_starts_paused_where_it_was_told_to(framed: Any) -> None:
    page = framed(f"{MAIL}?step=43")
    frame = page.frame_locator("iframe")
    expect(frame.locator("fault-player")).to_have_attribute("data-settled", "43")
    expect(frame.get_by_role("button", name="Play")).to_be_visible()
    page.wait_for_timeout(1500)
    expect(frame.locator("fault-player")).to_have_attribute("data-step", "43")


def test_the_page_around_it_can_lead_and_follow(framed: Any) -> None:
    page = framed(f"{MAIL}?step=43")
    frame = page.frame_locator("iframe")
    expect(frame.locator("fault-player")).to_have_attribute("data-settled", "43")
    page.evaluate("document.querySelector('iframe').contentWindow.postMessage({type: 'goto', step: 53}, '*')")
    expect(frame.locator("fault-player")).to_have_attribute("data-settled", "53")
    state = page.evaluate("states.at(-1)")
    assert (state["type"], state["step"], state["steps"], state["event"]) == ("state", 53, 121, "A.3.store.write")
    assert (state["outcome"], state["playing"]) == ("lost-silent", False)
    page.evaluate("at => frames[0].postMessage({type: 'goto', at}, '*')", "A.2.do_no_page.set_pte")
    expect(frame.locator("fault-player")).to_have_attribute("data-settled", "43")
    page.evaluate("frames[0].postMessage({type: 'play'}, '*')")
    expect(frame.get_by_role("button", name="Pause")).to_be_visible()
    page.evaluate("frames[0].postMessage({type: 'pause'}, '*')")
    expect(frame.get_by_role("button", name="Play")).to_be_visible()


def test_messages_without_sense_do_nothing(framed: Any) -> None:
    page = framed(f"{MAIL}?step=43")
    frame = page.frame_locator("iframe")
    expect(frame.locator("fault-player")).to_have_attribute("data-settled", "43")
    for message in (
        "null",
        "'goto'",
        "{type: 'constructor'}",
        "{type: 'goto', step: 'x'}",
        "{type: 'goto', at: 'no.1'}",
        "{}",
    ):
        page.evaluate(f"frames[0].postMessage({message}, '*')")
    page.evaluate("frames[0].postMessage({type: 'ping'}, '*')")
    page.wait_for_function("states.length >= 2")
    assert page.evaluate("states.every(state => state.step === 43)")


def test_steps_are_links_where_no_script_runs(framed: Any) -> None:
    frame = framed(f"{MAIL}?step=43", java_script_enabled=False).frame_locator("iframe")
    frame.get_by_role("link", name="Next step").click()
    expect(frame.locator("fault-player")).to_have_attribute("data-step", "44")
    expect(frame.locator(".caption .student")).to_be_visible()


def test_keys_and_buttons_step(tab: Open) -> None:
    page = tab(f"{MAIL}?step=43")
    player = page.locator("fault-player")
    expect(player).to_have_attribute("data-settled", "43")
    page.keyboard.press("ArrowRight")
    expect(player).to_have_attribute("data-settled", "44")
    page.get_by_role("link", name="Previous step").click()
    expect(player).to_have_attribute("data-settled", "43")
    page.keyboard.press("End")
    expect(player).to_have_attribute("data-settled", "121")
    expect(page.locator("#whole")).to_have_attribute("href", "/run/mail/linux-2.6.9?step=121")
    expect(page).to_have_url(re.compile(r"\?step=121$"))


@pytest.mark.parametrize("width", [320, 544, 640, 800, 1280, 1920])
def test_nothing_is_wider_than_the_frame(tab: Open, width: int) -> None:
    page = tab(f"{MAIL}?step=53", viewport={"width": width, "height": 560})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_role("link", name="Next step")).to_be_in_viewport()
    expect(page.locator("#caption")).to_be_in_viewport()


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_axe_finds_nothing_in_a_player(tab: Open, width: int) -> None:
    page = tab(f"{MAIL}?step=53", viewport={"width": width, "height": 700})
    page.locator("fault-player[data-settled]").wait_for()
    page.emulate_media(color_scheme="dark")
    assert in_themes(page) == {}
