"""The gallery on the kernels of the 2.6 line, and on the one that reserves at mmap(), as the facts have it.

Native ext2 loses the same data under 2.6.18, 2.6.19 and 2.6.23 as under 2.6.9 (7.2: "2.6.19..today on ext2/vfat"; the
hook of 2.6.18 has no user): those rows are the ones of test_outcomes.py. The scenarios that came with these kernels have
rows for every kernel they are about.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine import NoSuchCombination, find_kernel, gallery, run
from tests.engine.build import CORRECTED, LATER, POSTED, RESERVE, STOCK, Told
from tests.engine.test_outcomes import ROWS as OLD
from tests.engine.test_outcomes import Row

UNASKED = (STOCK, *LATER)
TRACKING = ("linux-2.6.19", "linux-2.6.23")
EVERY = (STOCK, POSTED, CORRECTED, RESERVE, *LATER)

RESERVING = (
    Row("mail", (RESERVE,), "1d, 7.2 row reservation: mmap fails ENOSPC, and there is nothing to store to", "refused",
        {"A.1": "ENOSPC", "A.3": "no mapping"}),
    Row("mail-store-first", (RESERVE,), "7.2 row reservation: the caller of mmap is told", "refused", {"A.1": "ENOSPC"}),
    Row("last-block", (RESERVE,), "1d volume: three holes are mapped, one block is free: both are refused", "refused",
        {"A.1": "ENOSPC", "B.1": "ENOSPC"}, {}, {}, {"fs.free": 1}),
    Row("quota", (RESERVE,), "1d: quota too is asked at mmap", "refused", {"A.1": "EDQUOT"}),
    Row("quota-flusher", (RESERVE,), "1d: asked in her own name at mmap", "refused", {"A.1": "EDQUOT"}),
    Row("index-block", (RESERVE,), "1d volume: sixteen pages are mapped, two will be stored to", "refused", {"A.1": "ENOSPC"}),
    Row("private-full-disk", (RESERVE,), "1d: only shared mappings are bound for the file", "kept",
        {"A.1": "0", "A.2": "ok", "B.4": "ok", "C.2": "b"}),
    Row("room-enough", (RESERVE,), "1d: there is room", "kept", {"A.3": "ok", "C.3": "C"}, {"A.3": "durable"}),
    Row("power-cut", (RESERVE,), "H1: a promise is not a promise to the disk", "lost-unsynced", {"A.2": "ok"}, {"A.2": "lost"},
        {}, {"fs.delalloc": None}),
)  # fmt: skip

NEWER = (
    # -- One defect at a time: on kernels without the defect ---------------------------------------------------------
    Row("endless-load", EVERY, "1b N2 cured: a load ends", "kept", {"A.2": "."}),
    Row("endless-load", ("wli-corrected+N2",), "1b N2: endless faults; every round leaks count, mapcount and rss", "open",
        {"A.1": "0"}),
    Row("old-entry", (CORRECTED,), "1c.3: pte_same; the store beyond the end gets its SIGBUS", "refused",
        {"A.3": "SIGBUS", "B.4": "B"}, {"A.3": "refused", "B.3": "private"}),
    Row("old-entry", ("wli-corrected+W3",), "1b W3: writes go into somebody else's memory", "lost-silent",
        {"A.3": "ok", "A.4": "ok", "B.4": "Y"}, {"A.4": "lost"}),
    Row("same-place", (CORRECTED,), "1c.3: the page is held, so that its frame cannot come back", "refused",
        {"A.3": "SIGBUS", "A.4": "0", "C.2": "."}, {"A.3": "refused"}),
    Row("same-place", ("wli-corrected+W4",), "1b W4: page freed and used again, ABA even with pte_same", "lost-told",
        {"A.3": "ok", "A.4": "ENOSPC", "C.2": "."}, {"A.3": "lost"}),
    Row("one-fault-more", (CORRECTED, *UNASKED), "1b W5 cured; 2.6.9 needs no fault at all", "kept",
        {"A.3": "ok", "B.2": "ok"}, {"A.3": "durable", "B.2": "durable"}, {}, {"task/B.min_flt": None}),
    Row("one-fault-more", ("wli-corrected+W5", POSTED), "1b W5: one spurious fault, then handle_pte_fault repairs", "kept",
        {"A.3": "ok", "B.2": "ok"}, {"A.3": "durable", "B.2": "durable"}, {}, {"task/B.min_flt": 1}),
    Row("not-filled-in", (CORRECTED, "wli-corrected+W5", "wli-corrected+W6", POSTED), "1b W5, W6: traps alone, the store arrives",
        "kept", {"A.2": "a", "A.3": "ok", "A.4": "0"}, {"A.3": "durable"}, {}, {"task/A.min_flt": 1}),
    Row("lock-drop", ("wli-corrected+N4",), "1b N4: counted twice for one pte", "kept",
        {"A.2": "ok", "B.1": "ok"}, {}, {}, {"mm/A.rss": 1}),
    Row("cut-after-answer", (CORRECTED,), "1c.2: truncate_count is asked again", "refused",
        {"A.2": "SIGBUS"}, {"A.2": "refused"}),
    Row("cut-after-answer", ("wli-corrected+N5",), "1b N5: orphan page, never written, no SIGBUS", "lost-lied",
        {"A.2": "ok", "A.3": "0"}, {"A.2": "lost"}, {"A.2": None}),
    Row("private-full-disk", ("wli-corrected+N6",), "1b N6: SIGBUS for a page that needs no disk", "refused",
        {"A.2": "SIGBUS", "B.4": "ok", "C.2": "b"}, {"A.2": "refused", "B.4": "private"}),
    Row("private-full-disk", ("wli-corrected+W2",), "1b W2c: a private edit lands in the file", "kept",
        {"A.2": "ok", "B.4": "ok", "C.2": "S"}, {"A.2": "private", "B.4": "leaked"}),
    Row("fork", ("wli-corrected+W2",), "1b W2b: parent and child share a writable page", "kept", {"B.1": "q"}),
    Row("last-block", ("wli-corrected+X4",), "1b X4: both see the last free block, one loses its data", "lost-told",
        {"A.2": "ok", "B.2": "ok", "B.3": "ENOSPC"}, {"A.2": "durable", "B.2": "lost"}),
    Row("lost-promise", (CORRECTED, POSTED, *UNASKED), "1b X5 cured: truncate gives the block back", "kept",
        {"A.2": "ok", "B.1": "1", "B.2": "0"}, {"A.2": "replaced", "B.1": "durable"}, {}, {"fs.free": 0}),
    Row("lost-promise", ("wli-corrected+X5",), "1b X5: reservations leak until there are no free blocks on an empty disk",
        "refused", {"A.2": "ok", "B.1": "ENOSPC"}, {"B.1": "refused"}, {}, {"fs.free": 1, "fs.delalloc": 1}),
    Row("round-the-question", (CORRECTED,), "1c.0: RW is cleared in vm_page_prot", "refused",
        {"A.2": "SIGBUS", "B.5": "SIGBUS"}, {"A.2": "refused", "B.5": "refused"}),
    Row("round-the-question", ("wli-corrected+X8", POSTED), "1b X8: install_page and change_pte_range set RW", "lost-told",
        {"A.2": "ok", "A.3": "ENOSPC", "B.5": "ok", "B.6": "ENOSPC"}, {"A.2": "lost", "B.5": "lost"}),
    Row("round-the-question", (RESERVE,), "1d: mmap, and mprotect too, must reserve", "refused", {"A.1": "ENOSPC", "B.1": "ENOSPC"}),
    # -- What is promised? --------------------------------------------------------------------------------------------
    Row("fsync-first-store", (STOCK, POSTED, RESERVE, "linux-2.6.18", "wli-corrected+X6"),
        "H3, 1b X6: fsync=0, crash, loss", "lost-lied", {"A.2": "ok", "A.3": "0", "R.2": "."}, {"A.2": "lost"}),
    Row("fsync-first-store", (CORRECTED, *TRACKING), "H3: switch to 2.6.19 and it survives; 1c.4 marks the page dirty", "kept",
        {"A.2": "ok", "A.3": "0", "R.2": "C"}, {"A.2": "durable"}),
    Row("once-in-a-life", (STOCK, POSTED, RESERVE, "linux-2.6.18"), "H3", "lost-lied", {"A.5": "0", "R.2": "."}, {"A.4": "lost"}),
    Row("once-in-a-life", (CORRECTED,), "1b X7: only one trap in the life of an entry", "lost-lied",
        {"A.5": "0", "R.2": "C"}, {"A.4": "lost"}),
    Row("once-in-a-life", TRACKING, "1e.6: the trap is re-armed at writeback", "kept",
        {"A.5": "0", "R.2": "D"}, {"A.2": "replaced", "A.4": "durable"}),
    # -- The kernel learns ----------------------------------------------------------------------------------------------
    Row("relock-race", ("linux-2.6.18", "linux-2.6.19"), "c3704ceb4ad0 (2.6.21): released before relock", "lost-told",
        {"A.3": "ok", "A.4": "ENOSPC", "C.2": "."}, {"A.3": "lost"}),
    Row("relock-race", ("linux-2.6.23",), "c3704ceb4ad0", "refused",
        {"A.3": "SIGBUS", "A.4": "0", "C.2": "."}, {"A.3": "refused"}),
    Row("december-2006", EVERY, "7658cc289288: the whole page is dirty; before 2.6.19 msync moves the bit to every buffer", "kept",
        {"A.6": "0", "B.2": "B"}, {"A.5": "durable"}),
    Row("december-2006", ("linux-2.6.19+dec2006",), "1e.6, H13: ->writepage found clean buffers and wrote nothing", "lost-lied",
        {"A.5": "ok", "A.6": "0", "B.2": "A"}, {"A.3": "replaced", "A.5": "lost"}, {"A.5": None}),
    Row("store-in-the-gap", ("linux-2.6.19",), "79352894b285: msync data loss", "lost-lied",
        {"A.3": "ok", "A.4": "0", "R.3": "A"}, {"A.3": "lost"}),
    Row("store-in-the-gap", (STOCK, "linux-2.6.18", "linux-2.6.23"), "79352894b285; before 2.6.19 msync looks at entries", "kept",
        {"A.3": "ok", "A.4": "0", "R.3": "B"}, {"A.3": "durable"}),
    # -- Reserve at mmap --------------------------------------------------------------------------------------------------
    Row("too-large", (RESERVE,), "1d volume", "refused", {"A.1": "ENOSPC"}, {}, {}, {"fs.free": 7}),
    Row("too-large", (CORRECTED, POSTED, *UNASKED), "1d volume: three pages will be touched", "kept",
        {"A.1": "0", "A.3": "0"}, {"A.2": "durable"}),
    Row("promise-ends", (RESERVE, STOCK, *LATER), "1d lifetime; H1: dirty data outlives the mapping", "lost-silent",
        {"A.2": "ok", "B.4": "."}, {"A.2": "lost"}, {"A.2": None}, {"fs.delalloc": None}),
    Row("promise-ends", (CORRECTED,), "1c.5: allocated at the first store", "kept", {"A.2": "ok", "B.4": "C"}, {"A.2": "durable"}),
    Row("promised-to-whom", (RESERVE,), "1d: competing consumers; whose reservation is used up?", "refused",
        {"A.1": "0", "B.1": "ENOSPC", "C.1": "ENOSPC"}, {"B.1": "refused"}, {}, {"fs.free": 3, "fs.delalloc": 3}),
    Row("promised-to-whom", (CORRECTED, POSTED, *UNASKED), "each hole needs one block", "kept",
        {"B.1": "1", "C.1": "0", "C.3": "0"}, {"B.1": "durable", "C.2": "durable"}, {}, {"fs.free": 1}),
    Row("cut-and-grown", (RESERVE, *UNASKED), "1d size changes: a new hole under an existing mapping", "lost-told",
        {"A.4": "ok", "A.5": "ENOSPC", "C.2": "."}, {"A.4": "lost"}),
    Row("cut-and-grown", (CORRECTED, POSTED), "1c.5: truncate zaps the entry, and the next store is asked", "refused",
        {"A.4": "SIGBUS", "A.5": "0"}, {"A.4": "refused"}),
    Row("promise-and-fork", (RESERVE, *UNASKED), "1d lifetime: fork", "lost-told",
        {"B.1": "ok", "B.2": "ENOSPC", "E.2": "."}, {"B.1": "lost"}),
    Row("promise-and-fork", (CORRECTED, POSTED), "1c.2: the child's own fault asks", "refused", {"B.1": "SIGBUS"}, {"B.1": "refused"}),
    Row("neighbours-index", (RESERVE, *UNASKED), "1d lifetime: partial munmap; shared index blocks", "lost-told",
        {"A.2": "ok", "A.4": "ENOSPC", "C.2": "."}, {"A.2": "lost"}),
    Row("neighbours-index", (CORRECTED,), "1c.4: the index block is taken with the first page that needs it", "kept",
        {"A.2": "ok", "A.4": "0", "C.2": "C"}, {"A.2": "durable"}),
)  # fmt: skip


def cases(rows: tuple[Row, ...]) -> list[Any]:
    return [pytest.param(row, kernel, id=f"{row.scenario} on {kernel}") for row in rows for kernel in row.kernels]


def check(row: Row, kernel: str) -> None:
    told = Told(run(gallery()[row.scenario], kernel))
    assert {line: told.end.get(f"line/{line}.result") for line in row.lines} == row.lines
    assert {name: told.stores[name].fate for name in row.fates} == row.fates
    assert {name: told.stores[name].told for name in row.told} == row.told
    assert {at: told.end.get(at) for at in row.cells} == row.cells
    assert told.outcome == row.outcome
    assert told.trace.complete == (not kernel.endswith("+N2"))


@pytest.mark.parametrize("kernel", LATER)
@pytest.mark.parametrize("row", [pytest.param(row, id=row.scenario) for row in OLD if STOCK in row.kernels])
def test_native_ext2_fares_as_under_2_6_9(row: Row, kernel: str) -> None:
    check(row, kernel)


@pytest.mark.parametrize(("row", "kernel"), cases(RESERVING))
def test_mmap_says_no_or_keeps_its_word_while_the_mapping_lasts(row: Row, kernel: str) -> None:
    check(row, kernel)


@pytest.mark.parametrize(("row", "kernel"), cases(NEWER))
def test_a_scenario_of_this_line_ends_as_the_facts_say(row: Row, kernel: str) -> None:
    check(row, kernel)


def test_a_run_that_never_ends_is_shown_in_part_and_says_so() -> None:
    trace = run(gallery()["endless-load"], "wli-corrected+N2")
    assert not trace.complete
    assert "stopped after 20000 steps" in trace.notes[0]
    end = trace.state_at(len(trace.steps))
    assert int(end["mm/A.rss"] or 0) > 100
    assert int(end["page/1.count"] or 0) > 100
    assert "mm/A/pte/0x40002.entry" not in end


@pytest.mark.parametrize("kernel", [STOCK, POSTED, CORRECTED, RESERVE])
def test_a_combination_that_never_was_is_refused_with_its_reason(kernel: str) -> None:
    with pytest.raises(NoSuchCombination, match=r"page_mkwrite comes with 2\.6\.18"):
        find_kernel(kernel).ops("ext2-mkwrite")
