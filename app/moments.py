"""What belongs to a step itself rather than to a thing: caption, rail, call stack, locks, source, what changed, the page in question."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app import rail
from app.cast import Cast, where_is
from app.accounts import FATE_WORDS
from app.cells import bytes_of, entry_of, letters, words

CHANGES = 4
DEPTH = 2
LOCKS = 2
QUIET = re.compile(
    r"^(task/|oracle/|machine\.|line/|store/|mm/[^/.]+\.(names|users|mmap_sem|page_table_lock)|page/\d+\.(locked|lru|referenced|active)|"
    r"inode/[^/.]+\.(i_sem|i_lock|dirty_pages)|ram|lru)"
)
"""Cells whose changes are told elsewhere on the page (script, locks, fates), or not worth a line."""

Get = Callable[[str], Any]
Fields = dict[str, Any]


@dataclass(slots=True)
class Spot:
    """The page in question: whose, which virtual page, which page of which file."""

    mm: str = ""
    vpn: int | None = None
    file: str = ""
    index: int | None = None


class Moments:
    """Goes through a trace once, in order, and tells each step."""

    def __init__(self, trace: Any, scenario: Any, kernel: Any, cast: Cast, journeys: tuple[rail.Journey, ...]) -> None:
        self.scenario, self.kernel, self.cast, self.journeys = scenario, kernel, cast, journeys
        self.runs = runs(trace)
        self._stacks = rail.Stacks(trace)
        self._spot = Spot()
        self._done: dict[str, Any] = {}
        self._before: tuple[str, str] | None = None
        self._run_now: int | None = None

    def beginning(self) -> Iterator[tuple[str, Fields]]:
        """Step 0: nothing has happened yet."""
        first = self.journeys[0] if self.journeys else None
        for name, fields in first.fields_at(0) if first else ():
            yield name, fields
        yield (
            "caption",
            {
                "where": "the beginning",
                "text": str(self.scenario.story or self.scenario.title),
                "picture": "Nothing is mapped yet.",
            },
        )
        yield "time", {"step": 0, "valuetext": "the beginning"}
        for task in self.scenario.tasks:
            for line in self.scenario.lines(task):
                yield f"script/{task}.{line.number}", {"state": "ahead"}
        for run in self.runs:
            yield f"seg/{run.key}", {"state": "ahead"}
        yield from _focus(self._spot, lambda at: None, lambda at: None, "")

    def at(self, step: Any, get: Get, view: Get) -> Iterator[tuple[str, Fields]]:
        """Step n, given the raw state and the rules' view after it."""
        stack = self._stacks.before(step)
        self._stacks.after(step)
        self._aim(step, get)
        yield from self._rail(step)
        yield "caption", self._caption(step, view)
        yield (
            "time",
            {"step": step.n, "valuetext": f"step {step.n}: {step.task}, {step.function} {step.name}: {step.caption}"},
        )
        yield from self._chips(step, stack, get)
        yield from self._code(step)
        yield from self._changes(step, get)
        yield from self._script(step, get)
        yield from self._lanes(step)
        yield from _focus(self._spot, get, view, self._line(step))

    # -- words ----------------------------------------------------------------------------------------------------

    def _line(self, step: Any) -> str:
        if step.task not in self.scenario.tasks:
            return ""
        lines = self.scenario.lines(step.task)
        return str(lines[step.line - 1].text) if 0 < step.line <= len(lines) else ""

    def _caption(self, step: Any, view: Get) -> Fields:
        why = " ".join(_fate_sentence(change) for change in step.fates) or None
        where = f"{step.function} · {step.name}"
        answer = f" — {step.answer}" if step.answer else ""
        return {
            "task": step.task,
            "where": where + answer,
            "text": step.caption,
            "why": why,
            "picture": self._picture(view),
            "fate": step.fates[-1].new if step.fates else None,
        }

    def _picture(self, view: Get) -> str:
        """The picture in words, for who cannot see it."""
        said = []
        for file in self.cast.files:
            for index in file.indices:
                key = f"{file.name}/{index}"
                state, word = view(f"slot/{key}.state"), view(f"slot/{key}.word")
                where = view(f"blockslot/{key}.text")
                cached = f"in {view(f'slot/{key}.head')}, {word}" if state != "absent" else "not in memory"
                said.append(
                    f"Page {index} of {file.name}: {cached}; {'a hole' if where == 'hole' else f'block {where}'}."
                )
        return " ".join(said)

    def _rail(self, step: Any) -> Iterator[tuple[str, Fields]]:
        """The rail of the journey under way, with the page it is about in its title."""
        journey = self.journeys[step.n - 1]
        about = f" · page {self._spot.index}" if journey.kind != "call" and self._spot.index is not None else ""
        for name, fields in journey.fields_at(step.n):
            yield name, {**fields, "title": fields["title"] + about} if name == "rail" else fields

    # -- kernel -----------------------------------------------------------------------------------------------------

    def _chips(self, step: Any, stack: list[str], get: Get) -> Iterator[tuple[str, Fields]]:
        shown = stack[-DEPTH:]
        for place in range(DEPTH):
            fields = (
                {"name": shown[place], "top": True if place == len(shown) - 1 else None} if place < len(shown) else {}
            )
            yield f"stack/{place}", fields
        held = [lock_name(at) for at in words(get(f"task/{step.task}.locks"))][-LOCKS:]
        for place in range(LOCKS):
            yield f"lock/{place}", {"name": held[place]} if place < len(held) else {}

    def _code(self, step: Any) -> Iterator[tuple[str, Fields]]:
        if self._before:
            function, name = self._before
            yield f"fn/{function}", {}
            yield f"fn/{function}/{name}", {}
        yield f"fn/{step.function}", {"now": True}
        yield f"fn/{step.function}/{step.name}", {"now": True}
        head, where = place_of(self.kernel, step.function)
        yield "source", {"head": head, "file": where}
        self._before = (step.function, step.name)

    def _changes(self, step: Any, get: Get) -> Iterator[tuple[str, Fields]]:
        told = [write for write in step.writes if not QUIET.match(write[0])]
        told.sort(key=lambda write: _weight(write[0]))
        for place in range(CHANGES):
            if place >= len(told):
                yield f"change/{place}", {}
                continue
            at, old, new = told[place]
            more = f"+{len(told) - CHANGES}" if place == CHANGES - 1 and len(told) > CHANGES else None
            yield (
                f"change/{place}",
                {"what": self.name_of(at), "was": brief(at, old), "now": brief(at, new), "more": more},
            )

    def name_of(self, at: str) -> str:
        """A cell in words: `pte of A, page 2`."""
        entity, _, field = at.rpartition(".")
        kind, *parts = entity.split("/")
        match kind, parts:
            case "mm", [mm, "pte", vpn]:
                return f"pte {mm}[{self._index(mm, int(vpn, 16))}]"
            case "mm", [mm, "pgd", slot]:
                return f"pgd {mm}[{slot}]"
            case "cpu", [number, "tlb", vpn]:
                return f"TLB cpu {number}"
            case "page", [pfn, "bh", i]:
                return f"frame {pfn}, buffer {i} {field}"
            case "page", [pfn]:
                return f"frame {pfn} {field}"
            case "mapping", [file, index]:
                return f"page cache {file}[{index}]" + (f" tag {field}" if field != "page" else "")
            case "mm", [mm]:
                return f"{field} of {mm}"
            case "mapping", [file]:
                return f"mapping of {file} {field}"
            case "inode", [file, "block", slot]:
                return f"inode {file}[{slot}]"
            case "disk", ["inode", file]:
                return f"inode {file} on disk"
            case "disk", [block]:
                return f"disk block {block}"
            case "block", [block]:
                return f"block {block}"
            case "quota", [user]:
                return f"quota of {user} {field}"
            case "fs", []:
                return f"{field} blocks"
            case _:
                return at.replace("/", " ").replace(".", " ")

    def _index(self, mm: str, vpn: int) -> str:
        for mapping in self.cast.mappings:
            if mapping.mm == mm:
                for shown, index in mapping.pages:
                    if shown == vpn:
                        return str(index)
        return f"{vpn:#x}"

    # -- time -------------------------------------------------------------------------------------------------------

    def _script(self, step: Any, get: Get) -> Iterator[tuple[str, Fields]]:
        tasks = dict.fromkeys([step.task, *self._done])
        for task in (task for task in tasks if task in self.scenario.tasks):
            now, state = get(f"task/{task}.line") or 0, get(f"task/{task}.state")
            self._done[task] = now
            for line in self.scenario.lines(task):
                yield (
                    f"script/{task}.{line.number}",
                    _script_line(line.number, now, state, get(f"line/{task}.{line.number}.result")),
                )

    def _lanes(self, step: Any) -> Iterator[tuple[str, Fields]]:
        run = next(i for i, run in enumerate(self.runs) if run.first <= step.n <= run.last)
        if run != self._run_now:
            if self._run_now is not None:
                yield f"seg/{self.runs[self._run_now].key}", {"state": "done"}
                yield f"lane/{self.runs[self._run_now].task}", {}
            yield f"seg/{self.runs[run].key}", {"state": "now"}
            yield f"lane/{step.task}", {"running": True}
            self._run_now = run
        if step.n > 1:
            yield f"step/{step.n - 1}", {}
        yield f"step/{step.n}", {"now": True}

    # -- the page in question ----------------------------------------------------------------------------------------

    def _aim(self, step: Any, get: Get) -> None:
        """Which page this step is about: the last one it wrote or read; else that of the step before."""
        cells = [at for at, _, _ in step.writes] + list(step.reads)
        spot = _spot(cells, get)
        if spot is None:
            return
        self._spot = self._complete(spot, get)

    def _complete(self, spot: Spot, get: Get) -> Spot:
        """A virtual page with the file's page behind it, or the other way round."""
        for mapping in self.cast.mappings:
            for vpn, index in mapping.pages:
                if spot.vpn == vpn and spot.mm == mapping.mm and mapping.file:
                    return Spot(spot.mm, vpn, mapping.file, index)
                if spot.vpn is None and (spot.file, spot.index) == (mapping.file, index):
                    if (self._spot.mm, self._spot.vpn) in {
                        (m.mm, v)
                        for m in self.cast.mappings
                        for v, i in m.pages
                        if (m.file, i) == (spot.file, spot.index)
                    }:
                        return Spot(self._spot.mm, self._spot.vpn, spot.file, spot.index)
                    return Spot(mapping.mm, vpn, spot.file, spot.index)
        return spot


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of steps by one task within one script line."""

    key: int
    task: str
    line: int
    first: int
    last: int


def runs(trace: Any) -> list[Run]:
    """The stretches of a trace, in order."""
    found: list[Run] = []
    for step in trace.steps:
        last = found[-1] if found else None
        if last and (last.task, last.line) == (step.task, step.line):
            found[-1] = Run(last.key, last.task, last.line, last.first, step.n)
        else:
            found.append(Run(len(found), step.task, step.line, step.n, step.n))
    return found


def _script_line(number: int, now: int, state: str, result: Any) -> Fields:
    """How a script line stands, given the line the task is on."""
    if result is not None:
        failed = isinstance(result, str) and result.isupper() and len(result) > 3
        word = "ok" if result == "0" else str(result)
        return {"state": ("killed" if word.startswith("SIG") else "failed") if failed else "done", "result": word}
    if number == now:
        return {"state": "now"}
    return {"state": "done" if number < now else "ahead"}


def _fate_sentence(change: Any) -> str:
    fate = FATE_WORDS.get(change.new, change.new)
    why = str(change.why or "").strip()
    return f"Store {change.store} is now {fate}{': ' + why if why else '.'}"


def lock_name(at: str) -> str:
    """A held lock in words: `page_table_lock`, `f.i_sem`, `frame 1 locked`, `mmap_sem, shared`."""
    entity, _, field = at.removesuffix(":r").rpartition(".")
    kind, _, of = entity.partition("/")
    name = {"page": f"frame {of} locked", "mm": field}.get(kind, f"{of}.{field}")
    return f"{name}, shared" if at.endswith(":r") else name


def place_of(kernel: Any, function: str) -> tuple[str, str]:
    """(heading, where) of a function: the file of the real source, or that it is none."""
    source = str(getattr(kernel.functions.get(function), "source", "")) if kernel is not None else ""
    first = source.split(" ")[0].rstrip(",;")
    if "/" in first:
        return "Kernel", first
    return ("Hardware", "the CPU") if source.startswith("the CPU") else ("Outside", "not kernel code")


def brief(at: str, value: Any) -> str:
    """A cell's value in a few characters."""
    if value is None:
        return "none"
    if value is True:
        return "set"
    if at.endswith(".data"):
        return letters(bytes_of(value, 1 << 16)) if value != "." else "zeroes"
    if entry := entry_of(value) if at.endswith(".entry") and "pfn=" in str(value) else None:
        return f"{entry.bits} · frame {entry.pfn}"
    text = f"frame {value}" if at.endswith(".page") else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _pair(was: str, now: str) -> tuple[str, str]:
    """Before and after without the end they have in common, such as the frame of an entry."""
    first, _, end = was.partition(" · ")
    return (first, now.partition(" · ")[0]) if end and now.endswith(f" · {end}") else (was, now)


