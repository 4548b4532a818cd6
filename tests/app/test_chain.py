"""The way of bytes: it begins where they are made, ends with their fate, and says at each link where they are."""

import pytest

from app import chain, holding, orders, runs, theatre
from app.chain import Chain
from app.holding import Holding
from app.runs import Run
from app.troubles import Trouble
from engine import Limits, Trace
from engine.foresight import DOOMED, Doom, Foresight
from engine.whereabouts import BLOCK, FRAME, Place


def performed(scenario: str, kernel: str) -> Run:
    return runs.perform(orders.order(scenario, kernel), Limits())


def ways(run: Run, found: Foresight | None = None, home: str = "disk") -> dict[str, Chain]:
    return {each.store: each for each in chain.chains(run, chain.stays_of(run), home, found)}


def foretold(trace: Trace, *dooms: Doom) -> Foresight:
    return Foresight((DOOMED,) * (len(trace.steps) + 1), dooms, 1, complete=True)


def held(run: Run, thing: str, step: int) -> Holding:
    return holding.of(theatre.stage_of(run), chain.stays_of(run), ways(run), thing, step)


def named(run: Run, name: str, store: str) -> int:
    """The step of that name at which the fate of a store changes."""
    return next(s.n for s in run.trace.steps if s.name == name and any(c.store == store for c in s.fates))


@pytest.fixture(scope="module")
def mail() -> Run:
    return performed("mail", "linux-2.6.9")


@pytest.fixture(scope="module")
def last_block() -> Run:
    return performed("last-block", "wli-posted")


def test_it_goes_from_the_line_that_made_the_bytes_to_their_loss(mail: Run) -> None:
    way = ways(mail)["A.3"]
    first, *_, last = way.links
    assert first.step == named(mail, "write", "A.3")
    assert 'Made by A, line 3: m[2P] = "C".' in first.says
    assert first.where == "in frame 1 (page 2 of f)"
    assert (last.fate, last.word, last.where) == ("lost", "Lost", "nowhere")
    assert last.says.startswith("Gone from frame 1.")
    assert way.told == "Nobody was told."
    assert [link.step for link in way.links] == sorted({link.step for link in way.links})


def test_a_copy_on_the_disk_and_one_read_back_are_links(last_block: Run) -> None:
    links = ways(last_block)["A.2"].links
    written = next(link for link in links if link.fate == "durable")
    assert "Copied to disk block 1 (page 1 of f)." in written.says
    assert written.where == "in frame 1 (page 1 of f) and disk block 1 (page 1 of f)"
    *_, dropped, read = links
    assert (dropped.word, dropped.says, dropped.where) == (
        "Moved",
        "Gone from frame 1.",
        "in disk block 1 (page 1 of f)",
    )
    assert read.says == "Copied to frame 1 (page 1 of f)."


def test_who_was_told_is_a_link(last_block: Run) -> None:
    way = ways(last_block)["B.2"]
    assert "Told by B.3: ENOSPC." in next(link.says for link in way.links if link.word == "Told")
    assert way.told == "Told by B.3: ENOSPC."


def test_without_foresight_nothing_is_doomed_and_with_it_a_link_is(mail: Run) -> None:
    assert all("oomed" not in link.word for link in ways(mail)["A.3"].links)
    link = next(each for each in ways(mail, foretold(mail.trace, Doom("A.3", 57, 94)))["A.3"].links if each.step == 57)
    assert (link.word, link.fate) == ("Doomed", DOOMED)
    assert "nothing can save them" in link.says
    assert link.where == "in frame 1 (page 2 of f)"


def test_a_step_that_changes_the_fate_and_dooms_is_one_link(mail: Run) -> None:
    step = named(mail, "write", "A.3")
    links = [each for each in ways(mail, foretold(mail.trace, Doom("A.3", step, 94)))["A.3"].links if each.step == step]
    assert [link.word for link in links] == ["At risk, doomed"]


def test_what_was_doomed_before_it_was_made_is_nowhere_yet(mail: Run) -> None:
    first = ways(mail, foretold(mail.trace, Doom("A.3", 1, 94)))["A.3"].links[0]
    assert (first.step, first.word, first.where) == (1, "Doomed", "not made yet")


