"""The rail: the stations that a fault, a write-out or a call passes, and which of them is reached.

The steps of one task are cut into journeys: one access with its fault, one page written out, one call. All stations of
a journey are known from its beginning; each gathers its answer as the journey goes by. The stations of a fault are the
same under every kernel.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from app.stations import (
    ACCESS,
    ANONYMOUS,
    ASK,
    BACK,
    FIRST_STEPS,
    GATE,
    LOCK,
    NO_PAGE,
    NO_PAGE_ASKED,
    RECLAIM,
    SAID,
    TRAP,
    TRAPS,
    WALK,
    WP_PAGE,
    WRITEBACK,
    Station,
    owner,
    place_of,
    stop,
)
from engine import Scenario, Step, Trace

STATIONS = 10
WHO = {"load": "Load", "copy_to_user": "Copy to user"}
TITLES = {"writeback": "Writeback", "reclaim": "Reclaim"}
FILLED = {"mpage_readpage.zero_fill": "zero-filled", "mpage_readpage.read_blocks": "read from disk"}
"""What a step that answers nothing itself has found out."""
_REFUSAL = re.compile(r"no: E[A-Z]+")
"""An answer that is an errno."""

NEVER = ("never asked", "not asked")


Point = tuple[int, str, str | None]
"""Step number, "function.step", answer."""

Fields = dict[str, Any]
Places = list[tuple[str, Fields]]

PLACES = tuple(f"rail/{place}" for place in range(STATIONS))
NOTHING: Fields = {}


class Reached(NamedTuple):
    """How far a journey is: the station reached last, what each one on the way said in this round, what the TLB said.

    `again` says why this is not the first of the `rounds`.
    """

    here: int = -1
    answers: Mapping[int, str] = {}
    tlb: str = ""
    rounds: int = 1
    again: str = ""


@dataclass(slots=True)
class Journey:
    """A stretch of one task's steps: one access, one page written out, one call. `line` is the script line.

    `beside` are points that stand nowhere by themselves: the page is not there yet, so that nobody is asked about it.
    """

    kind: str
    task: str
    title: str
    points: list[Point] = field(default_factory=list)
    stations: tuple[Station, ...] = ()
    note: str = ""
    line: str = ""
    quiet: bool = False
    """Whether it is an access that needed no fault."""
    beside: frozenset[int] = frozenset()
    _way: list[Reached] = field(default_factory=list)
    _made: dict[Any, Fields] = field(default_factory=dict)
    _last: tuple[Reached, Places] | None = None

    def at(self, n: int) -> tuple[Fields, Places]:
        """The rail at step n of the trace: its own fields, and its places, the same list while none of them changes."""
        reached = self._reached(bisect_right(self.points, n, key=itemgetter(0)))
        head = {"title": self.title, "note": reached.again or self.note or None, "kind": self.kind}
        return head, self._rail(reached)

    def _reached(self, passed: int) -> Reached:
        """How far the journey is when it has passed so many of its points."""
        while len(self._way) <= passed:
            self._way.append(self._next(self._way[-1], len(self._way) - 1) if self._way else Reached())
        return self._way[passed]

    def _next(self, now: Reached, number: int) -> Reached:
        """How far it is after one point more."""
        _, point, answer = self.points[number]
        if self.kind == "fault" and now.here < 0:
            now = now._replace(here=0, answers={0: ""})
        if point.endswith(".tlb") and answer and not now.tlb:
            now = now._replace(tlb=answer)
        place = place_of(self.stations, point)
        if place is None or number in self.beside or self._is_retry(now.here, place):
            return now
        rounds, again, answers = now.rounds, now.again, now.answers
        if self._begins_again(now.here, place):
            why = "VM_FAULT_RETRY" if self.points[number - 1][1].endswith(".retry") else "trapped again"
            rounds, again = rounds + 1, f"round {rounds + 1}: {why}"
            answers = {at: text for at, text in answers.items() if at < place}
        elif self.kind != "fault" and place < now.here:
            answers = {at: text for at, text in answers.items() if at < place}
        said = self._heard(place, answers.get(place, ""), point, answer)
        if place == now.here and said == answers[place]:
            return now
        return Reached(place, {**answers, place: said}, now.tlb, rounds, again)

    def _heard(self, place: int, old: str, point: str, answer: str | None) -> str:
        """What a station says, after one more step there."""
        new = FILLED.get(point) or SAID.get(answer or "", answer or "")
        return _graver(old, new) if self.stations[place] is ASK else _first(old, new)

    def _begins_again(self, here: int, place: int) -> bool:
        """Whether a fault goes round once more: it is at the trap again."""
        return self.kind == "fault" and self.stations[place] is TRAP and here > place

    def _is_retry(self, here: int, place: int) -> bool:
        """Whether a step at the walk belongs to the retry at the end: the rail does not go back for it."""
        return self.kind == "fault" and here == len(self.stations) - 1 and place == 1

    def _rail(self, reached: Reached) -> Places:
        last = self._last
        if last is None or last[0] is not reached:
            furthest, refused = max(reached.answers, default=-1), self._refused(reached.answers)
            made = [self._made_once(place, reached, furthest, refused) for place in range(len(self.stations))]
            made += [NOTHING] * (STATIONS - len(made))
            self._last = last = reached, list(zip(PLACES, made, strict=True))
        return last[1]

    def _made_once(self, place: int, reached: Reached, furthest: int, refused: bool) -> Fields:
        """A station's fields. Those of stations that the journey is not at stay the same for many steps."""
        key = (place, place == reached.here, place > furthest, reached.answers.get(place), reached.tlb, refused)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._station(place, reached)
        return made

    def _station(self, place: int, reached: Reached) -> Fields:
        here, answers = reached.here, reached.answers
        station, answer = self.stations[place], answers.get(place)
        state = "ahead" if place > max(answers, default=-1) else "skipped" if answer is None else "done"
        state = "now" if place == here else state
        if answer is not None:
            state = self._verdict(station, answer, state)
        if station.label == "set_pte" and state == "done" and self._refused(answers):
            state = "skipped"
        if state == "ahead" and self.quiet and 1 < place < len(self.stations) - 1:
            state = "skipped"
        return {
            "label": self._label(station, reached.tlb), "kind": station.kind, "state": state,
            "answer": self._said(station, answer, state), "now": True if place == here else None,
            "key": station.key or None, "lock": station.lock or None,
        }  # fmt: skip

    def _verdict(self, station: Station, answer: str, state: str) -> str:
        """The state of a station that has answered: a no to a program is a refusal, a no to writeback a failure."""
        if answer in NEVER:
            return "unasked"
        if station.kind == GATE and _REFUSAL.match(answer):
            return "refused" if self.kind in ("fault", "call") else "failed"
        return "failed" if station.label == "recover" and state == "done" else state

    def _refused(self, answers: Mapping[int, str]) -> bool:
        """Whether a gate has said no for good: then the entry is not filled, whatever step stands there."""
        return any(self.stations[i] is ASK and _REFUSAL.match(answer) for i, answer in answers.items())

    def _said(self, station: Station, answer: str | None, state: str) -> str | None:
        """What stands under a station."""
        if answer and not station.silent:
            return shorten(answer)
        if state == "skipped" and station.kind == GATE and self.quiet:
            return "nobody asks"
        if state == "skipped" and station is ASK:
            return "not asked"
        return ("now" if station.kind == GATE or station.key else None) if state == "now" else None

    def _label(self, station: Station, tlb: str) -> str:
        if station is ACCESS:
            return self.line
        if station is WALK:
            return f"TLB {tlb.partition(':')[0]}" + ("" if tlb == "hit" else " · walk") if tlb else "TLB"
        if station is BACK:
            if any(point.endswith(".signal") for _, point, _ in self.points):
                return "signal"
            return ("load" if "Load" in self.title else "store") + " done" if self.quiet else "retry"
        return station.label


