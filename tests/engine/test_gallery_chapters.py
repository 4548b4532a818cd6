"""The subject's chapters, S01 to S30 of facts 7.3, as the facts have them; the first twenty are in test_outcomes.py."""

from __future__ import annotations

import pytest

from engine import gallery, run, scenario_from_data, to_data
from tests.engine.build import CORRECTED, LATER, POSTED, STOCK, Told
from tests.engine.stated import Stated, cases, check

SIX = ("linux-6.1", "linux-6.18")
ASKING = (POSTED, CORRECTED)
UNASKED = (STOCK, *LATER, *SIX)
"""Kernels under which native ext2 is not asked at the fault (7.2)."""
OLD = (STOCK, *LATER)
ALL = (STOCK, POSTED, CORRECTED, *LATER, *SIX)

ROWS = (
    # -- The machine -------------------------------------------------------------------------------------------------
    Stated("stale-translation", ("linux-6.18",), "H12: zap flushes by force and delays the rmap for dirty file entries", "refused",
           {"A.3": "0", "A.4": "0", "B.2": "SIGSEGV", "C.3": "ABa"}, {"A.2": "durable", "B.1": "durable", "B.2": "refused"}),
    # -- The race ------------------------------------------------------------------------------------------------
    Stated("competing-write", (POSTED,), "1b X4: the answer is old when the entry is made: a write(2) had the block", "lost-told",
           {"A.2": "ok", "A.3": "ENOSPC", "B.1": "1", "B.2": "0", "C.2": ".", "C.3": "W"},
           {"A.2": "lost", "B.1": "durable"}, {}, {"fs.free": 0}),
    Stated("competing-write", ("linux-2.6.19", "linux-2.6.23"), "2 d08b3851, 1a.11: the page counts as dirty, so the other's fsync "
           "writes it and takes the error", "lost-told",
           {"A.2": "ok", "A.3": "0", "B.1": "1", "B.2": "ENOSPC", "C.2": "."}, {"A.2": "lost"}, {"A.2": "B.2: ENOSPC"}),
    Stated("competing-write", (STOCK, "linux-2.6.18"), "1a.3: nobody asks; write(2) takes its block in the call", "lost-told",
           {"A.2": "ok", "A.3": "ENOSPC", "B.1": "1", "C.2": ".", "C.3": "W"}, {"A.2": "lost", "B.1": "durable"}),
    Stated("competing-write", SIX, "1a.3; generic_buffers_fsync() comes to metadata only without an error", "lost-told",
           {"A.2": "ok", "A.3": "ENOSPC", "B.1": "1", "C.2": ".", "C.3": "W"}, {"A.2": "lost", "B.1": "backed"}),
    Stated("competing-write", (CORRECTED,), "1c.4: the fault takes the block, the write hears ENOSPC", "refused",
           {"A.2": "ok", "A.3": "0", "B.1": "ENOSPC", "C.2": "A", "C.3": "."}, {"A.2": "durable", "B.1": "refused"}),
    Stated("competing-write", SIX, "rule 6: an accepted store holds its space against competitors", "refused",
           {"A.2": "ok", "A.3": "0", "B.1": "ENOSPC", "C.2": "A"}, {"A.2": "durable"}, on="ext2-by-ext4"),
    Stated("two-maps-one-hole", ALL, "rule 6: the page needs one block once; 1a.9: each entry has its dirty bit", "kept",
           {"A.2": "ok", "A.3": "0", "B.2": "ok", "B.3": "0", "C.2": "AB"}, {"A.2": "durable", "B.2": "durable"}, {},
           {"fs.free": 0}),
    Stated("two-maps-one-hole", SIX, "rule 6", "kept", {"A.2": "ok", "B.2": "ok", "C.2": "AB"}, {}, {}, {"fs.free": 0},
           on="ext4-nodelalloc"),
    # -- Whose room? ---------------------------------------------------------------------------------------------
    Stated("quota-grace", UNASKED, "3.4: soft limit exceeded since 8 days: refused below the hard one, in her own msync", "lost-told",
           {"A.2": "ok", "A.3": "0", "A.5": "ok", "A.6": "EDQUOT", "B.2": "A", "B.3": "."},
           {"A.2": "durable", "A.5": "lost"}, {"A.5": "A.6: EDQUOT"}, {"quota/alice.used": 3, "fs.free": 5}),
    Stated("quota-grace", ASKING, "3.4, 1c.4: quota in the user's own context", "refused",
           {"A.2": "ok", "A.3": "0", "A.5": "SIGBUS", "B.2": "A", "B.3": "."}, {"A.2": "durable", "A.5": "refused"},
           {}, {"quota/alice.used": 3}),
    Stated("quota-grace", SIX, "rule 5: soft limits hold only after the grace time", "refused",
           {"A.2": "ok", "A.3": "0", "A.5": "SIGBUS"}, {"A.2": "durable"}, {}, {"quota/alice.used": 3}, on="ext4"),
    Stated("four-depths", ALL, "3.3: 1, 2, 3 and 4 blocks by offset", "kept",
           {"A.3": "0", "B.3": "0", "C.3": "0", "D.3": "0"}, {f"{task}.2": "durable" for task in "ABCD"}, {}, {"fs.free": 0}),
    Stated("four-depths", SIX, "rule 3: block-mapped files pay their indirect blocks at the fault", "kept",
           {"A.2": "ok", "B.2": "ok", "C.2": "ok", "D.2": "ok"}, {}, {}, {"fs.free": 0}, on="ext2-by-ext4"),
    Stated("page-of-four-blocks", UNASKED, "1a.13 recover 4: a page can be half written; 3.6.3", "lost-told",
           {"A.2": "ok", "A.3": "ENOSPC", "B.2": "C", "B.3": "C", "B.4": "."}, {"A.2": "lost"}, {}, {"fs.free": 0}),
    Stated("page-of-four-blocks", (CORRECTED,), "1c.4: block_prepare_write wants every block of the page", "refused",
           {"A.2": "SIGBUS", "B.2": ".", "B.4": "."}, {"A.2": "refused"}, {}, {"fs.free": 0}),
    Stated("page-of-four-blocks", SIX, "rule 4: not rolled back across the blocks of a page", "refused",
           {"A.2": "SIGBUS", "B.2": ".", "B.4": "."}, {"A.2": "refused"}, {}, {"fs.free": 0}, on="ext2-by-ext4"),
    Stated("fallocate-first", SIX, "5.1 fallocate05: the user-space cure", "kept",
           {"A.1": "0", "A.3": "ok", "A.4": "0", "C.2": "C", "C.3": "C"}, {"A.3": "durable"}),
    # -- Whose page? ---------------------------------------------------------------------------------------------
    Stated("private-and-write", (STOCK, CORRECTED, *LATER, *SIX), "H7: later writes are seen in untouched pages alone", "kept",
           {"A.2": "a", "A.3": "W", "A.4": "ok", "A.5": "W", "C.2": "Xa"}, {"A.4": "private", "B.2": "durable"}),
    Stated("private-and-write", (POSTED,), "1b W2c: the page-cache page itself becomes writable; the edit lands in the file", "",
           {"A.2": "a", "A.3": "W", "A.4": "ok", "A.5": "X", "C.2": "XP"}, {"A.4": "leaked"}),
    Stated("fork-shared", ALL, "H8, 1a.9: same page, two dirty bits to collect", "kept",
           {"A.2": "ok", "A.4": "ok", "B.1": "p", "B.2": "ok", "B.3": "0", "C.3": "pqr"},
           {"A.2": "durable", "A.4": "durable", "B.2": "durable"}),
    Stated("zero-page", (POSTED,), "1b W2a: every process that maps zeros sees garbage", "", {"A.2": ".", "A.3": "ok", "B.2": "Z"}),
    Stated("zero-page", (STOCK, CORRECTED, *LATER, *SIX), "1a.5, 1a.6: a copy at the store", "kept",
           {"A.2": ".", "A.3": "ok", "B.2": "."}),
    Stated("kernel-stores", ASKING, "1b X12: EFAULT, no SIGBUS", "refused",
           {"A.2": "EFAULT", "A.3": "0", "B.2": "...."}, {"A.2": "refused"}, {"A.2": "EFAULT"}, {"task/A.signal": None}),
    Stated("kernel-stores", SIX, "rule 1: a kernel-mode store gets EFAULT", "refused", {"A.2": "EFAULT", "A.3": "0"},
           {}, {}, {"task/A.signal": None}, on="ext4-nodelalloc"),
    Stated("kernel-stores", UNASKED, "1a.3: nobody asks, whoever stores", "lost-told",
           {"A.2": "ok", "A.3": "ENOSPC", "B.2": "...."}, {"A.2": "lost"}),
    # -- Who is told? --------------------------------------------------------------------------------------------
    Stated("disk-error", ALL, "H11, 1e.8: retry = success; the old data is back after eviction", "lost-told",
           {"A.3": "ok", "A.4": "EIO", "A.5": "0", "B.2": "a"}, {"A.3": "lost"}, {"A.3": "A.4: EIO"}),
    Stated("each-open-file", OLD, "1a.11: cleared by whoever asks first, per inode", "",
           {"A.3": "ok", "A.5": "ENOSPC", "B.2": "0", "B.3": "0"}),
    Stated("each-open-file", SIX, "1e.7: since 4.13 each struct file sees an error once", "",
           {"A.3": "ok", "A.5": "ENOSPC", "B.2": "ENOSPC", "B.3": "0"}),
    Stated("machek-setuid", UNASKED, "4 mail 11: root reads good, the kernel drops it, the file is evil again", "lost-silent",
           {"A.3": "ok", "R.1": "good", "R.4": "...."}, {"A.3": "lost"}, {"A.3": None}),
    Stated("machek-setuid", ASKING, "7.2 row corrected: nothing to see", "refused",
           {"A.3": "SIGBUS", "R.1": "....", "R.4": "...."}, {"A.3": "refused"}),
    Stated("machek-setuid", SIX, "7.2 row ext4 today", "refused", {"A.3": "SIGBUS", "R.1": "...."}, on="ext4-nodelalloc"),
    # -- What is promised? ---------------------------------------------------------------------------------------
    Stated("msync-async", ALL, "H2, 1a.10: MS_ASYNC promises nothing and starts no I/O", "lost-unsynced",
           {"A.2": "ok", "A.3": "0", "R.2": "."}, {"A.2": "lost"}, {"A.2": None}),
    Stated("invisible-dirt", (STOCK, "linux-2.6.18"), "1a.9: pdflush never looks at ptes; H20", "lost-unsynced",
           {"R.1": "0", "R.3": ".", "R.4": "."}, {"A.3": "lost", "A.5": "lost"}),
    Stated("invisible-dirt", (CORRECTED, "linux-2.6.19", "linux-2.6.23", *SIX), "1c.4, 2 d08b3851: the first store marks the page",
           "kept", {"R.3": "A", "R.4": "C"}, {"A.3": "durable", "A.5": "durable"}),
    Stated("past-the-cache", (STOCK, POSTED), "H9, S23: pte-dirty data not collected; mmap stores cancelled; the mapping is stale",
           "lost-lied", {"B.2": "4096", "C.1": "a", "A.4": "b", "A.5": "a", "A.6": "0", "R.2": "a", "R.3": "D"},
           {"A.2": "lost", "B.2": "durable"}, {"A.2": None}),
    Stated("past-the-cache", (CORRECTED,), "H9, 1c.4: the page was marked dirty in the fault, so it is written; the mapping is stale",
           "kept", {"C.1": "M", "A.4": "b", "A.5": "M", "R.2": "M"}, {"A.2": "durable", "B.2": "durable"}),
    Stated("past-the-cache", (*LATER, *SIX), "H9 2.6.9 only: since 2.6.11 mapped pages are unmapped, and only those of the range go",
           "kept", {"C.1": "M", "A.4": "D", "A.5": "M", "R.2": "M", "R.3": "D"}, {"A.2": "durable", "B.2": "durable"}),
    Stated("past-the-cache", SIX, "measured on 6.18", "kept", {"A.4": "D", "A.5": "M"}, {"A.2": "durable"}, on="xfs"),
    Stated("past-the-cache", SIX, "measured on 6.18", "kept", {"A.4": "D", "A.5": "M"}, {"A.2": "durable"}, on="btrfs"),
    # -- The end of the file -------------------------------------------------------------------------------------
    Stated("truncate-sigbus", ALL, "H4, 1a.4: beyond the end of the file it is SIGBUS, for loads too", "",
           {"A.2": "ok", "A.3": "SIGBUS", "A.4": "SIGBUS", "A.5": "a", "B.1": "0"}, {"A.2": "replaced"}),
    Stated("last-partial-page", ALL, "H6, 1a.13: visible to others until then; the tail is zeroed every time", "kept",
           {"A.2": ".", "A.3": "ok", "A.5": "0", "B.2": "XY", "B.3": "..", "C.2": "A"}, {"A.4": "durable"}),
    Stated("last-partial-page", SIX, "rule 7", "kept", {"B.2": "XY", "B.3": "..", "C.2": "A"}, on="ext4"),
    Stated("grown-in-the-page", LATER, "3.6.2: no page_mkwrite before 3.18; 1c.6 i", "lost-told",
           {"A.2": "ok", "A.4": "ok", "A.5": "ENOSPC", "C.2": "ax", "C.3": "."}, {"A.2": "durable", "A.4": "lost"}),
    Stated("grown-in-the-page", SIX, "rule 4: write-protected when the file grows; 90a8020278c1", "refused",
           {"A.2": "ok", "A.4": "SIGBUS", "C.3": "."}, {"A.4": "refused"}, on="ext2-by-ext4"),
    # -- The way to page_mkwrite ---------------------------------------------------------------------------------
    Stated("racing-get-block", ("linux-2.6.23+get-block-race",), "H15, 3.3: no ENOSPC yet data lost", "lost-lied",
           {"A.2": "ok", "A.4": "0", "B.1": "1", "B.2": "0", "C.2": ".", "C.3": "B"}, {"A.2": "lost", "B.1": "durable"},
           {"A.2": None}),
    Stated("racing-get-block", UNASKED, "3.3: the chain is verified again, the branch is freed and found anew", "kept",
           {"A.4": "0", "B.2": "0", "C.2": "A", "C.3": "B"}, {"A.2": "durable", "B.1": "durable"}, {}, {"fs.free": 4}),
)  # fmt: skip


