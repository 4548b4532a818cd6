"""Every living defect of the patch as posted, in a scenario of its own, and the corrected idea cured of it. Facts 1b, 1c."""

from __future__ import annotations

import pytest

from engine import KERNELS
from tests.engine.build import BASE, CORRECTED, MAP, POSTED, PRIVATE_MAP, STOCK, Stage, Told, make, play

ANON = "m = mmap(ANON, 1P, READ|WRITE, PRIVATE)"
BOTH = (POSTED, CORRECTED)
CURED = (STOCK, CORRECTED)
BOB = {"user": "bob"}


# -- W1, N1, X1: it does not build ------------------------------------------------------------------------------------


def test_the_build_report_names_the_three_places_where_the_patch_does_not_compile() -> None:
    build = KERNELS[POSTED].build
    assert build is not None
    w1, n1, x1 = build.errors
    # W1: three parentheses opened, four closed. The line is the mail's.
    assert w1.line == "pte = pte_mkwrite(pte_mkyoung(pte_mkdirty(pte))));"
    assert (w1.line.count("("), w1.line.count(")")) == (3, 4)
    assert "do_wp_page" in w1.place
    # N1: no variable `pte` in do_no_page; it must be `entry`, twice.
    assert "pte_wrprotect(pte)" in n1.line
    assert "'pte' undeclared" in n1.message
    assert "entry" in n1.repair
    assert "do_no_page" in n1.place
    # X1: enough_space does not exist, which is the linker's business.
    assert x1.line == "enough_space(vma, address, pte, &page_table)"
    assert "undefined reference" in x1.message


def test_the_other_kernels_build() -> None:
    assert [KERNELS[name].build for name in CURED] == [None, None]


# -- W2: copy-on-write is swallowed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "seen"), [(POSTED, "Z"), (CORRECTED, "."), (STOCK, ".")])
def test_w2a_everybody_who_maps_zeroes_sees_what_was_stored_to_the_zero_page(kernel: str, seen: str) -> None:
    other = {**BOB, "script": [ANON, "x = m[0]"]}
    told = play({"A": [ANON, "x = m[0]", 'm[0] = "Z"'], "B": other}, kernel)
    assert told.result("B", 2) == seen


@pytest.mark.parametrize(("kernel", "seen"), [(POSTED, "c"), (CORRECTED, "p"), (STOCK, "p")])
def test_w2b_a_childs_store_appears_in_its_parent(kernel: str, seen: str) -> None:
    child = {"child_of": "A", "script": ['m[0] = "c"']}
    told = play(
        {"A": [ANON, 'm[0] = "p"', "fork(B)", "x = m[0]"], "B": child}, kernel, under="A,A@do_fork.wake_up_forked>B"
    )
    assert told.result("A", 4) == seen


@pytest.mark.parametrize(("kernel", "seen"), [(POSTED, "S"), (CORRECTED, "b"), (STOCK, "b")])
def test_w2c_a_private_edit_of_a_file_one_may_only_read_lands_on_the_disk(kernel: str, seen: str) -> None:
    reader = ["h = open(f, RDONLY)", "p = mmap(h, 2P, READ|WRITE, PRIVATE)", "x = p[1P]", 'p[1P] = "S"', "exit()"]
    told = play(
        {"B": {**BOB, "script": reader}, "R": {"user": "root", "script": ["writeback()", "power_fails()", "x = pread(f, 1, 1P)"]}},
        kernel, data={"0P": "a", "1P": "b"}, files={"f": {"owner": "root", "size": "2P", "data": {"0P": "a", "1P": "b"}}},
    )  # fmt: skip
    assert told.result("R", 3) == seen
    assert told.stores["B.4"].fate == ("leaked" if kernel == POSTED else "private")
    assert any("B.4" in note for note in told.trace.notes) == (kernel == POSTED)


# -- W3, W4: a stale entry is written back ------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "seen"), [(POSTED, "X"), (CORRECTED, "B")])
def test_w3_a_store_lands_in_somebody_elses_memory(kernel: str, seen: str) -> None:
    # While A asks, reclaim frees the page; its frame becomes B's; then A's old entry is set again, writable.
    other = {**BOB, "cpu": 1, "script": ["reclaim()", ANON, 'm[0] = "B"', "x = m[0]"]}
    s = Stage(make({"A": {"cpu": 0, "script": [MAP, "x = m[0]", 'm[0] = "X"']}, "B": other}), kernel)
    s.lines("A", 2).until("A", "enough_space.drop_lock").lines("B", 3).lines("A").lines("B")
    assert s.result("A", 3) == "ok"
    assert s.result("B", 4) == seen


