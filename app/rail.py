"""The rail: the stations that a fault, a write-out or a call passes, and which of them is reached.

The steps of one task are cut into journeys: one access with its fault, one page written out, one call. All stations of a
journey are known from its beginning; each gathers its answer as the journey goes by. The stations of a fault are the
same under every kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

STATIONS = 10
GATE, STOP = "gate", "stop"


@dataclass(frozen=True, slots=True)
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


def stop(label: str, *steps: str, key: bool = False, lock: bool = False) -> Station:
    """A station passed without a question."""
    return Station(label, STOP, steps, key, lock)


def gate(label: str, *steps: str, key: bool = True) -> Station:
    """A station that asks."""
    return Station(label, GATE, steps, key)


ACCESS = stop("access", "store.tlb", "load.tlb")
WALK = stop("TLB miss · walk", "store.walk", "load.walk")
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
NEVER = ("never asked", "not asked")


@dataclass(slots=True)
class Journey:
    """A stretch of one task's steps. `points` are (step number, "function.step", answer)."""

    kind: str
    task: str
    title: str
    points: list[tuple[int, str, str | None]] = field(default_factory=list)
    stations: tuple[Station, ...] = ()
    note: str = ""

    def fields_at(self, n: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """(view entity, fields) of the rail at step n of the trace."""
        yield "rail", {"title": self.title, "note": self.note or None, "idle": True if self._quiet() else None}
        past = [point for point in self.points if point[0] <= n]
        here, answers = self._reached(past)
        current = past[-1][1] if past else ""
        for place in range(STATIONS):
            if place < len(self.stations):
                yield f"rail/{place}", self._station(place, here, answers, current)
            else:
                yield f"rail/{place}", {}

    def _quiet(self) -> bool:
        """An access that needed no fault."""
        return self.kind == "fault" and not any(point.startswith("do_page_fault.") for _, point, _ in self.points)

    def _reached(self, past: Sequence[tuple[int, str, str | None]]) -> tuple[int, dict[int, str]]:
        """The station reached last, and the answer of each station passed on the way there."""
        here, answers = -1, {}
        for _, point, answer in past:
            place = next((i for i, station in enumerate(self.stations) if station.has(point)), None)
            if place is None:
                continue
            if place < here:
                answers = {i: text for i, text in answers.items() if i < place}
            here = place
            answers[place] = answer or answers.get(place, "")
        return here, answers

    def _station(self, place: int, here: int, answers: dict[int, str], current: str) -> dict[str, Any]:
        station = self.stations[place]
        answer = answers.get(place)
        state = "ahead" if place > here else "skipped" if answer is None else "now" if place == here else "done"
        if answer is not None:
            state = _verdict(station, answer, state)
        text = shorten(answer) if answer else None
        if state == "skipped" and station.kind == GATE and self._quiet():
            text = "nobody asks"
        if place == here and not text:
            text = "now" if station.has(current) else "…"
        return {
            "label": self._label(station),
            "kind": station.kind,
            "state": state,
            "answer": text,
            "now": True if place == here else None,
            "key": station.key or None,
            "lock": station.lock or None,
        }

    def _label(self, station: Station) -> str:
        if station is ACCESS:
            return self.note.partition(" · ")[0] or "access"
        if station is WALK and not any(WALK.has(point) for _, point, _ in self.points):
            return "TLB hit"
        if station is RETRY and any(answer in ("SIGBUS", "SIGSEGV") for _, _, answer in self.points):
            return "signal"
        return station.label


def _verdict(station: Station, answer: str, state: str) -> str:
    """The state of a station that has answered."""
    if answer in NEVER:
        return "unasked"
    if station is ASK and answer.startswith("no"):
        return "refused"
    if station.kind == GATE and station.label in ("block?", "quota?", "free block?") and answer.startswith("no:"):
        return "refused"
    if station.label == "recover":
        return "failed" if state == "done" else state
    return state


def shorten(answer: str) -> str:
    """An answer short enough to stand under a station."""
    return answer if len(answer) <= 18 else answer[:17] + "…"


def journeys(trace: Any, scenario: Any) -> list[Journey]:
    """The journey each step belongs to: one entry a step."""
    found: list[Journey] = []
    open_: dict[tuple[str, int, str], Journey] = {}
    stacks = Stacks(trace)
    for step in trace.steps:
        functions = stacks.before(step)
        kind, owner = _kind(functions)
        key = (step.task, step.line, kind if kind != "call" else owner)
        point = f"{step.function}.{step.name}"
        fresh = point in FIRST_STEPS.get(kind, ()) and not _goes_on(open_.get(key), point)
        if key not in open_ or fresh:
            open_[key] = Journey(kind, step.task, _title(kind, owner, step), note=_note(scenario, kind, step))
        journey = open_[key]
        journey.points.append((step.n, point, step.answer))
        found.append(journey)
        stacks.after(step)
    for journey in dict.fromkeys(map(id, found)):
        _equip(next(candidate for candidate in found if id(candidate) == journey))
    return found


def _goes_on(journey: Journey | None, point: str) -> bool:
    """Whether a first step is really the retry of the access under way."""
    return journey is not None and journey.kind == "fault" and journey.points[-1][1].startswith("do_page_fault.")


def _kind(functions: Sequence[str]) -> tuple[str, str]:
    """The kind of journey from the call stack (outermost first): that of the innermost owner, else a plain call."""
    for function in reversed(functions):
        if function in OWNERS:
            return OWNERS[function], function
    return "call", functions[0] if functions else ""


def _title(kind: str, owner: str, step: Any) -> str:
    if kind == "fault":
        return f"{'Load' if owner == 'load' else 'Store'} · {step.task}"
    return f"{TITLES.get(kind, owner)} · {step.task}"


def _note(scenario: Any, kind: str, step: Any) -> str:
    if kind != "fault" or step.task not in scenario.tasks:
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
        fault = "fault · " if "do_page_fault" in functions else "no fault · "
        journey.title = journey.title.replace(" · ", f" {fault}", 1)
    elif journey.kind == "writeback":
        failed = "block_write_full_page.recover" in points
        journey.stations = tuple(s for s in WRITEBACK if s.label not in (("submit",) if failed else ("recover",)))
    elif journey.kind == "reclaim":
        journey.stations = RECLAIM
    else:
        journey.stations = tuple(_plain(journey.points))


def _plain(points: Iterable[tuple[int, str, str | None]]) -> Iterator[Station]:
    """A call's own steps as stations, each once, in the order they were first made."""
    points = list(points)
    top = points[0][1].partition(".")[0] if points else ""
    own = list(dict.fromkeys(point for _, point, _ in points if point.startswith(f"{top}.")))
    rest = dict.fromkeys(point.partition(".")[0] for _, point, _ in points if not point.startswith(f"{top}."))
    for point in own[:STATIONS]:
        yield stop(point.partition(".")[2], point, key=point in (own[0], own[-1]))
    for function in list(rest)[: max(0, STATIONS - len(own))]:
        if not own:
            yield stop(function, f"{function}.*")


class Stacks:
    """Every task's call stack while the trace goes by: C names, outermost first."""

    def __init__(self, trace: Any) -> None:
        self._stack = {
            at: value for at, value in trace.initial.items() if at.startswith("task/") and at.endswith(".stack")
        }

    def before(self, step: Any) -> list[str]:
        """The stack that a step runs on: as it was, with the step's own function on top."""
        names = (self._stack.get(f"task/{step.task}.stack") or "").split(">")
        return names if names[-1] == step.function else [*filter(None, names), step.function]

    def after(self, step: Any) -> None:
        """Note what a step left."""
        for at, _, new in step.writes:
            if at.startswith("task/") and at.endswith(".stack"):
                self._stack[at] = new
