"""A kernel's build report and its defects, cut into the parts that the page shows one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import engine
from engine import Kernel

_CODE = re.compile(r"\b[A-Z]\d+\b")
_ASIDE = re.compile(r"\s*\((?:defects? )?[A-Z]\d+(?:, [A-Z]\d+)*\)")
_LOCK = re.compile(r"k\.(?:lock|down_read|down_write|free_lock)\([^()]*(?:\([^()]*\))?[^()]*?\.(\w+)\)")
PAGE_LOCK = "page lock"
"""What the bit is called that locks one page."""
_QUOTED = re.compile(r"'([^']+)'")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the compiler says to one line: the line cut at the token it points to, and what mends it."""

    place: str
    before: str
    token: str
    after: str
    stage: str
    message: str
    why: str
    repair: str


def complaints(kernel: Kernel) -> tuple[Complaint, ...]:
    """The lines that do not build, in order; none for a kernel that does."""
    found = []
    for error in kernel.build.errors if kernel.build else ():
        start, end = culprit(error.line, error.message)
        cut = (error.line[:start], error.line[start:end], error.line[end:])
        stage = "ld:" if error.message.startswith("undefined reference") else "error:"
        found.append(Complaint(error.place, *cut, stage, error.message, error.why, error.repair))
    return tuple(found)


def culprit(line: str, message: str) -> tuple[int, int]:
    """Where the token that a message quotes stands in a line, the last time it does; its end if it does not."""
    quoted = _QUOTED.search(message)
    token = re.escape(quoted[1]) if quoted else "$"
    form = rf"\b{token}\b" if quoted and quoted[1][0].isalpha() else token
    places = [found.span() for found in re.finditer(form, line)]
    return places[-1] if places else (len(line), len(line))


def defects(kernel: Kernel) -> Mapping[str, str]:
    """The kernel's defects: what a reader has to know of each, by its code."""
    return {code: _sentence(text) for code, _, text in (defect.partition(": ") for defect in kernel.defects)}


def _sentence(text: str) -> str:
    """Text that begins like a sentence, unless it begins with a name."""
    return text if "_" in text.partition(" ")[0] else text[:1].upper() + text[1:]


def locks(kernel: Kernel, function: str) -> tuple[str, ...]:
    """The locks that a function of a kernel takes or looks at, as that kernel calls them, in the order of its steps."""
    code = "\n".join(step.code for step in engine.source(kernel, function).steps)
    names = (kernel.lock_names.get(name, PAGE_LOCK if name == "locked" else name) for name in _LOCK.findall(code))
    return tuple(dict.fromkeys(names))


@lru_cache(maxsize=2048)
def plain(caption: str) -> str:
    """A caption without the codes of defects that stand in brackets in it."""
    return _ASIDE.sub("", caption)


@lru_cache(maxsize=2048)
def codes(caption: str) -> tuple[str, ...]:
    """The codes of the defects that a caption names in brackets, in order."""
    return tuple(code for aside in _ASIDE.findall(caption) for code in _CODE.findall(aside))
