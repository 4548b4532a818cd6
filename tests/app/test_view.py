"""The view: what the picture shows at the telling steps, from the facts; and its laws, for every run of the gallery."""

import json
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

import engine
from app import payload, timeline
from app.catalogue import home, kernels_with
from app.cells import bytes_of, cut, entry_of, letters, names_of, ranges_of, slots_of
from app.exhibits import plain
from app.scene import directories
from app.view import View, build_view
from engine import KERNELS, Trace, gallery
from engine.schedule import parse_schedule
from tests.app.playing import played

FEW = ("mail", "mail-store-first", "private-full-disk", "fork", "memory-pressure", "lock-drop", "truncate-race")
TELLING = ("linux-2.6.9", "wli-posted", "wli-corrected", "linux-6.18")
RUNS = [
    (name, kernel.id)
    for name, scenario in gallery().items()
    for kernel in kernels_with(scenario.filesystem.type)
    if name in FEW or kernel.id in TELLING or kernel is home(scenario)
]
HOLE = "f/2"
PTE = "A/0x40002"


@cache
def run(scenario: str, kernel: str = "linux-2.6.9") -> tuple[Trace, View]:
    trace = engine.run(gallery()[scenario], kernel)
    return trace, build_view(trace, gallery()[scenario], KERNELS[kernel])


def step(trace: Trace, event: str) -> int:
    found = trace.find(event)
    assert found is not None, event
    return found


def shown(scenario: str, event: str, kernel: str = "linux-2.6.9") -> dict[str, Any]:
    """The view cells after an event."""
    trace, view = run(scenario, kernel)
    return dict(view.state_at(step(trace, event)))


