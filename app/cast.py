"""What a run touches: its mappings, files, frames, blocks and users, found by reading the whole trace once.

The picture keeps a place for everything named here from the first step on. Windows are small on purpose: a mapping or
file shows at most MAX_ROWS pages, those the run touches first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app import scene
from app.cells import Range, entry_of, names_of, ranges_of, words
from app.scene import MAX_ROWS
from engine import FILESYSTEMS, FORMATS, Format, Scenario, Trace

MAX_LOOSE = 6
MAX_LRU = 9
MAX_LONG = 64
MAX_BLOCKS = 48
BESIDE = 4
CROWD = 5
"""More rows of address space than this, in more than one mapping: then each shows only what the run touches."""
HUES = 4
SERVED = ("fuse", "fuse-nokeep", "fuse-writeback", "fuse-short", "nfs")
"""The filesystems whose disk is another's."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Everything that has a place. Pages are virtual page numbers or indices in a file; blocks are numbers."""

    mappings: tuple[scene.Mapping, ...]
    files: tuple[scene.File, ...]
    loose: tuple[int, ...]
    targets: tuple[tuple[str, str, str], ...]
    blocks: tuple[int, ...]
    tables: tuple[tuple[str, str], ...]
    """(mm, way) of each entry above the lowest level: `85/170` is entry 170 of the table behind entry 85."""
    cpus: int
    page_size: int
    block_size: int
    hues: Mapping[str, int] = field(default_factory=dict)
    format: Format = FORMATS["i386"]
    map: str = "indirect"
    """How files find their blocks."""
    home: str = "disk"
    """Where files live: on a disk, in memory alone, or with a server."""
    tasks: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    """The files that writeback ever notes an error of."""
    frames: int = 0
    lru: int = 0
    """How long the list that reclaim scans ever gets, as far as it is shown."""
    long: Mapping[str, int] = field(default_factory=dict)
    """The files that have more pages than the picture shows, and how many of them a summary has."""

    @property
    def places(self) -> scene.Scene:
        """The picture of this cast."""
        return scene.lay_out(self.mappings, self.files, [f"frame/{pfn}" for pfn in self.loose], self.targets)


def cast_of(trace: Trace, scenario: Scenario) -> Cast:
    """Read a trace from end to end and note what it touches."""
    watch = _Watch(dict(trace.initial), scenario)
    watch.look(())
    for step in trace.steps:
        for at, _, new in step.writes:
            watch.state[at] = new
        watch.look([at for at, _, _ in step.writes])
    return watch.cast()


def where_is(get: Any, pfn: int) -> str:
    """The place of a frame: "f/2" in the page cache, else "frame/9". `get` reads a cell."""
    file, index = get(f"page/{pfn}.mapping"), get(f"page/{pfn}.index")
    if file is not None and file != "anon" and get(f"mapping/{file}/{index}.page") == pfn:
        return f"{file}/{index}"
    return f"frame/{pfn}"


