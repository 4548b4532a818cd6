"""Page-table formats and the tables made by them: facts 3.1, 3.2 and 0; what 2.6.9 has ready at birth; the walk."""

from __future__ import annotations

import pytest

from engine.hardware.paging import FORMATS, I386, I386_PAE, MIPS, X86_64, Format
from engine.journal import Journal
from engine.objects.mm import Mm
from engine.values import NX, PAGE_READONLY, PAGE_SHARED, VM_EXEC, Pte, pte_of
from tests.engine.build import ALL, MAP, PRIVATE_MAP, STOCK, Stage, make, play

X86 = (I386, I386_PAE, X86_64)


def stage(arch: str, *script: str, kernel: str = STOCK) -> Stage:
    """A alone on a machine of that architecture, all its lines done."""
    return Stage(make({"A": list(script)}, machine={"arch": arch}), kernel).lines("A", len(script))


# -- how an address is cut ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "address", "split"),
    [
        (I386, 0x08048000, (32, 72, 0)),
        (I386, 0x40001234, (256, 1, 0x234)),
        (I386, 0xB7FD2000, (735, 978, 0)),
        (I386_PAE, 0x08048000, (0, 64, 72, 0)),
        (I386_PAE, 0x40001234, (1, 0, 1, 0x234)),
        (I386_PAE, 0xB7FD2000, (2, 447, 466, 0)),
        (X86_64, 0x00007F1234567ABC, (254, 72, 418, 359, 0xABC)),
        (MIPS, 0x2AAA8000, (170, 680, 0)),
    ],
)
def test_an_address_is_cut_as_the_worked_examples_are(form: Format, address: int, split: tuple[int, ...]) -> None:
    assert form.split(address) == split


@pytest.mark.parametrize("form", FORMATS.values())
@pytest.mark.parametrize("page_size", [64, 4096, 65536])
def test_a_toy_page_moves_the_offset_and_leaves_the_levels(form: Format, page_size: int) -> None:
    vpn = form.mapping_base + 3
    *levels, offset = form.split(vpn * page_size + 5, page_size)
    assert (tuple(levels), offset) == (form.path(vpn), 5)


@pytest.mark.parametrize(("form", "bits", "bytes_"), [(I386, 32, 4), (I386_PAE, 32, 8), (X86_64, 48, 8), (MIPS, 32, 4)])
def test_levels_and_offset_make_up_the_address(form: Format, bits: int, bytes_: int) -> None:
    assert sum(level.bits for level in form.levels) + 12 == bits
    assert form.entry_bytes == bytes_


@pytest.mark.parametrize(
    ("form", "base", "end"),
    [
        (I386, 0x40000000, 0xC0000000),
        (I386_PAE, 0x40000000, 0xC0000000),
        (X86_64, 0x2A95556000, 0x7FC0000000),
        (MIPS, 0x2AAA8000, 0x7FFF8000),
    ],
)
def test_mappings_begin_at_a_third_of_task_size_rounded_up(form: Format, base: int, end: int) -> None:
    # include/asm-*/processor.h, 2.6.9: TASK_UNMAPPED_BASE is PAGE_ALIGN(TASK_SIZE / 3).
    assert (form.mapping_base << 12, form.task_size << 12) == (base, end)
    assert -(-end // 3 // 4096) * 4096 == base


# -- the word of an entry ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", X86)
def test_the_low_bits_are_those_of_the_table(form: Format) -> None:
    # 3.1: P 0x001, RW 0x002, US 0x004, A 0x020, D 0x040; pfn from bit 12 on.
    assert form.word(Pte(7, 0x67)) == 0x7067
    assert [(bit.name, bit.mask) for bit in form.set_bits(Pte(7, 0x67))] == [
        ("P", 1), ("RW", 2), ("US", 4), ("A", 0x20), ("D", 0x40)
    ]  # fmt: skip


def test_an_entry_is_four_or_eight_bytes_wide() -> None:
    assert [form.hex(Pte(7, 0x67)) for form in X86] == ["0x00007067", "0x0000000000007067", "0x0000000000007067"]


def test_nx_is_bit_63_where_entries_have_eight_bytes() -> None:
    assert I386_PAE.hex(Pte(7, 0x25 | NX)) == "0x8000000000007025"
    assert I386.prot(PAGE_READONLY, 0) == PAGE_READONLY


@pytest.mark.parametrize(("form", "shared"), [(I386_PAE, PAGE_SHARED), (X86_64, PAGE_SHARED | NX)])
def test_who_gets_nx_in_2_6_9(form: Format, shared: int) -> None:
    # PAGE_READONLY and PAGE_COPY have it without VM_EXEC on both; PAGE_SHARED only in asm-x86_64/pgtable.h.
    assert form.prot(PAGE_READONLY, 0) == PAGE_READONLY | NX
    assert form.prot(PAGE_READONLY, VM_EXEC) == PAGE_READONLY
    assert form.prot(PAGE_SHARED, 0) == shared


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (0x25, ["PRESENT", "READ", "ACCESSED", "VALID"]),
        (0x27, ["PRESENT", "READ", "WRITE", "ACCESSED", "VALID"]),
        (0x67, ["PRESENT", "READ", "WRITE", "ACCESSED", "MODIFIED", "VALID", "DIRTY"]),
        (0x47, ["PRESENT", "READ", "WRITE", "MODIFIED", "DIRTY"]),
        (0xA0, ["PRESENT", "ACCESSED"]),
    ],
)
def test_mips_lets_a_load_through_when_used_and_a_store_when_dirty(flags: int, names: list[str]) -> None:
    # asm-mips/pgtable-bits.h: VALID and DIRTY are the hardware's, the other five are kept by software.
    assert [bit.name for bit in MIPS.set_bits(Pte(7, flags))] == names


