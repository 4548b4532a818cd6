"""The reason of a fate is true of the page it names, and a call that fails says so in its answer."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

import engine
from engine import gallery
from engine.fates import AT_RISK, BACKED, CLEAN_UNSAVED, LOST, Ledger, byte_fate, pieces
from engine.machine import Machine
from engine.values import ERRNOS
from tests.engine.build import possible

PAGED = (LOST, CLEAN_UNSAVED, AT_RISK, BACKED)
RUNS = possible()


class Reasoned(Ledger):
    """A ledger whose reasons are held to what has become of the page that they name."""

    def __init__(self, k: Machine) -> None:
        super().__init__(k)
        self.machine = k

    def update(self, writes: list[Any]) -> Any:
        told = super().update(writes)
        for change in told[0]:
            match = re.search(r"[Pp]age (\d+) of (\w+)", change.why)
            if match and change.new in PAGED:
                k, page, file = self.machine, int(match[1]), match[2]
                inside = [p for p in pieces(k, file, change.store) if p.start // k.page_size == page]
                assert change.new in {byte_fate(k, file, piece) for piece in inside}, change
        return told


@pytest.mark.parametrize(("scenario", "kernel"), RUNS)
def test_a_reason_names_a_page_that_has_the_fate(monkeypatch: pytest.MonkeyPatch, scenario: str, kernel: str) -> None:
    monkeypatch.setattr(sys.modules["engine.run"], "Ledger", Reasoned)
    engine.run(gallery()[scenario], kernel)


def reasons(scenario: str, kernel: str, store: str) -> list[str]:
    """Why a store's fate changed, each time."""
    steps = engine.run(gallery()[scenario], kernel).steps
    return [change.why for step in steps for change in step.fates if change.store == store]


def test_of_a_short_write_the_page_that_is_lost_is_named() -> None:
    # Surprises, fuse-short-write: the first of the two pages has arrived.
    assert [why for why in reasons("fuse-short-write", "linux-6.18", "A.2") if "page 1" not in why] == [
        "Nothing marks page 2 of f as dirty, and the disk has other bytes: nobody will write them.",
        "Memory has let go of page 2 of f, and the disk never had these bytes.",
    ]


@pytest.mark.parametrize(
    ("scenario", "kernel", "end"),
    [
        ("mail-store-first", "linux-2.6.9", "no block stands behind page 2 of f."),
        # 1b X5: it reserves, and the reservation has no owner.
        ("lost-promise", "wli-corrected+X5", "and the one that was promised was promised to nobody."),
        # 1d: released at munmap.
        ("promise-ends", "mmap-reserve", "only a promise that ends with the mapping."),
    ],
)
def test_a_promise_that_the_page_does_not_have_is_told(scenario: str, kernel: str, end: str) -> None:
    assert reasons(scenario, kernel, "A.2")[0].endswith(end)


def test_a_block_on_its_way_into_the_file_is_not_said_to_be_missing() -> None:
    told = reasons("xfstests-generic-619", "linux-6.18", "A.2")
    assert sum(why.endswith("has been given its block, but the file does not lead there yet.") for why in told) == 3
    assert not any("no block stands" in why for why in told)


def test_a_page_that_is_given_up_in_memory_is_not_said_to_have_gone() -> None:
    assert reasons("this-should-not-happen", "linux-6.18", "A.4")[-1] == (
        "What memory has of page 3 of f counts as invalid, and the disk never had these bytes."
    )


@pytest.mark.parametrize(("scenario", "kernel"), RUNS[::5])
def test_a_call_that_fails_says_so_in_its_answer(scenario: str, kernel: str) -> None:
    for step in engine.run(gallery()[scenario], kernel).steps:
        for at, _, new in step.writes:
            if at.startswith("line/") and at.endswith(".result") and new in ERRNOS:
                assert step.answer, (step.event, new)


def test_asking_for_all_pages_answers_with_what_the_program_gets() -> None:
    steps = engine.run(gallery()["ask-for-all"], "linux-6.18").steps
    assert [step.answer for step in steps if step.function == "do_madvise" and step.name == "populated"] == [
        "EFAULT",
        "0",
    ]
