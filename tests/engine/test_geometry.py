"""Where a byte lies and what it costs: page tables, block maps, quota, root's reserve. Facts 3.1, 3.3, 3.4, 1a.12."""

from __future__ import annotations

from typing import Any

import pytest

from engine.fs.blockmap import BlockMap
from engine.journal import Journal
from tests.engine.build import ALL, CORRECTED, MAP, RESERVE, STOCK, Script, Stage, make, play

K, M, G = 1 << 10, 1 << 20, 1 << 30
FAR = "m = mmap(f, 1P, READ|WRITE, SHARED, {})"


# -- page tables: 3.1 -------------------------------------------------------------------------------------------------


def test_the_first_mapping_lies_where_the_worked_example_does() -> None:
    # 0x40001234 -> 256/1/0x234.
    told = play({"A": [MAP, "m[1P+564] = 'x'"]})
    assert told.end["mm/A/pgd/256.entry"]
    assert "mm/A/pte/0x40001.entry" in told.end
    assert told.end["store/A.2.start"] == 0x1234


def test_a_page_table_is_made_once_for_a_thousand_pages() -> None:
    script = ["m = mmap(f, 1030P, READ|WRITE, SHARED)", "x = m[0]", "x = m[1023P]", "x = m[1024P]"]
    s = Stage(make({"A": script}, size="1030P")).lines("A", 3)
    assert list(s.k.mms["A"].pgd) == [256]
    s.lines("A")
    assert list(s.k.mms["A"].pgd) == [256, 257]