def _graver(old: str, new: str) -> str:
    """Of two answers to the question for room the one that counts: a no for good, then what was really asked."""
    if _REFUSAL.match(old) or not new or (old in NEVER and not _REFUSAL.match(new)):
        return old or new
    return old if old.startswith("yes") and new.startswith((*NEVER, "not asked", "yes")) else new


def _first(old: str, new: str) -> str:
    """Of two answers of one station the one that says more: what the page was filled with, else the later one."""
    return old if old in FILLED.values() else "in the cache" if new.startswith("yes: frame") else new or old


def shorten(answer: str) -> str:
    """An answer short enough to stand under a station; a zero byte has a name."""
    if answer and not answer.strip("."):
        return "zero" if len(answer) == 1 else "zeroes"
    return answer if len(answer) <= 18 else answer[:17] + "…"


def journeys(
    trace: Trace, stacks: Iterable[list[str]], scenario: Scenario, called: Callable[[str], str] = str
) -> list[Journey]:
    """The journey each step belongs to: one entry a step, as there is a stack.

    `called` gives a task the name that people know.
    """
    found: list[Journey] = []
    open_: dict[tuple[str, int, str], Journey] = {}
    for step, functions in zip(trace.steps, stacks, strict=True):
        kind, top = _kind(functions)
        key = (step.task, step.line, kind if kind != "call" else top)
        point = f"{step.function}.{step.name}"
        fresh = owner(step.function) == kind and step.name == FIRST_STEPS[kind] and not _goes_on(open_.get(key))
        if key not in open_ or fresh:
            line = _line(scenario, step)
            open_[key] = Journey(kind, step.task, _title(kind, top, called(step.task), line), line=line)
        journey = open_[key]
        journey.points.append((step.n, point, step.answer))
        found.append(journey)
    for journey in {id(journey): journey for journey in found}.values():
        _equip(journey)
    return found


