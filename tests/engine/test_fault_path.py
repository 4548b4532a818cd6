"""The way of a fault in 2.6.9, bit by bit: page table entries, TLBs, struct page, counts. Facts 0, 1a, 3.1."""

from __future__ import annotations

from typing import Any

import pytest

from engine.values import PAGE_READONLY, PAGE_SHARED, Pte
from tests.engine.build import ALL, BASE, CORRECTED, MAP, PRIVATE_MAP, STOCK, Stage, make, play

ANON = "m = mmap(ANON, 4P, READ|WRITE, PRIVATE)"
THREADS = {"cpu": 0, "script": [MAP, "x = m[0]", "y = m[0]"]}


def stage(*script: str, kernel: str = STOCK, **world: Any) -> Stage:
    """A alone, all its lines done."""
    return Stage(make({"A": list(script)}, **world), kernel).lines("A", len(script))


# -- page table entries: facts 0, the table of low bytes -------------------------------------------------------------


def test_the_bits_have_the_values_of_asm_i386_pgtable_h() -> None:
    # 3.1: P 0x001, RW 0x002, US 0x004, A 0x020, D 0x040; pfn from bit 12 on.
    assert (PAGE_SHARED, PAGE_READONLY) == (0x27, 0x25)
    assert Pte(7, 0x67).word == 0x7067
    assert Pte(7, 0x67).wire() == "P W U A D pfn=7"


@pytest.mark.parametrize(
    ("mapping", "access", "kernel", "bits"),
    [
        ("READ|WRITE, SHARED", "x = m[0]", STOCK, 0x27),
        ("READ|WRITE, SHARED", 'm[0] = "x"', STOCK, 0x67),
        ("READ|WRITE, PRIVATE", "x = m[0]", STOCK, 0x25),
        ("READ|WRITE, PRIVATE", 'm[0] = "x"', STOCK, 0x67),
        ("READ, SHARED", "x = m[0]", STOCK, 0x25),
        ("READ|WRITE, SHARED", "x = m[0]", CORRECTED, 0x25),
        ("READ|WRITE, SHARED", 'm[0] = "x"', CORRECTED, 0x67),
        ("READ|WRITE, SHARED", "x = m[0]", "wli-posted", 0x25),
        ("READ|WRITE, SHARED", 'm[0] = "x"', "wli-posted", 0x67),
    ],
)
def test_an_entry_has_the_low_byte_of_the_table(mapping: str, access: str, kernel: str, bits: int) -> None:
    assert stage(f"m = mmap(f, 4P, {mapping})", access, kernel=kernel).pte("A") == bits


def test_mmap_makes_no_entry_and_looks_at_no_space() -> None:
    # 1a.0 step 3.
    s = stage(MAP, blocks=1)
    assert s.pte("A") is None
    assert s.k.mms["A"].rss in (None, 0)


def test_a_store_after_a_load_sets_d_in_hardware_without_a_trap() -> None:
    told = play({"A": [MAP, "x = m[2P]", 'm[2P] = "C"']})
    store = [s for s in told.trace.steps if s.task == "A" and s.line == 3]
    assert {s.function for s in store} == {"store"}
    assert str(told.end[f"mm/A/pte/{BASE + 2:#x}.entry"]).startswith("P W U A D ")


def test_the_same_store_traps_where_a_load_leaves_the_entry_read_only() -> None:
    told = play({"A": [MAP, "x = m[2P]", 'm[2P] = "C"']}, CORRECTED)
    store = [s.function for s in told.trace.steps if s.task == "A" and s.line == 3]
    assert "do_wp_page" in store
    assert "do_no_page" not in store


def test_the_cpu_sets_a_on_a_load_through_an_old_entry() -> None:
    s = Stage(make({"A": [MAP, 'm[0] = "x"', "fork(B)"], "B": {"child_of": "A", "script": ["x = m[0]"]}}))
    s.lines("A", 3)
    assert s.pte("B") == 0x07
    s.lines("B")
    assert s.pte("B") == 0x27


def test_rights_are_checked_before_anything_is_mapped() -> None:
    # 1a.1 step 4 and 1a.4 step 1.
    told = play({"A": ["m = mmap(f, 4P, READ, SHARED)", 'm[0] = "x"', "exit()"]})
    assert told.results("A") == ["0", "SIGSEGV"]
    assert play({"A": [MAP, "ftruncate(f, 1P)", "x = m[1P]"]}).result("A", 3) == "SIGBUS"


def test_the_first_touch_is_a_major_fault_and_the_second_process_pays_a_minor_one() -> None:
    # 1a.1 step 6, 1a.4 step 2.
    s = Stage(make({"A": [MAP, "x = m[0]"], "B": [MAP, "x = m[0]"]})).lines("A", 2).lines("B", 2)
    counts = [(s.k.tasks[name].min_flt or 0, s.k.tasks[name].maj_flt or 0) for name in "AB"]
    assert counts == [(0, 1), (1, 0)]


