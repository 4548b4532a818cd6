"""A sentence names the page that the kernel is about: held to the arguments of the kernel functions on the stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

import pytest

import engine
from app import narration
from app.catalogue import home
from engine import Step, gallery
from engine.machine import Machine
from engine.objects.mapping import Inode
from engine.objects.page import Page

Place = tuple[str, int | None]
NAMED = re.compile(r"[Pp]age (\d+)(?: of (\w+)\b(?!'s))?")
SEARCH = "pagevec_lookup_tag"
"""The step that says which page comes next: it is about no page yet."""


@cache
def told(name: str) -> tuple[tuple[Step, str], ...]:
    """Each step of a run of the gallery, and its sentence."""
    scenario = gallery()[name]
    kernel = home(scenario)
    trace = engine.run(scenario, kernel)
    return tuple(zip(trace.steps, narration.tell(trace, scenario, kernel), strict=True))


def said(name: str, event: str) -> str:
    return next(sentence for step, sentence in told(name) if step.event == event)


def places(k: Machine, stack: Any) -> set[Place]:
    """The pages that the innermost function on a stack that has any was called for."""
    while stack is not None:
        kind, _, values, _, below = stack
        frame = dict(zip((field.name for field in fields(kind)), values, strict=False))
        found = set(_places(k, frame))
        if found:
            return found
        stack = below
    return set()


def _places(k: Machine, frame: dict[str, Any]) -> Iterator[Place]:
    yield from ((x.mapping, x.index) for x in frame.values() if isinstance(x, Page) and x.mapping in k.inodes)
    inode, vma, vpn = frame.get("inode"), frame.get("vma"), frame.get("vpn")
    if isinstance(inode, Inode) and isinstance(frame.get("iblock"), int):
        yield inode.file, frame["iblock"] // k.blocks_per_page
    if vma is not None and vma.file and isinstance(vpn, int):
        yield vma.file, vma.index(vpn)
    if isinstance(frame.get("file"), str) and isinstance(frame.get("index"), int):
        yield frame["file"], frame["index"]


@pytest.mark.parametrize("name", sorted(gallery()))
def test_a_page_that_is_named_is_the_one_the_kernel_is_about(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    about: list[set[Place]] = []
    real = Machine.step

    def noted(k: Machine, task: Any) -> Any:
        found = places(k, k.journal.cells.get(f"task/{task.task}.stack"))
        moved = real(k, task)
        if moved is not None:
            about.append(found)
        return moved

    monkeypatch.setattr(Machine, "step", noted)
    told.cache_clear()
    files = gallery()[name].files
    for (step, sentence), pages in zip(told(name), about, strict=True):
        match = NAMED.search(sentence)
        if match is None or not pages or step.name == SEARCH:
            continue
        file = match[2] if match[2] in files else None
        known = any(index == int(match[1]) and file in (None, of) for of, index in pages)
        assert known, (step.n, step.event, sentence, pages)


def test_an_address_shows_the_file_that_is_mapped_there_at_the_time() -> None:
    # The test of LTP: another file comes to lie at the same address.
    first, second = "A.2.do_page_fault.read_cr2", "A.5.do_page_fault.read_cr2"
    assert "a read of page 0 of f," in said("ltp-mmap19", first)
    assert "a read of page 0 of g," in said("ltp-mmap19", second)
    assert said("ltp-mmap19", "A.3.zap_pte_range.zap_pte") == "The entry of page 0 of f goes."


def test_a_mapping_for_reading_is_not_said_to_expect_a_store() -> None:
    assert said("ltp-mmap19", "A.2.do_no_page.set_pte") == "A may read page 0 of f now. Its mapping allows no stores."


def test_a_page_that_the_picture_leaves_out_is_still_the_file_s() -> None:
    assert all("own memory" not in sentence for _, sentence in told("xfstests-generic-619"))


def test_a_private_copy_that_goes_has_to_be_written_by_nobody() -> None:
    assert said("private-and-write", "A.6.zap_pte_range.zap_pte").endswith(
        "belongs to no file: nobody has to write it."
    )


def test_a_promise_that_is_asked_for_is_not_said_to_have_room() -> None:
    for name in ("erigon-16709", "delayed-allocation", "ltp-mmap16", "mapdb-442"):
        steps = list(told(name))
        for at, (step, sentence) in enumerate(steps):
            if step.name == "ext4_nonda_switch" and "ENOSPC" in (steps[at + 1][0].answer or ""):
                assert sentence.endswith("Whether one is left to promise is asked next."), step.event


def test_a_page_of_which_nothing_is_marked_is_not_said_to_travel() -> None:
    sentences = [s for step, s in told("december-2006") if step.name == "submit_bh" and "nothing is sent" in s]
    assert sentences == ["No block of page 2 is marked, so nothing is sent: page 2 counts as written."]


def test_a_failure_that_is_passed_on_to_nobody_is_not_said_to_be_noted() -> None:
    steps = told("this-should-not-happen")
    after = [steps[at + 1][1] for at, (step, _) in enumerate(steps) if step.name == "recover"]
    assert len(after) == 2
    assert all(sentence.endswith("it is forgotten here.") for sentence in after)
