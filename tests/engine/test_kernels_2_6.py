"""The 2.6 line, function by function: the hook, dirty tracking, the locked page, lazy forks, and a promise at mmap().

Values of entries are those of facts section 0: 0x27 writable and clean, 0x67 and dirty, 0x25 read-only.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import KERNELS, Kernel, Machine, build, find_kernel, scenario_from_data, to_data
from engine.exhibit import source
from engine.function import LAYOUTS
from tests.engine.build import BASE, CORRECTED, LATER, MAP, RESERVE, STOCK, Stage, every_step, make, play
from tests.engine.test_random_worlds import few, many, restless, worlds

HOLE = BASE + 2
STORE = [MAP, 'm[2P] = "C"']
READ = "x = pread(f, 1, 2P)"
TRACKING = ("linux-2.6.19", "linux-2.6.23")
ASKED = [
    (CORRECTED, "ext2"), (CORRECTED, "ext3"), *((kernel, "ext2-mkwrite") for kernel in LATER), ("linux-2.6.23", "xfs"),
]  # fmt: skip
MINE = [*(KERNELS[name] for name in (CORRECTED, RESERVE, *LATER)),
        *(find_kernel(f"{kernel.id}+{name}") for kernel in KERNELS.values() for name in kernel.switches)]  # fmt: skip


# -- every kernel -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", MINE, ids=lambda kernel: kernel.id)
def test_a_kernel_has_a_story_sources_and_a_caption_for_every_step(kernel: Kernel) -> None:
    assert kernel.story.endswith(".")
    assert kernel.sources
    assert kernel.leaves_out
    for function in kernel.functions.values():
        assert all(info.caption for info in LAYOUTS[function].steps.values())
        assert source(kernel, function.c_name).doc


@pytest.mark.parametrize("kernel", MINE, ids=lambda kernel: kernel.id)
def test_a_change_adds_stations_and_moves_none(kernel: Kernel) -> None:
    for plain, changed in kernel.replaces.items():
        if issubclass(changed, plain):
            assert changed.steps[: len(plain.steps)] == plain.steps


@pytest.mark.parametrize("kernel", MINE, ids=lambda kernel: kernel.id)
@pytest.mark.parametrize("function", ["do_no_page", "do_wp_page"])
def test_the_rail_has_its_stations(kernel: Kernel, function: str) -> None:
    wanted = {"enough_space", "pte_none", "set_pte"} if function == "do_no_page" else {"enough_space", "pte_same"}
    assert wanted <= set(kernel.functions[function].steps)


# -- the outcome matrix, facts 7.2 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ext2", "ext3"])
@pytest.mark.parametrize("kernel", [STOCK, *LATER])
def test_who_never_asks_loses_what_is_stored_to_a_hole_on_a_full_disk(kernel: str, kind: str) -> None:
    told = play(
        {"A": [*STORE, "msync(m, SYNC)", "msync(m, SYNC)", "exit()"], "B": [READ, "drop_caches()", READ]},
        kernel, blocks=1, type=kind,
    )  # fmt: skip
    assert told.results("A") == ["0", "ok", "ENOSPC", "0", "0"]
    assert told.results("B") == ["C", "0", "."]
    assert told.outcome == "lost-told"


@pytest.mark.parametrize(("kernel", "kind"), ASKED)
@pytest.mark.parametrize("first", ["", "x = m[2P]"])
@pytest.mark.parametrize("why", [{"blocks": 1}, {"quota": {"alice": {"hard": 1}}}, {"blocks": 2, "reserved": 1}])
def test_who_asks_refuses_the_store(kernel: str, kind: str, first: str, why: dict[str, Any]) -> None:
    script = [MAP, *([first] if first else []), 'm[2P] = "C"', "msync(m, SYNC)", "msync(m, SYNC)", "x = m[2P]"]
    told = play({"A": {"on_sigbus": "next", "script": script}, "B": [READ]}, kernel, type=kind, **why)
    assert told.results("A")[-4:] == ["SIGBUS", "0", "0", "."]
    assert told.result("B", 1) == "."
    assert told.outcome == "refused"


@pytest.mark.parametrize(("kernel", "kind"), ASKED)
def test_who_asks_keeps_what_there_is_room_for(kernel: str, kind: str) -> None:
    tasks = {"A": [*STORE, "munmap(m)"], "B": ["fill(g)", "writeback()", "drop_caches()", READ]}
    told = play(tasks, kernel, blocks=2, type=kind)
    assert told.results("B")[-1] == "C"
    assert told.outcome == "kept"


def test_mmap_says_no_for_a_full_disk_and_for_a_full_quota() -> None:
    assert play({"A": STORE}, RESERVE, blocks=1).results("A") == ["ENOSPC", "no mapping"]
    assert play({"A": STORE}, RESERVE, quota={"alice": {"hard": 1}}).results("A") == ["EDQUOT", "no mapping"]


# -- 2.6.18: the hook -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "low"), [("ext2", 0x27), ("ext2-mkwrite", 0x25)])
def test_an_entry_starts_read_only_where_the_filesystem_wants_to_hear(kind: str, low: int) -> None:
    assert Stage(make({"A": [MAP, "x = m[2P]"]}, type=kind), "linux-2.6.18").lines("A", 2).pte("A", HOLE) == low


@pytest.mark.parametrize("kernel", LATER)
@pytest.mark.parametrize("first", ["", "x = m[2P]"])
def test_between_answer_and_entry_the_page_is_unlocked(kernel: str, first: str) -> None:
    # 1c.6 (ii): mended in 2.6.30. Writeback can come in between.
    s = Stage(
        make({"A": [MAP, *([first] if first else []), 'm[2P] = "C"'], "W": ["writeback()"]}, type="ext2-mkwrite"),
        kernel,
    )
    s.lines("A", 2 if first else 1)
    s.until("A", f"do_{'wp' if first else 'no'}_page.unlock_page")
    page = s.page(2)
    assert (page.locked.holder, page.dirty) == (None, True)
    s.rest("W")
    assert (page.dirty, page.bh[0].block is not None) == (None, True)
    s.lines("A")
    assert s.result("A", 3 if first else 2) == "ok"


def test_a_race_with_truncate_is_a_signal_for_this_hook_knows_no_other_word() -> None:
    script = {"on_sigbus": "next", "script": STORE}
    grow = ["ftruncate(f, 1P)", "ftruncate(f, 4P)"]
    s = Stage(make({"A": script, "B": grow}, type="ext2-mkwrite"), "linux-2.6.18")
    s.lines("A").until("A", "do_no_page.early_cow").rest("B").lines("A")
    assert s.result("A", 2) == "SIGBUS"


@pytest.mark.parametrize("kernel", LATER)
def test_a_fork_copies_no_entry_of_a_shared_file(kernel: str) -> None:
    child = {"child_of": "A", "script": ["x = m[1P]"]}
    s = Stage(make({"A": [MAP, 'm[1P] = "s"', "fork(B)"], "B": child}), kernel).lines("A", 3)
    assert s.pte("B", BASE + 1) is None
    assert s.rest("B").result("B", 1) == "s"


@pytest.mark.parametrize("kernel", LATER)
def test_a_fork_copies_private_pages_for_both_to_share(kernel: str) -> None:
    child = {"child_of": "A", "script": ["x = m[0]"]}
    script = ["m = mmap(ANON, 1P, READ|WRITE, PRIVATE)", 'm[0] = "p"', "fork(B)"]
    s = Stage(make({"A": script, "B": child}), kernel).lines("A", 3)
    assert (s.pte("A"), s.pte("B")) == (0x65, 0x45)
    assert s.frame("A") is s.frame("B")


@pytest.mark.parametrize("kernel", LATER)
def test_msync_holds_no_mmap_sem_while_it_waits_for_the_disk(kernel: str) -> None:
    s = Stage(make({"A": [*STORE, "msync(m, SYNC)"]}), kernel).lines("A", 2)
    s.until("A", "sys_msync.down_i_sem")
    assert s.k.mms["A"].mmap_sem.holder is None


# -- 2.6.19: dirty tracking -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", TRACKING)
def test_a_load_maps_read_only_a_store_marks_the_page_and_writeback_arms_the_trap_again(kernel: str) -> None:
    script = [MAP, "x = m[2P]", 'm[2P] = "A"', "msync(m, SYNC)", 'm[2P] = "B"']
    s = Stage(make({"A": script}), kernel).lines("A", 2)
    assert (s.pte("A", HOLE), s.page(2).dirty) == (0x25, None)
    s.lines("A")
    assert (s.pte("A", HOLE), s.page(2).dirty) == (0x67, True)
    s.lines("A")
    assert (s.pte("A", HOLE), s.page(2).dirty, s.tlb(0, HOLE)) == (0x25, None, None)
    faults = s.k.tasks["A"].min_flt or 0
    s.lines("A")
    assert (s.pte("A", HOLE), s.page(2).dirty) == (0x67, True)
    assert (s.k.tasks["A"].min_flt or 0) == faults + 1


@pytest.mark.parametrize("kernel", TRACKING)
def test_every_process_that_maps_a_page_loses_its_right_before_it_is_written(kernel: str) -> None:
    other = {"user": "bob", "cpu": 1, "script": [MAP, 'm[2P+1] = "B"']}
    s = Stage(make({"A": [*STORE, "msync(m, SYNC)"], "B": other}), kernel).lines("A", 2).lines("B", 2).lines("A")
    assert (s.pte("A", HOLE), s.pte("B", HOLE)) == (0x25, 0x25)


@pytest.mark.parametrize(
    ("kernel", "dirty"), [(STOCK, True), ("linux-2.6.18", True), *((name, True) for name in TRACKING)]
)
def test_msync_async_moves_a_bit_or_does_nothing_and_never_writes(kernel: str, dirty: bool) -> None:
    s = Stage(make({"A": [*STORE, "msync(m, ASYNC)"]}), kernel).lines("A", 2)
    before = s.page(2).dirty
    s.lines("A")
    assert before == (True if kernel in TRACKING else None)
    assert s.page(2).dirty == dirty
    assert s.k.disk.queue is None
    assert s.pte("A", HOLE) == (0x67 if kernel in TRACKING else 0x27)


@pytest.mark.parametrize("kernel", TRACKING)
def test_mprotect_gives_the_right_back_only_where_the_page_is_dirty(kernel: str) -> None:
    script = [MAP, "x = m[1P]", 'm[2P] = "C"', "mprotect(m, READ)", "mprotect(m, READ|WRITE)"]
    s = Stage(make({"A": script}), kernel).lines("A", 5)
    assert (s.pte("A", BASE + 1), s.pte("A", HOLE)) == (0x25, 0x67)


@pytest.mark.parametrize("kernel", TRACKING)
def test_whoever_dirties_too_much_writes_some_of_it_first(kernel: str) -> None:
    stores = [f'm[{n}P] = "x"' for n in range(5)]
    told = play({"A": ["m = mmap(f, 5P, READ|WRITE, SHARED)", *stores]}, kernel, size="5P", machine={"frames": 8})
    assert told.results("A") == ["0", *["ok"] * 5]
    assert "mpage_writepages.writepage" in told.steps("A")
    answers = [step.answer for step in told.trace.steps if step.name == "balance_dirty_pages"]
    assert answers[:4] == ["1 dirty, limit 3", "2 dirty, limit 3", "3 dirty, limit 3", "4 dirty, limit 3"]


def test_the_journal_writes_buffers_and_the_page_does_not_hear_of_it() -> None:
    # H13: the ground that the corruption of December 2006 grew on.
    files = {"g": {"owner": "alice", "size": "1P", "data": {"0P": "b"}}}
    s = Stage(make({"A": [MAP, 'pwrite(f, "P", 2P)', "fsync(g)"]}, files=files, type="ext3"), "linux-2.6.19").lines(
        "A", 3
    )
    page = s.page(2)
    assert (page.dirty, page.bh[0].dirty) == (True, None)
    assert s.k.disk.read(page.bh[0].block or 0).text(1) == "P"


# -- 2.6.23: the page is locked until its entry is set ----------------------------------------------------------------------


def test_truncate_waits_for_a_fault_that_has_the_page() -> None:
    s = Stage(make({"A": {"on_sigbus": "next", "script": STORE}, "B": ["ftruncate(f, 1P)"]}), "linux-2.6.23")
    s.lines("A").until("A", "do_no_page.early_cow")
    assert s.page(2).locked.holder == "A"
    s.rest("B")
    assert (s.k.tasks["B"].stack is None, s.page(2).mapping) == (False, "f")
    assert s.rest("A", "B").pte("A", HOLE) is None
    assert s.k.mappings["f"].pages[2] is None


def test_a_page_mapped_after_the_ranges_were_cleared_is_unmapped_before_it_goes() -> None:
    s = Stage(make({"A": {"on_sigbus": "next", "script": STORE}, "B": ["ftruncate(f, 1P)"]}), "linux-2.6.23")
    s.lines("A").until("A", "do_no_page.early_cow").until("B", "vmtruncate.zap").rest("A")
    assert s.rest("B").pte("A", HOLE) is None
    assert s.k.mappings["f"].pages[2] is None


def test_xfs_gives_a_hole_one_block_however_far_away() -> None:
    script = ["m = mmap(f, 1P, READ|WRITE, SHARED, 5G - 1P)", 'm[0] = "C"', "msync(m, SYNC)"]
    told = play({"A": script}, "linux-2.6.23", blocks=2, size="5G", type="xfs")
    assert told.results("A")[1:] == ["ok", "0"]
    assert told.end["fs.free"] == 0


# -- mmap-reserve -------------------------------------------------------------------------------------------------------------


def test_a_promise_is_kept_from_others_used_up_at_writeback_and_released_at_munmap() -> None:
    s = Stage(make({"A": [*STORE, "msync(m, SYNC)", "munmap(m)"], "B": ["take(g, 1)"]}, blocks=4), RESERVE).lines(
        "A", 2
    )
    assert (s.k.space.free, s.k.space.delalloc) == (3, 3)
    assert s.lines("B").result("B", 1) == "ENOSPC"
    s.lines("A")
    assert (s.k.space.free, s.k.space.delalloc) == (2, 2)
    s.lines("A")
    assert (s.k.space.free, s.k.space.delalloc) == (2, None)


@pytest.mark.parametrize(("blocks", "free"), [(16, "0"), (1, "ENOSPC")])
def test_mprotect_has_to_reserve_too(blocks: int, free: str) -> None:
    told = play(
        {"A": ["m = mmap(f, 4P, READ, SHARED)", "mprotect(m, READ|WRITE)", 'm[2P] = "C"']}, RESERVE, blocks=blocks
    )
    assert told.results("A") == ["0", free, "ok" if free == "0" else "SIGSEGV"]


def test_an_index_block_is_counted_once_a_mapping_and_once_more_by_its_neighbour() -> None:
    first, second = "m = mmap(f, 1P, READ|WRITE, SHARED, 12P)", "n = mmap(f, 1P, READ|WRITE, SHARED, 13P)"
    s = Stage(
        make({"A": ["m = mmap(f, 2P, READ|WRITE, SHARED, 12P)"], "B": [first], "C": [second]}, size="14P"), RESERVE
    )
    assert s.lines("A").k.space.delalloc == 3
    assert s.lines("B").lines("C").k.space.delalloc == 7


def test_a_promise_moves_with_its_mapping_and_growth_is_promised_nothing() -> None:
    script = ["m = mmap(f, 2P, READ|WRITE, SHARED)", "n = mmap(f, 1P, READ, SHARED)", "mremap(m, 4P)"]
    s = Stage(make({"A": [*script, "munmap(m)"]}), RESERVE).lines("A", 3)
    mm = s.k.mms["A"]
    ref: Any = mm.lookup("m")
    assert dict(mm.promised.items()) == {ref.start + 1: 1}
    assert s.lines("A").k.space.delalloc is None


@many
@given(worlds(), st.integers(0, 2**32).map(Random))
def test_what_is_promised_is_promised_to_somebody(scenario: Any, random: Random) -> None:
    machine = build(scenario, KERNELS[RESERVE])
    for _ in every_step(machine, restless(random)):
        promised = sum(blocks for mm in machine.mms.values() for _, blocks in mm.promised.items())
        assert (machine.space.delalloc or 0) == promised
        assert promised <= machine.space.free
        if quota := machine.quotas.get("alice"):
            assert (quota.promised or 0) == promised


# -- I4: what can be stored to has its blocks ------------------------------------------------------------------------------------


def unhoused(machine: Machine) -> list[int]:
    """The virtual pages that may be stored to though a block below the end of the file is missing."""
    found, inode = [], machine.inodes["f"]
    for mm in machine.mms.values():
        for vpn, entry in mm.pte.items():
            vma = mm.find_vma(vpn)
            if vma is None or not vma.reaches_file or not entry.write or machine.page(entry.pfn).mapping != "f":
                continue
            first = vma.index(vpn) * machine.blocks_per_page
            below = range(first, min(first + machine.blocks_per_page, -(-inode.size // machine.block_size)))
            found += [vpn for block in below if machine.map.lookup(inode, block) is None]
    return found


@pytest.mark.parametrize(("kernel", "kind"), ASKED)
@few
@given(scenario=worlds(block_size=32), random=st.integers(0, 2**32).map(Random))
def test_i4_a_page_that_can_be_stored_to_has_its_blocks(kernel: str, kind: str, scenario: Any, random: Random) -> None:
    # Blocks of a page: where they are smaller, a file that grows inside its last page escapes (1c.6 (i)).
    data = to_data(scenario)
    data["filesystem"] = {**data["filesystem"], "type": kind}
    machine = build(scenario_from_data(data), KERNELS[kernel])
    for _ in every_step(machine, restless(random)):
        assert unhoused(machine) == []


def test_i4_is_broken_on_purpose_where_nobody_asks() -> None:
    s = Stage(make({"A": STORE}, blocks=1)).lines("A", 2)
    assert unhoused(s.k) == [HOLE]
