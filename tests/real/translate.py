"""A row of real-kernels.json as a scenario of ours, and which script line stands for which touch of which step.

    play = translate(row)        a Play: a scenario, a schedule and the lines of each step
    LeftOut                      is raised with the reason where a row cannot be said in our language

It works for any row of the format of real-kernels.md. Each process of the row is a task; a stranger (X) does what no
process of the row does: he fills the disk, looks, drops caches, remounts. Everybody runs in the order of the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

from engine import Scenario, scenario_from_data
from engine.functions.linux6.do_read_fault import FAULT_AROUND
from engine.hardware.paging import X86_64
from engine.scenario import MAX_LINES, MAX_TASKS
from tests.real.filesystems import LeftOut, Row, Step, filesystem

PAGE = 4096
ARCH = "x86-64"
STRANGER = "X"
MOST_FREE = 8000
"""Blocks: a larger disk is played as one of this size; what is free on it counts once it has been filled."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One script line: of which task, which number, and the page it is about (None: the whole call)."""

    task: str
    line: int
    page: int | None = None


@dataclass
class Play:
    """A row as we play it. `lines[i]` are the script lines of step i, in order."""

    scenario: Scenario
    lines: list[list[Touch]]
    tasks: dict[str, str]


PLAIN = {
    "peek": ("sleep(0s)",), "repquota": ("sleep(0s)",), "sync": ("sync()",), "remount": ("remount()",),
    "crash": ("power_fails()",), "sigbus": (), "thin_fill": ("device_room(0)",),
}  # fmt: skip
"""What the stranger says for a step that has no fields; a look at the disk or at accounts is a moment without events."""
_RESERVE, _PUNCH, _ZERO = (
    "fallocate({file}, {low}, {length})",
    "punch({file}, {low}, {length})",
    "zero({file}, {low}, {length})",
)
FALLOCATE = {
    "": _RESERVE, "keep": _RESERVE[:-1] + ", KEEP_SIZE)", "keep_size": _RESERVE[:-1] + ", KEEP_SIZE)",
    "punch": _PUNCH, "punch_hole": _PUNCH, "zero": _ZERO, "zero_range": _ZERO,
}  # fmt: skip
"""What is said for each mode of fallocate(2)."""
LEFT_OUT_OPS = {
    "kill_daemon": "the life of a FUSE daemon is not simulated",
    "overlay": "overlayfs is not simulated",
}


def pages_of(step: Step) -> list[int]:
    """The pages a step touches, in order."""
    if "pages" in step and isinstance(step["pages"], list):
        return [int(page) for page in step["pages"]]
    return [int(step["page"])] if "page" in step else []