def stations(state: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """(label, state, answer) of the rail."""
    places = [f"rail/{n}" for n in range(10) if f"rail/{n}.kind" in state]
    return [(state[f"{at}.label"], state[f"{at}.state"], state.get(f"{at}.answer")) for at in places]


# --- the story of the mail (facts 1a.3, 1a.14) ---------------------------------------------------------------------


def test_a_read_fault_on_a_hole_maps_zeroes_writable_and_asks_nobody() -> None:
    state = shown("mail", "A.2.do_no_page.set_pte")
    assert [(label, answer) for label, _, answer in stations(state) if label.endswith("?")] == [
        ("pte_none?", "yes"),
        ("pte_none?", "still yes"),
        ("enough_space?", "never asked"),
    ]
    assert [at for label, at, _ in stations(state) if label == "enough_space?"] == ["unasked"]
    assert state[f"slot/{HOLE}.text"] == "0"
    assert state[f"blockslot/{HOLE}.text"] == "hole"
    assert state["rail.title"] == "Load fault · A · page 2"


def test_the_store_needs_no_fault_and_is_the_only_copy() -> None:
    state = shown("mail", "A.3.store.write")
    assert {at for label, at, _ in stations(state) if label.endswith("?")} == {"skipped"}
    assert "nobody is asked" in state["rail.note"]
    assert (state[f"slot/{HOLE}.state"], state[f"slot/{HOLE}.word"]) == ("risk", "only copy")
    assert state[f"blockslot/{HOLE}.state"] == "missing"
    assert state[f"diskslot/{HOLE}.nowhere"] == "nowhere"
    assert state["promised.verdict"] == "> 0 free: cannot reach the disk"
    dots = [state[f"ledger/A.3/{place}.state"] for place in ("pte", "page", "block", "disk")]
    assert dots == ["dirty", "dirty", "no", "no"]
    assert (state["badge.fate"], state["badge.text"]) == ("at-risk", "1 store at risk")


def test_after_the_failed_writepage_the_page_is_clean_and_on_no_disk() -> None:
    state = shown("mail", "pdflush.0.block_write_full_page.recover")
    assert (state[f"slot/{HOLE}.state"], state[f"slot/{HOLE}.text"]) == ("unsaved", "C")
    assert state["badge.fate"] == "clean-unsaved"
    assert ("free block?", "failed", "no: ENOSPC") in stations(state)


def test_a_lost_page_stays_in_the_picture_as_lost_and_nobody_was_told() -> None:
    state = shown("mail", "C.2.drop_caches.drop_page")
    assert (state[f"slot/{HOLE}.state"], state[f"slot/{HOLE}.text"]) == ("lost", "C")
    assert state["ledger/A.3.told"] == "nobody was told"
    assert state["ledger/A.3/page.state"] == "lost"


def test_the_corrected_kernel_refuses_at_the_gate() -> None:
    state = shown("mail-store-first", "A.2.enough_space.recheck", "wli-corrected")
    assert ("enough_space?", "refused", "no: ENOSPC") in stations(state)
    state = shown("mail-store-first", "A.2.store.signal", "wli-corrected")
    assert stations(state)[-1][0] == "signal"
    assert (state["script/A.2.state"], state["script/A.2.result"]) == ("killed", "SIGBUS")
    assert state["badge.fate"] == "refused"


def test_a_write_protected_entry_takes_the_other_road() -> None:
    state = shown("mail", "A.3.do_wp_page.enough_space", "wli-corrected")
    assert [label for label, _, _ in stations(state)][3:5] == ["pte_none?", "enough_space?"]
    assert ("pte_none?", "done", "no: read-only") in stations(state)


def test_a_private_copy_stands_outside_the_page_cache() -> None:
    trace, view = run("fork")
    state = view.state_at(len(trace.steps))
    copies = {f"frame/{pfn}" for pfn in view.cast.loose if state.get(f"slot/frame/{pfn}.word") == "private copy"}
    owners = [{mm for mm, _, aim in view.cast.targets if aim == place} for place in copies]
    assert {"A", "B"} in owners, "after fork both have the frame, until one of them stores"


def test_a_broken_copy_on_write_shows_the_private_store_in_the_page_of_the_file() -> None:
    trace, view = run("private-full-disk", "wli-posted")
    leaks = [step.n for step in trace.steps if any(change.new == "leaked" for change in step.fates)]
    state = view.state_at(leaks[0])
    assert [at for at, value in state.items() if value == "a private store"]
    assert state["badge.fate"] == "leaked"


def test_a_translation_that_outlives_its_entry_is_shown_as_stale() -> None:
    state = shown("stale-translation", "B.2.store.write")
    assert (state["tlbslot/A/0x40000.state"], state["tlbslot/A/0x40000.flags"]) == ("stale", "W D")
    assert "pteslot/A/0x40000.state" not in state
    assert (state["badge.fate"], state["slot/f/0.word"]) == ("clean-unsaved", "not on disk")
    assert "Nothing marks page 0 of f as dirty" in state["caption.why"]
    state = shown("software-tlb", "A.3.do_wp_page.set_pte", "wli-posted")
    assert (state["tlbslot/A/0x2aaa8.state"], state["tlbslot/A/0x2aaa8.flags"]) == ("stale", "r")


def test_an_entry_has_its_word_its_bits_and_the_way_to_it() -> None:
    state = shown("four-levels", "A.2.store.write")
    at = "pteword/A/0x2a95556"
    assert state[f"{at}.word"] == "0x8000000000001067"
    assert state[f"{at}.bits"] == "P=0x1 RW=0x2 US=0x4 A=0x20 D=0x40 NX=0x8000000000000000"
    assert state[f"{at}.index"] == "pgd=0 pud=170 pmd=170 pte=342"
    assert shown("software-tlb", "A.3.store.write")["pteword/A/0x2aaa8.word"] == "0x00001b9f"


def test_every_level_of_the_tables_has_its_place() -> None:
    trace, view = run("four-levels")
    places = list(directories(view.cast.places.mappings, ("pgd", "pud", "pmd"), view.cast.format.path))
    assert [(each.at, each.label) for each in places] == [
        ("table/A/0", "pgd 0"),
        ("table/A/0/170", "pud 170"),
        ("table/A/0/170/170", "pmd 170"),
        ("table/A/0/170/171", "pmd 171"),
    ]
    before, after = (view.state_at(step(trace, event)) for event in ("A.2.store.trap", "A.2.store.resume"))
    assert [f"{each.at}.state" in before for each in places] == [True, False, False, False]
    assert [f"{each.at}.state" in after for each in places] == [True, True, True, False]
    assert all(above.y + above.height < below.y for above, below in pairwise(places))


def test_quota_is_drawn_block_by_block() -> None:
    trace, view = run("quota")
    hard = gallery()["quota"].filesystem.quota["alice"].hard
    state = view.state_at(len(trace.steps))
    bits = [state[f"quotabit/alice/{n}.state"] for n in range(hard)]
    assert len(bits) == hard
    assert f"hard {hard}" in str(state["gauge/quota/alice.text"])


# --- laws ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scenario", "kernel"), RUNS)
def test_each_delta_begins_where_the_one_before_ended(scenario: str, kernel: str) -> None:
    _, view = run(scenario, kernel)
    state = dict(view.initial)
    for deltas in view.steps:
        for at, old, new in deltas:
            assert state.get(at) == old, at
            assert old != new
            state[at] = new


@pytest.mark.parametrize(("scenario", "kernel"), RUNS)
def test_every_step_has_a_caption_a_station_and_a_place_in_time(scenario: str, kernel: str) -> None:
    trace, view = run(scenario, kernel)
    state = dict(view.initial)
    for n, (done, deltas) in enumerate(zip(trace.steps, view.steps, strict=True), 1):
        state.update((at, new) for at, _, new in deltas)
        assert state["caption.text"] == plain(done.caption)
        assert state["time.step"] == n
        assert state[f"step/{n}.now"] is True
        assert state[f"fn/{done.function}/{done.name}.now"] is True
        assert sum(state.get(f"seg/{stretch.key}.state") == "now" for stretch in view.runs) == 1
        assert "None" not in str(state["caption.picture"])


@pytest.mark.parametrize(("scenario", "kernel"), RUNS)
def test_the_rules_do_not_depend_on_the_way_they_were_reached(scenario: str, kernel: str) -> None:
    """Rules rerun only where a cell they read has changed: at the end that must equal a run of all of them."""
    from app.accounts import Accounts, Ledger
    from app.rules import Pages
    from app.view import quotas_of

    trace, view = run(scenario, kernel)
    end, raw = view.state_at(len(trace.steps)), trace.state_at(len(trace.steps))
    pages = Pages(view.cast, view.stores)
    quotas = quotas_of(gallery()[scenario], trace)
    for rules in (pages.rules(), Accounts(pages, quotas).rules(), Ledger(pages, view.stores).rules()):
        for entity, rule in rules:
            for field, value in rule(raw.get).items():
                assert end.get(f"{entity}.{field}") == value, f"{entity}.{field}"


@pytest.mark.parametrize(("scenario", "kernel"), RUNS)
def test_the_payload_replays_to_the_same_cells(scenario: str, kernel: str) -> None:
    trace, view = run(scenario, kernel)
    text = payload.payload(trace, view)
    assert "<" not in text
    data = json.loads(text)
    state: dict[str, Any] = {}
    for n, pairs in enumerate(played(data)):
        state.update(pairs)
        if n in (0, len(trace.steps) // 2, len(trace.steps)):
            raw = {at: value for at, value in trace.state_at(n).items() if payload.shown(at)}
            assert {at: value for at, value in state.items() if value is not None} == {**raw, **view.state_at(n)}


# --- wire forms ----------------------------------------------------------------------------------------------------


def test_wire_forms_are_read_as_they_are_written() -> None:
    entry = entry_of("P W U A D pfn=7")
    assert entry is not None
    assert (entry.pfn, entry.bits, entry.write, entry.dirty) == (7, "PWUAD", True, True)
    assert entry_of(None) is None
    (found,) = ranges_of("0x40000-0x40004 rw-s f@1")
    assert (found.start, found.end, found.rights, found.file) == (0x40000, 0x40004, "rw-s", "f")
    assert found.index(0x40002) == 3
    assert names_of("m 0x40000-0x40004 x .") == {0x40000: "m"}
    assert slots_of("0→41 12→44") == {0, 12}


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        (None, ((".", 16),)),
        (".", ((".", 16),)),
        ("C", (("C", 16),)),
        ("C1 .15", (("C", 1), (".", 15))),
        (".8 C2 .6", ((".", 8), ("C", 2), (".", 6))),
        ("hi .14", (("h", 1), ("i", 1), (".", 14))),
        ("ab…4 .12", (("a", 1), ("b", 1), ("a", 1), ("b", 1), (".", 12))),
    ],
)
def test_runs_of_bytes(text: str | None, runs: tuple[tuple[str, int], ...]) -> None:
    assert bytes_of(text, 16) == runs