def test_a_protection_none_entry_is_0xa0_and_traps() -> None:
    s = Stage(make({"A": [MAP, "x = m[0]", "mprotect(m, NONE)", "y = m[0]"]})).lines("A", 3)
    assert s.pte("A") == 0xA0
    assert s.lines("A").result("A", 4) == "SIGSEGV"


# -- the TLB: 1a.2 step 3, 1a.9, H12 ----------------------------------------------------------------------------------


def test_each_cpu_has_a_tlb_of_its_own() -> None:
    s = Stage(make({"A": THREADS, "B": {"thread_of": "A", "cpu": 1, "script": ["y = m[0]"]}})).lines("A", 2)
    assert (s.tlb(0), s.tlb(1)) == (0x27, None)
    s.lines("B")
    assert s.tlb(1) == 0x27


def test_a_dirty_translation_asks_nothing_and_a_clean_one_is_looked_up_again() -> None:
    s = Stage(make({"A": [MAP, "x = m[0]", 'm[0] = "x"', 'm[1] = "y"']})).lines("A", 2)
    assert s.tlb(0) == 0x27
    s.lines("A")
    assert s.tlb(0) == 0x67


def test_unmapping_flushes_every_cpu() -> None:
    s = Stage(
        make(
            {
                "A": {"cpu": 0, "script": [MAP, "x = m[0]", "munmap(m)"]},
                "B": {"thread_of": "A", "cpu": 1, "script": ["y = m[0]", "y = m[0]"]},
            }
        )
    )
    s.lines("A", 2).lines("B").lines("A")
    assert (s.tlb(0), s.tlb(1)) == (None, None)
    assert s.lines("B").result("B", 2) == "SIGSEGV"


def test_another_address_space_empties_the_tlb() -> None:
    s = Stage(make({"A": {"cpu": 0, "script": [MAP, "x = m[0]"]}, "B": {"cpu": 0, "script": [MAP, "x = m[1P]"]}}))
    s.lines("A", 2).lines("B", 2)
    assert s.tlb(0, BASE) is None


def test_a_fault_that_a_sibling_has_seen_to_is_spurious() -> None:
    # 1a.2 step 3, last line: mkdirty if write, mkyoung, done.
    s = Stage(
        make(
            {
                "A": {"cpu": 0, "script": [MAP, 'm[0] = "x"']},
                "B": {"thread_of": "A", "cpu": 1, "script": ['m[1] = "y"']},
            }
        )
    )
    s.lines("A").until("B", "do_page_fault.down_read").lines("A").until("B", "handle_pte_fault.ptep_set_access_flags")
    s.rest("B")
    assert s.pte("A") == 0x67
    assert s.page(0).count == 2
    assert s.page(0).content.text(3) == "xya"


# -- do_no_page: what was learned before the lock was dropped is asked again -----------------------------------------


@pytest.mark.parametrize("kernel", [STOCK, CORRECTED])
def test_two_threads_in_one_fault_leave_one_entry_and_right_counts(kernel: str) -> None:
    # 1a.3 step 8.
    s = Stage(make({"A": [MAP, 'm[2P] = "x"'], "B": {"thread_of": "A", "script": ['m[2P+1] = "y"']}}), kernel)
    s.lines("A").until("A", "filemap_nopage.mark_page_accessed").rest("B").rest("A")
    page = s.page(2)
    assert (page.count, page.mapcount, s.k.mms["A"].rss) == (2 + bool(page.private), 0, 1)
    assert page.content.text(2) == "xy"


@pytest.mark.parametrize("kernel", [STOCK, CORRECTED])
@pytest.mark.parametrize("mapping", [MAP, PRIVATE_MAP])
def test_a_file_cut_short_during_a_fault_is_noticed(kernel: str, mapping: str) -> None:
    # 1a.3 step 7: truncate_count changed -> start over, for private copies too; then i_size says SIGBUS.
    where = "filemap_nopage.mark_page_accessed" if mapping is MAP else "do_no_page.copy_user_page"
    s = Stage(make({"A": [mapping, 'm[2P] = "x"'], "B": ["ftruncate(f, 1P)"]}), kernel)
    before = s.free_frames()
    s.lines("A").until("A", where).rest("B").rest("A")
    assert s.result("A", 2) == "SIGBUS"
    assert s.free_frames() == before


# -- copy on write: 1a.5, 1a.6 ---------------------------------------------------------------------------------------


def test_a_load_of_anonymous_memory_maps_the_zero_page_without_counting_it() -> None:
    s = stage(ANON, "x = m[0]")
    zero = s.k.page(0)
    assert s.frame("A") is zero
    assert s.pte("A") == 0x25
    assert (zero.count, zero.mapcount, s.k.mms["A"].rss) == (1, None, None)
    assert s.result("A", 2) == "."