@pytest.mark.parametrize(("row", "kernel"), cases(ROWS))
def test_a_scenario_ends_as_the_facts_say(row: Stated, kernel: str) -> None:
    check(row, kernel)


OFFSETS = {1: "1P", 2: "48K", 3: "5M", 4: "5G - 1P"}
"""Where a page costs so many blocks: facts 3.3, blocks of 4 KiB."""


@pytest.mark.parametrize("free", range(5))
@pytest.mark.parametrize("cost", OFFSETS)
def test_a_page_with_so_many_index_blocks_finds_all_its_blocks_or_takes_none(cost: int, free: int) -> None:
    """S09; 1a.13 4e: all or nothing. What the fault takes today is what writeback took in 2004."""
    data = to_data(gallery()["four-depths"])
    script = [f"m = mmap(f, 1P, READ|WRITE, SHARED, {OFFSETS[cost]})", 'm[0] = "X"', "msync(m, SYNC)"]
    data |= {"tasks": {"A": {"user": "alice", "script": script}}, "schedule": ["A"], "kernel": ""}
    for kind, kernel in (("ext2", STOCK), ("ext2", CORRECTED), ("ext2-by-ext4", "linux-6.18")):
        told = Told(run(scenario_from_data(data | {"filesystem": {"type": kind, "blocks": 1 + free}}), kernel))
        enough = free >= cost
        assert told.end["fs.free"] == (free - cost if enough else free)
        assert told.outcome == ("kept" if enough else "open" if kernel == STOCK else "refused")
        assert told.result("A", 3) == ("0" if enough else "ENOSPC" if kernel == STOCK else None)