# -- the block map: 3.3 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block_size", "offset", "path"),
    [
        (4096, 0, (0,)),
        (4096, 49_151, (11,)),
        (4096, 49_152, (12, 0)),
        (4096, 1 * M, (12, 244)),
        (4096, 4_243_455, (12, 1023)),
        (4096, 4_243_456, (13, 0, 0)),
        (4096, 5 * M, (13, 0, 244)),
        (4096, 1 * G, (13, 254, 1012)),
        (4096, 4_299_210_751, (13, 1023, 1023)),
        (4096, 4_299_210_752, (14, 0, 0, 0)),
        (4096, 15 * G, (14, 2, 766, 1012)),
        (1024, 12_287, (11,)),
        (1024, 12_288, (12, 0)),
        (1024, 274_432, (13, 0, 0)),
        (1024, 67_383_296, (14, 0, 0, 0)),
        (1024, 1 * M, (13, 2, 244)),
        (1024, 1 * G, (14, 14, 254, 244)),
        (2048, 24_576, (12, 0)),
        (2048, 1_073_152, (13, 0, 0)),
        (2048, 537_944_064, (14, 0, 0, 0)),
    ],
)
def test_the_path_to_a_block_is_that_of_the_table(block_size: int, offset: int, path: tuple[int, ...]) -> None:
    assert BlockMap(Journal(), block_size).path(offset // block_size) == path


@pytest.mark.parametrize(
    ("page", "cost"),
    [
        (0, 1),
        (49_151, 1),
        (49_152, 2),
        (1 * M, 2),
        (4_243_455, 2),
        (4_243_456, 3),
        (1 * G, 3),
        (4_299_210_751, 3),
        (4_299_210_752, 4),
        (15 * G, 4),
    ],
)
@pytest.mark.parametrize("kernel", [STOCK, CORRECTED])
def test_the_first_write_to_an_empty_sparse_file_costs_its_index_blocks_too(kernel: str, page: int, cost: int) -> None:
    # 3.3, "Cost of the FIRST write": index blocks count in quota and i_blocks like data.
    start = page // 4096 * 4096
    told = play(
        {"A": [FAR.format(start), 'm[0] = "C"', "msync(m, SYNC)"]},
        kernel, size="16G", data={}, quota={"alice": {"hard": 9}},
    )  # fmt: skip
    assert told.results("A") == ["0", "ok", "0"]
    assert (told.end["fs.free"], told.end["inode/f.blocks"], told.end["quota/alice.used"]) == (16 - cost, cost, cost)
    assert told.stores["A.2"].fate == "durable"


def test_a_page_of_small_blocks_costs_each_of_them() -> None:
    # 3.3: with 1 KB blocks a fully written page at 1 GiB needs 4 data blocks and 3 index blocks.
    told = play({"A": [FAR.format("1G"), 'm[0:1P] = "C"', "msync(m, SYNC)"]}, size="2G", data={}, block_size=1024)
    assert told.end["fs.free"] == 16 - 7


def test_neighbours_share_their_index_block() -> None:
    # General rule: depth minus the levels that already exist.
    script = [
        "m = mmap(f, 4P, READ|WRITE, SHARED, 12P)",
        'm[0] = "x"',
        "msync(m, SYNC)",
        'm[1P] = "y"',
        "msync(m, SYNC)",
    ]
    told = play({"A": script}, size="16P", data={})
    assert told.end["fs.free"] == 16 - 3


@pytest.mark.parametrize("free", [0, 1, 2, 3, 4])
def test_allocation_is_all_or_nothing(free: int) -> None:
    # 1a.13 4e, S09: four blocks are needed.
    told = play(
        {"A": [FAR.format("15G"), 'm[0] = "C"', "msync(m, SYNC)"]},
        size="16G", data={"0P": "a"}, blocks=free + 1, quota={"alice": {"hard": 9}},
    )  # fmt: skip
    fits = free == 4
    assert told.result("A", 3) == ("0" if fits else "ENOSPC")
    left = (0, 5, 5) if fits else (free, 1, 1)
    assert (told.end["fs.free"], told.end["inode/f.blocks"], told.end["quota/alice.used"]) == left
    assert ("inode/f/block/14.pointer" in told.end) == fits


def test_an_index_block_goes_back_when_its_last_pointer_does() -> None:
    told = play(
        {"A": ['pwrite(f, "x", 12P)', 'pwrite(f, "y", 13P)', "ftruncate(f, 13P)", "ftruncate(f, 12P)"]}, size="16P"
    )
    assert told.results("A") == ["1", "1", "0", "0"]
    free = [told.after(f"A.{line}.sys_ftruncate.up_i_sem")["fs.free"] for line in (3, 4)]
    assert free == [16 - 3, 16 - 1]


def test_data_beyond_the_end_of_a_file_takes_no_block() -> None:
    s = Stage(make({"A": ["x = pread(f, 64, 0)"]}, size="20", machine={"page_size": 64}, block_size=16))
    assert s.k.space.free == 16 - 2
    assert s.k.disk.read(s.k.inodes["f"].pointers[1] or 0).text() == "aaaa" + "." * 12


# -- quota before space, reserve, grace: 3.3, 3.4 ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quota", "blocks", "errno"), [({"hard": 1}, 1, "EDQUOT"), ({"hard": 1}, 9, "EDQUOT"), ({"hard": 9}, 1, "ENOSPC")]
)
@pytest.mark.parametrize("call", ['pwrite(f, "x", 2P)', "msync(m, SYNC)"])
def test_quota_is_asked_before_space_and_given_back_where_there_is_none(
    quota: dict[str, int], blocks: int, errno: str, call: str
) -> None:
    script = [call] if call.startswith("pwrite") else [MAP, 'm[2P] = "x"', call]
    told = play({"A": script}, blocks=blocks, quota={"alice": quota})
    assert told.results("A")[-1] == errno
    assert (told.end["quota/alice.used"], told.end["fs.free"]) == (1, blocks - 1)


def test_write_is_refused_at_once_and_tells_how_far_it_came() -> None:
    told = play({"A": ['pwrite(f, "x" * 3P, 1P)', 'pwrite(f, "x", 3P)']}, blocks=3)
    assert told.results("A") == ["8192", "ENOSPC"]
    assert told.stores["A.1"].accepted == 8192


