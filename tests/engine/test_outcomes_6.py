"""The gallery on Linux 6.x with native ext2, which never asks at the fault: as facts 1e.5, 7.2 and real-kernels rules 9, 10.

Each row gives the outcome, the results of script lines and the fates; the rule or section stands beside it.
"""

from __future__ import annotations

import pytest

from engine import gallery, run
from tests.engine.build import MAP, Stage, Told, make

SIX = ("linux-6.1", "linux-6.18")
ROWS = {
    "mail": ("7.2 row 2.6.19..today; rule 9: the flusher fails, munmap, exit and sync say nothing", "lost-silent",
             {"A.2": ".", "A.3": "ok", "A.4": "0", "C.3": "."}, {"A.3": "lost"}),
    "mail-store-first": ("7.2: msync says ENOSPC once", "lost-told",
                         {"A.2": "ok", "A.3": "ENOSPC", "C.2": "."}, {"A.2": "lost"}),
    "last-block": ("rule 9: stores beyond the space are accepted; writeback fails for one", "lost-told",
                   {"A.2": "ok", "A.3": "0", "B.2": "ok", "B.3": "ENOSPC"}, {"A.2": "durable", "B.2": "lost"}),
    "lock-drop": ("1e.2: the page is locked, and pte_none is asked under the lock", "kept",
                  {"A.2": "ok", "B.1": "ok", "C.3": "AB"}, {"A.2": "durable", "B.1": "durable"}),
    "truncate-race": ("H4: nobody waits for room, so the letter is there before the file is cut", "kept",
                      {"A.2": "ok", "A.3": "0", "B.1": "0"}, {"A.2": "replaced"}),
    "quota": ("rule 10: the owner's msync meets the quota; 1e.5: errseq keeps EDQUOT as EDQUOT", "lost-told",
              {"A.2": "ok", "A.3": "EDQUOT", "B.2": "."}, {"A.2": "lost"}),
    "quota-flusher": ("rule 10: the flusher passes the limit", "kept", {"A.2": "ok", "B.3": "C"}, {"A.2": "durable"}),
    "root-reserve": ("rule 10: the flusher passes the reserve, her msync does not", "lost-told",
                     {"A.2": "ok", "B.2": "ok", "B.3": "ENOSPC"}, {"A.2": "durable", "B.2": "lost"}),
    "index-block": ("3.3: page 12 costs two blocks, page 1 one", "lost-told",
                    {"A.2": "ok", "A.3": "ENOSPC", "A.4": "ok", "A.5": "0"}, {"A.2": "lost", "A.4": "durable"}),
    "far-away": ("3.3: four blocks, three are free", "lost-told",
                 {"A.2": "ok", "A.3": "ENOSPC", "B.2": "."}, {"A.2": "lost"}),
    "private-full-disk": ("rule 6: private stores never need disk", "kept",
                          {"A.2": "ok", "B.3": "b", "B.4": "ok", "C.2": "b"}, {"A.2": "private", "B.4": "private"}),
    "fork": ("1e.2: private pages are copied at the first store", "kept",
             {"A.2": "ok", "A.4": "ok", "B.1": "p"}, {"A.2": "private", "A.4": "private"}),
    "msync-twice": ("rule 9: once per open file, then 0", "lost-told",
                    {"A.2": "ok", "A.3": "ENOSPC", "A.4": "0", "C.2": "."}, {"A.2": "lost"}),
    "memory-pressure": ("rule 9: read back until eviction; nobody asked", "lost-silent",
                        {"A.2": "ok", "A.3": "0", "A.4": "."}, {"A.2": "lost"}),
    "two-msyncers": ("1e.7, 4.17: C opens the file after B has seen the error, so C is not told", "lost-told",
                     {"A.2": "ok", "B.2": "ENOSPC", "C.1": "0", "C.3": "."}, {"A.2": "lost"}),
    "sync-swallows": ("1e.7: sync takes nothing away: the fsync after it says ENOSPC", "lost-told",
                      {"A.2": "ok", "A.4": "0", "A.5": "ENOSPC", "B.2": "."}, {"A.2": "lost"}),
    "rescue": ("rule 9: only a new store is written again; no sticky PG_error any more", "kept",
               {"A.2": "ok", "A.3": "ENOSPC", "A.5": "ok", "A.6": "0"}, {"A.2": "replaced", "A.5": "durable"}),
    "wrong-first-aid": ("rule 9: a later msync writes nothing", "lost-told",
                        {"A.2": "ok", "A.3": "ENOSPC", "A.5": "0", "C.2": "."}, {"A.2": "lost"}),
    "power-cut": ("H1: nothing was promised before the flusher came", "lost-unsynced",
                  {"A.2": "ok", "A.3": "0"}, {"A.2": "lost"}),
    "room-enough": ("rule 6: there is room", "kept", {"A.3": "ok", "C.3": "C"}, {"A.3": "durable"}),
}  # fmt: skip


@pytest.mark.parametrize("kernel", SIX)
@pytest.mark.parametrize("scenario", ROWS)
def test_the_gallery_ends_as_the_facts_say(scenario: str, kernel: str) -> None:
    _, outcome, lines, fates = ROWS[scenario]
    told = Told(run(gallery()[scenario], kernel))
    assert told.trace.complete
    assert {line: told.end.get(f"line/{line}.result") for line in lines} == lines
    assert {name: told.stores[name].fate for name in fates} == fates
    assert told.outcome == outcome


def test_the_bug_of_2004_is_alive_where_nobody_asks_and_gone_where_the_fault_asks() -> None:
    """Rules 1 and 9: the same script on native ext2 and by the ext4 driver."""
    mail = gallery()["mail"]
    asked = mail.model_copy(update={"filesystem": mail.filesystem.model_copy(update={"type": "ext2-by-ext4"})})
    assert run(mail, "linux-6.18").outcome == "lost-silent"
    assert run(asked, "linux-6.18").outcome == "refused"


def test_a_mapping_that_has_to_wait_for_a_truncate_opens_nothing_yet() -> None:
    s = Stage(make({"A": [MAP], "B": ["ftruncate(f, 1P)"]}), "linux-6.18").until("A", "do_mmap.down_write")
    s.until("B", "truncate_setsize.unmap_mapping_range")
    assert s.k.step(s.k.tasks["A"]) is None
    assert s.k.blocked_on == "mapping/f.i_mmap_lock"
    assert s.rest("B").lines("A").result("A", 1) == "0"