def _weight(at: str) -> int:
    """The telling changes first."""
    order = ("mm/", "page/", "inode/", "disk/", "mapping/", "block/", "quota/", "fs", "index/", "cpu/")
    rank = next((i for i, start in enumerate(order) if at.startswith(start)), len(order))
    return rank + (20 if at.endswith((".count", ".mapcount", ".rss", ".nrpages")) else 0)


_PTE = re.compile(r"mm/([^/]+)/pte/(0x[0-9a-f]+)\.")
_TLB = re.compile(r"cpu/(\d+)/tlb/(0x[0-9a-f]+)\.")
_CACHE = re.compile(r"mapping/(.+)/(\d+)\.")
_POINTER = re.compile(r"inode/(.+)/block/(\d+)\.")
_FRAME = re.compile(r"page/(\d+)[./]")


def _spot(cells: list[str], get: Get) -> Spot | None:
    """The page that the first telling cell belongs to."""
    for at in cells:
        if match := _PTE.match(at):
            return Spot(match[1], int(match[2], 16))
        if match := _TLB.match(at):
            return Spot(str(get(f"cpu/{match[1]}.mm") or ""), int(match[2], 16))
        if match := _CACHE.match(at):
            return Spot(file=match[1], index=int(match[2]))
        if match := _FRAME.match(at):
            file, _, index = where_is(get, int(match[1])).rpartition("/")
            if file and file != "frame":
                return Spot(file=file, index=int(index))
    return None


