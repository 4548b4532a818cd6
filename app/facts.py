"""The telling facts of a run, out of its journal: what a kernel maps, whom it asks, what it answers, what data becomes.

Facts about the same subject can be compared from run to run, whatever the functions are called that made them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from app.cast import where_is
from app.cells import entry_of
from app.rail import Journey
from app.stations import asks
from engine import Step, Trace

Kind = Literal["entry", "asked", "result", "fate"]

UNTOUCHED = "none"
NEVER = "never"
UNASKED = ("never asked", "not asked", "no need", "no page_mkwrite")
"""How answers begin that say that nobody was asked."""
WEIGHTY = ("no: ", *UNASKED, "asked by mmap", "yes")
"""How answers to the question for room begin. Of several the first in this order counts: the one that decides."""
_ENTRY = re.compile(r"mm/([^/]+)/pte/(0x[0-9a-f]+)\.entry")
_RESULT = re.compile(r"line/(.+)\.(\d+)\.result")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact, told by step `n`: about what (`kind` and `of`), the `value` to compare, and a word more to say.

    `of` names an entry (mm, virtual page), a fault (task, script line, how-manieth), a line (task, script line), or a
    store (id). `line` is where it happened: the task and its script line.
    """

    n: int
    kind: Kind
    of: tuple[str | int, ...]
    value: str
    more: str
    line: tuple[str, int]


def facts(trace: Trace, journeys: tuple[Journey, ...]) -> list[Fact]:
    """All facts in the order in which they are told. `journeys` has the one that each step belongs to."""
    state: dict[str, Any] = dict(trace.initial)
    asked = {fact.n: fact for fact in _asked(trace, journeys)}
    found: list[Fact] = []
    for step in trace.steps:
        found += [asked[step.n]] if step.n in asked else []
        for at, old, new in step.writes:
            state[at] = new
            found += _entry(step, at, old, new, state)
            found += _result(step, at, new)
        found += [Fact(step.n, "fate", (change.store,), change.new, change.why, _place(step)) for change in step.fates]
    return found


def _place(step: Step) -> tuple[str, int]:
    return step.task, step.line


def _entry(step: Step, at: str, old: Any, new: Any, state: dict[str, Any]) -> Iterator[Fact]:
    """What an entry allows now, if that has changed."""
    match = _ENTRY.fullmatch(at)
    if match is None:
        return
    before, now = entry_of(old), entry_of(new)
    if now is None:
        yield Fact(step.n, "entry", (match[1], int(match[2], 16)), UNTOUCHED, "", _place(step))
    elif before is None or (before.pfn, before.write) != (now.pfn, now.write):
        own = "" if "/" in (where := where_is(state.get, now.pfn)) and not where.startswith("frame/") else "own "
        value = f"{own}{'writable' if now.write else 'read-only'}"
        yield Fact(step.n, "entry", (match[1], int(match[2], 16)), value, now.bits, _place(step))


def _result(step: Step, at: str, new: Any) -> Iterator[Fact]:
    """What a script line came to."""
    match = _RESULT.fullmatch(at)
    if match and new is not None:
        yield Fact(step.n, "result", (match[1], int(match[2])), str(new), "", (match[1], int(match[2])))


def _asked(trace: Trace, journeys: tuple[Journey, ...]) -> Iterator[Fact]:
    """For each access that stores: what was answered to the question for room, or that there was none."""
    times: dict[tuple[str, int], int] = {}
    steps = {step.n: step for step in trace.steps}
    for journey in {id(journey): journey for journey in journeys}.values():
        first = steps[journey.points[0][0]]
        if journey.kind != "fault" or first.function != "store":
            continue
        times[_place(first)] = time = times.get(_place(first), 0) + 1
        n, value = _answer(journey)
        yield Fact(n, "asked", (*_place(first), time), value, "no fault" if journey.quiet else "", _place(first))


def _answer(journey: Journey) -> tuple[int, str]:
    """The answer that counts to the question for room in a journey, and the step that gave it; its last for none."""
    found, best = (journey.points[-1][0], NEVER), len(WEIGHTY)
    for n, point, answer in journey.points:
        weight = _weight(answer or "") if asks(*point.split(".", 1)) else None
        if weight is not None and weight <= best:
            said = str(answer).partition(":")[0] if WEIGHTY[weight] != "no: " else str(answer)
            found, best = (n, NEVER if WEIGHTY[weight] in UNASKED else said), weight
    return found


def _weight(answer: str) -> int | None:
    return next((place for place, start in enumerate(WEIGHTY) if answer.startswith(start)), None)
