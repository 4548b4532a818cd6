"""What belongs to a step rather than to a thing: caption, rail, call stack, source, what changed, the timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app import exhibits, focus, narration, rail
from app.cast import Cast
from app.cells import words
from app.focus import Fields, Spot, View
from app.wording import brief, fate_sentence, is_quiet, lock_name, name_of, names_in, pair, place_of, weight
from engine import Kernel, Scenario, Step, Trace

CHANGES = 4
DEPTH = 2
LOCKS = 2

NOTHING: Fields = {}
NOW: Fields = {"now": True}
STACK = tuple(f"stack/{place}" for place in range(DEPTH))
HELD = tuple(f"lock/{place}" for place in range(LOCKS))
CHANGED = tuple(f"change/{place}" for place in range(CHANGES))

Get = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of steps by one task within one script line."""

    key: int
    task: str
    line: int
    first: int
    last: int


class Moments:
    """Goes through a trace once, in order, and tells each step."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that is known of a run before its steps are told
        self,
        trace: Trace,
        scenario: Scenario,
        kernel: Kernel,
        cast: Cast,
        journeys: Sequence[rail.Journey],
        stacks: Sequence[list[str]],
    ) -> None:
        """Nothing is told yet."""
        self.scenario, self.kernel, self.cast, self.journeys = scenario, kernel, cast, journeys
        self.trace, self.runs = trace, runs(trace)
        self._called = names_in(kernel)
        self._defects = exhibits.defects(kernel)
        self._broken = broken(trace)
        self._stacks = stacks
        self.sentences = narration.tell(trace, scenario, kernel, cast)
        self._words = ""
        self._lines = {task: scenario.lines(task) for task in scenario.tasks}
        self._names: dict[str, str] = {}
        self._made_from: dict[str, object] = {}
        self._stations: list[tuple[str, Fields]] = []
        self._pages = [
            (f"Page {i} of {file.name}", f"blockslot/{file.name}/{i}", f"slot/{file.name}/{i}")
            for file in cast.files
            for i in file.indices
        ]
        self._told: list[tuple[Fields, Fields, str]] = [({}, {}, "")] * len(self._pages)
        self._spot, self._spots = Spot(), focus.Spots(cast)
        self._touched: dict[str, None] = {}
        self._token = ""
        self._source: tuple[str, ...] = ()
        self._run: Run | None = None

    def beginning(self, view: View) -> Iterator[tuple[str, Fields]]:
        """Step 0: nothing has happened yet."""
        yield from self._to_come()
        first, _, rest = str(self.scenario.story or self.scenario.title).partition(". ")
        yield "caption", {
            "where": "before the first step",
            "text": f"{first}." if rest else first,
            "plain": f"{first}." if rest else first,
            "why": rest or None,
            "picture": "Nothing is mapped yet.",
        }  # fmt: skip
        yield "build", {"open": True if self.kernel.build else None}
        yield "changes", {"title": "What changed"}
        yield "time", {"step": 0, "valuetext": "the beginning"}
        for task in self.scenario.tasks:
            for line in self.scenario.lines(task):
                yield f"script/{task}.{line.number}", {"state": "ahead"}
        for run in self.runs:
            yield f"seg/{run.key}", {"state": "ahead"}
        yield "source", {"head": "Kernel"}
        yield from self._first_page(view)

    def _first_page(self, view: View) -> Iterator[tuple[str, Fields]]:
        """The page that the run will fault on first, as it stands before that."""
        entry = next((at for step in self.trace.steps for at, _, _ in step.writes if "/pte/" in at), None)
        spot = focus.aim(self._spot, focus.Touched([entry] if entry else [], ()), _nothing, self._spots)
        first = next((journey for journey in self.journeys if journey.kind == "fault"), None)
        actor, act = (first.task, f"to come: {first.line}") if first else ("nobody yet", "")
        yield from focus.fields(focus.look(spot, self.trace.initial.get, view), actor, act)

    def _to_come(self) -> Iterator[tuple[str, Fields]]:
        """The rail before anything has happened: that of the first fault, or of the first step."""
        faults = (journey for journey in self.journeys if journey.kind == "fault" and not journey.quiet)
        first = next(faults, self.journeys[0] if self.journeys else None)
        if first is not None:
            head, stations = first.at(0)
            yield "rail", {**head, "title": f"To come: {head['title']}"}
            yield from stations

    def at(self, step: Step, get: Get, view: View) -> Iterator[tuple[str, Fields]]:
        """A step, given the raw state and the rules' view after it."""
        touched = focus.Touched.by(step)
        self._spot = focus.aim(self._spot, touched, get, self._spots)
        yield from self._rail(step)
        yield "caption", self._caption(step, view)
        if step.n == 1:
            yield "build", NOTHING
        who = self._called.task(step.task)
        yield "time", {"step": step.n, "valuetext": f"step {step.n}, {who}, {step.function} {step.name}"}
        yield from self._chips(step, self._stacks[step.n - 1], get)
        yield from self._code(step)
        yield from self._changes(step, get)
        yield from self._script(step, get)
        yield from self._lanes(step)
        seen, act = focus.look(self._spot, get, view), self._line(step) or step.function
        if self._is_new("focus", (seen, who, act)):
            yield from focus.fields(seen, who, act)
        yield from self._move_token(touched, get)

    def _is_new(self, part: str, inputs: object) -> bool:
        """Whether what a part of the page is made from differs from the step before: else it stays as it is."""
        if self._made_from.get(part) == inputs:
            return False
        self._made_from[part] = inputs
        return True

    def _move_token(self, touched: focus.Touched, get: Get) -> Iterator[tuple[str, Fields]]:
        """The token stands where the step is; a step that touches nothing in the picture leaves it where it was."""
        to = focus.stage(self._spot, touched, get) or self._token
        if to != self._token:
            if self._token:
                yield self._token, {}
            yield to, {"on": True}
        self._token = to

    # -- words ----------------------------------------------------------------------------------------------------

    def _line(self, step: Step) -> str:
        """The script line that is running; empty for the kernel's own tasks."""
        lines = self._lines.get(step.task, ())
        return str(lines[step.line - 1].text) if 0 < step.line <= len(lines) else ""

    def _rail(self, step: Step) -> Iterator[tuple[str, Fields]]:
        """The rail of the journey under way, with the page it is about in its title."""
        journey = self.journeys[step.n - 1]
        about = f" · page {self._spot.index}" if journey.kind != "call" and self._spot.index is not None else ""
        head, stations = journey.at(step.n)
        if self._is_new("rail", (head, about)):
            yield "rail", {**head, "title": head["title"] + about}
        if stations is not self._stations:
            yield from stations
            self._stations = stations

    def _caption(self, step: Step, view: View) -> Fields:
        said = f"{step.function} · {step.name}"
        return {
            "task": self._called.task(step.task),
            "where": f"{said} — {step.answer}" if step.answer else said,
            "text": exhibits.plain(step.caption),
            "plain": self.sentences[step.n - 1],
            "why": " ".join(fate_sentence(change) for change in step.fates) or None,
            "defect": " ".join([*self._defects_in(step.caption).splitlines(), *self._broken.get(step.n, ())]) or None,
            "picture": self._picture(view),
            "fate": step.fates[-1].new if step.fates else None,
        }

    def _defects_in(self, caption: str) -> str:
        """The defect that a caption names, in words; of several only the codes, for then the caption says them all."""
        named = exhibits.codes(caption)
        if len(named) > 1:
            return f"Defects {', '.join(named[:-1])} and {named[-1]} of the patch."
        return "".join(f"Defect {code}: {self._defects.get(code, '')}" for code in named)

    def _picture(self, view: View) -> str:
        """The picture in words, for who cannot see it. The words for a page are made when it has changed."""
        moved = False
        for place, (name, block_at, slot_at) in enumerate(self._pages):
            block, slot = view(block_at), view(slot_at)
            if self._told[place][0] is not block or self._told[place][1] is not slot:
                self._told[place] = (block, slot, _page_sentence(name, block, slot))
                moved = True
        if moved:
            self._words = " ".join(sentence for _, _, sentence in self._told)
        return self._words

    # -- the kernel's side ------------------------------------------------------------------------------------------

    def _chips(self, step: Step, stack: list[str], get: Get) -> Iterator[tuple[str, Fields]]:
        shown, locks = stack[-DEPTH:], get(f"task/{step.task}.locks")
        if not self._is_new("chips", (shown, locks)):
            return
        for place in range(DEPTH):
            top = True if place == len(shown) - 1 else None
            yield STACK[place], {"name": shown[place], "top": top} if place < len(shown) else NOTHING
        held = [lock_name(at, self._called) for at in words(locks)][-LOCKS:]
        for place in range(LOCKS):
            yield HELD[place], {"name": held[place]} if place < len(held) else NOTHING

    def _code(self, step: Step) -> Iterator[tuple[str, Fields]]:
        now = f"fn/{step.function}", f"fn/{step.function}/{step.name}"
        if now == self._source:
            return
        for last in self._source:
            if last not in now:
                yield last, {}
        for name in now:
            yield name, NOW
        if now[0] not in self._source:
            head, where = place_of(self.kernel, step.function)
            yield "source", {"head": head, "file": where}
        self._source = now

    def _changes(self, step: Step, get: Get) -> Iterator[tuple[str, Fields]]:
        """What the step changed; where that is nothing, what it looked at."""
        told = [write for write in step.writes if not is_quiet(write[0])]
        told.sort(key=lambda write: weight(write[0]))
        looks = [] if told else [at for at in step.reads if not is_quiet(at)]
        lines = [self._change(*write) for write in told[:CHANGES]]
        lines += [{"what": self._name(at), "now": brief(at, get(at)), "kind": "read"} for at in looks[:CHANGES]]
        count = len(told) + len(looks)
        yield "changes", {"title": "What it looked at" if looks else "What changed"}
        for place in range(CHANGES):
            more = f"+{count - CHANGES}" if place == CHANGES - 1 and count > CHANGES else None
            yield CHANGED[place], {**lines[place], "more": more} if place < len(lines) else NOTHING

    def _change(self, at: str, old: Any, new: Any) -> Fields:
        was, now = pair(brief(at, old), brief(at, new))
        return {"what": self._name(at), "was": was, "now": now, "kind": "write"}

    def _name(self, at: str) -> str:
        if at not in self._names:
            self._names[at] = name_of(at, self.cast)
        return self._names[at]

    # -- time -------------------------------------------------------------------------------------------------------

    def _script(self, step: Step, get: Get) -> Iterator[tuple[str, Fields]]:
        """The script lines of every task that has begun."""
        begins = step.task in self._lines and step.task not in self._touched
        if begins:
            self._touched[step.task] = None
        moved = begins or [at for at, _, _ in step.writes if at.endswith((".line", ".result"))]
        for task in self._touched if moved else ():
            now = get(f"task/{task}.line") or 0
            for line in self._lines[task]:
                result = get(f"line/{task}.{line.number}.result")
                yield f"script/{task}.{line.number}", _script_line(line.number, now, result)

    def _lanes(self, step: Step) -> Iterator[tuple[str, Fields]]:
        run = self._run
        if run is None or step.n > run.last:
            run = self.runs[0 if run is None else run.key + 1]
        if run != self._run:
            if self._run:
                yield f"seg/{self._run.key}", {"state": "done"}
            if self._run and self._run.task != run.task:
                yield f"lane/{self._run.task}", {}
            yield f"seg/{run.key}", {"state": "now"}
            yield f"lane/{run.task}", {"running": True}
            self._run = run
        yield f"step/{step.n - 1}", {}
        yield f"step/{step.n}", {"now": True}