def test_the_word_of_a_dirty_mips_entry() -> None:
    assert MIPS.hex(Pte(7, 0x67)) == "0x00007b9f"


@pytest.mark.parametrize("flags", [0x25, 0x67, 0xA0, 0x25 | NX])
def test_an_entry_is_read_back_from_its_wire_form(flags: int) -> None:
    assert pte_of(Pte(7, flags).wire()) == Pte(7, flags)


# -- the tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arch", "cells"),
    [
        ("i386", {"pgd/256": "table 256"}),
        ("i386-pae", {"pgd/0": "table 0", "pgd/1": "table 1", "pgd/2": "table 2", "pmd/1/0": "table 1/0"}),
        ("x86-64", {"pgd/0": "table 0", "pud/0/170": "table 0/170", "pmd/0/170/170": "table 0/170/170"}),
        ("mips", {"pgd/170": "table 170"}),
    ],
)
def test_a_fault_makes_the_tables_that_are_missing(arch: str, cells: dict[str, str]) -> None:
    # 0x40000000, 0x2a95556000 and 0x2aaa8000, cut by hand.
    end = play({"A": [MAP, "x = m[0]"]}, machine={"arch": arch}).end
    tables = {at: end[at] for at in end if "/pgd/" in at or "/pud/" in at or "/pmd/" in at}
    assert tables == {f"mm/A/{at}.entry": value for at, value in cells.items()}


@pytest.mark.parametrize(("arch", "born"), [("i386", 0), ("i386-pae", 3), ("x86-64", 1), ("mips", 0)])
def test_a_process_is_born_with_the_tables_its_processor_wants(arch: str, born: int) -> None:
    # arch/i386/mm/pgtable.c pgd_alloc(): with PAE all three middle directories; x86-64: one PML4 slot is user space.
    k = stage(arch, MAP).k
    assert len(list(k.mms["A"].pgd)) == born


@pytest.mark.parametrize(
    ("arch", "asked", "steps"),
    [
        ("i386", ["no: pgd empty"], ["pte_alloc_one"]),
        ("i386-pae", ["no: pmd empty"], ["pte_alloc_one"]),
        ("x86-64", ["no: pud empty", "no: pmd empty"], ["pmd_alloc_one", "pte_alloc_one"]),
    ],
)
def test_the_kernel_allocates_level_by_level_with_the_lock_dropped(
    arch: str, asked: list[str], steps: list[str]
) -> None:
    told = play({"A": [MAP, "x = m[0]"]}, machine={"arch": arch})
    made = [step for step in told.trace.steps if step.function == "handle_mm_fault"]
    assert [step.answer for step in made if step.name == "pte_alloc_map" and step.answer] == asked
    assert [step.name for step in made if step.name.endswith("alloc_one")] == steps


