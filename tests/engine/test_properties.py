"""The invariants of facts 7.1, over the gallery and where they are broken on purpose."""

from __future__ import annotations

import pytest

from engine import KERNELS, Breach, find_kernel, find_scenario, gallery, run, scenario_from_data, to_data
from engine.errors import ScenarioError
from engine.fs.kinds import FILESYSTEMS
from engine.properties import INVARIANTS
from tests.engine.build import CORRECTED, MAP, POSTED, STOCK, Stage, make

SOUND = [(name, fs) for name, kernel in KERNELS.items() if name != POSTED for fs in kernel.filesystems]
KNOWN = {
    ("linux-2.6.18", "ext2-mkwrite"): {"I4"},  # the race that relock-race shows, mended in 2.6.21
    ("linux-2.6.19", "ext2-mkwrite"): {"I4"},
    ("mmap-reserve", "ext2"): {"I4"},  # facts 1d: all the ways in which a promise at mmap() ends too early
    ("mmap-reserve", "ext3"): {"I4"},
}
GROWN = ("wli-corrected", "linux-2.6.23")
"""Kernels without 3.18's care for a page that the file's end cuts in two; facts 1c.6, 1e.6."""
CUT_IN_TWO = ("grown-in-the-page", "ltp-mmap16", "xfstests-generic-029")
"""Scenarios in which a file with blocks smaller than pages grows behind an end in the midst of a writable page.

LTP mmap16 is the test for it (facts 5.1), and those kernels fail it.
"""
COLLIDES = "xfstests-generic-247"
"""A direct write and a store to the same page at once: the kernel says EIO, and warns of corruption (facts 6 H9)."""
MISHAPS = ("power_fails", "disk_error", "shutdown", "device_room=0")
"""What no promise helps against."""


@pytest.mark.parametrize(("kernel", "fs"), SOUND)
def test_a_sound_kernel_breaks_nothing_in_the_gallery_but_data(kernel: str, fs: str) -> None:
    known = KNOWN.get((kernel, fs), set()) | {"I6"}
    for scenario in gallery().values():
        allowed = known | ({"I4"} if kernel in GROWN and scenario.id in CUT_IN_TWO else set())
        found = breaches(scenario.id, kernel, fs)
        assert [str(breach) for breach in found if breach.violation.invariant not in allowed] == [], scenario.id


@pytest.mark.parametrize("fs", [name for name, ops in KERNELS["linux-6.18"].filesystems.items() if ops.promises])
def test_where_the_fault_gets_a_promise_no_alarm_sounds_but_for_the_power(fs: str) -> None:
    alarmed = {name for name in gallery() for each in breaches(name, "linux-6.18", fs) if each.violation.level}
    spared = {name for name, scenario in gallery().items() if not any(each in str(scenario) for each in MISHAPS)}
    assert alarmed & spared <= {COLLIDES}


@pytest.mark.parametrize("fs", KERNELS["linux-6.18"].filesystems)
def test_who_reserves_at_the_fault_promises(fs: str) -> None:
    kind = FILESYSTEMS[fs]
    promises = KERNELS["linux-6.18"].filesystems[fs].promises
    assert promises or kind.in_memory or not kind.reserves.startswith("At the fault")


def breaches(scenario: str, kernel: str, fs: str) -> tuple[Breach, ...]:
    """What breaks in a gallery run on a filesystem; nothing where the filesystem cannot have that file."""
    data = to_data(find_scenario(scenario))
    try:
        chosen = scenario_from_data(data | {"filesystem": data.get("filesystem", {}) | {"type": fs}})
    except ScenarioError:
        return ()
    return run(chosen, kernel, watch=True).violations or ()


def told(scenario: str, kernel: str) -> list[tuple[str, str]]:
    """(the step after which it broke, what) of a gallery run, data alarms left out."""
    trace = run(find_scenario(scenario), find_kernel(kernel), watch=True)
    found = [each for each in trace.violations or () if not each.violation.level]
    return [(trace.steps[each.first - 1].event, f"{each.violation.invariant} {each.violation.where}") for each in found]


# -- broken on purpose ------------------------------------------------------------------------------------------------


def test_n4_one_entry_is_counted_twice_for_ever() -> None:
    # 1b N4: _count, _mapcount and rss counted twice for one pte.
    trace = run(find_scenario("lock-drop"), POSTED, watch=True)
    forever = [each.violation for each in trace.violations or () if each.last is None and not each.violation.level]
    assert [violation.where for violation in forever] == ["page/1.mapcount", "mm/A.rss", "page/1.count"]
    assert str(forever[0]).startswith("I1 broken: page 2 of f is counted twice for one entry")


def test_the_same_switched_on_alone() -> None:
    assert ("A.2.do_no_page.unlock", "I1 mm/A.rss") in told("lock-drop", "wli-corrected+N4")


def test_x4_a_question_is_no_promise() -> None:
    # 1b X4: the entry is writable, and no block is anybody's.
    assert ("B.2.do_no_page.set_pte", "I4 mm/B/pte/0x40002.entry") in told("last-block", POSTED)


def test_x5_a_promise_nobody_waits_for() -> None:
    assert ("I3", "fs.delalloc") in {
        (each.violation.invariant, each.violation.where)
        for each in run(find_scenario("lost-promise"), find_kernel("wli-corrected+X5"), watch=True).violations or ()
    }


