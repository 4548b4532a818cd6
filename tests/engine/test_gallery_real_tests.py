"""The tests of facts section 5 in our toy size: what each test demands, on the kernels that are to pass it, or failed it."""

from __future__ import annotations

import pytest

from tests.engine.build import CORRECTED, LATER, STOCK
from tests.engine.stated import Stated, cases, check

SIX = ("linux-6.1", "linux-6.18")
ALL = (STOCK, CORRECTED, *LATER, *SIX)
SINCE_2_6_19 = ("linux-2.6.19", "linux-2.6.23")

ROWS = (
    Stated("ltp-mmap01", ALL, "5.3 mmap01: tail is zero; XYZ not in the file", "", {"A.2": "....", "A.4": "0", "B.2": "hello world."}),
    Stated("ltp-mmap01", SIX, "5.3 mmap01", "", {"A.2": "....", "A.4": "0", "B.2": "hello world."}, on="ext4"),
    Stated("ltp-mmap13", ALL, "5.3 mmap13: SIGBUS", "", {"A.2": "SIGBUS"}, {}, {}, {"task/A.signal": "SIGBUS"}),
    Stated("ltp-mmap16", SIX, "5.1 mmap16: child killed by SIGBUS = PASS", "refused", {"A.2": "ok", "A.5": "SIGBUS", "C.3": "ax"},
           {"A.2": "durable", "A.5": "refused"}, {"A.5": "SIGBUS"}),
    Stated("ltp-mmap16", SIX, "5.1 mmap16 tag 0572639ff66d: nodelalloc too", "refused", {"A.5": "SIGBUS"}, on="ext4-nodelalloc"),
    Stated("ltp-mmap16", LATER, "5.1 mmap16: exit(1) = bug is reproduced (before 3.18)", "lost-silent",
           {"A.5": "ok", "A.6": "0", "C.4": "."}, {"A.5": "lost"}, on="ext2-mkwrite"),
    Stated("ltp-mmap19", ALL, "5.5 mmap19: new content visible", "", {"A.2": "a", "A.5": "b"}),
    Stated("ltp-mmap-corruption01", ALL, "5.2: no zero byte anywhere", "kept", {"A.4": "1" * 64, "B.3": "1" * 64}, {"A.2": "durable"}),
    Stated("ltp-msync04", ALL, "5.4: dirty bit clear after MS_SYNC", "kept", {"A.3": "0", "B.2": "C"}, {"A.2": "durable"}),
    Stated("ltp-fallocate05", SIX, "5.1 fallocate05", "refused",
           {"A.1": "0", "A.3": "8192", "A.4": "ENOSPC", "A.5": "0", "A.6": "8192", "B.3": "B", "B.4": "B"}, {"A.6": "durable"}),
    Stated("xfstests-generic-029", SIX, "5.3: X 0-2047, then zeros, then Y, before and after remount", "kept",
           {"B.1": "XX..", "B.2": "..YY", "B.4": "XX..", "B.5": "..YY", "B.6": "YY"}, {"A.5": "durable"}),
    Stated("xfstests-generic-029", SIX, "5.3: on every filesystem", "kept", {"B.4": "XX..", "B.5": "..YY", "B.6": "YY"}, on="ext2"),
    Stated("xfstests-generic-029", (STOCK, *LATER), "5.3, 1a.15: partial page zeroed, blocks freed", "kept",
           {"B.1": "XX..", "B.4": "XX..", "B.5": "..YY", "B.6": "YY"}, on="ext2"),
    Stated("xfstests-generic-030", SIX, "5.3: Y survives; nothing of what was cut comes back", "kept",
           {"B.1": "ZZ..", "B.2": "..YY", "B.5": "ZZ..", "B.6": "..YY"}, {"A.6": "durable"}),
    Stated("xfstests-generic-030", (STOCK,), "5.3", "", {"B.1": "ZZ..", "B.2": "..YY"}, on="ext2"),
    Stated("xfstests-generic-173", SIX, "5.1: both stores must die with SIGBUS", "refused",
           {"A.3": "SIGBUS", "B.3": "SIGBUS", "C.1": "a", "C.2": "b"}, {"A.3": "refused", "B.3": "refused"}),
    Stated("xfstests-generic-211", ("linux-6.18",), "5.1: no SIGBUS, file reads the new bytes", "kept",
           {"A.3": "ok", "B.3": "C", "B.4": "C"}, {"A.3": "durable"}),
    Stated("xfstests-generic-211", ("linux-6.1",), "surprises: nodatacow files too on 6.1", "refused", {"A.3": "SIGBUS", "B.3": "a"}),
    Stated("xfstests-generic-211", SIX, "rule 2: an overwrite needs no block", "kept", {"A.3": "ok", "B.3": "C"}, on="ext4"),
    Stated("xfstests-generic-215", SIX, "5.2: mtime changes after a read fault too", "", {"A.2": "a", "A.4": "ok"}, {}, {},
           {"inode/f.mtime": 10}),
    Stated("xfstests-generic-215", (STOCK,), "H21: not before page_mkwrite", "", {"A.4": "ok"}, {}, {}, {"inode/f.mtime": None}, on="ext2"),
    Stated("xfstests-generic-219", SIX, "5.1: 3 files of one size each, charged alike (here of 3 blocks)", "kept",
           {"A.1": "12288", "B.3": "ok", "B.4": "0", "C.2": "12288"}, {"C.2": "durable"}, {},
           {"quota/alice.used": 9, "inode/f.blocks": 3, "inode/g.blocks": 3, "inode/o.blocks": 3}),
    Stated("xfstests-generic-219", SIX, "5.1: on every filesystem", "kept", {}, {}, {}, {"quota/alice.used": 9}, on="xfs"),
    Stated("xfstests-generic-219", SIX, "5.1: on every filesystem", "kept", {}, {}, {}, {"quota/alice.used": 9}, on="btrfs"),
    Stated("xfstests-generic-219", (STOCK, CORRECTED, *LATER), "3.4: index and data blocks count alike", "kept",
           {"B.4": "0", "C.2": "12288"}, {}, {}, {"quota/alice.used": 9, "inode/o.blocks": 3}, on="ext2"),
    Stated("xfstests-generic-247", SIX, "5.5, H9: no hang; a page that was stored to cannot be dropped, and syncs say so", "lost-told",
           {"B.2": "4096", "A.4": "EIO", "A.5": "0", "C.3": "aAa"}, {"B.2": "lost", "A.3": "replaced"}, {"B.2": "A.4: EIO"}),
    Stated("xfstests-generic-247", SIX, "5.5, H9: on ext2 and xfs alike", "lost-told", {"A.4": "EIO"}, on="xfs"),
    Stated("xfstests-generic-247", ("linux-6.18",), "968f19c5b1b7: data with checksums goes through the cache", "kept",
           {"A.4": "0", "C.3": "BAB"}, {"B.2": "durable", "A.3": "durable"}, on="btrfs"),
    *(Stated("xfstests-generic-279", SIX, "5.4: file1's checksum never changes; run on 6.18: msync says it, file2 has the old bytes", "lost-told",
             {"A.1": "0", "A.4": "ok", "A.5": "EIO", "B.3": "aa", "B.4": "aa"}, {"A.4": "lost"}, {"A.4": "A.5: EIO"},
             {"inode/f.blocks": 2, "inode/g.blocks": 2, "fs.free": 14, "inode/g/block/0.pointer": 0, "block/0.owner": "f"}, on=fs)
      for fs in ("", "btrfs")),
    *(Stated("xfstests-generic-279", SIX, "_require_scratch_reflink: not on this filesystem", "", {"A.1": "EOPNOTSUPP"}, on=fs)
      for fs in ("ext4", "ext2", "tmpfs", "vfat", "fuse", "nfs")),
    Stated("xfstests-generic-279", (STOCK, *LATER), "sys_ni_syscall.py: FICLONE came with 4.5", "", {"A.1": "ENOTTY"}, on="ext2"),
    *(Stated("xfstests-generic-283", SIX, "5.4: msync must print error, then heal and write again; file1 never changes", "kept",
             {"A.3": "EIO", "A.4": "ok", "A.5": "0", "B.2": "aa", "B.3": "Da"}, {"A.2": "replaced", "A.4": "durable"}, {"A.2": "A.3: EIO"},
             {"inode/f.blocks": 2, "inode/g.blocks": 2, "fs.free": 13, "block/0.owner": "f", "block/0.sharers": None}, on=fs)
      for fs in ("", "btrfs")),
    Stated("xfstests-generic-325", SIX, "5.5: all synced ranges survive", "", {"A.3": "0", "A.5": "0", "B.2": "A", "B.3": "A", "B.4": "A"}),
    Stated("xfstests-generic-325", SIX, "5.5", "", {"B.2": "A", "B.3": "A", "B.4": "A"}, on="ext4"),
    Stated("xfstests-generic-325", (STOCK,), "1a.10: the whole file is written, not the range", "", {"B.2": "A", "B.4": "A"}, on="ext2"),
    Stated("xfstests-generic-340", SIX, "5.2 holetest: every page holds both markers", "kept", {"C.3": "AB", "C.4": "AB"}),
    Stated("xfstests-generic-340", ALL, "5.2 holetest", "", {"C.3": "AB", "C.4": "AB"}, on="ext2"),
    Stated("xfstests-generic-344", SIX, "5.2 holetest -r: the read-then-write path", "kept", {"A.2": ".", "C.3": "AB"}),
    Stated("xfstests-generic-344", ALL, "5.2 holetest -r", "", {"C.3": "AB"}, on="ext2"),
    Stated("xfstests-generic-345", SIX, "5.2 holetest -F: same, two page tables", "kept", {"C.3": "AB", "C.4": "AB"}, {}, {}, {"fs.free": 0}),
    Stated("xfstests-generic-345", ALL, "5.2 holetest -F", "", {"C.3": "AB", "C.4": "AB"}, on="ext2"),
    Stated("xfstests-generic-346", SIX, "5.2 holetest -w: one writes, one stores", "kept", {"C.3": "AB", "C.4": "AB"}),
    Stated("xfstests-generic-346", ALL, "5.2 holetest -w", "", {"C.3": "AB", "C.4": "AB"}, on="ext2"),
    Stated("xfstests-generic-438", SIX, "5.2: every byte still 0x78", "kept", {"B.4": "xxx"}, {"A.3": "durable", "A.5": "durable"}),
    Stated("xfstests-generic-441", SIX, "5.4: every fd gets an error once; second fsync 0; after close and reopen 0", "",
           {"A.3": "0", "A.6": "EIO", "B.2": "EIO", "B.3": "0", "B.6": "0"}),
    Stated("xfstests-generic-441", (STOCK, *LATER), "1e.7: up to 4.12 the first caller on the inode gets it", "",
           {"A.3": "0", "A.6": "EIO", "B.2": "0", "B.6": "0"}, on="ext2"),
    *(Stated("xfstests-generic-484", SIX, "5.4: after fdatasync's error a fresh fd's syncfs returns it once; the next 0; after reopen 0", "",
             {"A.3": "0", "A.6": "EIO", "B.2": "EIO", "B.3": "0", "B.6": "0"}, {}, {"A.5": "A.6: EIO"}, on=fs)
      for fs in ("", "ext4", "ext2", "btrfs")),
    Stated("xfstests-generic-484", (STOCK, *LATER), "sys_ni_syscall.py: syncfs came with 2.6.39", "", {"A.6": "EIO", "B.2": "ENOSYS"}, on="ext2"),
    Stated("xfstests-generic-446", SIX, "5.2: no BUG, and a direct read sees what was stored, or the hole", "kept",
           {"B.2": "." * 64, "B.3": "A" + "." * 63, "B.4": "." * 64, "B.5": ".B" + "." * 62}, {"A.2": "replaced", "A.4": "durable"}),
    Stated("xfstests-generic-446", SIX, "5.2: on ext4 too", "kept", {"B.3": "A" + "." * 63, "B.5": ".B" + "." * 62}, on="ext4"),
    Stated("xfstests-generic-567", SIX, "5.3: X, Y, X before and after remount", "kept",
           {"B.1": "XY", "B.3": "XY", "B.4": "Y", "B.5": "YX"}, {"A.4": "durable"}),
    *(Stated("xfstests-generic-567", SIX, "5.3: on every filesystem", "kept", {"B.1": "XY", "B.3": "XY", "B.4": "Y", "B.5": "YX"},
             {"A.4": "durable"}, on=fs) for fs in ("xfs", "btrfs")),
    Stated("xfstests-generic-614", SIX, "5.1: st_blocks must be != 0 (delalloc counted)", "", {"A.3": "ok", "A.4": "0"}, {}, {},
           {"inode/f.delalloc": 4}),
    Stated("xfstests-generic-614", (STOCK,), "1a.3: nothing on this path calls the filesystem about space", "", {"A.3": "ok"}, {}, {},
           {"inode/f.blocks": None, "inode/f.delalloc": None}, on="ext2"),
    Stated("xfstests-generic-619", SIX, "5.1: nobody may get SIGBUS although total < free space", "kept",
           {"A.2": "ok", "A.3": "0", "B.2": "ok", "B.3": "0", "C.2": "ok", "C.3": "0"}),
    Stated("xfstests-generic-623", SIX, "5.2: fsync EIO, the store again SIGBUS (e4826691cc7e); run on 6.18: read EIO, after remount a", "lost-told",
           {"A.2": "ok", "A.3": "0", "A.4": "EIO", "A.5": "SIGBUS", "B.1": "EIO", "B.2": "0", "B.3": "a"},
           {"A.2": "lost", "A.5": "refused"}, {"A.2": "A.4: EIO", "A.5": "SIGBUS"}),
    *(Stated("xfstests-generic-623", SIX, "run on 6.18: ext4 keeps the page dirty and writable, whoever stores again is not told", "lost-silent",
             {"A.4": "EIO", "A.5": "ok", "B.1": "EIO", "B.2": "0", "B.3": "a"}, {"A.5": "lost"}, {"A.5": None}, on=fs)
      for fs in ("ext4", "ext4-nodelalloc", "ext3", "ext2-by-ext4")),
    *(Stated("xfstests-generic-623", SIX, "_require_scratch_shutdown: not on this filesystem", "", {"A.3": "ENOTTY", "A.4": "0"}, on=fs)
      for fs in ("ext2", "btrfs", "tmpfs")),
    Stated("xfstests-generic-623", (STOCK, *LATER), "_require_scratch_shutdown: not on this filesystem", "", {"A.3": "ENOTTY", "A.4": "0"}, on="ext2"),
    Stated("xfstests-generic-749", SIX, "5.3: tail reads 0, content and size unchanged, SIGBUS beyond the page", "",
           {"A.2": ".", "A.3": "ok", "A.4": "0", "A.5": "SIGBUS", "B.2": "XX"}, {}, {}, {"inode/f.size": 2048}),
    Stated("xfstests-generic-749", ALL, "5.3", "", {"A.2": ".", "A.5": "SIGBUS", "B.2": "XX"}, {}, {}, {"inode/f.size": 2048}, on="ext2"),
    *(Stated("xfstests-generic-758", SIX, "5.3: X, Y, X before and after remount; a store after it traps anew", "kept",
             {"A.3": "0", "B.1": "XY", "B.3": "XY", "B.4": "Y", "B.5": "YX"}, {"A.2": "replaced", "A.4": "durable"}, {},
             {"inode/f.blocks": 3}, on=fs) for fs in ("", "ext4-nodelalloc", "xfs", "btrfs")),
    Stated("xfstests-generic-758", (STOCK, *LATER), "sys_ni_syscall.py: zeroing a range came with 3.15", "", {"A.3": "ENOSYS"}, on="ext2"),
    Stated("xfstests-xfs-166", SIX, "5.2: exactly those blocks become written, the rest stays unwritten", "kept",
           {"A.6": "0", "B.2": "S", "B.3": ".", "B.4": "M", "B.5": "E"},
           {"A.3": "durable", "A.4": "durable", "A.5": "durable"}, {}, {"inode/f.blocks": 8}),
)  # fmt: skip


@pytest.mark.parametrize(("row", "kernel"), cases(ROWS))
def test_a_real_test_ends_as_it_demands(row: Stated, kernel: str) -> None:
    check(row, kernel)


@pytest.mark.parametrize("kernel", [STOCK, *SINCE_2_6_19, *SIX])
def test_a_page_is_clean_when_msync_returns(kernel: str) -> None:
    """LTP msync04: /proc/kpageflags."""
    told = check(Stated("ltp-msync04", (kernel,), "5.4"), kernel)
    ended = next(step.n for step in told.trace.steps if any(at == "line/A.3.result" for at, _, _ in step.writes))
    after = told.trace.state_at(ended)
    assert not [at for at in after if at.startswith("page/") and at.endswith(".dirty")]


@pytest.mark.parametrize("kernel", SIX)
def test_three_of_eight_preallocated_blocks_are_written(kernel: str) -> None:
    """xfs/166: the list of extents says which."""
    told = check(Stated("xfstests-xfs-166", (kernel,), "5.2"), kernel)
    unwritten = {
        int(at.split("/")[3].partition(".")[0]) for at in told.end if at.startswith("inode/f/") and "unwritten" in at
    }
    assert unwritten == {1, 2, 3, 5, 6}
