"""The filesystems of today: facts 1e.4, 1e.5, 1e.8, 7.2, and what real kernels did (real-kernels.md)."""

from __future__ import annotations

import pytest

from tests.engine.build import STOCK
from tests.engine.stated import Stated, cases, check

SIX = ("linux-6.1", "linux-6.18")

ROWS = (
    Stated("alive-in-ext2", SIX, "1e.7: since 4.17 an error nobody saw is told to files opened later; rule 9: once, then 0", "lost-told",
           {"A.2": "ok", "A.3": "0", "B.2": "ENOSPC", "B.3": "0", "B.5": "."}, {"A.2": "lost"}, {"A.2": "B.2: ENOSPC"}),
    Stated("ext4-answers", SIX, "rules 1, 2, 3: exactly N free blocks let N pages in; loads go on, msync says 0", "refused",
           {"A.2": ".", "A.3": "ok", "A.4": "SIGBUS", "A.5": ".", "A.6": "0", "B.2": "B"},
           {"A.3": "durable", "A.4": "refused"}, {"A.4": "SIGBUS"}, {"fs.free": 0}),
    Stated("ext4-answers", SIX, "rule 3", "refused", {"A.3": "ok", "A.4": "SIGBUS", "A.6": "0"}, on="ext2-by-ext4"),
    Stated("ext4-answers", (STOCK,), "1e.5: the bug of 2004", "lost-told",
           {"A.3": "ok", "A.4": "ok", "A.6": "ENOSPC", "B.2": "B"}, {"A.3": "durable", "A.4": "lost"}, on="ext2"),
    Stated("ext4-answers", SIX, "1e.5: where it is alive; after an error fsync does not come to the metadata, and the power fails",
           "lost-told",
           {"A.3": "ok", "A.4": "ok", "A.6": "ENOSPC", "B.2": "."}, {"A.3": "lost", "A.4": "lost"}, on="ext2"),
    # Seen on 6.18.44: tests/real/performed.json, thin-freed-ext4 and -nodelalloc. 6.1 converts the extent after a failed write.
    Stated("second-try", ("linux-6.18",), "rule 12, and performed: a device below that is short", "lost-lied",
           {"A.2": "ok", "A.3": "ENOSPC", "A.4": "ok", "A.5": "0", "B.3": "."}, {"A.4": "lost"}, {"A.4": None}),
    Stated("second-try", ("linux-6.18",), "the same without delayed allocation, performed", "kept",
           {"A.3": "ENOSPC", "A.5": "0", "B.3": "B"}, {"A.4": "durable"}, on="ext4-nodelalloc"),
    Stated("second-try", ("linux-6.1",), "rule 12; thin-loop-full: EIO there", "kept",
           {"A.3": "EIO", "A.5": "0", "B.3": "B"}, {"A.4": "durable"}),
    Stated("ask-for-all", SIX, "rule 1: MADV_POPULATE_WRITE gets EFAULT; rule 3", "",
           {"A.2": "EFAULT", "A.3": "0", "A.4": "ok", "A.5": "0", "B.2": "C"}, {"A.4": "durable"}),
    Stated("delayed-allocation", SIX, "rule 6: reserved by delayed allocation, held against competitors", "refused",
           {"A.2": "ok", "A.3": "0", "B.1": "ENOSPC", "C.2": "C"}, {"A.2": "durable", "B.1": "refused"}),
    Stated("this-should-not-happen", SIX, "surprises: reserved_clusters=0: fallocated, fragmented stores: msync=0, lost", "lost-lied",
           {"A.3": "ok", "A.4": "ok", "A.5": "ok", "A.6": "0"}, {"A.5": "lost"}, {"A.5": None}),
    Stated("this-should-not-happen", SIX, "surprises: with ext4's default spare pool both are fine", "kept",
           {"A.6": "0", "B.2": "A", "B.3": "B", "B.4": "C"}, on="ext4"),
    Stated("xfs-worst-case", SIX, "surprises: 6 free, 1 page", "refused",
           {"A.2": "ok", "A.3": "SIGBUS", "A.4": "0", "B.2": "B"}, {"A.2": "durable", "A.3": "refused"}, {}, {"fs.free": 5}),
    Stated("tmpfs-read", SIX, "rule 8: a read fault allocates and is SIGBUS when full, read(2) does not", "",
           {"A.2": ".", "B.2": "SIGBUS"}),
    Stated("vfat-no-holes", SIX, "rule 11: ftruncate takes the space", "refused",
           {"A.1": "0", "A.2": "ENOSPC", "A.4": "ok", "A.5": "0", "B.2": "C"}, {"A.4": "durable"}, {}, {"fs.free": 0}),
    Stated("fuse-at-close", SIX, "rule 9: accepted, and close(2) tells on FUSE", "lost-told",
           {"A.3": "ok", "A.4": "0", "A.5": "ENOSPC", "B.2": "."}, {"A.3": "lost"}),
    Stated("fuse-short-write", SIX, "surprises: a short answer: msync and fsync return 0 while the rest is lost", "lost-lied",
           {"A.2": "ok", "A.3": "0", "A.4": "0", "B.2": "C", "B.3": "."}, {"A.2": "lost"}, {"A.2": None}),
    Stated("fuse-open-forgets", SIX, "surprises: without keep_cache an open(2) by anyone throws the failed pages away", "lost-told",
           {"A.2": "ok", "A.3": "ENOSPC", "A.4": "C", "A.5": "."}, {"A.2": "lost"}),
)  # fmt: skip


@pytest.mark.parametrize(("row", "kernel"), cases(ROWS))
def test_a_scenario_ends_as_real_kernels_did(row: Stated, kernel: str) -> None:
    check(row, kernel)