def test_pieces_and_letters_of_bytes() -> None:
    runs = bytes_of(".8 C2 .6", 16)
    assert cut(runs, 9, 12) == (("C", 1), (".", 2))
    assert letters(runs) == "C"
    assert letters(bytes_of(None, 16)) == "0"
    assert letters(bytes_of("abcdefgh", 8)) == "abc…"


# --- who waits for whom ---------------------------------------------------------------------------------------------


@cache
def contended() -> tuple[Trace, View]:
    """Two threads of one program fault on one page; the first is stopped while it holds page_table_lock."""
    scenario = gallery()["lock-drop"]
    schedule = parse_schedule("A,B,C,A@do_no_page.pte_none>B", tasks=list(scenario.tasks))
    trace = engine.run(scenario, "linux-2.6.9", schedule)
    return trace, build_view(trace, scenario, KERNELS["linux-2.6.9"])


def test_who_waits_says_for_what_and_who_has_it() -> None:
    trace, view = contended()
    state = view.state_at(step(trace, "A.2.do_no_page.set_pte"))
    assert state["waiting/B.text"] == "waits for page_table_lock: A has it"
    assert "waiting/A.text" not in state
    assert state["hold/mm/A.page_table_lock.who"] == "A"
    assert state["hold/mm/A.page_table_lock.queue"] == "B waits"
    assert state["hold/mm/A.mmap_sem.who"] == "A, B"  # both read under it
    assert "hold/mm/A.mmap_sem.queue" not in state
    after = view.state_at(step(trace, "B.1.handle_mm_fault.lock"))
    assert "waiting/B.text" not in after
    assert after["hold/mm/A.page_table_lock.who"] == "B"