def _focus(spot: Spot, get: Get, view: Get, line: str) -> Iterator[tuple[str, Fields]]:
    """The page in question, place by place: for small screens, and for what travels."""
    place = f"{spot.mm}/{spot.vpn:#x}" if spot.vpn is not None else ""
    key = f"{spot.file}/{spot.index}" if spot.index is not None else ""
    entry = entry_of(get(f"mm/{spot.mm}/pte/{spot.vpn:#x}.entry")) if spot.vpn is not None else None
    target = where_is(get, entry.pfn) if entry is not None else key
    slot = f"slot/{target}" if target else ""
    yield (
        "focus",
        {
            "page": f"vpage/{place}" if place else None,
            "pte": f"pteslot/{place}" if place else None,
            "slot": slot or None,
            "block": f"blockslot/{key}" if key else None,
            "disk": f"diskslot/{key}" if key else None,
        },
    )
    number = f"page {spot.index}" if spot.index is not None else "a page"
    yield (
        "focus/task",
        {
            "head": f"{spot.mm or 'nobody'} at {number}",
            "text": line or view(f"vpage/{place}.text") or "",
            "state": view(f"vpage/{place}.state") or "read",
        },
    )
    word = view(f"pteslot/{place}.to") if entry is not None else ""
    flags = " ".join(entry.bits) if entry is not None else "none"
    yield (
        "focus/pte",
        {"head": f"pte of {number}", "text": flags, "word": word, "state": view(f"pteslot/{place}.state") or "absent"},
    )
    head, text = view(f"{slot}.head") if slot else None, view(f"{slot}.text") if slot else None
    yield (
        "focus/page",
        {
            "head": f"page cache, {head}" if head else "page cache",
            "text": text or "not in memory",
            "word": view(f"{slot}.word") if slot else "",
            "state": (view(f"{slot}.state") if slot else None) or "absent",
        },
    )
    block = view(f"blockslot/{key}.text") if key else None
    yield (
        "focus/block",
        {
            "head": f"file {spot.file}, {number}" if spot.file else "no file",
            "text": "hole: no block" if block == "hole" else block or "–",
            "word": view("disk-chip.text") or "",
            "state": (view(f"blockslot/{key}.state") if key else None) or "absent",
        },
    )
    yield (
        "focus/disk",
        {
            "head": "disk",
            "text": view(f"diskslot/{key}.text") or "",
            "word": view(f"diskslot/{key}.nowhere") or "",
            "state": view(f"diskslot/{key}.state") or "absent",
        },
    )
