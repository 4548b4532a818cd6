"""A step in a real browser: the script's time for it, motion included."""

from __future__ import annotations

from statistics import median

from playwright.sync_api import Browser, sync_playwright

from app.links import RunLink
from tests.bench.figures import Figure, ms
from tests.bench.memory_figures import SITE, serving
from tests.conftest import CHROMIUM_FLAGS, chromium_path, why_no_browser

FIRST, VISITS = RunLink("mail", "linux-2.6.9"), 5
LONG = RunLink("py-lmdb-161", "linux-6.18")
STEPS = """async () => {
  const theatre = document.querySelector('fault-theatre'), frame = () => new Promise(requestAnimationFrame)
  const time = async (to, act) => {
    const spent = []
    for (const n of to) { await frame(); const began = performance.now(); act(n); spent.push(performance.now() - began) }
    return spent
  }
  const all = [...Array(theatre.length).keys()], mark = document.body.appendChild(document.createElement('i'))
  theatre.go(0)
  return {
    bare: await time(all, n => mark.setAttribute('data-n', n)),
    forward: await time(all.map(n => n + 1), n => theatre.go(n)),
    back: await time(all.toReversed(), n => theatre.go(n)),
    scrub: await time(all.map(n => n * 89 % theatre.length), n => theatre.go(n)),
  }
}"""

FRAMES = """async ms => {
  const times = []
  const watch = now => { times.push(now); if (now - times[0] < ms) requestAnimationFrame(watch) }
  await new Promise(done => { requestAnimationFrame(watch); setTimeout(done, ms + 200) })
  return times.slice(1).map((now, i) => now - times[i])
}"""
PLAY = """() => {
  const theatre = document.querySelector('fault-theatre')
  theatre.go(0)
  theatre.transport.faster(2)
  theatre.transport.play()
}"""
PLAYED, LATE = 5_000, 25
"""Milliseconds: how long it is watched, and after which time a frame was left out."""


def browser_figures() -> list[Figure]:
    """Median and worst of every step of a long gallery run; beside it, setting one attribute."""
    missing = why_no_browser()
    if missing:
        return [Figure("a step in the browser", "not measured", "≤ 8 ms of script", missing)]
    with serving(SITE, "serve", "--port", "0") as (_, client), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_FLAGS))
        site = f"{client.base_url}".rstrip("/")
        waits = [_usable_after(chromium, site + FIRST.url()) for _ in range(VISITS)]
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(site + LONG.url(step=0))
        page.locator("fault-theatre[data-settled]").wait_for()
        spent = page.evaluate(STEPS)
        still = page.evaluate(FRAMES, PLAYED)
        page.evaluate(PLAY)
        moving = page.evaluate(FRAMES, PLAYED)
        chromium.close()
    bare = f"setting one attribute {ms(median(spent['bare']) / 1e3)}"
    names = {"forward": "a step forward in the browser", "back": "a step back", "scrub": "a jump while scrubbing"}
    return [
        Figure(
            "a first view, usable after",
            ms(median(waits)),
            "≤ 1,000 ms",
            f"of {VISITS} visits, nothing cached; the slowest {ms(max(waits))}",
        ),
        _frames(still, moving),
        *(
            Figure(
                name,
                ms(median(spent[key]) / 1e3),
                "≤ 8 ms of script",
                f"the slowest {ms(max(spent[key]) / 1e3)}; {bare}",
            )
            for key, name in names.items()
        ),
    ]


def _usable_after(chromium: Browser, url: str) -> float:
    """Seconds from asking for a page until its script has taken over, in a browser that has nothing of it."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url)
    page.locator("fault-theatre[data-settled]").wait_for()
    spent = page.evaluate("() => performance.now()") / 1e3
    context.close()
    return float(spent)


def _frames(still: list[float], moving: list[float]) -> Figure:
    """How many frames a second are drawn while a run plays, four times as fast as it opens; beside it, at rest."""
    late = sum(each > LATE for each in moving) / len(moving)
    beside = f"{late:.0%} of the frames later than {LATE} ms; at rest {1e3 / median(still):.0f} frames/s"
    return Figure(
        "frames while playing, four times as fast", f"{1e3 / median(moving):.0f} frames/s", "≥ 60 frames/s", beside
    )