def test_a_store_to_the_zero_page_makes_a_copy_that_counts() -> None:
    s = stage(ANON, "x = m[0]", 'm[0] = "x"')
    page = s.frame("A")
    assert not page.reserved
    assert s.pte("A") == 0x67
    assert (page.count, page.mapcount, page.mapping, s.k.mms["A"].rss) == (1, 0, "anon", 1)
    assert s.k.page(0).content.text(1) == "."


def test_a_private_store_after_a_load_copies_the_files_page() -> None:
    s = Stage(make({"A": [PRIVATE_MAP, "x = m[0]", 'm[0] = "x"']})).lines("A", 2)
    old = s.page(0)
    assert (old.count, old.mapcount) == (2, 0)
    s.lines("A")
    new = s.frame("A")
    assert new is not old
    assert (old.count, old.mapcount, old.dirty) == (1, -1, None)
    assert (new.count, new.mapcount, s.pte("A"), s.k.mms["A"].rss) == (1, 0, 0x67, 1)
    assert (old.content.text(2), new.content.text(2)) == ("aa", "xa")


def test_copying_flushes_the_tlb_of_siblings() -> None:
    s = Stage(
        make(
            {
                "A": {"cpu": 0, "script": [PRIVATE_MAP, 'm[0] = "x"']},
                "B": {"thread_of": "A", "cpu": 1, "script": ["x = m[0]", "y = m[0]"]},
            }
        )
    )
    s.lines("A").lines("B").lines("A")
    assert s.tlb(1) is None
    assert s.lines("B").result("B", 2) == "x"


def test_a_private_store_first_copies_at_once() -> None:
    # 1a.3 step 6: the file's page is released again.
    s = stage(PRIVATE_MAP, 'm[0] = "x"')
    assert (s.page(0).count, s.page(0).mapcount) == (1, -1)
    assert s.frame("A").mapping == "anon"


def test_the_last_user_of_an_anonymous_page_takes_it_over_without_a_copy() -> None:
    # 1a.6 steps 2 and 3.
    child = {"child_of": "A", "script": ["exit()"]}
    s = Stage(make({"A": [ANON, 'm[0] = "x"', "fork(B)", 'm[0] = "y"'], "B": child})).lines("A", 3)
    page = s.frame("A")
    s.rest("B").until("A", "do_wp_page.reuse").rest("A")
    assert s.frame("A") is page
    assert s.pte("A") == 0x67


def test_a_copy_is_given_up_when_the_entry_changed_meanwhile() -> None:
    # 1a.6 step 6: pte_same.
    thread = {"thread_of": "A", "script": ['m[1] = "z"']}
    s = Stage(make({"A": [PRIVATE_MAP, "x = m[0]", 'm[0] = "x"'], "B": thread})).lines("A", 2)
    s.until("A", "do_wp_page.copy_cow_page").rest("B").until("A", "do_wp_page.pte_same").rest("A")
    assert s.frame("A").content.text(3) == "xza"
    assert s.free_frames() == 16 - 3  # ZERO_PAGE, the file's page, one copy


# -- fork: 1a.9 ------------------------------------------------------------------------------------------------------


def test_fork_copies_a_shared_entry_clean_and_old_and_leaves_d_to_the_parent() -> None:
    child = {"child_of": "A", "script": ["exit()"]}
    s = Stage(make({"A": [MAP, 'm[0] = "x"', "fork(B)"], "B": child})).lines("A", 3)
    assert (s.pte("A"), s.pte("B")) == (0x67, 0x07)
    assert (s.page(0).count, s.page(0).mapcount) == (3, 1)
    assert (s.k.mms["A"].rss, s.k.mms["B"].rss) == (1, 1)


def test_fork_write_protects_private_entries_on_both_sides() -> None:
    child = {"child_of": "A", "script": ["exit()"]}
    s = Stage(make({"A": [ANON, 'm[0] = "x"', "fork(B)"], "B": child})).lines("A", 3)
    bits = [s.pte("A") or 0, s.pte("B") or 0]
    assert [flags & 0x02 for flags in bits] == [0, 0]
    assert s.tlb(0) is None
    assert s.frame("A") is s.frame("B")


def test_a_child_that_leaves_takes_no_dirty_bit_away() -> None:
    child = {"child_of": "A", "script": ["exit()"]}
    s = Stage(make({"A": [MAP, 'm[0] = "x"', "fork(B)"], "B": child})).lines("A", 3).rest("B")
    assert s.page(0).dirty is None
    assert s.pte("A") == 0x67


# -- I1: counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ALL)
def test_a_page_counts_cache_entries_and_buffers(kernel: str) -> None:
    # 7.1 I1.
    script = [MAP, "x = m[0]"]
    s = Stage(make({"A": script, "B": script, "C": ['pwrite(f, "z", 0)']}), kernel).lines("A", 2)
    assert (s.page(0).count, s.page(0).mapcount) == (2, 0)
    s.lines("B", 2)
    assert (s.page(0).count, s.page(0).mapcount) == (3, 1)
    s.lines("C")
    assert s.page(0).private
    assert (s.page(0).count, s.page(0).mapcount) == (4, 1)
