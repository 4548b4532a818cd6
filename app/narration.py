"""What happens, said to a student: a sentence for each step, made from the journal alone.

    sentences = tell(trace, scenario, kernel)      sentences[n - 1] belongs to step n

A table (app/sayings.py) has the sentences, by function and step. Which of them is said, and of which page, frame,
letter and errno, comes from the step's answer, from what it wrote and from what the same task did before. Where a
sentence names what the journal does not say, or none stands in the table, the step's own caption is said instead: it
is the kernel developer's voice, which `developer` gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app import exhibits, focus
from app.cast import Cast, cast_of, where_is
from app.cells import Entry, entry_of
from app.focus import Spot
from app.sayings import NEVER, REASONS, Witness, saying
from app.stations import asks
from app.wording import names_in
from engine import Kernel, Scenario, Step, Trace

ACCESSES = {"load": "load", "store": "store", "copy_to_user": "store"}
"""The functions that begin an access, and whether it reads or stores."""

ARTICLES = {"flusher": "the flusher", "disk": "the disk"}
BESIDE = ("do_fault_around", "page_cache_ra", "folio_mkclean", "page_mkclean_one")
"""Steps that look at other entries than that of the page in question as well, or instead."""
NEXT = (("install_page", "nopage"), ("madvise_populate", "faultin_page"))
"""Steps that go on to another page of a range: which one, a later step will show."""

NOTES = (".enospc", ".eio", ".wb_err")
"""The cells of a mapping that say that a write has failed."""

_NUMBER = re.compile(r"(?:frame|page|block) (\d+)")
_REFUSAL = re.compile(r"no: (E[A-Z]+)")
_ENTRY = re.compile(r"mm/([^/]+)/pte/0x[0-9a-f]+\.entry")
_RESULT = re.compile(r"line/[^/]+\.\d+\.result")


def developer(step: Step) -> str:
    """The step as the kernel's own caption says it."""
    return exhibits.plain(step.caption)


def tell(trace: Trace, scenario: Scenario, kernel: Kernel, cast: Cast | None = None) -> tuple[str, ...]:
    """The student's sentence of every step, in order."""
    told = own(trace, scenario, kernel, cast)
    return tuple(said or developer(step) for said, step in zip(told, trace.steps, strict=True))


def own(trace: Trace, scenario: Scenario, kernel: Kernel, cast: Cast | None = None) -> Iterator[str]:
    """The sentences of the table, step by step; empty for a step that has none."""
    narrator = Narrator(trace, scenario, kernel, cast or cast_of(trace, scenario))
    for step in trace.steps:
        yield narrator.say(step)


@dataclass(slots=True)
class Doing:
    """What a task is about: which page, whether it reads or stores, what was answered to it on the way.

    `asked` is the answer to the question for room in this fault, `last` the last answer to anything.
    """

    spot: Spot = field(default_factory=Spot)
    line: int = 0
    access: str = ""
    asked: str = ""
    last: str = ""


