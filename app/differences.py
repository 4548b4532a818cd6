"""Where runs side by side differ first, and the sentence that says how. Pure: facts, places and names in, words out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.facts import UNTOUCHED, Fact
from app.wording import FATE_WORDS

Told = tuple[int, Fact]
"""A fact and the beat at which it is told."""

ORDER = ("entry", "asked", "result", "fate")
"""Of differences that begin at one beat, the one to tell: what the kernel did before what came of it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What sentences need beside facts: how a script line reads, what a page is called, whom a column's kernel asks."""

    line: Callable[[tuple[str, int]], str]
    page: Callable[[tuple[str | int, ...]], str]
    """The name of the page behind an entry (mm, virtual page): `page 2`."""
    stores_to: Callable[[tuple[str, int], tuple[str | int, ...]], bool]
    """Whether a script line stores to the page behind an entry."""
    asked: Sequence[str]


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of one run: its facts, in order, each with its beat, and the last beat it spends on each line."""

    told: Sequence[Told]
    leaves: Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first fact of a subject that runs do not share: each column's version of it, None where it has none.

    `beat` is the first one at which two versions are known; that there is none is known when the script line is over.
    """

    beat: int
    facts: tuple[Fact | None, ...]

    @property
    def fact(self) -> Fact:
        """The fact of the first column that has one."""
        return next(fact for fact in self.facts if fact is not None)


def all_differences(columns: Sequence[Column]) -> list[Difference]:
    """Where the columns begin to differ about each subject, the first of all first."""
    subjects = [_by_subject(column.told) for column in columns]
    names = dict.fromkeys(name for subject in subjects for name in subject)
    found = [_difference([subject.get(name, []) for subject in subjects], columns) for name in names]
    return sorted(filter(None, found), key=lambda each: (each.beat, ORDER.index(each.fact.kind)))


def first_difference(columns: Sequence[Column]) -> Difference | None:
    """The difference that comes first; None where the runs tell the same."""
    return next(iter(all_differences(columns)), None)


def _by_subject(told: Sequence[Told]) -> dict[tuple[object, ...], list[Told]]:
    found: dict[tuple[object, ...], list[Told]] = {}
    for each in told:
        found.setdefault((each[1].kind, *each[1].of), []).append(each)
    return found


def _difference(histories: Sequence[list[Told]], columns: Sequence[Column]) -> Difference | None:
    """The first place at which histories of one subject are not the same."""
    for place in range(max(map(len, histories))):
        here = [history[place] if place < len(history) else None for history in histories]
        if len({told and told[1].value for told in here}) > 1:
            return _at(here, columns)
    return None


def _at(here: Sequence[Told | None], columns: Sequence[Column]) -> Difference:
    """A difference. What a column tells on another script line is not its version of this."""
    line = min((told for told in here if told), key=lambda told: told[0])[1].line
    there = [told if told and told[1].line == line else None for told in here]
    known: dict[str | None, int] = {}
    for told, column in zip(there, columns, strict=True):
        beat, version = (told[0], told[1].value) if told else (column.leaves.get(line, 0), None)
        known[version] = min(beat, known.get(version, beat))
    return Difference(sorted(known.values())[1], tuple(told and told[1] for told in there))


# -- words ------------------------------------------------------------------------------------------------------------


def sentence(difference: Difference, columns: Sequence[Column], names: Sequence[str], said: Said) -> str:
    """`2.6.9 sets the entry without asking; 6.18 asks ext4 and hears ENOSPC.`; what several do is told once."""
    parts: dict[str, list[str]] = {}
    for place, name in enumerate(names):
        told = [fact for _, fact in columns[place].told]
        parts.setdefault(_clause(difference, place, told, said), []).append(name)
    return "; ".join(f"{first} {clause}{_too(more)}" for clause, (first, *more) in parts.items()) + "."


def _too(names: Sequence[str]) -> str:
    return f", and so {'do' if names[1:] else 'does'} {listed(names)}" if names else ""


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _clause(difference: Difference, place: int, told: Sequence[Fact], said: Said) -> str:
    """What one column does, without its name."""
    fact, about = difference.facts[place], difference.fact
    match about.kind:
        case "entry":
            return _entry(fact, about, told, said, said.asked[place])
        case "asked":
            return _asked(fact, told, said.asked[place])
        case "result":
            return _result(fact, said.line((str(about.of[0]), int(about.of[1]))))
        case _:
            return _fate(fact, about)


def _entry(fact: Fact | None, about: Fact, told: Sequence[Fact], said: Said, whom: str) -> str:
    page = said.page(about.of)
    if fact is None:
        return f"leaves the entry of {page} as it is"
    if fact.value == UNTOUCHED:
        return f"takes the entry of {page} away"
    does = f"maps {page} {fact.value}" if not fact.value.startswith("own ") else f"maps a copy of {page}"
    after = next((each for each in told if _asks_after(each, fact, said)), None)
    if after is None:
        return does
    code = said.line(after.line)
    if after.value == "never":
        return f"{does}, and {code} {'does not even trap' if after.more else 'traps, and asks nobody'}"
    return f"{does}, so that {code} traps, asks {whom} and hears {heard(after.value)}"


def _asks_after(each: Fact, fact: Fact, said: Said) -> bool:
    return each.kind == "asked" and each.n > fact.n and said.stores_to(each.line, fact.of)


def _asked(fact: Fact | None, told: Sequence[Fact], whom: str) -> str:
    if fact is None:
        return "does not come to ask"
    if fact.value.startswith("asked"):
        return f"had asked {whom} at mmap"
    if fact.value != "never":
        return f"asks {whom} and hears {heard(fact.value)}"
    if fact.more:
        return "stores without a fault, so that nobody is asked"
    writes = any(each.kind == "entry" and each.line == fact.line and each.value != UNTOUCHED for each in told)
    return "sets the entry without asking" if writes else "asks nobody"


def heard(answer: str) -> str:
    """What was heard: `ENOSPC` of "no: ENOSPC"."""
    return answer.removeprefix("no: ")


def _result(fact: Fact | None, code: str) -> str:
    if fact is None:
        return f"never comes to the end of {code}"
    return f"lets {code} succeed" if fact.value in ("0", "ok") else f"answers {code} with {_shown(fact.value)}"


def _shown(value: str) -> str:
    return ("a zero" if len(value) == 1 else "zeroes") if not value.strip(".") else value


def _fate(fact: Fact | None, about: Fact) -> str:
    store = about.of[0]
    if fact is None:
        return f"leaves store {store} as it was"
    return f"has store {store} {FATE_WORDS.get(fact.value, fact.value)}"


OUTCOMES: Mapping[str, str] = {
    "kept": "keeps all",
    "refused": "refuses, and loses nothing",
    "lost-told": "loses data, and says so",
    "lost-silent": "loses data in silence",
    "lost-lied": "loses data behind a 0",
    "lost-unsynced": "loses data with the power",
    "open": "leaves data not yet on disk",
    "broken": "breaks copy-on-write",
}


def ends(outcomes: Sequence[str], names: Sequence[str]) -> str:
    """`In the end 2.6.9 loses data in silence; 6.18 refuses, and loses nothing.`."""
    parts: dict[str, list[str]] = {}
    for outcome, name in zip(outcomes, names, strict=True):
        parts.setdefault(OUTCOMES.get(outcome, outcome), []).append(name)
    return "In the end " + "; ".join(f"{first} {said}{_too(more)}" for said, (first, *more) in parts.items()) + "."
