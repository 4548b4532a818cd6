"""A row of real-kernels.json performed on this machine: what it comes to on the kernel that runs here.

    observed = perform(row, toucher)     as the rows' own `observed[kernel]`, without what nobody compares

It wants root, loop devices and the row's filesystem. What was accepted is noted byte by byte; looks compare with it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.real.disk import Disk
from tests.real.filesystems import Row, Step
from tests.real.observe import shrink
from tests.real.process import PAGE, Hang, Process
from tests.real.translate import pages_of

LARGE = 64
"""Of files with more pages a look shows only those that were touched."""


def perform(row: Row, toucher: Path) -> Row:
    """Raises OSError, CalledProcessError where the machine cannot do it."""
    folder = Path(tempfile.mkdtemp(prefix="pagefate-"))
    folder.chmod(0o755)
    try:
        return Performer(row, folder, toucher).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Performer:
    """Goes through the steps of a row once."""

    def __init__(self, row: Row, folder: Path, toucher: Path) -> None:
        self.row, self.folder, self.toucher = row, folder, toucher
        self.disk = Disk(row["fs"], folder)
        self.processes: dict[str, Process] = {}
        self.maps: dict[str, tuple[str, str, int, int, int]] = {}
        """Process, file, first page, address and pages of each mapping."""
        self.private: set[str] = set()
        self.files: list[str] = []
        self.accepted: dict[str, dict[int, str]] = {}
        self.touched: dict[str, set[int]] = {}
        self.told: list[str] = []
        self.promised: dict[str, dict[int, str]] = {}
        """What a call that makes durable said 0 of."""
        self.count = {"accepted": 0, "refused": 0}
        self.lost: dict[str, bool] = {}
        """For each file, at the last look at it: whether a promise was broken. Files that lack nothing are not in it."""
        self.crashed = False
        self.judged = "cached"

    def run(self) -> Row:
        """The whole row."""
        seen: list[Row] = []
        try:
            for number, step in enumerate(self.row["steps"]):
                seen.append({"i": number, "op": step["op"], "result": "ok"})
                try:
                    seen[-1] |= getattr(self, f"_{step['op']}")(step) or {}
                except Hang:
                    seen[-1]["result"] = "HANG"
                    break
                seen[-1] |= self.disk.space(self.files)
        finally:
            for process in self.processes.values():
                process.end(kill=True)
            self.disk.close()
        return {**self.count, "verdict": self._verdict(seen[-1]["result"]), "steps": seen}

    def _verdict(self, last: str) -> str:
        if last == "HANG" or not sum(self.count.values()):
            return "HANG" if last == "HANG" else "NO-STORE"
        if self.lost and not self.crashed and any("=" in word for word in self.told):
            return "LOST-REPORTED"
        if self.lost:
            return "LOST-LIED" if any(self.lost.values()) else "LOST-UNSYNCED" if self.crashed else "LOST-SILENT"
        if self.count["refused"]:
            return "REFUSED"
        return "PERSISTED" if self.judged == "remount" else "ACCEPTED"

    # -- who and where ------------------------------------------------------------------------------------------------

    def _process(self, name: str) -> Process:
        if name not in self.processes:
            self.processes[name] = Process.start(self.toucher, (self.row.get("uid") or {}).get(name, 0))
        return self.processes[name]

    def _path(self, step: Step) -> Path:
        return self.disk.root / str(step["file"])

    def _size(self, file: str) -> int:
        return (self.disk.root / file).stat().st_size

    def _of(self, step: Step) -> tuple[Process, str]:
        """The process that touches a mapping, and the mapping's name."""
        return self._process(str(step.get("proc") or self.maps[step["map"]][0])), str(step["map"])

    def _entries(self, step: Step) -> str:
        return self._of(step)[0].entries(*self.maps[step["map"]][3:])

    def _note(self, file: str, start: int, length: int, letter: str) -> None:
        self.accepted.setdefault(file, {}).update(dict.fromkeys(range(start, start + length), letter))

    # -- files --------------------------------------------------------------------------------------------------------

    def _mkfile(self, step: Step) -> None:
        path, name = self._path(step), str(step["file"])
        size = int(step["bytes"]) if "bytes" in step else int(step["pages"]) * PAGE
        with path.open("wb", buffering=0) as file:
            os.fchmod(file.fileno(), 0o666)
            os.fchown(file.fileno(), step.get("uid", 0), step.get("uid", 0))
            file.truncate(size)
            for page, letter in (step.get("data") or {}).items():
                start = int(page) * PAGE
                length = min(PAGE, size - start)
                os.pwrite(file.fileno(), letter.encode() * length, start)
                self._note(name, start, length, letter)
            os.fsync(file.fileno())
        self.files.append(name)

    def _pwrite(self, step: Step) -> Row:
        byte, letter, file = step.get("byte", 0), step.get("fill", "W"), str(step["file"])
        length, seen = step.get("len", PAGE - byte), []
        for page in pages_of(step):
            at = page * PAGE + byte
            (said,) = self._process(step.get("proc", "B")).ask("pwrite", self._path(step), at, length, letter)
            done = length if said == "ok" else int(said) if said.isdigit() else 0
            self.count["accepted" if done == length else "refused"] += 1
            self._note(file, at, done, letter)
            self.touched.setdefault(file, set()).add(page)
            seen.append({"pages": str(page), "r": done or said})
        return {"page": seen}

    def _pread(self, step: Step) -> Row:
        seen: dict[str, list[int]] = {}
        for page in pages_of(step) or range(-(-self._size(step["file"]) // PAGE)):
            said = self._process(step.get("proc", "B")).ask("pread", self._path(step), page)
            seen.setdefault(_wire(said[1:]), []).append(page)
        return {"seen": {text: compact(pages) for text, pages in seen.items() if text}}

    def _file_call(self, step: Step, default: str, *words: object) -> Row:
        (said,) = self._process(step.get("proc", default)).ask(words[0], self._path(step), *words[1:])
        return {"result": said}

    def _sync_call(self, step: Step) -> Row:
        said = self._file_call(step, "A", step["op"])
        self._hear(step["op"], said["result"], step["file"])
        return said

    _fsync = _fdatasync = _syncfs = _sync_call

    def _hear(self, call: str, said: str, file: str, pages: range = range(1 << 40)) -> None:
        self.told.append(call if said == "ok" else f"{call}={said}")
        if said == "ok":
            now = self.accepted.get(file, {}).items()
            self.promised.setdefault(file, {}).update((at, letter) for at, letter in now if at // PAGE in pages)

    def _open(self, step: Step) -> Row:
        return self._file_call(step, "B", "open")

    def _close(self, step: Step) -> Row:
        return self._file_call(step, "A", "close")

    def _truncate(self, step: Step) -> Row:
        size = int(step["bytes"]) if "bytes" in step else int(step["pages"]) * PAGE
        said = self._file_call(step, "A", "ftruncate", size)
        self._forget(step["file"], range(size, 1 << 40), said)
        return said

    def _fallocate(self, step: Step) -> Row:
        pages = pages_of(step)
        low, high = step["bytes"] if "bytes" in step else (min(pages) * PAGE, (max(pages) + 1) * PAGE)
        said = self._file_call(step, "A", "fallocate", low, high - low, step.get("mode", "-"))
        self._forget(step["file"], range(low, high) if step.get("mode") in ("punch", "zero") else range(0), said)
        return said

    def _punch(self, step: Step) -> Row:
        said: Row = {}
        for page in pages_of(step):
            said = self._file_call(step, "A", "fallocate", page * PAGE, PAGE, "punch")
            self._forget(step["file"], range(page * PAGE, (page + 1) * PAGE), said)
        return said

    def _forget(self, file: str, gone: range, said: Row) -> None:
        if said["result"] == "ok":
            kept = self.accepted.get(file, {}).items()
            self.accepted[file] = {at: letter for at, letter in kept if at not in gone}

    # -- mappings -----------------------------------------------------------------------------------------------------

    def _mmap(self, step: Step) -> Row:
        name, file, first = str(step["map"]), str(step["file"]), int(step.get("first", 0))
        pages = int(step.get("pages") or -(-self._size(file) // PAGE) - first)
        share, how = step.get("share", "shared"), step.get("advise") or step.get("mode") or "-"
        who = str(step.get("proc", "A"))
        said = self._process(who).ask("mmap", name, self._path(step), pages, first, step.get("prot", "rw"), share, how)
        if said[0] != "ok":
            return {"result": said[0]}
        self.maps[name] = (who, file, first, int(said[1], 16), pages)
        self.private |= {name} if share == "private" else set()
        return {}

    def _touch(self, step: Step, ask: Callable[[Process, str, int], Row]) -> Row:
        process, name = self._of(step)
        _, file, first, _, _ = self.maps[name]
        groups: dict[str, tuple[list[int], Row]] = {}
        for page in pages_of(step):
            self.touched.setdefault(file, set()).add(first + page)
            said = ask(process, name, page)
            groups.setdefault(repr(said), ([], said))[0].append(page)
        touches = [{"pages": compact(pages), **said} for pages, said in groups.values()]
        return {"page": touches, "pte": self._entries(step)}

    def _load(self, step: Step) -> Row:
        def ask(process: Process, name: str, page: int) -> Row:
            said, faults, *runs = process.ask("load", name, page)
            return {"r": said, "flt": int(faults)} | ({"seen": _wire(runs)} if said == "ok" else {})

        return self._touch(step, ask)

    def _store(self, step: Step) -> Row:
        byte, letter = step.get("byte", 0), step.get("fill", "S")
        length, word = step.get("len", PAGE - byte), "kstore" if step.get("by") == "kernel" else "store"
        _, file, first, _, _ = self.maps[step["map"]]

        def ask(process: Process, name: str, page: int) -> Row:
            said, faults = process.ask(word, name, page, byte, length, letter)
            if name not in self.private:
                self.count["accepted" if said == "ok" else "refused"] += 1
            if said == "ok" and name not in self.private:
                start = (first + page) * PAGE + byte
                self._note(file, start, max(0, min(length, self._size(file) - start)), letter)
            return {"r": said, "flt": int(faults)}

        return self._touch(step, ask)

    def _msync(self, step: Step) -> Row:
        process, name = self._of(step)
        low, count = self._span(step)
        (said,) = process.ask("msync", name, low, count, step.get("mode", "sync"))
        if step.get("mode") != "async":
            _, file, first, _, _ = self.maps[name]
            self._hear("msync", said, file, range(first + low, first + low + count))
        return {"result": said, "pte": self._entries(step)}

    def _span(self, step: Step) -> tuple[int, int]:
        pages = pages_of(step) or [0, self.maps[step["map"]][4] - 1]
        return min(pages), max(pages) - min(pages) + 1

    def _zap(self, step: Step) -> None:
        process, name = self._of(step)
        for page in pages_of(step):
            process.ask("madvise", name, page, 1, "zap")

    def _populate(self, step: Step) -> Row:
        process, name = self._of(step)
        return {"result": process.ask("madvise", name, *self._span(step), step.get("for", "read"))[0]}

    def _munmap(self, step: Step) -> Row:
        process, name = self._of(step)
        return {"result": process.ask("munmap", name)[0]}

    # -- the world ----------------------------------------------------------------------------------------------------

    def _fork(self, step: Step) -> None:
        self.processes[str(step["child"])] = self._process(step.get("proc", "A")).fork(self.folder)

    def _exit(self, step: Step) -> None:
        for name in [str(step["proc"])] if "proc" in step else list(self.processes)[::-1]:
            if name in self.processes:
                self.processes.pop(name).end()

    def _look(self, step: Step) -> Row:
        path, seen = self._path(step), dict[str, list[int]]()
        data = path.read_bytes().replace(b"\0", b".").decode("latin-1")
        shown = list(range(-(-len(data) // PAGE)))
        if len(shown) > LARGE:
            shown = sorted({0, *self.touched.get(str(step["file"]), set())} & set(shown))
        for page in shown:
            seen.setdefault(shrink(data[page * PAGE : (page + 1) * PAGE]), []).append(page)
        wanted, promised = (each.get(str(step["file"]), {}) for each in (self.accepted, self.promised))
        lost = {at for at, letter in wanted.items() if at >= len(data) or data[at] != letter}
        self.lost.pop(str(step["file"]), None)
        if lost:
            self.lost[str(step["file"])] = any(promised.get(at) == wanted[at] for at in lost)
        return {"seen": {text: compact(pages) for text, pages in seen.items()}, "size": len(data)}

    def _fill(self, step: Step) -> Row:
        return self.disk.fill(step)

    def _free(self, step: Step) -> Row:
        return self.disk.free(step)

    def _take(self, step: Step) -> Row:
        return self.disk.take(step)

    def _thin_fill(self, _step: Step) -> None:
        self.disk.thin_fill()

    def _thin_free(self, _step: Step) -> None:
        self.disk.thin_free()

    def _sync(self, _step: Step) -> None:
        os.sync()

    def _drop_caches(self, step: Step) -> None:
        if step.get("sync", True):
            os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")

    _evict = _drop_caches

    def _remount(self, _step: Step) -> None:
        self._exit({})
        self.disk.umount()
        self.disk.mount()
        self.judged = "remount"

    def _crash(self, _step: Step) -> None:
        for name in list(self.processes):
            self.processes.pop(name).end(kill=True)
        self.disk.power_fails()
        self.judged, self.crashed = "remount", True


def compact(pages: Iterable[int]) -> str:
    """Pages as the rows write them: 0-3,8."""
    runs: list[list[int]] = []
    for page in sorted(pages):
        if runs and runs[-1][1] == page - 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    return ",".join(f"{low}" if low == high else f"{low}-{high}" for low, high in runs)


def _wire(runs: list[str]) -> Any:
    """What a toucher read, as the rows write it."""
    return shrink("".join(run[0] * int(run[1:]) for run in runs))
