"""Which sentence is said of a step, and when: the tables of sayings_*.py, and how a line of them is chosen.

    SAYINGS["filemap_nopage.find_get_page"] = {"no": "{Page} is not in memory.", "yes": "{Page} is in frame {number}."}

A key is "function.step", or "*.step" for every function that has none of its own. A line is a sentence, or sentences
by condition, the first that holds. A condition is the beginning of the answer, "-" for no answer, "fact=beginning" for
another fact, several joined by " & ", or "" for any. A sentence that names a fact the journal does not give is not
said; a name in capitals begins the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from app import sayings_calls, sayings_fault, sayings_write
from engine import Step

NEVER = ("never asked", "not asked", "no need", "asked by mmap")
"""Answers to the question for room that say it was not put here."""

REASONS: Mapping[str, str] = MappingProxyType({
    "ENOSPC": "there is no free block that it may take",
    "EDQUOT": "the owner's quota is used up",
    "EIO": "the disk has failed",
    "EROFS": "the journal was aborted, and nothing may be changed any more",
    "ENOMEM": "memory is used up",
    "EFBIG": "the file may not be that long",
})  # fmt: skip
"""What an errno means, said of a page that wants a block."""

Saying = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Witness:
    """A step and the facts that a sentence may name."""

    step: Step
    facts: Mapping[str, str]

    def holds(self, condition: str) -> bool:
        """Whether every part of a condition is borne out."""
        return all(self._holds(part) for part in condition.split(" & ")) if condition else True

    def _holds(self, part: str) -> bool:
        if part == "-":
            return self.step.answer is None
        name, equals, beginning = part.partition("=")
        if not equals:
            return self.step.answer is not None and self.step.answer.startswith(part)
        return self.facts.get(name, "").startswith(beginning)

    def fill(self, sentence: str) -> str:
        """The sentence with its facts; empty when one is not known."""
        try:
            return sentence.format_map(self)
        except KeyError:
            return ""

    def __getitem__(self, name: str) -> str:
        """A fact by its name; one with a capital begins the sentence."""
        value = self.facts[name.lower()]
        is_name = name == "Who" and not value.startswith("the ")
        return value[:1].upper() + value[1:] if name[:1].isupper() and not is_name else value


@cache
def sayings() -> Mapping[str, Saying]:
    """All tables as one."""
    return {**sayings_fault.SAYINGS, **sayings_write.SAYINGS, **sayings_calls.SAYINGS}


def saying(function: str, name: str, witness: Witness) -> str:
    """The sentence of a step; empty when no line of the tables holds."""
    for key in (f"{function}.{name}", f"*.{name}"):
        lines = sayings().get(key, {})
        for condition, sentence in (lines or {}).items() if isinstance(lines, Mapping) else (("", lines),):
            if witness.holds(condition) and (said := witness.fill(sentence)):
                return said
    return ""