def broken(trace: Trace) -> dict[int, list[str]]:
    """What is said of the invariants that break after a step. Alarms about data are left out: fates tell them."""
    said: dict[int, list[str]] = {}
    for each in trace.violations or ():
        if not each.violation.level:
            said.setdefault(each.first, []).append(str(each.violation))
    return said


def runs(trace: Trace) -> list[Run]:
    """The stretches of a trace, in order; a stretch's key is its place."""
    found: list[Run] = []
    for step in trace.steps:
        last = found[-1] if found else None
        if last and (last.task, last.line) == (step.task, step.line):
            found[-1] = Run(last.key, last.task, last.line, last.first, step.n)
        else:
            found.append(Run(len(found), step.task, step.line, step.n, step.n))
    return found


def _page_sentence(name: str, block: Fields, slot: Fields) -> str:
    """`Page 2 of f: frame 1 · page 2, C, only copy; a hole.`."""
    where = block.get("text")
    home = "a hole" if where == "hole" else f"block {str(where).removeprefix('→ ')}"
    here = "not in memory"
    if slot.get("state") != "absent":
        here = f"{slot.get('head')}, {slot.get('text')}, {slot.get('word')}"
    return f"{name}: {here}; {home}."


def _script_line(number: int, now: int, result: Any) -> Fields:
    """How a script line stands, given the line the task is on and what it came to."""
    if result is None:
        return {"state": "now" if number == now else "done" if number < now else "ahead"}
    word = "ok" if result == "0" else rail.shorten(str(result))
    if word.startswith("SIG"):
        return {"state": "killed", "result": word}
    failed = word.isupper() and word.startswith("E") and len(word) > 2
    return {"state": "failed" if failed else "done", "result": word}


def _nothing(_at: str) -> None:
    return None
