"""What a TLB remembers against the page table: stale entries, and TLBs that the kernel fills. Facts H12, 1b W5 and W6.

The facts infer of W5 and W6 that such a machine loops for ever. The sources of 2.6.9 say otherwise, and are followed here:
handle_pte_fault() ends with ptep_set_access_flags() and update_mmu_cache(), and the handlers of MIPS look in the page
table first. So the omission costs traps and never the progress of the program.
"""

from __future__ import annotations

import pytest

from engine import gallery, run
from tests.engine.build import ALL, CORRECTED, MAP, POSTED, STOCK, Script, Stage, Told, make, play

MIPS = {"arch": "mips", "cpus": 2}
BASE = 0x2AAA8
LOADED = [MAP, "x = m[0]", 'm[0] = "A"']


def traps(told: Told, task: str, line: int) -> tuple[int, int]:
    """How often an access trapped into the TLB's handlers, and into the kernel's fault handler."""
    steps = [step for step in told.trace.steps if (step.task, step.line) == (task, line)]
    faults = sum(f"{step.function}.{step.name}" == "do_page_fault.read_cr2" for step in steps)
    return sum(step.name == "tlb_exception" for step in steps), faults


# -- stale translations: H12 ---------------------------------------------------------------------------------------------


ARCHS = ["i386", "i386-pae", "x86-64", "mips"]
FLUSHING = "linux-6.18"
"""Zap flushes by force before a dirty page's mapping is counted off."""


def unmapping(arch: str, kernel: str) -> Stage:
    """A is inside munmap, its entry is cleared, C has written the page; B has stored before and will again."""
    tasks: dict[str, Script] = {
        "A": {"cpu": 0, "script": [MAP, 'm[0] = "A"', "munmap(m)"]},
        "B": {"thread_of": "A", "cpu": 1, "script": ['m[1] = "B"', 'm[2] = "C"']},
        "C": ["fsync(f)"],
    }
    s = Stage(make(tasks, machine={"arch": arch}), kernel)
    return s.lines("A", 2).lines("B").until("A", "zap_pte_range.zap_pte").lines("C")


@pytest.mark.parametrize("arch", ARCHS)
def test_where_zap_flushes_by_force_the_store_comes_too_late(arch: str) -> None:
    s = unmapping(arch, FLUSHING).until("B", "store.tlb").lines("A").rest("A", "B")
    assert s.result("B", 2) == "SIGSEGV"
    assert s.page(0).content.text(4) == "ABaa"


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("kernel", [kernel for kernel in ALL if kernel != FLUSHING])
def test_a_store_through_a_stale_entry_leaves_no_dirty_mark_anywhere(arch: str, kernel: str) -> None:
    s = unmapping(arch, kernel)
    assert (s.page(0).dirty, s.page(0).writeback) == (None, None)
    s.lines("B")
    assert s.result("B", 2) == "ok"
    assert s.page(0).content.text(4) == "ABCa"
    assert s.page(0).dirty is None
    s.lines("A").rest("A", "B")
    assert s.page(0).dirty is None
    assert s.k.disk.read(s.k.inodes["f"].pointers[0] or 0).text(4) == "ABaa"


def test_a_clean_stale_entry_is_looked_up_again_so_nothing_is_lost() -> None:
    # The walk for D finds the entry gone: that store traps and waits for the unmap to end.
    thread = {"thread_of": "A", "cpu": 1, "script": ["x = m[0]", 'm[2] = "C"']}
    s = Stage(make({"A": {"cpu": 0, "script": [MAP, "x = m[0]", "munmap(m)"]}, "B": thread}))
    s.lines("A", 2).lines("B").until("A", "zap_pte_range.zap_pte")
    s.until("B", "do_page_fault.read_cr2").lines("A").rest("B")
    assert s.result("B", 2) == "SIGSEGV"


def test_the_flush_comes_before_the_page_is_let_go() -> None:
    told = Told(run(gallery()["stale-translation"], STOCK))
    cleared, flushed = (told.trace.find(f"A.3.zap_pte_range.{name}") or 0 for name in ("zap_pte", "tlb_finish_mmu"))
    store = told.trace.find("B.2.store.write") or 0
    assert cleared < store < flushed
    entry = f"cpu/1/tlb/{0x40000:#x}.entry"
    assert [entry in told.trace.state_at(n) for n in (store, flushed)] == [True, False]