def _goes_on(journey: Journey | None) -> bool:
    """Whether a first step is really the second try of the access under way."""
    return journey is not None and journey.points[-1][1].endswith((".resume", ".eret"))


def _kind(functions: Sequence[str]) -> tuple[str, str]:
    """The kind of journey from the call stack (outermost first): that of the innermost owner, else a plain call."""
    for function in reversed(functions):
        if kind := owner(function):
            return kind, function
    return "call", functions[0] if functions else ""


def _title(kind: str, top: str, task: str, line: str) -> str:
    if kind == "fault":
        return f"{WHO.get(top, 'Store')} · {task}"
    said = (kind == "call" and line) or TITLES.get(kind, top)
    return f"{said} · {task}"


def _line(scenario: Scenario, step: Step) -> str:
    if step.task not in scenario.tasks:
        return ""
    lines = scenario.lines(step.task)
    return str(lines[step.line - 1].text) if 0 < step.line <= len(lines) else ""


def _equip(journey: Journey) -> None:
    """Choose the stations, now that the whole journey is known."""
    points = [point for _, point, _ in journey.points]
    functions = {point.partition(".")[0] for point in points}
    if journey.kind == "fault":
        journey.stations = _fault(points, functions)
        journey.beside = frozenset(_unasked(journey.points))
        if functions.intersection(TRAPS):
            journey.title = journey.title.replace(" · ", " fault · ", 1)
        else:
            journey.quiet, journey.note = True, "no fault: nobody is asked"
    elif journey.kind == "writeback":
        failed = any(point.endswith(".recover") for point in points)
        journey.stations = tuple(s for s in WRITEBACK if s.label not in (("submit",) if failed else ("recover",)))
    elif journey.kind == "reclaim":
        journey.stations = RECLAIM
    else:
        journey.stations = tuple(_plain(journey.points))


def _fault(points: Sequence[str], functions: set[str]) -> tuple[Station, ...]:
    """The stations of a fault, in the order in which it passes them: some kernels ask before they take the lock."""
    if "do_wp_page" in functions:
        return WP_PAGE
    if "do_anonymous_page" in functions:
        return ANONYMOUS
    asks, locks = NO_PAGE.index(ASK), NO_PAGE.index(LOCK)
    first = next((place for point in points if (place := place_of(NO_PAGE, point)) in (asks, locks)), locks)
    return NO_PAGE_ASKED if first == asks else NO_PAGE


def _unasked(points: Sequence[Point]) -> Iterator[int]:
    """Steps that would ask for room, had the fault not to begin again before."""
    for number, ((_, point, answer), (_, after, _)) in enumerate(pairwise(points)):
        if point.endswith(".enough_space") and not answer and after.endswith(".retry"):
            yield number


def _plain(points: Iterable[Point]) -> Iterator[Station]:
    """A call's own steps as stations, each once, in the order they were first made."""
    points = list(points)
    top = points[0][1].partition(".")[0] if points else ""
    own = list(dict.fromkeys(point for _, point, _ in points if point.startswith(f"{top}.")))
    rest = dict.fromkeys(point.partition(".")[0] for _, point, _ in points if not point.startswith(f"{top}."))
    for point in own[:STATIONS]:
        yield stop(point.partition(".")[2], point, key=point == own[-1] and len(own) > 1)
    for function in list(rest)[: max(0, STATIONS - len(own))]:
        if not own:
            yield stop(function, f"{function}.*")