def test_two_threads_that_find_no_directory_hang_in_one() -> None:
    thread = {"thread_of": "A", "cpu": 1, "script": ["y = m[1P]"]}
    tasks = {"A": {"cpu": 0, "script": [MAP, "x = m[0]"]}, "B": thread}
    s = Stage(make(tasks, machine={"arch": "x86-64"})).lines("A")
    s.until("A", "handle_mm_fault.pmd_alloc_one").rest("B").rest("A")
    assert s.k.mms["A"].rss == 2
    assert len(list(s.k.mms["A"].directories[1])) == 1


@pytest.mark.parametrize("arch", FORMATS)
@pytest.mark.parametrize("ending", [["exit()"], ["munmap(m)", "exit()"]])
def test_the_tables_go_with_the_address_space(arch: str, ending: list[str]) -> None:
    s = stage(arch, MAP, 'm[0:4P] = "x"', *ending)
    assert [list(each) for each in s.k.mms["A"].directories] == [[] for _ in s.k.mms["A"].directories]


@pytest.mark.parametrize("arch", FORMATS)
def test_a_child_has_every_level_of_its_own(arch: str) -> None:
    child = {"child_of": "A", "script": ["x = m[0]"]}
    s = Stage(make({"A": [MAP, 'm[0] = "x"', "fork(B)"], "B": child}, machine={"arch": arch})).lines("A", 3)
    mine, theirs = (s.k.mms[name].directories for name in "AB")
    assert [list(each) for each in mine] == [list(each) for each in theirs]
    assert s.rest("B").result("B", 1) == "x"


# -- the walk ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arch", "answers"),
    [
        ("i386", ["pgd empty: trap", "frame 1"]),
        ("i386-pae", ["pmd empty: trap", "frame 1"]),
        ("x86-64", ["pud empty: trap", "frame 1"]),
    ],
)
def test_the_walk_says_at_which_level_it_stops(arch: str, answers: list[str]) -> None:
    told = play({"A": [MAP, "x = m[0]"]}, machine={"arch": arch})
    assert [step.answer for step in told.trace.steps if step.name == "walk"] == answers


def test_the_walk_reads_one_entry_a_level() -> None:
    told = play({"A": [MAP, "x = m[0]"]}, machine={"arch": "x86-64"})
    walk = [step for step in told.trace.steps if step.name == "walk"][-1]
    levels = [at.split("/")[2] for at in walk.reads if at.startswith("mm/A/p")]
    assert levels == ["pgd", "pud", "pmd", "pte"]


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ([MAP, "x = m[0]", "y = m[1P]"], "pte empty: trap"),
        ([PRIVATE_MAP, "fsync(f)", "x = m[0]", "madvise(m, DONTNEED)", "x = m[0]"], "pte empty: trap"),
        ([MAP, "x = m[0]", "mprotect(m, NONE)", "y = m[0]"], "pte PROT_NONE: trap"),
        ([MAP, "x = m[0]", "mprotect(m, READ)", 'm[0] = "x"'], "pte read-only: trap"),
    ],
)
def test_a_walk_that_reaches_the_entry_says_what_is_wrong_with_it(script: list[str], answer: str) -> None:
    told = play({"A": script})
    last = [step.answer for step in told.trace.steps if step.name == "walk" and step.line == len(script)]
    assert last[0] == answer


def test_a_table_of_pae_covers_half_of_what_one_without_does() -> None:
    for form, pages in ((I386, 1024), (I386_PAE, 512), (X86_64, 512)):
        mm = Mm(Journal(), "A", form)
        mm.make_tables(form.mapping_base // pages * pages)
        assert [mm.has_table(form.mapping_base // pages * pages + i) for i in (0, pages - 1, pages)] == [
            True,
            True,
            False,
        ]


# -- every kernel runs on every format -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ALL)
@pytest.mark.parametrize("arch", FORMATS)
def test_what_becomes_of_data_does_not_depend_on_the_format(arch: str, kernel: str) -> None:
    tasks = {"A": [MAP, "x = m[2P]", 'm[2P] = "C"', "msync(m, SYNC)"], "B": ["drop_caches()", "x = pread(f, 1, 2P)"]}
    for blocks in (1, 4):
        told, first = (play(tasks, kernel, blocks=blocks, machine={"arch": on}) for on in (arch, "i386"))
        assert (told.outcome, told.results("A"), told.results("B")) == (
            first.outcome, first.results("A"), first.results("B")
        )  # fmt: skip
