"""A live room in real browsers: a class follows, wanders and catches up, is asked, and gets another teacher."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, go, step_of
from tests.browser.test_axe import in_themes, violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

MAIL = "/run/mail/linux-2.6.9"
PHONE = {"width": 390, "height": 844}
NO_STREAM = """window.EventSource = class extends EventTarget {
  static CLOSED = 2
  readyState = 2
  constructor() { super(); setTimeout(() => this.dispatchEvent(new Event('error'))) }
  close() {}
}
"""
"""A proxy that lets no stream through, as the page sees it."""
NO_ANSWER = """window.isCut = true
const reach = window.fetch
window.fetch = (...asked) => window.isCut ? Promise.reject(new TypeError('cut')) : reach(...asked)
"""
"""No network at all, until `isCut` is false."""
SHOWN = "document.querySelector('fault-theatre').at"


def teach(tab: Open, step: int = 40, **context: object) -> Page:
    """A teacher's tab, in a room that was opened from the share dialog of a run."""
    page = tab(f"{MAIL}?step={step}", **context)
    page.keyboard.press("s")
    page.get_by_role("button", name="Open a live room").click()
    page.wait_for_url(re.compile(r"/live/[2-9a-z]{8}$"))
    connected(page)
    return page


def connected(page: Page) -> None:
    expect(page.locator("#live")).to_have_attribute("data-net", "live")


def shows(page: Page, step: int) -> None:
    expect(page.locator("fault-theatre")).to_have_attribute("data-step", str(step))


def streams(page: Page) -> Callable[[], int]:
    """Counts the streams that all tabs of a browser have begun from now on."""
    seen: list[str] = []
    page.context.on("request", lambda request: seen.append(request.url) if request.url.endswith("/events") else None)
    return lambda: len(seen)


def test_a_class_follows_its_teacher_wanders_and_catches_up(tab: Open) -> None:
    teacher = teach(tab)
    room = teacher.url
    follower = tab(room, viewport=PHONE, has_touch=True)
    connected(follower)
    assert step_of(follower) == 40, "exactly the step of the teacher, on joining late"
    expect(teacher.locator('[data-live="followers"]')).to_have_text("1")
    teacher.keyboard.press("ArrowRight")
    shows(follower, 41)
    teacher.keyboard.press("End")
    shows(follower, 121)
    expect(follower.get_by_role("link", name="Catch up")).to_be_hidden()
    follower.get_by_role("link", name="Previous step").tap()
    expect(follower.locator("#live .where")).to_have_text("The class is at step 121")
    teacher.keyboard.press("Home")
    expect(follower.locator("#live .where")).to_have_text("The class is at step 0")
    assert step_of(follower) == 120, "who wanders is left alone"
    follower.get_by_role("link", name="Catch up").tap()
    assert step_of(follower) == 0
    expect(follower.locator("#live .where")).to_be_hidden()
    teacher.keyboard.press("ArrowRight")
    shows(follower, 1)
    assert (teacher.url, follower.url) == (room, room), "the address stays that of the room"


def test_who_comes_back_to_the_step_of_the_class_follows_again(tab: Open) -> None:
    teacher = teach(tab)
    follower = tab(teacher.url)
    connected(follower)
    follower.keyboard.press("ArrowRight")
    expect(follower.get_by_role("link", name="Catch up")).to_be_visible()
    follower.keyboard.press("ArrowLeft")
    expect(follower.get_by_role("link", name="Catch up")).to_be_hidden()
    teacher.keyboard.press("ArrowRight")
    shows(follower, 41)


def test_the_class_goes_along_to_another_kernel(tab: Open) -> None:
    teacher = teach(tab)
    follower = tab(teacher.url)
    connected(follower)
    teacher.locator("summary#kernel-chooser").click()
    teacher.get_by_role("link", name="the idea, corrected").first.click()
    expect(follower.locator("fault-theatre")).to_have_attribute("data-self", "/run/mail/wli-corrected")
    expect(teacher.locator("fault-theatre")).to_have_attribute("data-self", "/run/mail/wli-corrected")
    teacher.keyboard.press("End")
    shows(follower, int(teacher.evaluate(SHOWN)))
    expect(teacher).to_have_url(re.compile("/live/"))
    expect(follower).to_have_url(re.compile("/live/"))


