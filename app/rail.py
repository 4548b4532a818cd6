"""The rail: the stations that a fault, a write-out or a call passes, and which of them is reached.

The steps of one task are cut into journeys: one access with its fault, one page written out, one call. All stations of
a journey are known from its beginning; each gathers its answer as the journey goes by. The stations of a fault are the
same under every kernel.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from app.stacks import Stacks
from engine import Scenario, Step, Trace

STATIONS = 10
GATE, STOP = "gate", "stop"


@dataclass(frozen=True, slots=True, eq=False)
class Station:
    """One station: its label, whether it is a gate, the steps ("function.step" or "function.*") that stand there."""

    label: str
    kind: str
    steps: tuple[str, ...]
    key: bool = False
    lock: bool = False

    def has(self, point: str) -> bool:
        """Whether a step stands here."""
        return point in self.steps or f"{point.partition('.')[0]}.*" in self.steps


@lru_cache(maxsize=4096)
def place_among(stations: tuple[Station, ...], point: str) -> int | None:
    """The station that a step stands at, by its place."""
    return next((place for place, station in enumerate(stations) if station.has(point)), None)


def stop(label: str, *steps: str, key: bool = False, lock: bool = False) -> Station:
    """A station passed without a question."""
    return Station(label, STOP, steps, key, lock)


def gate(label: str, *steps: str, key: bool = True) -> Station:
    """A station that asks."""
    return Station(label, GATE, steps, key)


ACCESS = stop("access")
WALK = stop("TLB · walk", "store.tlb", "load.tlb", "store.walk", "load.walk", "store.trap", "load.trap")
TRAP = stop("find_vma", "do_page_fault.read_cr2", "do_page_fault.down_read", "do_page_fault.find_vma")
FIRST = gate("pte_none?", "handle_pte_fault.pte_none")
RETRY = stop(
    "retry",
    "do_page_fault.up_read",
    "store.resume",
    "load.resume",
    "store.write",
    "load.read",
    "store.signal",
    "load.signal",
)
ASK = gate("enough_space?", "do_no_page.enough_space", "do_wp_page.enough_space", "enough_space.*", "page_mkwrite.*")

NO_PAGE = (
    ACCESS,
    WALK,
    TRAP,
    FIRST,
    stop(
        "nopage",
        "do_no_page.nopage",
        "filemap_nopage.find_get_page",
        "mpage_readpage.zero_fill",
        "mpage_readpage.read_blocks",
    ),
    stop("lock", "do_no_page.retake_lock", lock=True),
    gate("pte_none?", "do_no_page.pte_none", key=False),
    ASK,
    stop("set_pte", "do_no_page.set_pte", key=True),
    RETRY,
)
WP_PAGE = (
    ACCESS,
    WALK,
    TRAP,
    FIRST,
    ASK,
    stop("copy", "do_wp_page.copy_cow_page", "do_wp_page.can_share_swap_page"),
    stop("lock", "do_wp_page.retake_lock", lock=True),
    gate("pte_same?", "do_wp_page.pte_same", key=False),
    stop("set_pte", "do_wp_page.break_cow", "do_wp_page.reuse", "do_wp_page.set_pte", key=True),
    RETRY,
)
ANONYMOUS = (
    ACCESS,
    WALK,
    TRAP,
    FIRST,
    stop("alloc_page", "do_anonymous_page.alloc", "do_anonymous_page.alloc_zeroed_page"),
    stop("lock", "do_anonymous_page.retake_lock", lock=True),
    gate("pte_none?", "do_anonymous_page.pte_none", key=False),
    stop("set_pte", "do_anonymous_page.set_pte", "do_anonymous_page.zero_page", key=True),
    RETRY,
)
WRITEBACK = (
    stop("dirty page", "mpage_writepages.pagevec_lookup_tag"),
    stop("lock page", "mpage_writepages.lock_page", lock=True),
    stop("clear dirty", "mpage_writepages.clear_page_dirty_for_io", key=True),
    gate("block?", "ext2_get_block.ext2_get_branch"),
    gate("quota?", "ext2_new_block.dquot_alloc_block", key=False),
    gate("free block?", "ext2_new_block.reserve_blocks"),
    stop("submit", "mpage_writepage.submit_bio", "block_write_full_page.submit_bh", key=True),
    stop("recover", "block_write_full_page.recover", key=True),
    stop("note error", "mpage_writepages.mapping_set_error"),
)
RECLAIM = (
    stop("oldest page", "shrink_list.isolate"),
    stop("lock page", "shrink_list.trylock_page", lock=True),
    stop("unmap", "try_to_unmap.unmap_one", "shrink_list.try_to_unmap", key=True),
    stop("dirty?", "shrink_list.pageout"),
    gate("block?", "ext2_get_block.ext2_get_branch", key=False),
    gate("quota?", "ext2_new_block.dquot_alloc_block", key=False),
    gate("free block?", "ext2_new_block.reserve_blocks"),
    stop("submit", "block_write_full_page.submit_bh", "mpage_writepage.submit_bio"),
    stop("recover", "block_write_full_page.recover", key=True),
    stop("frame freed", "shrink_list.remove_mapping", key=True),
)

OWNERS = {
    "store": "fault",
    "load": "fault",
    "mpage_writepages": "writeback",
    "shrink_list": "reclaim",
}
"""The functions that begin a journey of their own kind; everything they call belongs to it."""
FIRST_STEPS = {
    "fault": ("store.tlb", "load.tlb"),
    "writeback": ("mpage_writepages.pagevec_lookup_tag",),
    "reclaim": ("shrink_list.isolate",),
}
TITLES = {"writeback": "Writeback", "reclaim": "Reclaim"}
ANSWERS = {"mpage_readpage.zero_fill": "zero-filled", "mpage_readpage.read_blocks": "read from disk"}
"""What a step that answers nothing itself has found out."""
_REFUSAL = re.compile(r"no: E[A-Z]+")
"""An answer that is an errno."""

NEVER = ("never asked", "not asked")


Point = tuple[int, str, str | None]
"""Step number, "function.step", answer."""

PLACES = tuple(f"rail/{place}" for place in range(STATIONS))
NOTHING: dict[str, Any] = {}


class Reached(NamedTuple):
    """How far a journey is: the station reached last, what each one on the way there answered, what the TLB said."""

    here: int = -1
    answers: Mapping[int, str] = {}
    tlb: str = ""


@dataclass(slots=True)
class Journey:
    """A stretch of one task's steps: one access, one page written out, one call. `line` is the script line."""

    kind: str
    task: str
    title: str
    points: list[Point] = field(default_factory=list)
    stations: tuple[Station, ...] = ()
    note: str = ""
    line: str = ""
    _way: list[Reached] = field(default_factory=list)
    _made: dict[Any, dict[str, Any]] = field(default_factory=dict)
    _last: tuple[Reached, list[tuple[str, dict[str, Any]]]] | None = None

    def fields_at(self, n: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """(view entity, fields) of the rail at step n of the trace."""
        yield "rail", {"title": self.title, "note": self.note or None, "kind": self.kind}
        yield from self._rail(self._reached(bisect_right(self.points, n, key=itemgetter(0))))

    @property
    def quiet(self) -> bool:
        """An access that needed no fault."""
        return self.kind == "fault" and not any(point.startswith("do_page_fault.") for _, point, _ in self.points)

    def _reached(self, passed: int) -> Reached:
        """How far the journey is when it has passed so many of its points."""
        while len(self._way) <= passed:
            if not self._way:
                self._way.append(Reached())
            else:
                self._way.append(self._next(self._way[-1], self.points[len(self._way) - 1]))
        return self._way[passed]

    def _next(self, now: Reached, reached: Point) -> Reached:
        """How far it is after one point more."""
        _, point, answer = reached
        here, answers = now.here, now.answers
        if self.kind == "fault" and here < 0:
            here, answers = 0, {0: ""}
        tlb = now.tlb or (answer if point.endswith(".tlb") and answer else "")
        place = place_among(self.stations, point)
        if place is None or self._is_retry(here, place):
            same = (here, tlb) == (now.here, now.tlb)
            return now if same else Reached(here, answers, tlb)
        if place < here:
            answers = {i: text for i, text in answers.items() if i < place}
        said = _first(answers.get(place, ""), ANSWERS.get(point) or answer or "")
        return Reached(place, {**answers, place: said}, tlb)

    def _rail(self, reached: Reached) -> list[tuple[str, dict[str, Any]]]:
        if self._last is None or self._last[0] is not reached:
            known = range(len(self.stations))
            made = [(PLACES[at], self._made_once(at, reached) if at in known else NOTHING) for at in range(STATIONS)]
            self._last = reached, made
        return self._last[1]

    def _made_once(self, place: int, reached: Reached) -> dict[str, Any]:
        """A station's fields. Those of stations that the journey is not at stay the same for many steps."""
        here, answers, tlb = reached
        refused = self.stations[place].label == "set_pte" and self._refused(answers)
        key = (place, (here > place) - (here < place), answers.get(place), tlb, refused)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._station(place, reached)
        return made

    def _is_retry(self, here: int, place: int) -> bool:
        """Whether a step at the walk belongs to the retry at the end: the rail does not go back for it."""
        return self.kind == "fault" and here == len(self.stations) - 1 and place == 1

    def _station(self, place: int, reached: Reached) -> dict[str, Any]:
        here, answers, tlb = reached
        station, answer = self.stations[place], answers.get(place)
        state = "ahead" if place > here else "skipped" if answer is None else "now" if place == here else "done"
        if answer is not None:
            state = self._verdict(station, answer, state)
        if station.label == "set_pte" and state == "done" and self._refused(answers):
            state = "skipped"
        if state == "ahead" and self.quiet and 1 < place < len(self.stations) - 1:
            state = "skipped"
        return {
            "label": self._label(station, tlb), "kind": station.kind, "state": state,
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
        if station in (ACCESS, WALK, TRAP):
            return None
        if answer:
            return shorten(answer)
        if state == "skipped" and station.kind == GATE and self.quiet:
            return "nobody asks"
        return ("now" if station.kind == GATE or station.key else None) if state == "now" else None

    def _label(self, station: Station, tlb: str) -> str:
        if station is ACCESS:
            return self.line
        if station is WALK:
            return f"TLB {tlb.partition(':')[0]}" + ("" if tlb == "hit" else " · walk") if tlb else "TLB"
        if station is RETRY:
            if any(point.endswith(".signal") for _, point, _ in self.points):
                return "signal"
            return ("load" if "Load" in self.title else "store") + " done" if self.quiet else "retry"
        return station.label


def _first(old: str, new: str) -> str:
    """Of two answers of one station the one that says more: what the page was filled with, else the later one."""
    return old if old in ANSWERS.values() else "in the cache" if new.startswith("yes: frame") else new or old


def shorten(answer: str) -> str:
    """An answer short enough to stand under a station; a zero byte has a name."""
    if answer and not answer.strip("."):
        return "zero" if len(answer) == 1 else "zeroes"
    return answer if len(answer) <= 18 else answer[:17] + "…"


def journeys(trace: Trace, scenario: Scenario) -> list[Journey]:
    """The journey each step belongs to: one entry a step."""
    found: list[Journey] = []
    open_: dict[tuple[str, int, str], Journey] = {}
    stacks = Stacks(trace)
    for step in trace.steps:
        functions = stacks.before(step)
        kind, owner = _kind(functions)
        key = (step.task, step.line, kind if kind != "call" else owner)
        point = f"{step.function}.{step.name}"
        fresh = point in FIRST_STEPS.get(kind, ()) and not _goes_on(open_.get(key))
        if key not in open_ or fresh:
            line = _line(scenario, step)
            open_[key] = Journey(kind, step.task, _title(kind, owner, step, line), line=line)
        journey = open_[key]
        journey.points.append((step.n, point, step.answer))
        found.append(journey)
        stacks.after(step)
    for journey in {id(journey): journey for journey in found}.values():
        _equip(journey)
    return found


def _goes_on(journey: Journey | None) -> bool:
    """Whether a first step is really the second try of the access under way."""
    return journey is not None and journey.points[-1][1].endswith(".resume")


def _kind(functions: Sequence[str]) -> tuple[str, str]:
    """The kind of journey from the call stack (outermost first): that of the innermost owner, else a plain call."""
    for function in reversed(functions):
        if function in OWNERS:
            return OWNERS[function], function
    return "call", functions[0] if functions else ""


def _title(kind: str, owner: str, step: Step, line: str) -> str:
    if kind == "fault":
        return f"{'Load' if owner == 'load' else 'Store'} · {step.task}"
    said = (kind == "call" and line) or TITLES.get(kind, owner)
    return f"{said} · {step.task}"


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
        journey.stations = (
            WP_PAGE if "do_wp_page" in functions else ANONYMOUS if "do_anonymous_page" in functions else NO_PAGE
        )
        if "do_page_fault" in functions:
            journey.title = journey.title.replace(" · ", " fault · ", 1)
        else:
            journey.note = "no fault: nobody is asked"
    elif journey.kind == "writeback":
        failed = "block_write_full_page.recover" in points
        journey.stations = tuple(s for s in WRITEBACK if s.label not in (("submit",) if failed else ("recover",)))
    elif journey.kind == "reclaim":
        journey.stations = RECLAIM
    else:
        journey.stations = tuple(_plain(journey.points))


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
