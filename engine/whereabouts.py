"""Where the bytes of each store are, after each step of a run: by their origin, not by their letters.

The machine knows of every byte which store it comes from. So the run is gone through once more, and each frame and
each block on the disk is asked whose bytes it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.journal import Write
from engine.kernel import Kernel
from engine.kernels import find_kernel
from engine.machine import Machine
from engine.objects.page import ANON
from engine.scenario import Scenario
from engine.setup import build
from engine.trace import Trace
from engine.values import Data

FRAME, BLOCK = "frame", "block"
BEFORE = ""
"""Whose bytes those are that were there before the run: no store's."""
_MOVES = re.compile(r"(page|disk)/\d+\.(data|count|mapping|index)|mapping/.+/\d+\.page|(inode|index)/.+\.pointer")
"""The cells on which it depends where bytes are, and what their place is called."""
_DATA = re.compile(r"(page|disk)/(\d+)\.data")


@dataclass(frozen=True, slots=True)
class Place:
    """A frame or a block of the disk that has bytes of a store; and as page `index` of which `file`, if of any.

    A frame with no file is private to a process, or is mapped though no file has it any more: `private` says which.
    """

    kind: str
    number: int
    file: str | None = None
    index: int | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """Where bytes are from after step `since` on, 0 for the beginning, until the next stay begins."""

    since: int
    places: tuple[Place, ...]


def whereabouts(scenario: Scenario, kernel: str | Kernel, trace: Trace) -> dict[str, tuple[Stay, ...]]:
    """By store, and by `BEFORE`, where its bytes are. The trace is one of this scenario on this kernel."""
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    watch = _Watch(build(scenario, chosen))
    watch.begin()
    for step in trace.steps:
        if not watch.go(step.task, step.n):
            break
    return {store: tuple(stays) for store, stays in watch.stays.items()}


def places(stays: Iterable[Stay], step: int) -> tuple[Place, ...]:
    """Where bytes are after a step."""
    found: tuple[Place, ...] = ()
    for stay in stays:
        if stay.since > step:
            break
        found = stay.places
    return found


class _Watch:
    """The machine while it goes through a run, and what each of its frames and blocks has."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.stays: dict[str, list[Stay]] = {}
        self._held: dict[tuple[str, int], frozenset[str]] = {}

    def begin(self) -> None:
        """Note what is there before the first step."""
        for page in self.machine.ram.pages:
            self._note(FRAME, page.pfn, page.data)
        for number, data in self.machine.disk.data.items():
            self._note(BLOCK, number, data)
        self._look(0)

    def go(self, task: str, n: int) -> bool:
        """Make step n; whether it could be made."""
        machine = self.machine
        if machine.step(machine.tasks[task]) is None:
            return False
        writes = machine.journal.since_mark()
        machine.journal.keep()
        if self._is_telling(writes):
            self._look(n)
        return True

    def _is_telling(self, writes: Iterable[Write]) -> bool:
        """Note what these writes put into frames and blocks; whether any bytes may be elsewhere now."""
        moved = False
        for at, _, new in writes:
            if match := _DATA.fullmatch(at):
                self._note(FRAME if match[1] == "page" else BLOCK, int(match[2]), new)
            moved |= _MOVES.fullmatch(at) is not None
        return moved

    def _note(self, kind: str, number: int, data: Data | None) -> None:
        stores = frozenset(run.store for run in data.runs) if data is not None else frozenset[str]()
        if stores:
            self._held[kind, number] = stores
        else:
            self._held.pop((kind, number), None)

    def _look(self, n: int) -> None:
        """Write down where the bytes of each store are after step n, where that is new."""
        found: dict[str, list[Place]] = {store: [] for store in self.stays}
        for kind, number in sorted(self._held, key=lambda place: (place[0] == BLOCK, place[1])):
            place = self._frame(number) if kind == FRAME else self._block(number)
            if place is None:
                continue
            for store in self._held[kind, number]:
                found.setdefault(store, []).append(place)
        for store, where in found.items():
            stays = self.stays.setdefault(store, [])
            if tuple(where) != (stays[-1].places if stays else ()):
                stays.append(Stay(n, tuple(where)))

    def _frame(self, pfn: int) -> Place | None:
        """A frame by what it is; None for a free one."""
        page = self.machine.page(pfn)
        if not page.count:
            return None
        file, index = page.mapping, page.index
        if file is None or file == ANON or index is None:
            return Place(FRAME, pfn, private=file == ANON)
        is_there = self.machine.mappings[file].pages[index] == pfn
        return Place(FRAME, pfn, file, index) if is_there else Place(FRAME, pfn)

    def _block(self, number: int) -> Place:
        """A block by the part of a file that leads to it, if one does."""
        machine = self.machine
        for file, inode in machine.inodes.items():
            for part in machine.map.mapped(inode):
                if machine.map.lookup(inode, part) == number:
                    return Place(BLOCK, number, file, part * machine.block_size // machine.page_size)
        return Place(BLOCK, number)


def holders(stays: Mapping[str, Iterable[Stay]], step: int, place: tuple[str, int]) -> Iterator[str]:
    """Whose bytes a frame or a block (its kind and number) has after a step."""
    for store, where in stays.items():
        if any((each.kind, each.number) == place for each in places(where, step)):
            yield store