@pytest.mark.parametrize(("doomed", "says"), [(0, "before the first step"), (None, "is not known")])
def test_a_doom_that_is_no_step_is_said_of_the_whole(mail: Run, doomed: int | None, says: str) -> None:
    way = ways(mail, foretold(mail.trace, Doom("A.3", doomed, 94)))["A.3"]
    assert says in way.doom
    assert all("oomed" not in link.word for link in way.links)


def test_a_refused_store_has_a_way_too() -> None:
    (way,) = ways(performed("mail", "wli-corrected")).values()
    assert (way.links[-1].word, way.links[-1].where) == ("Refused", "nowhere")


def test_the_present_step_parts_back_from_forward(mail: Run) -> None:
    way = ways(mail)["A.3"]
    made = way.links[0].step
    assert way.back(made - 1) == ()
    assert way.back(made) == way.links[:1]
    assert way.back(made) + way.forward(made) == way.links


def test_a_page_and_what_leads_to_it_hold_the_store(mail: Run) -> None:
    step = named(mail, "write", "A.3")
    for thing in ("slot/f/2", "vpage/A/0x40002", "pteslot/A/0x40002", "mm/A/pte/0x40002", "tlbslot/A/0x40002"):
        found = held(mail, thing, step)
        assert [each.store for each in found.here] == ["A.3"], thing
        assert found.what == "frame 1 (page 2 of f)"
        assert (found.note, found.lacks) == ("", ())


def test_a_place_that_lacks_the_bytes_meant_for_it_says_so(mail: Run) -> None:
    for thing in ("diskslot/f/2", "blockslot/f/2"):
        found = held(mail, thing, named(mail, "write", "A.3"))
        assert (found.here, [each.store for each in found.lacks]) == ((), ["A.3"])
        assert found.what == "page 2 of f on the disk"
    gone = held(mail, "slot/f/2", len(mail.trace.steps))
    assert [each.store for each in gone.lacks] == ["A.3"]


def test_bytes_of_no_store_are_told_from_none(mail: Run) -> None:
    assert held(mail, "diskslot/f/0", 0).note == "It holds bytes from before the run: no store made them."
    assert held(mail, "slot/f/2", 0).note == "No bytes are here now."
    zeroes = next(step.n for step in mail.trace.steps if step.event == "A.3.store.write") - 1
    assert held(mail, "slot/f/2", zeroes).note == "It holds zeroes: no store has put bytes here."


def test_a_page_of_several_stores_has_the_way_of_each() -> None:
    script = ["m = mmap(f, 2P, READ|WRITE, SHARED)", 'm[0] = "C"', 'm[1] = "D"', 'm[1P] = "E"']
    tasks = {"A": {"user": "alice", "script": script}}
    files = {"f": {"owner": "alice", "size": "2P"}}
    run = runs.perform(orders.order({"title": "Two on a page", "files": files, "tasks": tasks}), Limits())
    found = held(run, "slot/f/0", len(run.trace.steps))
    assert [each.store for each in found.here] == ["A.2", "A.3"]
    assert found.lacks == ()


def test_a_row_of_the_ledger_is_its_store(mail: Run) -> None:
    assert [each.store for each in held(mail, "ledger/A.3", 0).here] == ["A.3"]


@pytest.mark.parametrize(
    ("thing", "cure"), [("slot/f/9", "Did you mean"), ("ledger/A.9", "A.3"), ("<script>", "Known")]
)
def test_what_the_picture_has_not_is_refused_with_a_cure(mail: Run, thing: str, cure: str) -> None:
    with pytest.raises(Trouble) as caught:
        held(mail, thing, 1)
    assert caught.value.kind == "not-found"
    assert cure in caught.value.cure


@pytest.mark.parametrize(
    ("place", "home", "says"),
    [
        (Place(FRAME, 1, "f", 2), "disk", "frame 1 (page 2 of f)"),
        (Place(FRAME, 5, private=True), "disk", "frame 5 (private copy)"),
        (Place(FRAME, 5), "disk", "frame 5 (of no file now)"),
        (Place(BLOCK, 4), "disk", "disk block 4 (no file leads there)"),
        (Place(BLOCK, 4, "f", 0), "server", "block of the server 4 (page 0 of f)"),
    ],
)
def test_a_place_has_a_name(place: Place, home: str, says: str) -> None:
    assert chain.name_of(place, home) == says