class Narrator:
    """Goes through a trace once, in order."""

    def __init__(self, trace: Trace, scenario: Scenario, kernel: Kernel, cast: Cast) -> None:
        """Nothing is told yet."""
        self._scenario, self._kernel = scenario, kernel
        self._called = names_in(kernel)
        self._state: dict[str, Any] = dict(trace.initial)
        self._spots = focus.Spots(cast)
        self._doing: dict[str, Doing] = {}
        self._letters = {store.id: store.text for store in trace.stores}
        self._after = dict(_followers(trace.steps))

    def say(self, step: Step) -> str:
        """The sentence of the next step; empty when the table has none that the journal bears out."""
        self._state.update((at, new) for at, _, new in step.writes)
        doing = self._doing.setdefault(step.task, Doing())
        self._follow(doing, step)
        said = saying(step.function, step.name, Witness(step, self._facts(doing, step)))
        if step.answer:
            doing.last = step.answer
        return said

    def _follow(self, doing: Doing, step: Step) -> None:
        """What the task is about, now that it has made this step."""
        if step.line != doing.line:
            doing.line, doing.asked, doing.last = step.line, "", ""
        if step.function in ACCESSES and step.name == "tlb":
            doing.access = ACCESSES[step.function]
        if step.name in ("trap", "tlb_exception", "read_cr2"):
            doing.asked = ""
        if step.answer and asks(step.function, step.name) and not doing.asked.startswith(NEVER):
            doing.asked = step.answer
        if step.name in BESIDE:
            return
        if (step.function, step.name) in NEXT:
            doing.spot = Spot()
            return
        doing.spot = focus.aim(doing.spot, focus.Touched.by(step), self._state.get, self._spots)

    def _facts(self, doing: Doing, step: Step) -> dict[str, str]:
        """What a sentence may name; what is not known is not there."""
        who, line = self._called.task(step.task), self._line(step)
        found = {
            "who": ARTICLES.get(who, who),
            "line": line, "kernel": self._kernel.short, "access": doing.access, "asked": doing.asked,
            "last": doing.last, "answer": step.answer or "", "after": self._after.get(step.n, ""),
            **self._page(doing.spot), **_said(step), **self._written(step),
        }  # fmt: skip
        if letter := self._letters.get(f"{step.task}.{step.line}"):
            found["letter"] = f"“{letter}”"
        return {name: value for name, value in found.items() if value}

    def _line(self, step: Step) -> str:
        """The script line under way; empty for the kernel's own tasks."""
        lines = self._scenario.lines(step.task) if step.task in self._scenario.tasks else ()
        return str(lines[step.line - 1].text) if 0 < step.line <= len(lines) else ""

    def _page(self, spot: Spot) -> dict[str, str]:
        """The page in question, by the names that are known, and whether it is mapped for all or for one alone."""
        found: dict[str, str] = {}
        if spot.file and spot.index is not None:
            found |= {"page": f"page {spot.index} of {spot.file}", "it": f"page {spot.index}", "file": spot.file}
            found["owner"] = str(self._state.get(f"inode/{spot.file}.owner") or "")
            found["note"] = "yes" if any(self._state.get(f"mapping/{spot.file}{note}") for note in NOTES) else ""
        vma = focus.mapped(spot, self._state.get)
        if vma is not None:
            found.setdefault("page", f"page {vma.index(spot.vpn or 0)} of {spot.mm}'s own memory")
            found.setdefault("it", "the page")
            found["mapping"] = "private" if vma.rights.endswith("p") else "shared"
            found["stores"] = "allowed" if "w" in vma.rights else "forbidden"
        return found

    def _written(self, step: Step) -> dict[str, str]:  # noqa: C901 - a table of cells, not a path
        """What the step wrote that a sentence may hang on: an entry, a page that became dirty or clean, a result."""
        found: dict[str, str] = {}
        for at, old, new in step.writes:
            if _ENTRY.fullmatch(at):
                found["entry"] = _entry_word(entry_of(old), entry_of(new))
                found["home"] = self._home(entry.pfn) if (entry := entry_of(new) or entry_of(old)) else ""
            elif at.startswith("mapping/") and at.endswith(NOTES) and new:
                found["noted"] = "yes"
            elif at.startswith("disk/"):
                found["disk"] = "written"
            elif at == "disk.queue":
                found["sent"] = "yes"
            elif at.startswith("mm/") and at.endswith(".vmas"):
                found["mapped"] = "yes"
            elif at.endswith(".dirty") and at.startswith("page/") and "/bh/" not in at:
                found["dirt"] = "dirty" if new else "clean"
            elif at.startswith("page/") and at.endswith((".data", ".count")) and new is not None:
                found.setdefault("frame", at[5:].partition(".")[0])
                if at.endswith(".data"):
                    found.setdefault("home", self._home(int(found["frame"])))
            elif at.startswith("mapping/") and at.endswith(".page"):
                found["frame"] = str(new if new is not None else old)
                found["cache"] = "enters" if new is not None else "leaves"
            elif _RESULT.fullmatch(at):
                found["result"] = str(new)
        return found

    def _home(self, pfn: int) -> str:
        """Whose a frame is: a file's, everybody's page of zeroes, or a program's own."""
        if not where_is(self._state.get, pfn).startswith("frame/"):
            return "file"
        return "zeroes" if self._state.get(f"page/{pfn}.reserved") else "own"


def _entry_word(old: Entry | None, new: Entry | None) -> str:
    """What a step has done to an entry of a page table."""
    if new is None:
        return "torn dirty" if old is not None and old.dirty else "torn"
    if old is not None and old.pfn == new.pfn and old.write == new.write:
        return "marked" if new.dirty else "cleaned"
    return "writable" if new.write else "read-only"


def _said(step: Step) -> dict[str, str]:
    """What the step's answer names: a number, an errno with what it means, a value in words."""
    answer = step.answer or ""
    found = {}
    if number := _NUMBER.search(answer):
        found["number"] = number[1]
    if refusal := _REFUSAL.match(answer):
        found |= {"errno": refusal[1], "reason": REASONS.get(refusal[1], refusal[1])}
    if answer:
        found["value"] = in_words(answer)
    return found


def in_words(value: str) -> str:
    """Bytes that were read, as a person says them: zero bytes are dots in the journal."""
    if value and not value.strip("."):
        return "a zero" if len(value) == 1 else "zeroes"
    return f"“{value}”"


def _followers(steps: tuple[Step, ...]) -> Iterator[tuple[int, str]]:
    """(step, what the same task does next): an instruction that is tried again may end in a signal instead."""
    next_of: dict[str, str] = {}
    for step in reversed(steps):
        yield step.n, next_of.get(step.task, "")
        next_of[step.task] = step.name
