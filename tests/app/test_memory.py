"""The list that reclaim scans, the tags of cached pages, and the summary of a file too long for the picture."""

from __future__ import annotations

import engine
from app.cast import MAX_LRU
from app.scene import MAX_ROWS
from app.view import View, build_view
from tests.engine.build import make

PAGES = 20


def view_of(scenario: engine.Scenario, kernel: str = "linux-2.6.9") -> tuple[engine.Trace, View]:
    trace = engine.run(scenario, kernel)
    return trace, build_view(trace, scenario, engine.find_kernel(kernel))


def long() -> engine.Scenario:
    tasks = {"A": [f"m = mmap(f, {PAGES}P, READ|WRITE, SHARED)", f'm[0] = "A" * {PAGES}P', "writeback()"]}
    return make(tasks, size=f"{PAGES}P", blocks=3, machine={"frames": 40})


def test_the_list_is_the_machines_own_oldest_first() -> None:
    trace, view = view_of(engine.gallery()["memory-pressure"])
    assert view.cast.lru
    for n in range(0, len(trace.steps) + 1, 7):
        state, shown = trace.state_at(n), view.state_at(n)
        listed = str(state.get("ram.lru") or "").split()
        assert [shown.get(f"lru/{place}.raw") for place in range(len(listed[:MAX_LRU]))] == [
            f"page/{pfn}" for pfn in listed[:MAX_LRU]
        ]


def test_a_long_file_shows_some_pages_and_sums_up_all() -> None:
    trace, view = view_of(long())
    [file] = view.cast.files
    assert len(file.indices) == MAX_ROWS
    assert view.cast.long == {"f": PAGES}
    shown = view.state_at(len(trace.steps))
    for index in file.indices:
        slot, summed = shown[f"slot/f/{index}.state"], shown[f"map/f/{index}.state"]
        assert slot == summed or (slot, summed) == ("absent", "saved")
    assert f"map/f/{PAGES - 1}.state" in shown


def test_what_is_promised_counts_the_pages_that_the_picture_leaves_out() -> None:
    """20 stores into a file with one block: 19 holes become dirty, and three blocks in all are there for them."""
    trace, view = view_of(long())
    stored = next(n for n, step in enumerate(trace.steps) if step.line == 3)
    assert view.state_at(stored)["promised.text"] == f"{PAGES - 1} dirty pages without a block"


def test_a_file_that_the_picture_has_whole_is_not_summed_up() -> None:
    _, view = view_of(engine.gallery()["mail"])
    assert not view.cast.long
