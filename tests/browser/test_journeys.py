"""What people do: play to the loss, step by keys, share a link, change the kernel, go back, use no script at all."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, complete, go, picture, step_of, watch_flights

pytestmark = pytest.mark.browser

MAIL = "/run/mail/linux-2.6.9"
MOVING = "document.getAnimations().filter(a => !(a instanceof CSSTransition)).length"


def test_playing_comes_to_the_loss(tab: Open) -> None:
    page = tab(f"{MAIL}?step=100")
    for _ in range(3):
        page.keyboard.press("]")
    expect(page.locator("[data-do=speed]")).to_have_text(re.compile("^8"))
    page.get_by_role("button", name="Play").click()
    badge = page.locator("[data-at=badge]")
    expect(badge).to_have_attribute("data-fate", "lost")
    expect(badge).to_contain_text("1 store lost")
    expect(page.locator('[data-at="slot/f/2"]')).to_have_attribute("data-state", "lost")
    expect(page.locator(".ledger")).to_contain_text("nobody was told")
    page.get_by_role("button", name="Pause").click()
    stopped = step_of(page)
    page.wait_for_timeout(300)
    assert step_of(page) == stopped


def test_the_gates_say_that_nobody_was_asked(tab: Open) -> None:
    page = tab(f"{MAIL}?at=A.2.do_no_page.set_pte")
    gates = page.locator(".station[data-kind=gate]")
    expect(gates).to_have_text([re.compile("pte_none.*yes", re.DOTALL), re.compile("pte_none.*still yes", re.DOTALL),
                                re.compile("enough_space.*never asked", re.DOTALL)])  # fmt: skip
    expect(page.locator(".station[data-now]")).to_contain_text("set_pte")
    expect(page.locator(".steps [data-now] pre")).to_be_visible()


def test_a_store_without_a_fault_shows_that_nobody_is_asked(tab: Open) -> None:
    page = tab(f"{MAIL}?at=A.3.store.write")
    expect(page.locator(".rail h2")).to_contain_text("nobody is asked")
    for gate in page.locator(".station[data-kind=gate]").all():
        expect(gate).to_have_attribute("data-state", "skipped")


def test_a_shared_link_opens_where_it_was_made(tab: Open) -> None:
    page = tab(f"{MAIL}?step=42")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"step=43$"))
    other = tab(page.url)
    assert step_of(other) == 43
    assert picture(other) == picture(page)


def test_keys_alone_are_enough(tab: Open) -> None:
    page = tab(f"{MAIL}?step=0")
    for key, step in (
        ("ArrowRight", 1),
        ("l", 2),
        ("n", 3),
        ("h", 2),
        ("p", 1),
        ("ArrowLeft", 0),
        ("End", 121),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        assert step_of(page) == step, key
    page.keyboard.press("Shift+ArrowRight")
    assert step_of(page) == 8
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_keys_with_modifiers_belong_to_the_browser(tab: Open) -> None:
    page = tab(f"{MAIL}?step=10")
    for key in ("Control+l", "Control+ArrowRight", "Alt+n"):
        page.keyboard.press(key)
    assert step_of(page) == 10


def test_the_scrubber_is_a_slider_that_says_where_it_stands(tab: Open) -> None:
    page = tab(f"{MAIL}?step=43")
    slider = page.get_by_role("slider", name="Step")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("step 43, A, do_no_page set_pte"))
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 44
    expect(slider).to_be_focused()


def test_another_kernel_keeps_the_meaning_of_the_step(tab: Open) -> None:
    page = tab("/run/mail-store-first/linux-2.6.9?at=A.2.do_no_page.enough_space")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.locator(".others a", has_text="the idea, corrected").click()
    expect(page).to_have_title(re.compile("The idea, corrected"))
    expect(page.locator(".caption")).to_contain_text("do_no_page · enough_space")
    expect(page.locator(".station[data-now]")).to_contain_text("enough_space")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".caption")).to_contain_text("enough_space · drop_lock")
    page.go_back()
    expect(page).to_have_title(re.compile("2.6.9 as shipped"))
    expect(page.locator(".caption")).to_contain_text("do_no_page · enough_space")


def test_the_focus_survives_a_change_of_kernel(tab: Open) -> None:
    page = tab(f"{MAIL}?step=42")
    page.locator("#kernel-chooser").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("The patch as posted"))
    expect(page.locator("#kernel-chooser")).to_be_focused()


def test_back_undoes_a_jump(tab: Open) -> None:
    page = tab(f"{MAIL}?step=10")
    page.keyboard.press("ArrowRight")
    page.locator(".events a[href='?step=104']").click()
    assert step_of(page) == 104
    page.go_back()
    expect(page).to_have_url(re.compile("step=11$"))
    assert step_of(page) == 11


def test_a_scenario_is_chosen_from_the_bar(tab: Open) -> None:
    page = tab(f"{MAIL}?step=10")
    page.locator("summary", has_text="The mail's experiment").click()
    page.get_by_role("navigation", name="Scenarios").get_by_role("link", name=re.compile("The last block")).click()
    expect(page).to_have_url(re.compile("/run/last-block/linux-2.6.9"))
    page.keyboard.press("End")
    expect(page.locator("[data-at=time] b").first).to_have_text(
        str(page.evaluate("document.querySelector('fault-theatre').length"))
    )


def test_what_is_clicked_tells_its_story(tab: Open) -> None:
    page = tab(f"{MAIL}?step=53")
    page.locator('[data-at="pteslot/A/0x40002"]').click()
    panel = page.locator(".inspector")
    expect(panel).to_contain_text("P W U A D pfn=1")
    expect(panel).to_contain_text("was P W U A pfn=1")
    panel.get_by_role("link", name="written at 57").first.click()
    assert step_of(page) == 57
    expect(panel).to_contain_text("mm/A/pte/0x40002")


@pytest.mark.parametrize("path", [f"{MAIL}?step=43", "/run/last-block/wli-posted?step=150"])
def test_without_script_every_step_is_a_page(tab: Open, path: str) -> None:
    page = tab(path, java_script_enabled=False)
    shown = page.locator("[data-at=time] b").first
    before = int(shown.inner_text())
    page.get_by_role("link", name="Next step").click()
    expect(shown).to_have_text(str(before + 1))
    page.get_by_role("link", name="Previous step").click()
    expect(shown).to_have_text(str(before))
    page.get_by_role("link", name="Last step").click()
    expect(page.locator("svg.scene")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_hidden()
    page.locator("summary", has_text="kernel").click()
    page.get_by_role("navigation", name="Kernels").get_by_role("link", name=re.compile("corrected")).click()
    expect(page).to_have_url(re.compile("wli-corrected"))


def test_nothing_moves_for_who_wants_it_still(tab: Open) -> None:
    page = tab(f"{MAIL}?step=103")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(MOVING) == 0
    expect(page.locator(".overlay > *")).to_have_count(0)


def test_a_motion_can_be_interrupted_at_any_time(tab: Open) -> None:
    page = tab(f"{MAIL}?step=103", reduced_motion="no-preference")
    flew = watch_flights(page)
    page.keyboard.press("ArrowRight")
    flew("torn", "")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".overlay > *")).to_have_count(0)
    assert page.evaluate(MOVING) == 0
    still = tab(f"{MAIL}?step=103")
    assert picture(page) == picture(still)


def test_a_phone_sees_the_page_torn_off_too(tab: Open) -> None:
    page = tab(f"{MAIL}?step=103", reduced_motion="no-preference", viewport={"width": 390, "height": 844})
    flew = watch_flights(page)
    page.keyboard.press("ArrowRight")
    flew("torn", "not on disk")


def test_the_question_travels_to_the_filesystem(tab: Open) -> None:
    page = tab("/run/mail-store-first/wli-corrected?at=A.2.do_no_page.enough_space", reduced_motion="no-preference")
    for key in ("[", "[", "ArrowRight"):
        page.keyboard.press(key)
    token = page.locator(".token.question")
    expect(token).to_have_text("?")
    page.evaluate(
        """() => {
          const [flight] = document.querySelector('.token').getAnimations()
          flight.pause()
          flight.currentTime = flight.effect.getTiming().duration * .88
        }"""
    )
    box, bits = token.bounding_box(), page.locator(".filesystem .bits").first.bounding_box()
    assert box is not None
    assert bits is not None
    assert bits["y"] - 80 < box["y"] < bits["y"] + bits["height"]


def shape(page: Page) -> dict[str, list[float]]:
    """Where the standing parts of the page are."""
    found: dict[str, list[float]] = page.evaluate(
        """() => Object.fromEntries(['.rail', '.task', '.source', '.steps', 'svg.scene', '.filesystem', '.others',
             '.caption', '.changed-now', '.ledger', '.events', '.controls', '.line'].map(name => {
               const shown = [...document.querySelectorAll(name)].find(el => el.checkVisibility())
               const { x, y, width } = shown.getBoundingClientRect()
               return [name, [x, y, width].map(Math.round)] }))"""
    )
    return found


@pytest.mark.parametrize("scenario", ["mail", "last-block", "quota", "fork"])
def test_nothing_ever_jumps(tab: Open, scenario: str) -> None:
    page = tab(f"/run/{scenario}/linux-2.6.9?step=1")
    complete(page)
    before = shape(page)
    for step in range(1, page.evaluate("document.querySelector('fault-theatre').length"), 9):
        go(page, step)
        assert shape(page) == before, step


def test_a_patch_that_does_not_build_shows_why_in_the_place_of_the_picture(tab: Open) -> None:
    page = tab("/run/mail/wli-posted?step=0")
    report = page.locator(".build")
    expect(report.locator("mark")).to_have_text([")", "pte", "enough_space"])
    expect(report).to_contain_text("undefined reference to 'enough_space'")
    expect(page.locator("svg.scene")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(report).to_be_hidden()
    expect(page.locator("svg.scene")).to_be_visible()
    page.keyboard.press("End")
    page.get_by_role("link", name="does not build").click()
    expect(report).to_be_visible()
    assert step_of(page) == 0


CUT = """() => {
  const lists = [...document.querySelectorAll('.steps, .events ol')].filter(el => el.checkVisibility())
  const cut = lists.flatMap(list => {
    const top = list.getBoundingClientRect().top + list.clientTop
    const edges = [top, top + list.clientHeight]
    return [...list.querySelectorAll('.name, pre span, a')].filter(line => {
      const box = line.getBoundingClientRect()
      const row = list.querySelector('.name, a').getBoundingClientRect().height
      return edges.some(edge => {
        const rows = (edge - box.top) / row
        return edge > box.top && edge < box.bottom && Math.abs(rows - Math.round(rows)) * row > 2
      })
    })
  })
  const wide = [...document.querySelectorAll('.steps li[data-now] pre span')].filter(el => el.scrollWidth > el.clientWidth + 1)
  return [...cut, ...wide].map(el => el.textContent)
}"""
"""Lines of a list that its edge cuts within a row, and lines of code that do not fit in width."""


@pytest.mark.parametrize("script", [True, False])
def test_no_line_of_the_listings_is_cut_and_the_present_one_is_in_view(tab: Open, *, script: bool) -> None:
    for step in (30, 43, 53, 66, 90):
        page = tab(f"{MAIL}?step={step}", java_script_enabled=script)
        page.wait_for_timeout(60)
        assert page.evaluate(CUT) == [], step
        for lines in (".steps li[data-now] .name", ".events li[data-now]"):
            expect(page.locator(lines)).to_be_in_viewport(ratio=0.9)


def test_a_lock_turns_a_task_away(tab: Open) -> None:
    switch = "switch=A,B,C,A@do_no_page.pte_none>B"
    page = tab(f"/run/lock-drop/linux-2.6.9?step=47&{switch}", reduced_motion="no-preference")
    flew = watch_flights(page)
    page.keyboard.press("ArrowRight")
    flew("token failed", "B")
    expect(page.locator('.task[data-at="task/B"]')).to_contain_text("waits for page_table_lock: A has it")
    expect(page.locator('[data-at="hold/mm/A.page_table_lock"]')).to_contain_text("B waits")


def test_a_promised_block_gets_the_name_of_its_file(tab: Open) -> None:
    page = tab("/run/last-block/wli-corrected?at=B.2.ext2_new_block.dquot_alloc_block", reduced_motion="no-preference")
    flew = watch_flights(page)
    page.keyboard.press("ArrowRight")
    flew("token promise", "f")
    expect(page.locator('[data-at="bit/1"]')).to_have_attribute("data-letter", "f")


def test_the_share_dialog_has_whole_addresses(tab: Open, site: str) -> None:
    page = tab(f"{MAIL}?step=43")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("s")
    expect(page.get_by_label("This step")).to_have_value(f"{site}{MAIL}?step=44")
    expect(page.get_by_label("Its data, for a script")).to_have_value(f"{site}/api/v1/runs/mail/linux-2.6.9")
    page.get_by_role("dialog").get_by_role("button", name="Copy").first.click()
    expect(page.locator("#share .said")).not_to_be_empty()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_presenting_leaves_the_picture_and_what_is_said(tab: Open) -> None:
    page = tab(f"{MAIL}?step=43")
    size = "parseFloat(getComputedStyle(document.querySelector('.caption .text')).fontSize)"
    before = page.evaluate(size)
    page.keyboard.press("f")
    expect(page.locator(".left")).to_be_hidden()
    expect(page.locator("svg.scene")).to_be_visible()
    assert page.evaluate(size) > before * 1.3
    page.keyboard.press("f")
    expect(page.locator(".left")).to_be_visible()


def test_what_if_forks_the_run_and_the_futures_of_the_sitting_are_drawn(tab: Open) -> None:
    page = tab(f"{MAIL}?at=A.3.store.write")
    page.keyboard.press("w")
    page.get_by_role("button", name="The power fails").click()
    expect(page.locator("fault-theatre")).to_have_attribute("data-outcome", "lost-unsynced")
    assert "power_fails()" in page.url
    expect(page.locator('[data-at="task/you"]').first).to_be_attached()
    page.go_back()
    expect(page.locator("fault-theatre")).to_have_attribute("data-outcome", "lost-silent")
    page.keyboard.press("w")
    page.get_by_role("button", name="Somebody frees a block").click()
    expect(page.locator("fault-theatre")).to_have_attribute("data-outcome", "kept")
    futures = page.locator(".futures li")
    expect(futures).to_have_count(3)
    expect(futures.locator("a[aria-current]")).to_contain_text("Somebody frees a block")
    futures.filter(has_text="The power fails").last.get_by_role("link").click()
    expect(page.locator("fault-theatre")).to_have_attribute("data-outcome", "lost-unsynced")


def test_what_if_is_offered_before_the_first_step_and_says_where_it_is_not(tab: Open) -> None:
    page = tab(f"{MAIL}?step=0")
    page.keyboard.press("w")
    expect(page.locator(".what-if .first")).to_be_visible()
    expect(page.get_by_role("button", name="B runs first")).to_be_disabled()
    page.get_by_role("button", name="A runs first").click()
    page.wait_for_url("**switch=A.B.C&step=1")
    page.goto(f"{MAIL}?at=A.3.store.write")
    page.keyboard.press("w")
    page.get_by_role("button", name="The flusher wakes").click()
    page.wait_for_url("**writeback()**")
    page.keyboard.press("w")
    expect(page.get_by_role("button", name="The power fails")).to_be_disabled()
    page.get_by_role("link", name="To when it is done").click()
    expect(page.get_by_role("button", name="The power fails")).to_be_enabled()


def test_what_if_needs_no_script(tab: Open) -> None:
    page = tab(f"{MAIL}?at=A.3.store.write", java_script_enabled=False)
    page.locator("#what-if").click()
    page.get_by_role("button", name="Somebody frees a block").click()
    expect(page.locator("fault-theatre")).to_have_attribute("data-outcome", "kept")


def test_one_press_goes_by_step_by_function_or_by_fault(tab: Open) -> None:
    page = tab(f"{MAIL}?step=12")
    page.keyboard.press("z")
    expect(page.locator("#zoom")).to_have_text("by function")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("step=18&zoom=function$"))
    page.keyboard.press("z")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-at=caption] [data-show=where]")).to_contain_text("load · read")
    expect(page).to_have_url(re.compile(f"step={step_of(page)}&zoom=fault$"))
    other = tab(page.url)
    assert picture(other) == picture(page)
