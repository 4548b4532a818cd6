"""A run as a film strip: its frames, and a frame with blanks for a class to fill in. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.cells import Value
from app.rail import STATIONS, Journey
from engine import Step

State = Mapping[str, Value]
MOST = 24
"""Frames of a strip: more would be a book."""

GRAVE = ("lost", "refused", "leaked", "clean-unsaved", "at-risk")
BLANK = "blank"
_HIDDEN = ("word", "told", "lost", "fate", "verdict", "answer")
_PLAIN: dict[str, str | None] = {"risk": "written", "unsaved": "written", "backed": "written", "missing": "hole"}
_GONE = ("lost", "nowhere")
DRAWN = ("vpage", "pteslot", "slot", "blockslot", "diskslot", "edge", "tlbslot")
"""The things in the picture whose look gives the fate away."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands in a blank: the question, and what the run says."""

    question: str
    said: str


def frames(steps: Sequence[Step], journeys: Sequence[Journey]) -> tuple[list[int], int]:
    """The steps to draw, and how many more there would be: of each fault one, and of whatever decided over a store."""
    found = []
    for _, each in groupby(zip(steps, journeys, strict=True), key=lambda pair: id(pair[1])):
        stretch = list(each)
        journey = stretch[0][1]
        best = max((step for step, _ in stretch), key=_tells)
        if best.fates or (journey.kind == "fault" and not journey.quiet):
            found.append(best.n)
    return found[:MOST], max(0, len(found) - MOST)


def _tells(step: Step) -> tuple[int, int]:
    """How much a step tells of its journey: a fate most, then the entry set, then the question for room."""
    grave = any(change.new in GRAVE for change in step.fates)
    asked = "enough_space" in (step.name, step.function)
    return (4 if grave else 3 if step.fates else 2 if step.name == "set_pte" else 1 if asked else 0), step.n


_TOLD = ("text", "plain", "why", "defect", "picture", "fate", "where")
"""What the caption says of a step; all of it tells the answers."""


def blanked(state: State) -> dict[str, Value]:
    """A state with blanks for what the gates answer and what becomes of the stores."""
    return {at: value for at, value in (_blank(at, value, state) for at, value in state.items()) if value is not None}


def _blank(at: str, value: Value, state: State) -> tuple[str, Value]:
    entity, _, field = at.rpartition(".")
    kind = entity.partition("/")[0]
    if kind == "rail" and entity != kind:
        return at, _station(field, value, int(entity.partition("/")[2]), _gates(state))
    if kind == "was" or (kind == "caption" and field in _TOLD):
        return at, None
    if kind in ("ledger", "badge", "promised") and field in (*_HIDDEN, "text"):
        return at, None
    if kind == "was":
        return at, None
    if kind in DRAWN:
        return at, _drawn(field, value, state.get(f"{entity}.state"))
    return at, value


def _gates(state: State) -> list[int]:
    """The places of the gates on the rail."""
    return [place for place in range(STATIONS) if state.get(f"rail/{place}.kind") == "gate"]


def _station(field: str, value: Value, place: int, gates: Sequence[int]) -> Value:
    """A field of a station: a gate does not say what it answers, and what lies behind the last one is not told."""
    if place in gates:
        return {"answer": None, "state": BLANK}.get(field, value)
    if gates and place > gates[-1]:
        return {"answer": None, "label": "?", "state": "ahead", "now": None, "key": None}.get(field, value)
    return value


def _drawn(field: str, value: Value, now: Value) -> Value:
    """A field of a thing in the picture, without what gives the fate away."""
    if now in _GONE:
        return "absent" if field == "state" else None
    if field == "state":
        return _PLAIN.get(str(value), value)
    return None if field in _HIDDEN else value


def answers(state: State, stores: Sequence[Mapping[str, str]]) -> Iterator[Answer]:
    """What the blanks of a frame stand for, in the order of the frame."""
    for place in _gates(state):
        at = f"rail/{place}"
        if state.get(f"{at}.answer"):
            yield Answer(str(state.get(f"{at}.label")), str(state[f"{at}.answer"]))
    for store in stores:
        word, told = (state.get(f"ledger/{store['id']}.{field}") for field in ("word", "told"))
        if word:
            yield Answer(f"{store['task']} {store['text']}", ", ".join(str(each) for each in (word, told) if each))