def test_the_soft_limit_may_be_exceeded_until_the_grace_time_is_over() -> None:
    # check_bdq order: 3 first time over soft starts the grace time; 2 refused once now >= btime.
    script = ['pwrite(f, "x", 1P)', "sleep(2s)", 'pwrite(f, "y", 2P)', "sleep(1s)", 'pwrite(f, "z", 3P)']
    told = play({"A": script}, quota={"alice": {"soft": 1, "hard": 9, "grace": "3s"}})
    assert told.results("A") == ["1", "0", "1", "0", "EDQUOT"]


def test_going_under_the_soft_limit_ends_the_grace_time() -> None:
    script = ['pwrite(f, "x", 1P)', "sleep(9s)", "ftruncate(f, 1P)", "ftruncate(f, 4P)", 'pwrite(f, "x", 1P)']
    told = play({"A": script}, quota={"alice": {"soft": 1, "grace": "3s"}})
    assert told.results("A")[-1] == "1"


def test_the_hard_limit_holds_within_the_grace_time() -> None:
    told = play(
        {"A": ['pwrite(f, "x", 1P)', 'pwrite(f, "y", 2P)']}, quota={"alice": {"soft": 1, "hard": 2, "grace": "7d"}}
    )
    assert told.results("A") == ["1", "EDQUOT"]


def test_the_owner_of_the_file_is_charged_whoever_writes() -> None:
    told = play({"B": {"user": "bob", "script": ['pwrite(f, "x", 1P)']}}, quota={"alice": {"hard": 1}})
    assert told.result("B", 1) == "EDQUOT"


def test_the_reserve_is_for_root() -> None:
    tasks: dict[str, Script] = {
        "A": ['pwrite(f, "x", 1P)'],
        "R": {"user": "root", "script": ['pwrite(f, "y", 2P)', 'pwrite(f, "z", 3P)']},
    }
    told = play(tasks, blocks=3, reserved=2)
    assert told.results("A") == ["ENOSPC"]
    assert told.results("R") == ["1", "1"]


# -- who writes decides: 1a.12 ----------------------------------------------------------------------------------------

SAVED = "C"
WRITERS = [
    ("her own msync", ["munmap(m)", "m = mmap(f, 4P, READ|WRITE, SHARED)", "msync(m, SYNC)"], [], "."),
    ("her own fsync", ["munmap(m)", "fsync(f)"], [], "."),
    ("her own sync", ["munmap(m)", "sync()"], [], "."),
    ("somebody else's fsync", ["munmap(m)"], [{"user": "bob", "script": ["fsync(f)"]}], "."),
    ("root's fsync", ["munmap(m)"], [{"user": "root", "script": ["fsync(f)"]}], SAVED),
    ("pdflush, whoever woke it", ["munmap(m)"], [{"user": "bob", "script": ["writeback()"]}], SAVED),
    ("kswapd", ["munmap(m)"], [{"user": "bob", "script": ["reclaim()"]}], SAVED),
]


@pytest.mark.parametrize(
    "world", [{"quota": {"alice": {"hard": 1}}}, {"blocks": 2, "reserved": 1}], ids=["quota", "reserve"]
)
@pytest.mark.parametrize(("who", "mine", "others", "found"), WRITERS, ids=[writer[0] for writer in WRITERS])
def test_who_writes_decides_whether_data_survives(
    who: str, mine: list[str], others: list[Script], found: str, world: dict[str, Any]
) -> None:
    reader = {"user": "bob", "script": ["drop_caches()", "x = pread(f, 1, 2P)"]}
    tasks: dict[str, Script] = {
        "A": [MAP, 'm[2P] = "C"', *mine],
        **{f"O{i}": task for i, task in enumerate(others)},
        "Z": reader,
    }
    told = play(tasks, **world)
    assert told.result("Z", 2) == found, who


@pytest.mark.parametrize("kernel", [kernel for kernel in ALL if kernel != RESERVE])
def test_root_may_store_where_alice_may_not(kernel: str) -> None:
    root = {"user": "root", "script": [MAP, 'm[2P] = "C"', "msync(m, SYNC)"]}
    told = play({"R": root}, kernel, blocks=2, reserved=1, quota={"alice": {"hard": 1}})
    assert told.results("R") == ["0", "ok", "0"]
    assert told.end["quota/alice.used"] == 2