@dataclass
class Translator:
    """Goes through the steps of a row once and writes each task's script."""

    row: Row
    scripts: dict[str, list[str]] = field(default_factory=dict)
    order: list[Touch] = field(default_factory=list)
    maps: dict[str, tuple[str, int]] = field(default_factory=dict)
    handles: dict[tuple[str, str], str] = field(default_factory=dict)
    children: dict[str, str] = field(default_factory=dict)
    alive: list[str] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    files: dict[str, Step] = field(default_factory=dict)
    quotas: dict[str, Row] = field(default_factory=dict)
    now: list[Touch] = field(default_factory=list)

    def run(self) -> Play:
        """The whole row. Raises LeftOut."""
        kind = filesystem(self.row)
        lines = []
        for step in self.row["steps"]:
            if step["op"] in LEFT_OUT_OPS:
                raise LeftOut(LEFT_OUT_OPS[step["op"]])
            self.now = []
            self._step(step)
            lines.append(self.now)
        for child in self.children:
            if child not in self.scripts:
                self.say(child, "exit()")
        return Play(scenario_from_data(self._data(kind)), lines, {task: task for task in self.scripts})

    def _step(self, step: Step) -> None:
        if step["op"] in PLAIN:
            for text in PLAIN[step["op"]]:
                self.say(STRANGER, text)
            if step["op"] == "crash":
                self.alive.clear()
            return
        do = getattr(self, f"_{'drop_caches' if step['op'] == 'evict' else step['op']}", None)
        if do is None:
            raise LeftOut(f"there is no translation of {step['op']}")
        do(step)

    # -- writing --------------------------------------------------------------------------------------------------

    def say(self, task: str, text: str, page: int | None = None) -> None:
        """Add a line to a task's script, as the next thing that happens. The stranger is many: no script is endless."""
        if task == STRANGER:
            task = self._stranger()
        script = self.scripts.setdefault(task, [])
        script.append(text)
        touch = Touch(task, len(script), page)
        self.order.append(touch)
        self.now.append(touch)

    def _stranger(self) -> str:
        """The stranger whose script has room for another line."""
        names = [STRANGER, *(f"{STRANGER}{number}" for number in range(2, MAX_TASKS))]
        return next((name for name in names if len(self.scripts.get(name, ())) < MAX_LINES), names[-1])

    def proc(self, step: Step, default: str = "A") -> str:
        """The task of the process that does a step."""
        name = str(step.get("proc", default))
        if name not in self.alive:
            self.alive.append(name)
        return name

    def user(self, task: str) -> str:
        """Who runs a task: root unless the row says otherwise."""
        uid = (self.row.get("uid") or {}).get(task, 0)
        return f"u{uid}" if uid else "root"

    def file(self, task: str, name: str) -> str:
        """How a task names a file: by its handle, if it has opened one."""
        return self.handles.get((task, name), name)

    # -- the operations -------------------------------------------------------------------------------------------

    def _mkfile(self, step: Step) -> None:
        if step.get("where"):
            raise LeftOut("overlayfs is not simulated")
        self.files[step["file"]] = step
        for page in sorted(int(page) for page in step.get("data") or {}):
            self.say(
                STRANGER, f"pread({step['file']}, {PAGE}, {page * PAGE})", page
            )  # what was written is in the cache

    def _mmap(self, step: Step) -> None:
        task, spec = self.proc(step), self.files[step["file"]]
        pages = step.get("pages") or ceil(_size(spec) / PAGE) - step.get("first", 0)
        rights = {"r": "READ", "w": "WRITE"}
        prot = "|".join(rights[letter] for letter in step.get("prot", "rw"))
        share = "PRIVATE" if step.get("share") == "private" else "SHARED"
        if mode := step.get("mode"):
            if mode not in ("populate", "r", "rw"):
                raise LeftOut(f"mmap with {mode} is not translated")
            share += "|POPULATE" * (mode == "populate")
        name, offset = step["map"], step.get("first", 0) * PAGE
        self.maps[name] = (task, pages)
        self._align(task, pages)
        self.say(task, f"{name} = mmap({step['file']}, {pages * PAGE}, {prot}, {share}, {offset})")
        if step.get("advise") == "random":
            self.say(task, f"madvise({name}, RANDOM)")
        elif step.get("advise"):
            raise LeftOut(f"madvise({step['advise']}) is not simulated")

    def _align(self, task: str, pages: int) -> None:
        """Mappings begin at a multiple of what fault-around maps at once; where they began in the row nobody wrote down."""
        at = self.ends.get(task, X86_64.mapping_base)
        if gap := -at % FAULT_AROUND:
            self.say(task, f"gap{at % 1000} = mmap(ANON, {gap}P, READ, PRIVATE)")
        self.ends[task] = at + gap + pages

    def _task_of(self, step: Step) -> str:
        return self.proc(step, self.maps[step["map"]][0])

    def _load(self, step: Step) -> None:
        for page in pages_of(step):
            self.say(self._task_of(step), f"{step['map']}[{page * PAGE}:{(page + 1) * PAGE}]", page)

    def _store(self, step: Step) -> None:
        byte, length = step.get("byte", 0), step.get("len", PAGE - step.get("byte", 0))
        for page in pages_of(step):
            span = f"{step['map']}[{page * PAGE + byte}:{page * PAGE + byte + length}]"
            text = f'{span} = "{step.get("fill", "S")}"'
            if step.get("by") == "kernel":
                text = f'readinto({span}, "{step.get("fill", "S")}")'
            self.say(self._task_of(step), text, page)

    def _race(self, step: Step) -> None:
        for store in step["stores"]:
            self._store(store)

    def _populate(self, step: Step) -> None:
        advice = "POPULATE_WRITE" if step.get("for") == "write" else "POPULATE_READ"
        pages = pages_of(step)
        part = f"[{min(pages) * PAGE}:{(max(pages) + 1) * PAGE}]" if pages else ""
        self.say(self._task_of(step), f"madvise({step['map']}{part}, {advice})")

    def _zap(self, step: Step) -> None:
        for page in pages_of(step):
            self.say(self._task_of(step), f"madvise({step['map']}[{page * PAGE}:{(page + 1) * PAGE}], DONTNEED)", page)

    def _pwrite(self, step: Step) -> None:
        task, byte, fill = self.proc(step, "B"), step.get("byte", 0), step.get("fill", "W")
        length = step.get("len", PAGE - byte)
        for page in pages_of(step):
            where = self.file(task, step["file"])
            self.say(task, f'pwrite({where}, "{fill}" * {length}, {page * PAGE + byte})', page)

    def _pread(self, step: Step) -> None:
        task = self.proc(step, "B")
        for page in pages_of(step) or range(ceil(_size(self.files[step["file"]]) / PAGE)):
            self.say(task, f"pread({self.file(task, step['file'])}, {PAGE}, {page * PAGE})", page)

    def _look(self, step: Step) -> None:
        for page in _looked_at(self.row, step, self.files[step["file"]]):
            self.say(STRANGER, f"pread({step['file']}, {PAGE}, {page * PAGE})", page)

    def _msync(self, step: Step) -> None:
        mode, pages = "ASYNC" if step.get("mode") == "async" else "SYNC", pages_of(step)
        part = f"[{min(pages) * PAGE}:{(max(pages) + 1) * PAGE}]" if pages else ""
        self.say(self._task_of(step), f"msync({step['map']}{part}, {mode})")

    def _fsync(self, step: Step) -> None:
        task = self.proc(step)
        self.say(task, f"fsync({self.file(task, step['file'])})")

    def _fdatasync(self, step: Step) -> None:
        task = self.proc(step)
        self.say(task, f"fdatasync({self.file(task, step['file'])})")

    def _syncfs(self, step: Step) -> None:
        task = self.proc(step)
        self.say(task, f"syncfs({self.file(task, step['file'])})")

    def _munmap(self, step: Step) -> None:
        self.say(self._task_of(step), f"munmap({step['map']})")

    def _open(self, step: Step) -> None:
        task = self.proc(step, "B")
        handle = f"h{len(self.handles)}"
        self.handles[task, step["file"]] = handle
        self.say(task, f"{handle} = open({step['file']}, RDWR)")

    def _close(self, step: Step) -> None:
        task = self.proc(step)
        self.say(task, f"close({self.handles.pop((task, step['file']), step['file'])})")

    def _exit(self, step: Step) -> None:
        gone = [str(step["proc"])] if "proc" in step else list(self.alive)
        for task in gone:
            self.say(task, "exit()")
            self.alive.remove(task)

    def _fork(self, step: Step) -> None:
        task, child = self.proc(step), str(step["child"])
        self.children[child] = task
        self.alive.append(child)
        self.say(task, f"fork({child})")

    def _fallocate(self, step: Step) -> None:
        low, high = _range(step)
        mode = str(step.get("mode", "")).removeprefix("FALLOC_FL_").lower()
        if mode not in FALLOCATE:
            raise LeftOut(f"fallocate with {mode} is not in the language")
        self.say(self.proc(step), FALLOCATE[mode].format(file=step["file"], low=low, length=high - low))

    def _punch(self, step: Step) -> None:
        for page in pages_of(step):
            self.say(self.proc(step), f"punch({step['file']}, {page * PAGE}, {PAGE})", page)

    def _reflink(self, step: Step) -> None:
        origin, clone = self.files[step["file"]], str(step["to"])
        self.files.setdefault(clone, {key: value for key, value in origin.items() if key != "data"} | {"file": clone})
        self.say(STRANGER, f"clone({clone}, {step['file']})")

    def _truncate(self, step: Step) -> None:
        size = step["bytes"] if "bytes" in step else step["pages"] * PAGE
        self.say(self.proc(step), f"ftruncate({step['file']}, {size})")

    def _fill(self, step: Step) -> None:
        left = step.get("leave", 0)
        if self.row["fs"]["type"] == "xfs":  # what is left there is not exactly what was asked for
            left = _seen(self.row, step).get("free", left)
        self.say(self._by(step), f"fill(ballast, leave={left})")

    def _thin_free(self, _step: Step) -> None:
        self.say(STRANGER, f"device_room({MOST_FREE})")

    def _dm(self, step: Step) -> None:
        if step["to"] not in ("error_writes", "ok"):
            raise LeftOut(f"a device that does {step['to']} is not simulated")
        self.say(STRANGER, "disk_heals()" if step["to"] == "ok" else "disk_error()")

    def _free(self, step: Step) -> None:
        self.say(STRANGER, f"free(ballast, {step['blocks']})")

    def _take(self, step: Step) -> None:
        for _ in range(step["blocks"]):
            self.say(self._by(step), "take(ballast, 1)")

    def _quota(self, step: Step) -> None:
        if "qgroup" in step:
            raise LeftOut("quota groups of btrfs are not simulated")
        user = self._account(step)
        limits = {key: step[key] for key in ("soft", "hard") if key in step}
        self.quotas[user] = {"soft": 0, "hard": 0, "grace": step.get("grace", 604800)}
        self.say(STRANGER, f"quota({user}, {', '.join(f'{key}={value}' for key, value in limits.items())})")

    def _drop_caches(self, step: Step) -> None:
        if step.get("sync", True):
            self.say(STRANGER, "sync()")
        self.say(STRANGER, "drop_caches()")

    def _sleep(self, step: Step) -> None:
        self.say(STRANGER, f"sleep({ceil(step['seconds'])}s)")

    # -- together -------------------------------------------------------------------------------------------------

    def _by(self, step: Step) -> str:
        """The competitor: the stranger, or somebody of another user."""
        uid = step.get("uid", 0)
        if not uid:
            return STRANGER
        self.row.setdefault("uid", {})
        self.row = {**self.row, "uid": {**(self.row["uid"] or {}), f"Y{uid}": uid}}
        return f"Y{uid}"

    def _account(self, step: Step) -> str:
        """Who is charged: a user, or the project that a file belongs to (we have one account a file)."""
        if "project" not in step:
            return f"u{step['uid']}" if step["uid"] else "root"
        self.files[step["file"]] = {**self.files[step["file"]], "project": step["project"]}
        return f"p{step['project']}"

    def _data(self, kind: str) -> Row:
        block = self.row["fs"].get("block", PAGE)
        used = sum(_blocks(spec, block) for spec in self.files.values())
        free, avail = _free_at_first(self.row)
        reserved = free - avail if kind.startswith("ext") else 0
        pool = self._pool(kind, block, reserved)
        reserved -= pool or 0
        free = min(free, MOST_FREE + reserved)
        tasks = {name: self._task(name, script) for name, script in self.scripts.items()}
        return {
            "title": self.row["name"],
            "machine": {"cpus": 4, "frames": 1024, "readahead": 32, "arch": ARCH},
            "filesystem": {
                "type": kind, "block_size": block, "blocks": free + used + self._index_blocks(kind, block),
                "reserved": reserved, "quota": self.quotas, "reserved_clusters": pool,
            },
            "files": {name: self._file(spec) for name, spec in self.files.items()},
            "tasks": tasks,
            "schedule": list(self._schedule()),
        }  # fmt: skip

    def _pool(self, kind: str, block: int, kept: int) -> int | None:
        """What of the blocks that are not for everybody is ext4's pool, and not the reserve of root."""
        if kind not in ("ext4", "ext4-nodelalloc"):
            return None
        disk = self.row["fs"]
        if (spare := disk.get("reserved_clusters", 0)) is not None:
            return min(kept, int(spare))
        blocks = int(disk.get("mb", 16)) * (1 << 20) // block
        return max(0, kept - blocks * int(disk.get("reserved_pct", 0)) // 100)

    def _index_blocks(self, kind: str, block: int) -> int:
        """Index blocks of data that is there from the beginning."""
        return sum(
            (st["st_blocks"].get(name, 0) * 512 // block) - _blocks(self.files[name], block)
            for name, st in _states_after_mkfile(self.row)
            if kind in ("ext2", "ext3", "ext2-by-ext4") and name in self.files
        )

    def _task(self, name: str, script: list[str]) -> Row:
        dies = any(step["op"] == "sigbus" for step in self.row["steps"])
        task: Row = {"user": self.user(name), "script": script, "on_sigbus": "die" if dies else "next"}
        if name in self.children:
            task = {"child_of": self.children[name], "script": script, "on_sigbus": task["on_sigbus"]}
        return task

    def _file(self, spec: Step) -> Row:
        owner = f"p{spec['project']}" if "project" in spec else f"u{spec['uid']}" if spec.get("uid") else "root"
        data = {f"{int(page)}P": letter for page, letter in (spec.get("data") or {}).items()}
        return {"owner": owner, "size": _size(spec), "data": data}

    def _schedule(self) -> Iterator[str]:
        """Everybody in the order of the row: a preemption at each change of task."""
        yield self.order[0].task
        for touch, following in zip(self.order, self.order[1:], strict=False):
            if touch.task != following.task:
                yield f"{touch.task}@{touch.line}>{following.task}"


def _range(step: Step) -> tuple[int, int]:
    if "bytes" in step:
        return int(step["bytes"][0]), int(step["bytes"][1])
    pages = pages_of(step)
    return min(pages) * PAGE, (max(pages) + 1) * PAGE


def _size(spec: Step) -> int:
    """The size of a file in bytes."""
    return int(spec["bytes"]) if "bytes" in spec else int(spec["pages"]) * PAGE


def _blocks(spec: Step, block: int) -> int:
    """How many blocks of data a file has at the beginning."""
    size = _size(spec)
    return sum(
        ceil(min(PAGE, size - int(page) * PAGE) / block) for page in (spec.get("data") or {}) if int(page) * PAGE < size
    )


def _observed(row: Row) -> Row:
    observed: Row = next(iter(row["observed"].values()))
    return observed


def _states_after_mkfile(row: Row) -> Iterator[tuple[str, Row]]:
    """What was seen right after each file was made."""
    for step, seen in zip(row["steps"], _observed(row)["steps"], strict=False):
        if step["op"] == "mkfile" and "st_blocks" in seen:
            yield step["file"], seen


def _seen(row: Row, step: Step) -> Row:
    """What was seen after a step."""
    index = next(i for i, other in enumerate(row["steps"]) if other is step)
    seen: Row = next((seen for seen in _observed(row)["steps"] if seen["i"] == index), {})
    return seen


def _free_at_first(row: Row) -> tuple[int, int]:
    """Free blocks, and those that are free for everybody, when the last file has been made."""
    last = [seen for _, seen in _states_after_mkfile(row)]
    if not last:
        raise LeftOut("the row does not say how many blocks are free")
    return int(last[-1]["free"]), int(last[-1]["avail"])


def _looked_at(row: Row, step: Step, spec: Step) -> list[int]:
    """The pages that a look read: all of a small file; of a large one, those that the row reports."""
    seen = _seen(row, step)
    count = ceil(max(_size(spec), seen.get("size", 0)) / PAGE)
    if count <= 64:
        return list(range(count))
    return sorted(page for pages in seen.get("seen", {}).values() for page in spread(pages))


def spread(pages: str) -> Iterator[int]:
    """The pages that a list such as "0-3,8,10-20/2" stands for."""
    for part in filter(None, str(pages).split(",")):
        span, _, every = part.partition("/")
        low, _, high = span.partition("-")
        yield from range(int(low), int(high or low) + 1, int(every or 1))


def translate(row: Row) -> Play:
    """A row as a scenario of ours. Raises LeftOut with the reason."""
    return Translator(row).run()