def test_a_question_is_asked_voted_on_and_answered(tab: Open) -> None:
    teacher = teach(tab, 41)
    one, other = tab(teacher.url), tab(teacher.url, viewport=PHONE)
    connected(one)
    connected(other)
    teacher.get_by_role("button", name="Ask the class").click()
    card = one.locator("#asked")
    expect(card).to_contain_text("What does this kernel do about room?")
    expect(one.locator(".events li[data-now] ~ li .answer").first).to_be_hidden()
    card.get_by_role("button", name="It asks nobody").click()
    expect(card.locator(".voted")).to_contain_text("Counted")
    other.get_by_role("button", name="the answer is no").click()
    expect(teacher.locator("#asked .votes")).to_have_text(["1", "0", "1", ""])
    expect(card.locator(".votes")).to_have_text(["", "", "", ""])
    one.get_by_role("button", name="the answer is yes").click()
    expect(teacher.locator("#asked .votes")).to_have_text(["0", "1", "1", ""])
    card.get_by_role("button", name="It asks nobody").click()
    expect(teacher.locator("#asked .votes")).to_have_text(["1", "0", "1", ""])
    teacher.get_by_role("button", name="Show the answer").click()
    shows(one, 42)
    expect(card.locator("li[data-right]")).to_contain_text("It asks nobody")
    expect(card.locator(".voted")).to_have_text("You were right.")
    expect(other.locator("#asked .voted")).to_have_text("Not so, this time.")
    teacher.keyboard.press("ArrowRight")
    expect(card).to_be_hidden()


def test_another_browser_takes_over_by_a_code(tab: Open) -> None:
    teacher = teach(tab)
    other = tab(teacher.url)
    connected(other)
    teacher.locator("summary#room-menu").click()
    teacher.get_by_role("button", name="Make a code").click()
    code = teacher.locator("output.code")
    expect(code).to_have_text(re.compile("^[2-9a-z]{8}$"))
    other.locator("summary#room-menu").click()
    other.get_by_label("A code from who drives").fill(str(code.text_content()))
    other.get_by_role("button", name="Drive").click()
    expect(other.locator("#live")).to_have_attribute("data-role", "driver")
    expect(teacher.locator("#live")).to_have_attribute("data-role", "follower")
    connected(other)
    connected(teacher)
    other.keyboard.press("End")
    shows(teacher, 121)


def test_all_tabs_of_the_browser_that_takes_over_drive(tab: Open) -> None:
    teacher = teach(tab)
    first = tab(teacher.url)
    connected(first)
    second = first.context.new_page()
    second.goto(teacher.url)
    connected(second)
    code = teacher.request.post(f"{teacher.url}/code", headers={"Sec-Fetch-Site": "same-origin"}).text()
    second.locator("summary#room-menu").click()
    second.get_by_label("A code from who drives").fill(code)
    second.get_by_role("button", name="Drive").click()
    for page in (first, second):
        expect(page.locator("#live")).to_have_attribute("data-role", "driver")
        connected(page)
    first.keyboard.press("ArrowRight")
    for page in (second, teacher):
        shows(page, 41)
    second.evaluate("window.isSame = true")
    second.wait_for_timeout(1000)
    assert second.evaluate("window.isSame"), "it does not load itself again and again"


def test_two_tabs_of_a_teacher_drive_together(tab: Open) -> None:
    teacher = teach(tab)
    second = teacher.context.new_page()
    second.goto(teacher.url)
    connected(second)
    second.keyboard.press("ArrowRight")
    shows(teacher, 41)
    teacher.keyboard.press("ArrowRight")
    shows(second, 42)


def test_a_browser_has_one_stream_however_many_tabs(tab: Open) -> None:
    teacher = teach(tab)
    follower = tab("/healthz")
    begun = streams(follower)
    follower.goto(teacher.url)
    connected(follower)
    more = [follower.context.new_page() for _ in range(2)]
    for page in more:
        page.goto(teacher.url)
        connected(page)
    assert begun() == 1
    teacher.keyboard.press("ArrowRight")
    for page in (follower, *more):
        shows(page, 41)
    follower.close()
    teacher.keyboard.press("ArrowRight")
    for page in more:
        shows(page, 42)
    assert begun() == 2, "when the tab that had it closes, another one begins it"


def test_without_locks_the_tabs_agree_all_the_same(tab: Open) -> None:
    teacher = teach(tab)
    follower = tab("/healthz")
    follower.context.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined })")
    begun = streams(follower)
    follower.goto(teacher.url)
    connected(follower)
    second = follower.context.new_page()
    second.goto(teacher.url)
    connected(second)
    follower.wait_for_timeout(3500)
    assert begun() == 1
    follower.close()
    connected(second)
    teacher.keyboard.press("ArrowRight")
    shows(second, 41)