# -- W5: no TLB flush ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "spurious"), [(POSTED, True), (CORRECTED, False)])
def test_w5_another_cpu_takes_one_spurious_fault(kernel: str, spurious: bool) -> None:
    script = [MAP, "x = m[0]", 'm[0] = "A"']
    thread = {"thread_of": "A", "cpu": 1, "script": ["x = m[0]", 'm[1] = "B"', 'm[2] = "C"']}
    s = Stage(make({"A": {"cpu": 0, "script": script}, "B": thread}), kernel)
    s.lines("A", 2).lines("B").lines("A")
    assert s.tlb(1) == (0x25 if spurious else None)
    faults = s.k.tasks["B"].min_flt or 0
    s.lines("B")
    assert (s.k.tasks["B"].min_flt or 0) - faults == spurious
    s.lines("B")
    assert (s.k.tasks["B"].min_flt or 0) - faults == spurious
    assert s.page(0).content.text(4) == "ABCa"


# -- N4: pte_none is not asked again ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "left"), [(POSTED, (2, 0, 1)), (CORRECTED, (1, -1, 0))])
def test_n4_counts_and_rss_are_wrong_for_ever(kernel: str, left: tuple[int, int, int]) -> None:
    thread = {"thread_of": "A", "cpu": 1, "script": ['m[0P+1] = "B"', "exit()"]}
    s = Stage(make({"A": {"cpu": 0, "script": [MAP, 'm[0] = "A"', "exit()"]}, "B": thread}), kernel)
    s.lines("A").until("A", "enough_space.drop_lock").rest("B").rest("A")
    page = s.page(0)
    assert ((page.count or 0) - bool(page.private), page.mapcount, s.k.mms["A"].rss) == left
    assert s.pte("A") is None


@pytest.mark.parametrize(("kernel", "freed"), [(POSTED, False), (CORRECTED, True)])
def test_n4_the_page_can_never_be_freed(kernel: str, freed: bool) -> None:
    thread = {"thread_of": "A", "cpu": 1, "script": ['m[0P+1] = "B"', "exit()"]}
    root = {"user": "root", "script": ["writeback()", "drop_caches()", "reclaim()"]}
    s = Stage(make({"A": {"cpu": 0, "script": [MAP, 'm[0] = "A"', "exit()"]}, "B": thread, "C": root}), kernel)
    s.lines("A").until("A", "enough_space.drop_lock").rest("B").rest("A").rest("C")
    assert (s.k.mappings["f"].pages[0] is None) == freed


# -- N5: truncate_count is not asked again ---------------------------------------------------------------------------------


def test_n5_a_page_that_left_the_file_is_mapped() -> None:
    s = Stage(make({"A": [MAP, 'm[2P] = "C"', "msync(m, SYNC)"], "B": ["ftruncate(f, 1P)"]}), POSTED)
    s.lines("A").until("A", "enough_space.drop_lock").rest("B").lines("A")
    assert s.frame("A", BASE + 2).mapping is None
    assert s.result("A", 2) == "ok"
    assert s.lines("A").result("A", 3) == "0"
    assert s.k.mappings["f"].pages[2] is None
    assert s.k.space.free == 15


@pytest.mark.parametrize("first", ["", "x = m[2P]"])
def test_n5_corrected_the_store_beyond_the_end_gets_its_sigbus(first: str) -> None:
    script = [MAP, *([first] if first else []), 'm[2P] = "C"']
    told = play({"A": script, "B": ["ftruncate(f, 1P)"]}, CORRECTED, under="A.B,A@enough_space.drop_lock>B")
    assert told.result("A", len(script)) == "SIGBUS"
    assert told.end["fs.free"] == 15


# -- N6: private copies ask for disk space -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "result"), [(POSTED, "SIGBUS"), (CORRECTED, "ok"), (STOCK, "ok")])
def test_n6_a_private_store_on_a_full_disk_gets_a_false_sigbus(kernel: str, result: str) -> None:
    assert play({"A": [PRIVATE_MAP, 'm[2P] = "x"']}, kernel, blocks=1).result("A", 2) == result


# -- X4: check without reserve -----------------------------------------------------------------------------------------------


