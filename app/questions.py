"""Questions to ask before a step is shown: what will the kernel find, ask, answer? The answer is the step's own.

    questions_of(trace, called)      in order of steps; each is asked when the page stands one step before

Nothing here knows what is right: the choices are the answers there could be, and the trace says which it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app.stations import asks
from engine import Step, StoreInfo, Trace

MOST = 12
"""How many questions a run asks at most."""
CHOICES = 4
EMPTY = ("Yes, it is empty", "No, it leads to a page but forbids stores")
ROOM = ("It asks nobody", "It asks, and the answer is yes", "It asks, and the answer is no")
SPACE = ("Yes", "No")
FAILED = ("It stays marked, and is tried again later", "It counts as clean: nobody will try again")
ANSWERS = ("0: all is well", "ENOSPC: no space", "EDQUOT: over quota", "EIO: an error of the disk")
SYNCS = ("sys_msync", "msync", "sys_fsync", "do_fsync", "sys_fdatasync", "filp_close")
READS = ("load", "do_generic_mapping_read", "filemap_read")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before `step` is shown; `right` is the place of the right choice, from 0.

    `told` is the step whose sentence explains the answer, where it is not the same.
    """

    step: int
    text: str
    choices: tuple[str, ...]
    right: int
    told: int = 0

    @property
    def explained(self) -> int:
        """The step whose sentence explains the answer."""
        return self.told or self.step


def questions_of(trace: Trace) -> tuple[Question, ...]:
    """The questions of a run, in order, never two at neighbouring steps."""
    kept: list[Question] = []
    for question in sorted(_all(trace), key=lambda each: each.step):
        if question.step > 1 and (not kept or question.step > kept[-1].step + 1):
            kept.append(question)
    return tuple(kept[:MOST])


def _all(trace: Trace) -> Iterator[Question]:
    yield from _entries(trace.steps)
    yield from _rooms(trace.steps)
    yield from _blocks(trace.steps)
    yield from _failures(trace.steps)
    yield from _values(trace.steps, trace.stores)
    yield from _syncs(trace.steps)
    yield from _crashes(trace.steps, trace.stores)


def _entries(steps: Sequence[Step]) -> Iterator[Question]:
    """pte_none: the first look at the entry, once for each script line."""
    seen = set()
    for step in steps:
        place = (step.task, step.line)
        if (step.function, step.name) != ("handle_pte_fault", "pte_none") or place in seen:
            continue
        seen.add(place)
        if step.answer in ("yes", "no: read-only"):
            text = f"The kernel looks at {step.task}'s entry in the page table. pte_none: is it empty?"
            yield Question(step.n, text, EMPTY, int(step.answer != "yes"))


def _rooms(steps: Sequence[Step]) -> Iterator[Question]:
    """enough_space: asked where a fault comes to the question, right by what is answered to it for good."""
    first: dict[tuple[str, int], int] = {}
    for before, step in pairwise(steps):  # not where the entry has just been asked about: one question at a time
        if asks(step.function, step.name) and before.name != "pte_none":
            first.setdefault((step.task, step.line), step.n)
    for place, step in _decided(steps).items():
        answer = step.answer or ""
        right = 0 if answer.startswith("never") else 1 if answer.startswith("yes") else 2
        text = f"enough_space: {step.task} is about to be allowed to store. What does this kernel do about room?"
        yield Question(min(first.get(place, step.n), step.n), text, ROOM, right, step.n)


def _decided(steps: Sequence[Step]) -> dict[tuple[str, int], Step]:
    """The step that decides the fault of each script line: never asked, or the last answer."""
    found: dict[tuple[str, int], Step] = {}
    for step in steps:
        if step.answer is None or not asks(step.function, step.name):
            continue
        if step.answer.startswith(("never asked", "yes", "no: E")):
            known = found.get((step.task, step.line))
            if known is None or not (known.answer or "").startswith("never"):
                found[step.task, step.line] = step
    return found


def _blocks(steps: Sequence[Step]) -> Iterator[Question]:
    """A block is wanted, and nobody was asked for one in a fault: is there one? Once for each task and line."""
    seen = set(_decided(steps))
    for step in steps:
        place = (step.task, step.line)
        if step.name == "reserve_blocks" and step.answer and place not in seen:
            seen.add(place)
            text = f"{step.task} needs a block to write this page. Is there one that it may take?"
            yield Question(step.n, text, SPACE, int(not step.answer.startswith("yes")))


def _failures(steps: Sequence[Step]) -> Iterator[Question]:
    """A write has failed: does the page stay dirty?"""
    for step in steps:
        news = [change.new for change in step.fates]
        if step.name == "recover" and news:
            text = "No block was found, so the page could not be written. What becomes of the page?"
            yield Question(step.n, text, FAILED, int("clean-unsaved" in news))


def _values(steps: Sequence[Step], stores: Sequence[StoreInfo]) -> Iterator[Question]:
    """What a read returns: one of the letters that were ever stored, or zeroes."""
    letters = [store.text for store in stores]
    for step in steps:
        if step.function not in READS or step.answer is None or not _result(step):
            continue
        likely = dict.fromkeys([step.answer, ".", *letters])
        choices = tuple(sorted(_spoken(value) for value in list(likely)[:CHOICES]))
        text = f"{step.task} reads. What does it get?"
        if len(choices) > 1 and step.answer:
            yield Question(step.n, text, choices, choices.index(_spoken(step.answer)))


def _spoken(value: str) -> str:
    return ("A zero" if len(value) == 1 else "Zeroes") if not value.strip(".") else f"“{value}”"


def _syncs(steps: Sequence[Step]) -> Iterator[Question]:
    """What a call answers that promises durability."""
    for step in steps:
        if step.function in SYNCS and step.answer is not None and _result(step):
            right = next((i for i, choice in enumerate(ANSWERS) if choice.startswith(f"{step.answer}:")), None)
            if right is not None:
                call = step.function.removeprefix("sys_").removeprefix("do_")
                yield Question(step.n, f"{call} is about to answer {step.task}. What does it say?", ANSWERS, right)


def _crashes(steps: Sequence[Step], stores: Sequence[StoreInfo]) -> Iterator[Question]:
    """What a power cut would leave: asked of each file store whose program has ended."""
    fates: dict[str, str] = {}
    for step in steps:
        fates |= {change.store: change.new for change in step.fates}
        if (step.function, step.name) != ("do_exit", "done"):
            continue
        own = [store for store in stores if store.task == step.task and store.file and store.id in fates]
        if own and fates[own[-1].id] != "refused":
            text = f"{step.task} has ended. If the power failed now, would the disk have “{own[-1].text}”?"
            yield Question(step.n, text, SPACE, int(fates[own[-1].id] != "durable"))


def _result(step: Step) -> bool:
    """Whether the step ends a script line."""
    return any(at.startswith("line/") and at.endswith(".result") for at, _, _ in step.writes)


def cells(questions: Sequence[Question], why: Sequence[str]) -> dict[int, dict[str, dict[str, Any]]]:
    """What the page shows, by step: the question one step before, and the answer with its explanation at it.

    `why` has the sentence of every step.
    """
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for question in questions:
        asked = {"text": question.text} | {f"c{i}": choice for i, choice in enumerate(question.choices)}
        found.setdefault(question.step - 1, {})["ask"] = asked
        reply = {"answer": question.choices[question.right], "why": why[question.explained - 1]}
        found.setdefault(question.step, {})["reply"] = reply
    return found