class _Watch:
    """The state while the trace goes by, and what has been seen of it so far."""

    def __init__(self, state: dict[str, Any], scenario: Scenario) -> None:
        self.state, self.scenario = state, scenario
        self.vmas: dict[tuple[str, int], Range] = {}
        self.names: dict[tuple[str, int], str] = {}
        self.pages: dict[str, set[int]] = {}
        self.entries: dict[tuple[str, int], None] = {}
        self.targets: dict[tuple[str, int, str], None] = {}
        self.loose: dict[int, None] = {}
        self.blocks: dict[int, None] = {}
        self.tables: dict[tuple[str, str], None] = {}
        self.sizes: dict[str, int] = {}
        self.errors: set[str] = set()
        self.lru = 0

    def look(self, changed: Iterable[str]) -> None:
        """Note what the cells that changed (or, for no cells, all of them) say."""
        moved = False
        for at in list(changed) or list(self.state):
            kind, _, rest = at.partition("/")
            if kind == "mm":
                moved |= self._mm(rest, at)
            elif kind == "mapping" and at.endswith(".page"):
                file, _, index = rest.removesuffix(".page").rpartition("/")
                self.pages.setdefault(file, set()).add(int(index))
                moved = True
            elif kind == "mapping" and at.endswith((".wb_err", ".enospc", ".eio")) and self.state[at]:
                self.errors.add(rest.rpartition(".")[0])
            elif kind == "inode" and at.endswith(".size"):
                file = rest.removesuffix(".size")
                self.sizes[file] = max(self.sizes.get(file, 0), self.state[at] or 0)
            elif kind == "block":
                self.blocks[int(rest.partition(".")[0])] = None
            elif kind == "page" and at.endswith(".mapping"):
                moved = True
            elif at == "ram.lru":
                self.lru = max(self.lru, len(words(self.state[at])))
        if moved:
            self._aim()

    def _mm(self, rest: str, at: str) -> bool:
        """A cell of an address space; whether a translation may have changed."""
        if rest.endswith(".vmas"):
            for vma in ranges_of(self.state[at]):
                self._vma(rest.removesuffix(".vmas"), vma)
        elif rest.endswith(".names"):
            for start, name in names_of(self.state[at]).items():
                self.names.setdefault((rest.removesuffix(".names"), start), name)
        elif "/pte/" in rest:
            mm, _, vpn = rest.removesuffix(".entry").partition("/pte/")
            self.entries[mm, int(vpn, 16)] = None
            return True
        elif rest.endswith(".entry"):
            mm, _, way = rest.removesuffix(".entry").split("/", 2)
            self.tables[mm, way] = None
        return False

    def _vma(self, mm: str, vma: Range) -> None:
        """A mapping, joined with a known one that it is a part of or that it extends."""
        for (owner, start), known in self.vmas.items():
            if owner == mm and known.file == vma.file and start <= vma.start <= known.end:
                if vma.end > known.end:
                    self.vmas[owner, start] = vma if vma.start == start else known
                return
        self.vmas[mm, vma.start] = vma

    def _aim(self) -> None:
        """Where every present entry points now."""
        for mm, vpn in self.entries:
            entry = entry_of(self.state.get(f"mm/{mm}/pte/{vpn:#x}.entry"))
            if entry is None:
                continue
            place = where_is(self.state.get, entry.pfn)
            self.targets[mm, vpn, place] = None
            if place.startswith("frame/"):
                self.loose[entry.pfn] = None
            else:
                file, _, index = place.rpartition("/")
                self.pages.setdefault(file, set()).add(int(index))

    # -- the result -----------------------------------------------------------------------------------------------

    def cast(self) -> Cast:
        """Everything seen, in the order of the scenario."""
        hues, kind = self._hues(), FILESYSTEMS[self.scenario.filesystem.type]
        size = self.scenario.machine.page_size
        used = {vma.file for vma in self.vmas.values()} | set(self.pages)
        files = tuple(self._file(name, hues) for name in self.scenario.files if name in used)
        mappings = tuple(self._mapping(mm, vma, hues) for (mm, _), vma in self.vmas.items())
        return Cast(
            mappings,
            files,
            tuple(self.loose)[:MAX_LOOSE],
            tuple((mm, f"{vpn:#x}", place) for mm, vpn, place in self.targets),
            self._blocks(),
            tuple(self.tables),
            self.scenario.machine.cpus,
            size,
            self.scenario.filesystem.block_size,
            hues,
            FORMATS[self.scenario.machine.arch],
            kind.map,
            "memory" if kind.in_memory else "server" if kind.id in SERVED else "disk",
            tuple(self.scenario.tasks),
            tuple(name for name in self.scenario.files if name in self.errors),
            self.scenario.machine.frames,
            min(self.lru, MAX_LRU),
            _long(files),
        )

    def _hues(self) -> dict[str, int]:
        """A hue for each task, and for each file that of the first task that names it."""
        hues = {task: min(place + 1, HUES) for place, task in enumerate(self.scenario.tasks)}
        for task in self.scenario.tasks:
            for line in self.scenario.lines(task):
                file = getattr(line.operation, "file", None) or getattr(line.operation, "name", None)
                if isinstance(file, str):
                    hues.setdefault(file, hues[task])
        return hues

    def _file(self, name: str, hues: Mapping[str, int]) -> scene.File:
        size = self.scenario.machine.page_size
        count = max(-(-self.sizes.get(name, 0) // size), max(self.pages.get(name, {0}), default=0) + 1)
        shown, hidden = _window(range(count), self.pages.get(name, set()), MAX_ROWS, spare=False)
        return scene.File(name, f"inode {name}", hues.get(name, 0), shown, hidden)

    def _mapping(self, mm: str, vma: Range, hues: Mapping[str, int]) -> scene.Mapping:
        touched = {vpn for owner, vpn in self.entries if owner == mm}
        touched |= {vma.start + index - vma.pgoff for index in self.pages.get(vma.file or "", ())}
        crowded = len(self.vmas) > 1 and sum(vma.end - vma.start for vma in self.vmas.values()) > CROWD
        room = max(2, MAX_ROWS // len(self.vmas)) if len(self.vmas) > 1 else MAX_ROWS
        shown, hidden = _window(range(vma.start, vma.end), touched, room, spare=crowded)
        name = self.names.get((mm, vma.start), "")
        count = vma.end - vma.start
        note = f"{vma.rights} · {count} page{'s' if count > 1 else ''}"
        title = f"{name + ' = ' if name else ''}{vma.file or 'anonymous'}"
        return scene.Mapping(
            mm, name, title, note, hues.get(mm, 0), vma.file, tuple((vpn, vma.index(vpn)) for vpn in shown), hidden
        )

    def _blocks(self) -> tuple[int, ...]:
        total = self.state.get("fs.total") or 0
        if total <= MAX_BLOCKS:
            return tuple(range(total))
        return tuple(sorted(self.blocks))[:MAX_BLOCKS]


def _long(files: Iterable[scene.File]) -> dict[str, int]:
    """The files of which a part is hidden, and yet not too much to be summed up: how many pages each has."""
    counts = {file.name: len(file.indices) + file.hidden for file in files if file.hidden}
    return {name: count for name, count in counts.items() if count <= MAX_LONG}


def _window(pages: range, touched: set[int], room: int, *, spare: bool) -> tuple[tuple[int, ...], int]:
    """At most `room` of the pages, touched ones first, a few others beside them; and how many are not shown.

    With `spare` no untouched page is shown beside a touched one.
    """
    if len(pages) <= room and not spare:
        return tuple(pages), 0
    first = sorted(page for page in touched if page in pages)[:room]
    wanted = max(len(first), 1 if spare else BESIDE)
    more = [page for page in pages[: wanted + len(first)] if page not in first][: wanted - len(first)]
    return tuple(sorted([*first, *more])), len(pages) - wanted
