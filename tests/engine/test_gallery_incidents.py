"""What happened in the field: the retelling ends as the reports say (peers.md, appendix A), and elsewhere as the facts do."""

from __future__ import annotations

import pytest

from tests.engine.build import CORRECTED, STOCK
from tests.engine.stated import Stated, cases, check

SIX = ("linux-6.1", "linux-6.18")

ROWS = (
    Stated("monetdb-64", (CORRECTED,), "MonetDB 64: a full disk caused a bus error", "refused",
           {"A.2": "SIGBUS", "B.3": "4", "B.4": "."}, {}, {"A.2": "SIGBUS"}, {"task/A.signal": "SIGBUS"}),
    Stated("monetdb-64", (STOCK,), "7.2 row 2: on the mail's kernel nobody would have been told", "lost-silent",
           {"A.2": "ok", "A.3": "0", "B.3": "4", "B.4": "."}, {"A.2": "lost"}, {"A.2": None}),
    Stated("leveldb-150", SIX, "leveldb 150: no I/O error, the process crashed with SIGBUS in a memcpy", "refused",
           {"A.1": "0", "A.2": "0", "A.3": "ok", "A.4": "SIGBUS"}, {}, {"A.4": "SIGBUS"}),
    Stated("mapdb-442", SIX, "mapdb 442: the whole virtual machine ends", "refused", {"A.2": "SIGBUS", "B.1": "a", "B.2": "SIGKILL"}),
    Stated("h2o-910", SIX, "h2o 910: posix_fallocate allocates eagerly, so there is no SIGBUS", "refused",
           {"A.1": "0", "A.3": "ok", "A.4": "0", "B.1": "ENOSPC"}, {"A.3": "durable"}),
    Stated("py-lmdb-161", SIX, "py-lmdb 161: writemap and more data than free storage: SIGBUS", "refused",
           {"A.2": "ok", "A.3": "0", "A.4": "SIGBUS", "B.1": "ENOSPC"}, {"A.2": "durable", "A.4": "refused"}),
    Stated("firebird-8048", SIX, "firebird 8048: ftruncate says nothing, memset is SIGBUS, fallocate tells", "refused",
           {"A.1": "0", "A.3": "SIGBUS", "B.1": "ENOSPC"}),
    Stated("erigon-16709", SIX, "erigon 16709: SIGBUS while the database is opened", "refused",
           {"B.1": "0", "B.2": "0", "B.3": "0", "B.4": "SIGBUS"}),
    Stated("postgresql-2018", SIX, "1e.8: EIO once, retry 0, old data after eviction", "lost-told",
           {"A.3": "1", "A.4": "EIO", "A.5": "0", "B.2": "a"}, {"A.3": "lost"}),
    Stated("postgresql-2018", (STOCK, "linux-2.6.23", *SIX), "H11: on ext2 as well", "lost-told",
           {"A.4": "EIO", "A.5": "0", "B.2": "a"}, on="ext2"),
)  # fmt: skip


@pytest.mark.parametrize(("row", "kernel"), cases(ROWS))
def test_an_incident_ends_as_it_was_reported(row: Stated, kernel: str) -> None:
    check(row, kernel)
