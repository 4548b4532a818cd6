"""The gallery on each kernel, as the facts have it: worked out from kernel-facts.md and the mail before any run.

Each row gives the outcome and the telling details: results of script lines, fates, who was told, what is left of the
disk. The section of the facts stands beside each. `.` is a byte of zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from engine import gallery, run
from tests.engine.build import CORRECTED, POSTED, STOCK, Told

ALL = (STOCK, POSTED, CORRECTED)
ASKING = (POSTED, CORRECTED)


@dataclass(frozen=True)
class Row:
    """What the facts say of one scenario on some kernels."""

    scenario: str
    kernels: tuple[str, ...]
    facts: str
    outcome: str
    lines: dict[str, str] = field(default_factory=dict)
    fates: dict[str, str] = field(default_factory=dict)
    told: dict[str, str | None] = field(default_factory=dict)
    cells: dict[str, object] = field(default_factory=dict)


ROWS = (
    # -- The mail: a hole, a full disk, and a store that nobody refuses -------------------------------------------
    Row("mail", (STOCK,), "1a.3, 1a.14, 7.2 row 2: no msync, pdflush writes: the flag is set, nobody asks", "lost-silent",
        {"A.2": ".", "A.3": "ok", "A.4": "0", "C.1": "0", "C.3": "."},
        {"A.3": "lost"}, {"A.3": None}, {"mapping/f.enospc": True, "fs.free": 0}),
    Row("mail", ASKING, "mail; 1b hunk W; 1c.3: the first store after a load traps in do_wp_page", "refused",
        {"A.2": ".", "A.3": "SIGBUS", "C.3": "."},
        {"A.3": "refused"}, {"A.3": "SIGBUS"}, {"mapping/f.enospc": None, "task/A.state": "killed"}),
    Row("mail-store-first", (STOCK,), "7.2 row 1: the caller of msync is told, the page is clean, then zeros", "lost-told",
        {"A.2": "ok", "A.3": "ENOSPC", "A.4": "0", "C.2": "."},
        {"A.2": "lost"}, {"A.2": "A.3: ENOSPC"}, {"mapping/f.enospc": None}),
    Row("mail-store-first", ASKING, "7.2 row corrected; 1b hunk N: SIGBUS on first store", "refused",
        {"A.2": "SIGBUS", "C.2": "."}, {"A.2": "refused"}, {"A.2": "SIGBUS"}),
    # -- The race ------------------------------------------------------------------------------------------------
    Row("last-block", (STOCK,), "1a.3: nobody asks; 1a.13: one of the two finds no block", "lost-told",
        {"A.2": "ok", "A.3": "0", "B.2": "ok", "B.3": "ENOSPC", "C.2": "A", "C.3": "."},
        {"A.2": "durable", "B.2": "lost"}, {"B.2": "B.3: ENOSPC"}, {"fs.free": 0}),
    Row("last-block", (POSTED,), "1b X4: both see the last free block, one loses its data at writeback", "lost-told",
        {"A.2": "ok", "A.3": "0", "B.2": "ok", "B.3": "ENOSPC", "C.2": "A", "C.3": "."},
        {"A.2": "durable", "B.2": "lost"}, {"B.2": "B.3: ENOSPC"}, {"fs.free": 0}),
    Row("last-block", (CORRECTED,), "1c.4: real allocation in the fault: whoever asks first has the block", "refused",
        {"A.2": "SIGBUS", "B.2": "ok", "B.3": "0", "C.2": ".", "C.3": "B"},
        {"A.2": "refused", "B.2": "durable"}, {"A.2": "SIGBUS"}, {"fs.free": 0}),
    Row("lock-drop", (STOCK, CORRECTED), "1a.3 step 8, 1c.2: pte_none is asked after the lock was retaken", "kept",
        {"A.2": "ok", "B.1": "ok", "C.3": "AB"},
        {"A.2": "durable", "B.1": "durable"}, {}, {"mm/A.rss": 0, "fs.free": 2}),
    Row("lock-drop", (POSTED,), "1b N4: counted twice for one pte: rss never returns to 0, the page can never be freed",
        "kept", {"A.2": "ok", "B.1": "ok", "C.3": "AB"}, {"A.2": "durable", "B.1": "durable"}, {},
        {"mm/A.rss": 1, "fs.free": 2}),
    Row("truncate-race", (STOCK,), "1a.3: nothing to wait for, so the store is on disk before the file is cut", "kept",
        {"A.2": "ok", "A.3": "0", "B.1": "0"}, {"A.2": "replaced"}),
    Row("truncate-race", (POSTED,), "1b N5: the store goes to an orphan page, never written, no SIGBUS, msync has no idea",
        "lost-lied", {"A.2": "ok", "A.3": "0", "B.1": "0"}, {"A.2": "lost"}, {"A.2": None}, {"mapping/f/2.page": None}),
    Row("truncate-race", (CORRECTED,), "1c.2 and 1c.4: mapping, i_size and truncate_count are looked at again", "refused",
        {"A.2": "SIGBUS", "B.1": "0"}, {"A.2": "refused"}, {"A.2": "SIGBUS"}, {"fs.free": 3}),
    # -- Whose room? ---------------------------------------------------------------------------------------------
    Row("quota", (STOCK,), "1a.12, 3.4, 7.2 row 4: her own msync gets EDQUOT on a disk with room", "lost-told",
        {"A.2": "ok", "A.3": "EDQUOT", "B.2": "."},
        {"A.2": "lost"}, {"A.2": "A.3: EDQUOT"}, {"quota/alice.used": 2, "fs.free": 6}),
    Row("quota", ASKING, "1c.4: quota in the user's own context; 1b X13: every errno becomes a signal", "refused",
        {"A.2": "SIGBUS", "B.2": "."}, {"A.2": "refused"}, {"A.2": "SIGBUS"}, {"quota/alice.used": 2, "fs.free": 6}),
    Row("quota-flusher", (STOCK,), "1a.12, H18: pdflush passes the hard limit: saved, and the quota is exceeded", "kept",
        {"A.2": "ok", "B.3": "C"}, {"A.2": "durable"}, {"A.2": None}, {"quota/alice.used": 3, "fs.free": 5}),
    Row("quota-flusher", ASKING, "1c.4: asked in her own name, before pdflush can be kind", "refused",
        {"A.2": "SIGBUS", "B.3": "."}, {"A.2": "refused"}, {"A.2": "SIGBUS"}, {"quota/alice.used": 2}),
    Row("root-reserve", (STOCK,), "1a.12, 7.2 row 3: msync loses what pdflush would have saved", "lost-told",
        {"A.2": "ok", "C.1": "0", "B.2": "ok", "B.3": "ENOSPC", "D.2": "A", "D.3": "."},
        {"A.2": "durable", "B.2": "lost"}, {"A.2": None, "B.2": "B.3: ENOSPC"}, {"fs.free": 2}),
    Row("root-reserve", ASKING, "3.3 root reserve: free - reserved is 0 for her", "refused",
        {"A.2": "SIGBUS", "B.2": "SIGBUS", "D.2": ".", "D.3": "."},
        {"A.2": "refused", "B.2": "refused"}, {}, {"fs.free": 3}),
    Row("index-block", (STOCK,), "3.3: page 12 costs two blocks, all or nothing; page 1 costs one", "lost-told",
        {"A.2": "ok", "A.3": "ENOSPC", "A.4": "ok", "A.5": "0", "B.2": "D", "B.3": "."},
        {"A.2": "lost", "A.4": "durable"}, {"A.2": "A.3: ENOSPC"}, {"fs.free": 0}),
    Row("index-block", (POSTED,), "mail: half measures and block indexing metadata; 1b preset: free>0", "lost-told",
        {"A.2": "ok", "A.3": "ENOSPC", "A.4": "ok", "A.5": "0", "B.2": "D", "B.3": "."},
        {"A.2": "lost", "A.4": "durable"}, {"A.2": "A.3: ENOSPC"}, {"fs.free": 0}),
    Row("index-block", (CORRECTED,), "1c.4: real allocation incl. indirect blocks", "refused",
        {"A.2": "SIGBUS", "A.3": "0", "A.4": "ok", "A.5": "0", "B.2": "D", "B.3": "."},
        {"A.2": "refused", "A.4": "durable"}, {"A.2": "SIGBUS"}, {"fs.free": 0}),
    Row("far-away", (STOCK, POSTED), "3.3: beyond 4 299 210 752 bytes a block costs three index blocks: 4 > 3", "lost-told",
        {"A.2": "ok", "A.3": "ENOSPC", "B.2": "."}, {"A.2": "lost"}, {"A.2": "A.3: ENOSPC"}, {"fs.free": 3}),
    Row("far-away", (CORRECTED,), "3.3, 1c.4", "refused",
        {"A.2": "SIGBUS", "B.2": "."}, {"A.2": "refused"}, {"A.2": "SIGBUS"}, {"fs.free": 3}),
    # -- Whose page? ---------------------------------------------------------------------------------------------
    Row("private-full-disk", (STOCK, CORRECTED), "1a.3 step 6, 1a.6: a private copy needs no disk and stays private", "kept",
        {"A.2": "ok", "B.3": "b", "B.4": "ok", "C.2": "b"}, {"A.2": "private", "B.4": "private"}),
    Row("private-full-disk", (POSTED,), "1b N6: SIGBUS for a page that needs no disk; W2c: the edit lands in the file",
        "refused", {"A.2": "SIGBUS", "B.3": "b", "B.4": "ok", "C.2": "S"}, {"A.2": "refused", "B.4": "leaked"},
        {"A.2": "SIGBUS"}),
    Row("fork", (STOCK, CORRECTED), "1a.9 fork, 1a.6: a copy at the first store after it", "kept",
        {"A.2": "ok", "A.3": "0", "A.4": "ok", "B.1": "p"}, {"A.2": "private", "A.4": "private"}),
    Row("fork", (POSTED,), "1b W2b: parent and child share a writable page", "kept",
        {"A.2": "ok", "A.3": "0", "A.4": "ok", "B.1": "q"}),
    # -- Who is told? --------------------------------------------------------------------------------------------
    Row("msync-twice", (STOCK,), "1a.14, 7.2 row 1: -ENOSPC, then 0 with nothing on disk", "lost-told",
        {"A.2": "ok", "A.3": "ENOSPC", "A.4": "0", "C.2": "."}, {"A.2": "lost"}, {"A.2": "A.3: ENOSPC"}),
    Row("msync-twice", ASKING, "7.2 row corrected", "refused",
        {"A.2": "SIGBUS", "C.2": "."}, {"A.2": "refused"}, {"A.2": "SIGBUS"}),
    Row("memory-pressure", (STOCK,), "1a.14, 7.2 row 5: zeros in the same reclaim pass, flag only", "lost-silent",
        {"A.2": "ok", "A.3": "0", "A.4": "."}, {"A.2": "lost"}, {"A.2": None}, {"mapping/f.enospc": True}),
    Row("memory-pressure", ASKING, "7.2 row corrected", "refused",
        {"A.2": "SIGBUS"}, {"A.2": "refused"}, {"A.2": "SIGBUS"}),
    Row("two-msyncers", (STOCK,), "1a.11, H17: whoever asks first clears the flag; the owner's fsync returns 0", "lost-told",
        {"A.2": "ok", "B.1": "0", "B.2": "ENOSPC", "C.1": "0", "C.3": "."}, {"A.2": "lost"}, {"A.2": "B.2: ENOSPC"}),
    Row("two-msyncers", ASKING, "7.2 row corrected", "refused",
        {"A.2": "SIGBUS", "B.2": "0", "C.1": "0", "C.3": "."}, {"A.2": "refused"}),
    Row("sync-swallows", (STOCK,), "1a.11: sync(2) consumes AS_ENOSPC and returns void, then fsync returns 0", "lost-lied",
        {"A.2": "ok", "A.3": "0", "A.4": "0", "A.5": "0", "B.2": "."}, {"A.2": "lost"}, {"A.2": None},
        {"mapping/f.enospc": None}),
    Row("sync-swallows", ASKING, "7.2 row corrected", "refused",
        {"A.2": "SIGBUS", "B.2": "."}, {"A.2": "refused"}, {"A.2": "SIGBUS"}),
    Row("rescue", (STOCK,), "1a.14: re-dirtying is the only rescue; PG_error is sticky (H19): EIO for a good write", "kept",
        {"A.2": "ok", "A.3": "ENOSPC", "A.4": "0", "A.5": "ok", "A.6": "EIO"},
        {"A.2": "replaced", "A.5": "durable"}, {}, {"fs.free": 0}),
    Row("rescue", ASKING, "1c: the second store finds the block", "refused",
        {"A.2": "SIGBUS", "A.3": "0", "A.4": "0", "A.5": "ok", "A.6": "0"},
        {"A.2": "refused", "A.5": "durable"}, {"A.2": "SIGBUS"}, {"fs.free": 0}),
    Row("wrong-first-aid", (STOCK,), "1a.14: second msync without re-dirtying writes nothing and returns 0", "lost-told",
        {"A.2": "ok", "A.3": "ENOSPC", "A.4": "0", "A.5": "0", "C.2": "."},
        {"A.2": "lost"}, {"A.2": "A.3: ENOSPC"}, {"fs.free": 1}),
    Row("wrong-first-aid", ASKING, "7.2 row corrected", "refused",
        {"A.2": "SIGBUS", "A.3": "0", "A.5": "0", "C.2": "."}, {"A.2": "refused"}, {}, {"fs.free": 1}),
    # -- What is promised? ---------------------------------------------------------------------------------------
    Row("power-cut", ALL, "H1, 1a.9: munmap only moves the dirty bit; 4 seconds are before pdflush's 5", "lost-unsynced",
        {"A.2": "ok", "A.3": "0", "B.2": "0"}, {"A.2": "lost"}, {"A.2": None}, {"fs.free": 7}),
    Row("room-enough", ALL, "1a.13 step 5: the block is found, the letter is kept", "kept",
        {"A.2": ".", "A.3": "ok", "C.3": "C"}, {"A.3": "durable"}, {"A.3": None}, {"fs.free": 2}),
    # -- The machine ---------------------------------------------------------------------------------------------
    Row("stale-translation", ALL, "H12: a store through a stale writable TLB entry after D was collected", "lost-lied",
        {"A.3": "0", "A.4": "0", "B.1": "ok", "B.2": "ok", "C.1": "0", "C.3": "ABa"},
        {"A.2": "durable", "B.1": "durable", "B.2": "lost"}, {"B.2": None}),
    Row("software-tlb", ALL, "1b W5, W6, 1a.2 step 3: a trap more or less, and the same bytes", "kept",
        {"A.2": "a", "A.3": "ok", "A.4": "0", "B.2": "ok", "B.3": "ok"},
        {"A.3": "durable", "B.2": "durable", "B.3": "durable"}),
    Row("four-levels", ALL, "3.2: the format of the page tables changes nothing for the disk; 3.3: page 200 costs two", "kept",
        {"A.2": "ok", "A.3": "ok", "A.4": "ok", "A.5": "0", "A.6": "0"},
        {"A.2": "durable", "A.3": "durable", "A.4": "durable"}, {}, {"fs.free": 4}),
)  # fmt: skip


CASES = [
    pytest.param(row, kernel, id=f"{row.scenario} on {kernel}, facts {row.facts.partition(':')[0]}")
    for row in ROWS
    for kernel in row.kernels
]


@pytest.mark.parametrize(("row", "kernel"), CASES)
def test_the_gallery_ends_as_the_facts_say(row: Row, kernel: str) -> None:
    told = Told(run(gallery()[row.scenario], kernel))
    assert told.trace.complete
    assert {line: told.end.get(f"line/{line}.result") for line in row.lines} == row.lines
    assert {name: told.stores[name].fate for name in row.fates} == row.fates
    assert {name: told.stores[name].told for name in row.told} == row.told
    assert {at: told.end.get(at) for at in row.cells} == row.cells
    assert told.outcome == row.outcome


def test_every_scenario_has_a_row_for_every_kernel() -> None:
    stated = {(row.scenario, kernel) for row in ROWS for kernel in row.kernels}
    assert stated == {(row.scenario, kernel) for row in ROWS for kernel in ALL}