def test_who_waits_for_the_disk_says_so() -> None:
    state = shown("last-block", "disk.0.end_page_writeback.end_io")
    assert state["waiting/A.text"] == "waits for the disk to write frame 1"
    assert state["pagelock/f/1.queue"] == "A waits"


def test_the_timeline_shows_the_time_a_task_waits() -> None:
    trace, view = contended()
    scenario = gallery()["lock-drop"]
    lanes = {lane.name: lane for lane in timeline.lanes(trace, scenario, view.runs, dict(view.cast.hues))}
    assert lanes["A"].waits == ()
    assert [wait.key for wait in lanes["B"].waits] == [step(trace, "A.2.do_no_page.enough_space") - 1]


# --- where the fault stands, and what the kernel gets wrong -----------------------------------------------------------


def test_the_token_stands_on_the_way_that_the_step_goes() -> None:
    ways = (
        ("A.3.store.tlb", f"spot/v/{PTE}"),
        ("A.2.handle_pte_fault.pte_none", f"spot/p/{PTE}"),
        ("A.2.do_no_page.set_pte", f"spot/p/{PTE}/{HOLE}"),
        ("A.3.store.write", f"spot/p/{PTE}/{HOLE}"),
        ("pdflush.0.ext2_new_block.reserve_blocks", f"spot/b/{HOLE}"),
    )
    for event, at in ways:
        state = shown("mail", event)
        assert [cell for cell in state if cell.startswith("spot/")] == [f"{at}.on"], event


def test_a_refused_store_leaves_set_pte_out() -> None:
    state = shown("quota", "A.2.do_page_fault.up_read", "wli-corrected")
    assert [(label, how) for label, how, _ in stations(state)][-3:] == [
        ("enough_space?", "refused"),
        ("set_pte", "skipped"),
        ("signal", "now"),
    ]


def test_a_defect_is_said_in_words_beside_the_caption() -> None:
    state = shown("mail-store-first", "A.2.do_no_page.enough_space", "wli-posted")
    assert "N6" not in state["caption.text"]
    assert state["caption.defect"].startswith("Defect N6: Private copies ask for disk space")
    assert "caption.defect" not in shown("mail-store-first", "A.2.do_no_page.pte_none", "wli-posted")


def test_only_the_beginning_of_a_patch_that_does_not_build_shows_why() -> None:
    _, posted = run("mail", "wli-posted")
    assert posted.state_at(0)["build.open"] is True
    assert "build.open" not in posted.state_at(1)
    assert "build.open" not in run("mail")[1].state_at(0)


def test_the_beginning_shows_the_page_that_is_to_come() -> None:
    state = run("mail")[1].state_at(0)
    assert state["focus/task.head"] == "A · page 2"
    assert state["focus/task.text"] == "to come: x = m[2P]"
    assert state["focus/block.text"] == "hole: no block"


def test_an_invariant_that_breaks_is_said_in_the_caption_and_marked_on_the_timeline() -> None:
    scenario, kernel = gallery()["lock-drop"], KERNELS["wli-posted"]
    trace = engine.run(scenario, kernel, watch=True)
    view = build_view(trace, scenario, kernel)
    assert "I1 broken: page 2 of f is counted twice for one entry" in str(view.state_at(85)["caption.defect"])
    assert "broken" not in str(view.state_at(86).get("caption.defect", ""))
    lanes = timeline.lanes(trace, scenario, view.runs, dict(view.cast.hues))
    assert {mark.n for mark in timeline.marks(trace, lanes) if mark.fate == "broken"} == {69, 85, 91}