@pytest.mark.parametrize(("kernel", "read_only"), [(POSTED, True), (CORRECTED, False)])
def test_w5_the_other_cpu_goes_on_with_a_read_only_entry(kernel: str, read_only: bool) -> None:
    thread = {"thread_of": "A", "cpu": 1, "script": ["x = m[0]"]}
    s = Stage(make({"A": {"cpu": 0, "script": LOADED}, "B": thread}), kernel).lines("A", 2).lines("B").lines("A")
    assert (s.tlb(1) == 0x25) == read_only


# -- a TLB that the kernel fills: W5, W6 -----------------------------------------------------------------------------------


def test_the_first_load_finds_nothing_and_ends_in_a_page_fault() -> None:
    told = play({"A": [MAP, "x = m[0]"]}, machine=MIPS)
    handled = [f"{s.function}.{s.name}" for s in told.trace.steps if s.function in ("tlb_refill", "handle_tlb")]
    assert handled == ["tlb_refill.tlbwr", "handle_tlb.tlbwi", "handle_tlb.do_page_fault"]
    assert traps(told, "A", 2) == (1, 1)


def test_the_kernel_gives_the_tlb_what_it_has_made() -> None:
    # update_mmu_cache(): the entry is there before the load is tried again.
    s = Stage(make({"A": [MAP, "x = m[0]"]}, machine=MIPS)).lines("A").until("A", "do_page_fault.up_read")
    assert s.tlb(0, BASE) == 0x27


def test_no_mmu_ever_walks() -> None:
    told = play({"A": [*LOADED, "msync(m, SYNC)", 'm[0] = "B"', 'm[1P] = "C"']}, machine=MIPS)
    assert "walk" not in {step.name for step in told.trace.steps}


def test_the_dirty_bit_is_set_by_a_trap() -> None:
    told = play({"A": LOADED}, machine=MIPS)
    (set_by,) = (s for s in told.trace.steps if s.line == 3 and any("/pte/" in at for at, _, _ in s.writes))
    assert (set_by.function, set_by.name, set_by.answer) == ("handle_tlb", "tlbwi", "allowed")
    assert traps(told, "A", 3) == (1, 0)


def test_after_msync_the_next_store_traps_for_its_dirty_bit_again() -> None:
    told = play({"A": [*LOADED, "msync(m, SYNC)", 'm[0] = "B"', 'm[0] = "C"']}, machine=MIPS)
    assert [traps(told, "A", line) for line in (5, 6)] == [(2, 0), (0, 0)]


def test_the_accessed_bit_is_set_by_a_trap() -> None:
    child = {"child_of": "A", "cpu": 1, "script": ["x = m[0]"]}
    tasks: dict[str, Script] = {"A": [MAP, 'm[0] = "x"', "fork(B)"], "B": child}
    s = Stage(make(tasks, machine=MIPS)).lines("A", 3)
    assert s.pte("B", BASE) == 0x07
    s.rest("B")
    assert s.pte("B", BASE) == 0x27
    assert not s.k.tasks["B"].min_flt


@pytest.mark.parametrize(
    ("arch", "kernel", "first", "other"),
    [
        ("mips", STOCK, (1, 0), (1, 0)),
        ("mips", CORRECTED, (1, 1), (1, 0)),
        ("mips", POSTED, (2, 1), (1, 0)),
        ("mips", "wli-corrected+W5", (2, 1), (1, 0)),
        ("mips", "wli-corrected+W6", (2, 1), (1, 0)),
        ("i386", STOCK, (0, 0), (0, 0)),
        ("i386", CORRECTED, (0, 1), (0, 0)),
        ("i386", POSTED, (0, 1), (0, 1)),
        ("i386", "wli-corrected+W6", (0, 1), (0, 0)),
    ],
)
def test_w5_w6_the_missing_flush_costs_the_storing_cpu_a_trap_on_mips_and_the_other_one_on_i386(
    arch: str, kernel: str, first: tuple[int, int], other: tuple[int, int]
) -> None:
    scenario = gallery()["software-tlb"]
    told = Told(
        run(scenario.model_copy(update={"machine": scenario.machine.model_copy(update={"arch": arch})}), kernel)
    )
    assert told.trace.complete
    assert (traps(told, "A", 3), traps(told, "B", 2), traps(told, "B", 3)) == (first, other, (0, 0))


@pytest.mark.parametrize("kernel", ALL)
@pytest.mark.parametrize("first", [[], ["x = m[2P]"]])
def test_a_full_disk_is_a_full_disk_on_mips_too(kernel: str, first: list[str]) -> None:
    script = [MAP, *first, 'm[2P] = "C"', "msync(m, SYNC)"]
    told, other = (play({"A": script}, kernel, blocks=1, machine={"arch": arch}) for arch in ("mips", "i386"))
    assert (told.outcome, told.results("A")) == (other.outcome, other.results("A"))