def test_where_no_stream_gets_through_the_state_is_asked_for(tab: Open) -> None:
    teacher = teach(tab)
    follower = tab("/healthz")
    follower.context.add_init_script(NO_STREAM)
    follower.goto(teacher.url)
    expect(follower.locator(".net")).to_have_text("Connected, slowly")
    teacher.keyboard.press("ArrowRight")
    shows(follower, 41)


def test_a_lost_connection_is_said_and_found_again(tab: Open) -> None:
    teacher = teach(tab)
    follower = tab("/healthz")
    follower.context.add_init_script(NO_STREAM + NO_ANSWER)
    follower.goto(teacher.url)
    expect(follower.locator(".net")).to_have_text("No connection")
    follower.evaluate("window.isCut = false")
    expect(follower.locator(".net")).to_have_text("Connected, slowly")
    teacher.keyboard.press("ArrowRight")
    shows(follower, 41)


def test_a_room_that_ends_leaves_the_picture(tab: Open) -> None:
    teacher = teach(tab)
    follower = tab(teacher.url)
    connected(follower)
    teacher.locator("summary#room-menu").click()
    teacher.get_by_role("button", name="End the room").click()
    for page in (teacher, follower):
        expect(page.locator(".net")).to_have_text("The room is over")
    follower.keyboard.press("ArrowRight")
    shows(follower, 41)
    expect(follower).to_have_url(re.compile(f"{MAIL}"))


def test_without_scripts_a_reload_shows_the_step_of_the_teacher_and_a_vote_counts(tab: Open) -> None:
    teacher = teach(tab, 41)
    plain = tab(teacher.url, java_script_enabled=False)
    expect(plain.locator("fault-theatre")).to_have_attribute("data-step", "41")
    teacher.get_by_role("button", name="Ask the class").click()
    expect(teacher.locator("#asked")).to_be_visible()
    plain.get_by_role("link", name="Catch up").click()
    plain.get_by_role("button", name="It asks nobody").click()
    expect(plain).to_have_url(re.compile("#voted$"))
    expect(teacher.locator("#asked .votes")).to_have_text(["1", "0", "0", ""])
    teacher.get_by_role("button", name="Show the answer").click()
    teacher.keyboard.press("End")
    expect(teacher.locator("fault-theatre")).to_have_attribute("data-step", "121")
    teacher.wait_for_timeout(300)
    plain.reload()
    expect(plain.locator("fault-theatre")).to_have_attribute("data-step", "121")


def test_a_quick_hand_leaves_the_class_at_the_last_step(tab: Open) -> None:
    teacher = teach(tab, 0)
    follower = tab(teacher.url)
    connected(follower)
    for step in range(1, 31):
        go(teacher, step)
    shows(follower, 30)
    assert step_of(teacher) == 30


def test_the_teacher_shows_a_qr_code(tab: Open) -> None:
    teacher = teach(tab)
    teacher.get_by_role("button", name="Invite").click()
    dialog = teacher.get_by_role("dialog")
    expect(dialog).to_contain_text(teacher.url)
    box = dialog.locator("svg.qr").bounding_box()
    assert box is not None
    assert box["width"] > 300


@pytest.mark.parametrize("width", [320, 390, 820, 1440])
def test_nothing_scrolls_sideways_in_a_room(tab: Open, width: int) -> None:
    teacher = teach(tab, 41, viewport={"width": width, "height": 900})
    follower = tab(teacher.url, viewport={"width": width, "height": 900})
    teacher.get_by_role("button", name="Ask the class").click()
    expect(follower.locator("#asked")).to_be_visible()
    go(follower, 3)
    for page in (teacher, follower, tab("/live", viewport={"width": width, "height": 900})):
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_in_a_room(tab: Open, width: int) -> None:
    teacher = teach(tab, 41, viewport={"width": width, "height": 900})
    follower = tab(teacher.url, viewport={"width": width, "height": 900})
    connected(follower)
    teacher.get_by_role("button", name="Ask the class").click()
    follower.get_by_role("button", name="It asks nobody").click()
    expect(teacher.locator("#asked .votes").first).to_have_text("1")
    assert in_themes(teacher, "#live, #asked") == {}
    assert in_themes(follower, "#live, #asked") == {}
    assert violations(follower) == []
    teacher.get_by_role("button", name="Show the answer").click()
    shows(follower, 42)
    go(follower, 50)
    assert violations(follower, within="#live, #asked") == []
    for page in (teacher, follower):
        page.locator("summary#room-menu").click()
        assert violations(page, within="#live") == []
        page.locator("summary#room-menu").click()
    teacher.get_by_role("button", name="Invite").click()
    assert in_themes(teacher, "dialog[open]") == {}
    assert violations(tab("/live", viewport={"width": width, "height": 900})) == []