def last_block(kernel: str, other: list[str]) -> Told:
    """B comes when A has its answer, and before A's entry is set."""
    tasks = {"A": [MAP, 'm[1P] = "A"', "msync(m, SYNC)"], "B": other}
    answer = "enough_space.ask" if kernel == POSTED else "block_page_mkwrite.commit_write"
    told = play(tasks, kernel, blocks=2, under=f"A.B,A@{answer}>B")
    assert not told.trace.notes
    return told


def test_x4_one_block_is_promised_twice() -> None:
    told = last_block(POSTED, [MAP, 'm[2P] = "B"', "msync(m, SYNC)"])
    answers = [s.answer for s in told.trace.steps if (s.function, s.name) == ("enough_space", "ask")]
    assert answers == ["yes", "yes"]
    assert sorted(store.fate for store in told.stores.values()) == ["clean-unsaved", "durable"]


def test_x4_corrected_only_one_of_two_stores_is_let_through() -> None:
    told = last_block(CORRECTED, [MAP, 'm[2P] = "B"', "msync(m, SYNC)"])
    assert sorted(store.fate for store in told.stores.values()) == ["durable", "refused"]


@pytest.mark.parametrize(
    ("kernel", "fates"), [(POSTED, {"clean-unsaved", "durable"}), (CORRECTED, {"refused", "durable"})]
)
def test_x4_a_competing_write_takes_the_block_between_question_and_entry(kernel: str, fates: set[str]) -> None:
    # S04. write(2) allocates at once; the corrected fault has its block by then, or hears that there is none.
    told = last_block(kernel, ['pwrite(f, "B", 2P)', "fsync(f)"])
    assert {store.fate for store in told.stores.values()} == fates


# -- X7: only one question in the life of an entry ----------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", BOTH)
def test_x7_after_writeback_the_next_store_is_not_asked_again(kernel: str) -> None:
    # Enough for ext2, as 1b says: the page keeps its block.
    told = play({"A": [MAP, 'm[2P] = "C"', "msync(m, SYNC)", 'm[2P] = "D"', "msync(m, SYNC)"]}, kernel)
    assert {s.function for s in told.trace.steps if s.task == "A" and s.line == 4} == {"store"}
    assert told.outcome == "kept"


# -- X8: ways round the question -----------------------------------------------------------------------------------------------

POPULATE = ["m = mmap(f, 4P, READ|WRITE, SHARED|POPULATE)", 'm[2P] = "C"', "msync(m, SYNC)"]
MPROTECT = [MAP, "x = m[2P]", "mprotect(m, READ)", "mprotect(m, READ|WRITE)", 'm[2P] = "C"', "msync(m, SYNC)"]


@pytest.mark.parametrize("script", [POPULATE, MPROTECT])
def test_x8_populate_and_mprotect_bring_the_old_bug_back(script: list[str]) -> None:
    told = play({"A": script}, POSTED, blocks=1)
    assert told.results("A")[-2:] == ["ok", "ENOSPC"]


@pytest.mark.parametrize("script", [POPULATE, MPROTECT])
def test_x8_corrected_vm_page_prot_has_no_rw_so_nobody_gets_round_it(script: list[str]) -> None:
    told = play({"A": script}, CORRECTED, blocks=1)
    assert told.results("A")[-1] == "SIGBUS"


# -- what the facts mark green, and what is still open --------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", BOTH)
def test_ok1_ok2_a_refused_store_leaks_no_rss_and_no_reference(kernel: str) -> None:
    s = Stage(make({"A": {"on_sigbus": "next", "script": [MAP, 'm[2P] = "C"']}}, blocks=1), kernel).rest("A")
    assert s.k.mms["A"].rss in (None, 0)
    page = s.page(2)
    assert ((page.count or 0) - bool(page.private), page.mapcount) == (1, -1)
    assert s.pte("A", BASE + 2) is None


def test_a_file_that_grows_inside_its_last_page_escapes_the_corrected_kernel_too() -> None:
    # 1c.6 (i), 3.6.2: blocks smaller than pages; Linux mended that in 2014.
    script = ["m = mmap(f, 1P, READ|WRITE, SHARED)", 'm[0] = "x"', "ftruncate(f, 64)", 'm[32] = "y"', "msync(m, SYNC)"]
    told = play({"A": script}, CORRECTED, blocks=1, size="16", machine={"page_size": 64}, block_size=16)
    assert told.results("A")[1:] == ["ok", "0", "ok", "ENOSPC"]
