"""The first difference is the first, and its sentence says what the kernels do."""

import pytest

from app.comparison import Comparison
from app.differences import all_differences, heard, listed
from app.facts import Fact
from app.others import result_of
from tests.app.side_by_side import side_by_side

MAIL = ("linux-2.6.9", "wli-corrected", "linux-2.6.23")


def test_the_mail_comes_out_as_the_facts_say() -> None:
    # kernel-facts 1a.3 and the table of bits: 2.6.9 maps a shared page writable on a load (0x27), so that no store
    # asks; write-notify maps it read-only (0x25), and the first store traps. ext2 has no page_mkwrite in 2.6.23.
    found = side_by_side("mail", *MAIL)
    assert [result_of(column.run.trace).outcome for column in found.columns] == [
        "lost-silent",
        "refused",
        "lost-silent",
    ]
    assert [column.run.trace.stores[0].told for column in found.columns] == [None, "SIGBUS", None]
    difference = found.difference
    assert difference is not None
    assert [fact and (fact.kind, fact.value, fact.more) for fact in difference.facts] == [
        ("entry", "writable", "PWUA"), ("entry", "read-only", "PUA"), ("entry", "read-only", "PUA")]  # fmt: skip
    steps = [column.steps[found.beats[difference.beat][place] - 1] for place, column in enumerate(found.columns)]
    assert {step.event for step in steps} == {"A.2.do_no_page.set_pte"}
    assert found.sentence == (
        '2.6.9 maps page 2 writable, and `m[2P] = "C"` does not even trap; '
        'wli-corrected maps page 2 read-only, so that `m[2P] = "C"` traps, asks ext2 and hears ENOSPC; '
        '2.6.23 maps page 2 read-only, and `m[2P] = "C"` traps, and asks nobody.'
    )


def test_a_store_that_comes_first_differs_in_who_is_asked() -> None:
    found = side_by_side("mail-store-first", "linux-2.6.9", "wli-corrected")
    assert found.sentence == "2.6.9 sets the entry without asking; wli-corrected asks ext2 and hears ENOSPC."
    assert found.ends == "In the end 2.6.9 loses data, and says so; wli-corrected refuses, and loses nothing."


def test_what_several_do_is_told_once() -> None:
    sentence = side_by_side("quota").sentence
    assert (
        sentence == "2.6.9 sets the entry without asking, and so does 6.18; wli-corrected asks ext2 and hears EDQUOT."
    )


def test_a_refusal_at_mmap_is_the_first_difference() -> None:
    found = side_by_side("too-large", "linux-2.6.9", "mmap-reserve")
    assert found.sentence.endswith("mmap-reserve answers `m = mmap(f, 64P, READ|WRITE, SHARED)` with ENOSPC.")


def test_filesystems_differ_on_one_kernel() -> None:
    found = side_by_side("mail-store-first", "linux-6.18", filesystems=("ext2", "ext4"))
    assert found.names == ["ext2", "ext4"]
    assert found.sentence == "6.18 on ext2 sets the entry without asking; 6.18 on ext4 asks ext4 and hears ENOSPC."


def test_schedules_differ_on_one_kernel() -> None:
    found = side_by_side("last-block", "wli-posted", switches=("A,B,C", "B,A,C"))
    assert found.lineup.kind == "schedules"
    assert len(found.columns) == 2


@pytest.mark.parametrize("kernels", [("linux-6.1", "linux-6.18")])
def test_runs_that_tell_the_same_have_no_difference(kernels: tuple[str, ...]) -> None:
    found = side_by_side("delayed-allocation", *kernels)
    assert found.difference is None
    assert found.sentence == "They tell the same from beginning to end."


@pytest.mark.parametrize(
    "scenario", ["mail", "last-block", "fork", "quota", "sync-swallows", "promise-ends", "lock-drop"]
)
def test_before_the_first_difference_no_two_columns_have_told_different_things(scenario: str) -> None:
    found = side_by_side(scenario)
    assert conflicts(found, (found.difference.beat if found.difference else found.length + 1) - 1) == []
    if found.difference:
        assert found.difference == all_differences(found.told)[0]
        versions = {fact.value if fact else None for fact in found.difference.facts}
        assert len(versions) > 1


def conflicts(found: Comparison, beat: int) -> list[tuple[Fact, Fact]]:
    """What columns have told until a beat on the same line about the same subject, and is not the same."""
    told = [[fact for at, fact in column.told if at <= beat] for column in found.told]
    numbered = [[((fact.kind, fact.of, _number(column, fact)), fact) for fact in column] for column in told]
    known = [dict(column) for column in numbered]
    pairs = [(one[key], two[key]) for one in known for two in known for key in one.keys() & two.keys()]
    return [(one, two) for one, two in pairs if one.line == two.line and one.value != two.value]


def _number(column: list[Fact], fact: Fact) -> int:
    same = [each for each in column if (each.kind, each.of) == (fact.kind, fact.of)]
    return next(place for place, each in enumerate(same) if each is fact)


def test_words() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert heard("no: ENOSPC") == "ENOSPC"
