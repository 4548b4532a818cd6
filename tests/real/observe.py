"""What our simulator shows of a row, step by step, in the words of real-kernels.json."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.disk import pages_on_disk
from engine import Trace, run
from engine.trace import apply
from tests.real.filesystems import Row, Step
from tests.real.translate import PAGE, Play, Touch

VERDICTS = {
    "kept": "PERSISTED", "refused": "REFUSED", "lost-told": "LOST-REPORTED", "lost-silent": "LOST-SILENT",
    "lost-lied": "LOST-LIED", "lost-unsynced": "LOST-UNSYNCED", "open": "ACCEPTED",
}  # fmt: skip
State = dict[str, Any]


@dataclass
class Seen:
    """One step of a row as we saw it: the keys that the row's own observation has, with our values."""

    step: Step
    values: Row


def observe(row: Row, play: Play, kernel: str) -> tuple[Trace, list[Seen]]:
    """Run a row on a kernel and look at it as the real runs were looked at."""
    trace = run(play.scenario, kernel)
    return trace, list(Observer(row, play, trace).steps())


class Observer:
    """Goes through a trace once, stopping where a step of the row is over."""

    def __init__(self, row: Row, play: Play, trace: Trace) -> None:
        self.row, self.play, self.trace = row, play, trace
        self.state: State = dict(trace.initial)
        self._at = 0
        self._ends: dict[tuple[str, int], int] = {}
        for step in trace.steps:
            if step.line:
                self._ends[step.task, step.line] = step.n

    def steps(self) -> Iterator[Seen]:
        """Each step of the row."""
        for step, touches in zip(self.row["steps"], self.play.lines, strict=True):
            values: Row = {"touches": [self._touch(step, touch) for touch in touches]}
            values |= self._space() | {"st_blocks": self._st_blocks(), "pte": self._ptes(step)}
            if step["op"] == "peek":
                values["seen"] = self._on_disk(step["file"])
            if step["op"] == "look":
                values["size"] = self.state.get(f"inode/{step['file']}.size")
            yield Seen(step, values)

    def _touch(self, step: Step, touch: Touch) -> Row:
        faults = self._faults(touch.task)
        self._go_to(self._ends.get((touch.task, touch.line), self._at))
        result = str(self.state.get(f"line/{touch.task}.{touch.line}.result"))
        found = {"page": touch.page, "r": result, "flt": self._faults(touch.task) - faults}
        if step["op"] in ("load", "look", "pread") and touch.page is not None:
            found["seen"] = self._content(step, touch)
            found["r"] = "ok" if result not in ("SIGBUS", "EIO", "ENOMEM") else result
        return found

    def _go_to(self, n: int) -> None:
        while self._at < n:
            step = self.trace.steps[self._at]
            apply(self.state, step.writes)
            apply(self.state, step.derived)
            self._at += 1

    def _faults(self, task: str) -> int:
        return sum(int(self.state.get(f"task/{task}.{kind}_flt") or 0) for kind in ("min", "maj"))

    def _space(self) -> Row:
        free = int(self.state["fs.free"]) - int(self.state.get("fs.delalloc") or 0)
        kept = sum(int(self.state.get(f"fs.{name}") or 0) for name in ("reserved", "pool"))
        return {"free": free, "avail": max(0, free - kept)}

    def _st_blocks(self) -> dict[str, int]:
        size, state = self.play.scenario.filesystem.block_size, self.state
        return {
            file: (int(state.get(f"inode/{file}.blocks") or 0) + int(state.get(f"inode/{file}.delalloc") or 0))
            * size // 512
            for file in self.play.scenario.files
        }  # fmt: skip

    # -- pages ----------------------------------------------------------------------------------------------------

    def _content(self, step: Step, touch: Touch) -> str:
        """What a load or read of a page found: the page that is mapped, or cached."""
        if "file" in step:
            pfn = self.state.get(f"mapping/{step['file']}/{touch.page}.page")
        else:
            entry = self._entry(touch.task, step["map"], touch.page or 0)
            pfn = None if entry is None else entry.rpartition("pfn=")[2]
        wire = str(self.state.get(f"page/{pfn}.data") or ".") if pfn is not None else "."
        if "file" not in step:
            return cut(wire, PAGE)
        size = int(self.state.get(f"inode/{step['file']}.size") or 0) - (touch.page or 0) * PAGE
        return "" if size <= 0 else cut(wire, size)

    def _entry(self, task: str, variable: str, page: int) -> str | None:
        names = dict(re.findall(r"(\w+) (0x[0-9a-f]+)-", str(self.state.get(f"mm/{task}.names") or "")))
        start = names.get(variable)
        if start is None:
            return None
        entry: str | None = self.state.get(f"mm/{task}/pte/{int(start, 16) + page:#x}.entry")
        return entry

    def _ptes(self, step: Step) -> str | None:
        """The entries of a mapping, a letter a page, as the real runs showed them; None where nothing was shown."""
        variable = step.get("map") or next((s["map"] for s in self.row["steps"] if s["op"] == "mmap"), None)
        if variable is None or step["op"] not in ("load", "store", "msync"):
            return None
        spec = next(s for s in self.row["steps"] if s["op"] == "mmap" and s["map"] == variable)
        task = str(step.get("proc") or spec.get("proc", "A"))
        pages = range(spec.get("pages") or self._pages(spec))
        return "".join(self._letter(self._entry(task, variable, page)) for page in pages)

    def _pages(self, spec: Step) -> int:
        made = next(s for s in self.row["steps"] if s["op"] == "mkfile" and s["file"] == spec["file"])
        return int(made["pages"]) if "pages" in made else -(-int(made["bytes"]) // PAGE)

    def _letter(self, entry: str | None) -> str:
        if entry is None:
            return "-"
        pfn = entry.rpartition("pfn=")[2]
        if self.state.get(f"page/{pfn}.mapping") == "anon":
            return "a"
        if self.state.get(f"page/{pfn}.writeback"):
            return "w"
        return "d" if self.state.get(f"page/{pfn}.dirty") else "c"

    def _on_disk(self, file: str) -> dict[int, str]:
        return pages_on_disk(self.state, self.play.scenario, file)


def expand(wire: str, size: int = PAGE) -> str:
    """A page's content in wire form as one character a byte, zero bytes as dots."""
    if len(wire) == 1:
        return wire * size
    text = "".join(match[1] * int(match[2]) for match in re.finditer(r"(\S)(\d+)(?: |$)", wire))
    return text.ljust(size, ".")


def shrink(text: str) -> str:
    """The wire form of bytes: a letter alone for a whole page, else runs."""
    runs = [(match[1], len(match[0])) for match in re.finditer(r"(.)\1*", text)]
    if len(runs) == 1 and (runs[0][1] == PAGE or runs[0][0] == "."):
        return runs[0][0]
    return " ".join(f"{letter}{count}" for letter, count in runs)


def cut(wire: str, size: int) -> str:
    """The first bytes of a page."""
    return shrink(expand(wire)[:size]) if size < PAGE else shrink(expand(wire))