def test_what_is_mended_says_when() -> None:
    trace = run(find_scenario("last-block"), POSTED, watch=True)
    first = next(each for each in trace.violations or () if each.violation.where == "mm/A/pte/0x40001.entry")
    assert first.last is not None
    assert trace.steps[first.last - 1].event == "A.3.ext2_new_block.reserve_blocks"


def test_nobody_watches_unless_asked() -> None:
    assert run(find_scenario("lock-drop"), POSTED).violations is None
    assert run(find_scenario("lock-drop"), CORRECTED, watch=True).violations == ()


def test_watching_changes_nothing_else() -> None:
    from dataclasses import replace

    for name in ("lock-drop", "mail", "power-cut"):
        watched = run(find_scenario(name), POSTED, watch=True)
        assert replace(watched, violations=None) == run(find_scenario(name), POSTED)


# -- alarm: I6 --------------------------------------------------------------------------------------------------------


def test_the_alarm_goes_from_yellow_by_orange_to_red() -> None:
    # 7.1 I6: clean-unsaved and the flag unread, the flag consumed, evicted.
    s = Stage(
        make({"A": [MAP, 'm[2P] = "C"', "munmap(m)", "writeback()", "fsync(f)", "drop_caches()"]}, blocks=1), STOCK
    )
    levels = []
    for _ in range(6):
        s.lines("A")
        levels.append("".join(found.level for found in INVARIANTS["I6"].check(s.k)))
    assert levels == ["", "", "", "yellow", "orange", "red"]


def test_on_later_kernels_the_error_is_unread_until_an_open_file_has_heard() -> None:
    script = [MAP, 'm[2P] = "C"', "munmap(m)", "writeback()", "fsync(f)"]
    s = Stage(make({"A": script}, blocks=1), "linux-6.18").lines("A", 4)
    assert [found.level for found in INVARIANTS["I6"].check(s.k)] == ["yellow"]
    assert [found.level for found in INVARIANTS["I6"].check(s.lines("A").k)] == ["orange"]


# -- one thing wrong at a time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        ("page/1.count", 1, "I1 broken: page 2 of f is counted once; the page cache and one entry hold it."),
        ("page/1.count", None, "I1 broken: page 2 of f is free; the page cache and one entry hold it."),
        ("page/1.count", 3, "I1 broken: page 2 of f is counted 3 times; the page cache and one entry hold it."),
        ("page/1.mapcount", -1, "I1 broken: page 2 of f is counted 0 times for one entry; each entry that points at it counts once."),
        ("mm/A.rss", 2, "I1 broken: rss of A is 2 with one page mapped; it should be 1."),
        ("page/1.dirty", True, "I2 broken: page 2 of f is dirty and has no tag; writers find pages by their tags, so tag and page agree."),
        ("mapping/f/2.writeback", True, "I2 broken: page 2 of f has the tag WRITEBACK and is not under writeback; writers find pages by their tags, so tag and page agree."),
        ("fs.free", 14, "I3 broken: 14 blocks are free and 1 have an owner, of 16; each block is one or the other."),
        ("inode/f.blocks", 2, "I3 broken: f counts 2 blocks; its map leads to 1."),
        ("quota/alice.used", 0, "I3 broken: alice is charged for no block; the files of alice have 1."),
        ("fs.delalloc", 1, "I3 broken: one block promised; no block waited for."),
        ("quota/alice.promised", 1, "I3 broken: 1 of the quota of alice promised; no block waited for."),
        ("task/A.locks", ("mm/A.mmap_sem",), "I5 broken: A is between two lines of its script and holds mm/A.mmap_sem; whoever leaves the kernel holds nothing."),
    ],
)  # fmt: skip
def test_each_cell_that_is_wrong_is_named(at: str, value: object, said: str) -> None:
    s = Stage(make({"A": [MAP, "x = m[2P]"]}, quota={"alice": {"hard": 9}})).lines("A", 2)
    assert [found for each in INVARIANTS.values() for found in each.check(s.k)] == []
    s.k.journal.write(at, value)
    found = [found for each in INVARIANTS.values() for found in each.check(s.k)]
    assert said in [str(each) for each in found]
    assert found[0].where == at.replace("page/1.dirty", "mapping/f/2.dirty")


def test_a_block_that_no_map_leads_to_is_named() -> None:
    s = Stage(make({"A": [MAP]}))
    s.k.space.claim(7, "f")
    assert [str(found) for found in INVARIANTS["I3"].check(s.k)] == [
        "I3 broken: block 7 belongs to f; its map does not lead there."
    ]
    s.k.space.give_back(7)
    s.k.space.give_back(0)
    assert "the map of f leads to block 0" in str(INVARIANTS["I3"].check(s.k)[0])


def test_a_kernel_that_is_about_to_sleep_under_a_spinlock_is_seen_to() -> None:
    s = Stage(make({"A": [MAP, 'm[2P] = "C"']}), POSTED).lines("A").until("A", "enough_space.drop_lock")
    assert INVARIANTS["I5"].check(s.k) == []
    s.k.journal.write("task/A.locks", (*(s.k.tasks["A"].locks or ()), "mm/A.page_table_lock"))
    assert [found.where for found in INVARIANTS["I5"].check(s.k)] == ["task/A.locks"]
