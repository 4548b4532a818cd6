"""What makes sense of a scenario beyond its shape: names that exist, data that fits, scripts that parse.

`check` finds every problem at once. Paths are JSON pointers; places in a text are put to them later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from engine.document import pointer
from engine.errors import Problem, ScenarioError, ScheduleError, short, suggestion
from engine.fs.blockmap import DIRECT, MINIX_DIRECT
from engine.fs.kinds import EXTENTS, FILESYSTEMS, MINIX
from engine.kernels import known_steps
from engine.operations import Exit, Fill, Fork, Free, Line, Load, Mmap, Pread, Pwrite, ReadInto, Store, Take
from engine.reading import Context, Variable
from engine.schedule import KERNEL_TASKS, Schedule, schedule_of
from engine.script import parse_line, plain
from engine.sizes import MAX_BYTES, Geometry, spell, split_literal, unit_cure

if TYPE_CHECKING:
    from engine.scenario import File, Scenario, Task

MAX_PAGES = 1024
"""The most different pages of one file (or of anonymous memory) that the scripts of a scenario touch."""


@dataclass(slots=True)
class Findings:
    """What checking found: problems, and what was parsed on the way."""

    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, tuple[Line, ...]] = field(default_factory=dict)
    schedule: Schedule = field(default_factory=Schedule)

    def add(self, path: str, message: str, cure: str = "") -> None:
        """Note one problem."""
        self.problems.append(Problem(0, 0, path, message, cure))


def check(scenario: Scenario) -> Findings:
    """All that is wrong with a scenario of the right shape, with its scripts and schedule parsed."""
    found = Findings()
    _check_filesystem(scenario, found)
    _check_users(scenario, found)
    for name in scenario.files:
        _check_file(scenario, name, found)
    _check_blocks(scenario, found)
    for name in scenario.tasks:
        _check_task(scenario, name, found)
    _Scripts(scenario, found).check()
    _check_schedule(scenario, found)
    return found


def users(scenario: Scenario) -> tuple[str, ...]:
    """Everybody a scenario names, root first, then in order of appearance."""
    named = ["root", *scenario.filesystem.quota, *(file.owner for file in scenario.files.values())]
    return tuple(dict.fromkeys([*named, *(task.user for task in scenario.tasks.values())]))


def _check_filesystem(scenario: Scenario, found: Findings) -> None:
    filesystem, page = scenario.filesystem, scenario.machine.page_size
    if filesystem.block_size > page:
        message = f"a block of {filesystem.block_size} bytes is larger than a page of {page}"
        found.add("/filesystem/block_size", message, f"Write {page} or less")
    if filesystem.reserved > filesystem.blocks:
        message = f"{filesystem.reserved} reserved blocks are more than the {filesystem.blocks} there are"
        found.add("/filesystem/reserved", message, f"Write at most {filesystem.blocks}")
    for name, quota in filesystem.quota.items():
        if quota.hard and quota.soft > quota.hard:
            path = pointer("filesystem", "quota", name, "soft")
            found.add(path, f"the soft limit {quota.soft} is above the hard limit {quota.hard}", "Swap them")


def _check_users(scenario: Scenario, found: Findings) -> None:
    """A user is one who runs a task; owners and quotas may speak of others only if they speak of the same."""
    runs = ["root", *dict.fromkeys(task.user for task in scenario.tasks.values())]
    owners = [file.owner for file in scenario.files.values()]
    for name, file in scenario.files.items():
        if file.owner not in (*runs, *scenario.filesystem.quota):
            found.add(
                pointer("files", name, "owner"),
                f"there is no user {file.owner}",
                _user_cure(file.owner, runs),
            )
    for name in scenario.filesystem.quota:
        if name not in (*runs, *owners):
            found.add(pointer("filesystem", "quota", name), f"there is no user {name}", _user_cure(name, runs))


def _user_cure(name: str, runs: Sequence[str]) -> str:
    return f"{suggestion(name, runs)}{'' if suggestion(name, runs).endswith('?') else '.'} A user runs a task"


def extents(data: Mapping[str, str], geometry: Geometry) -> tuple[tuple[int, int, str], ...]:
    """Offset, length and text of what `data` puts on the disk, by offset; what is wrong is left out."""
    return tuple(sorted(extent for _, extent, _ in _extents(data, geometry) if extent is not None))


def _extents(
    data: Mapping[str, str], geometry: Geometry
) -> Iterator[tuple[str, tuple[int, int, str] | None, tuple[str, str]]]:
    """For each entry its key, its extent or None, and then what is wrong and a cure."""
    for key, text in data.items():
        literal = split_literal(key)
        scale = geometry.scale(literal.unit) if literal else None
        if literal is None:
            yield key, None, (f"{short(key)} is not an offset", "Write 0P, 3B or bytes")
        elif scale is None:
            yield key, None, (f"there is no unit {literal.unit}", unit_cure(literal))
        elif literal.number * scale % geometry.block_size:
            cure = "Write it in pages (2P) or blocks (2B)"
            yield key, None, (f"data begins at a block, and {key} is inside one", cure)
        elif not text or not (text.isascii() and text.isprintable()):
            yield key, None, ("data is at least one character of printable ASCII", "Write one letter: a")
        else:
            offset = literal.number * scale
            in_blocks = literal.unit == "B" or offset % geometry.page_size
            unit = geometry.block_size if in_blocks or len(text) > 1 else geometry.page_size
            yield key, (offset, -(-len(text) // unit) * unit, text), ("", "")


def _check_file(scenario: Scenario, name: str, found: Findings) -> None:
    file, geometry, end = scenario.files[name], scenario.geometry, 0
    if geometry.block_size > geometry.page_size:
        return
    if file.size > (most := largest_file(geometry.block_size, scenario.filesystem.type)):
        message = f"{file.size} bytes are more than a file can have with blocks of {geometry.block_size}"
        found.add(pointer("files", name, "size"), message, f"The limit is {spell(most, geometry)}")
    good = []
    for key, extent, wrong in _extents(file.data, geometry):
        path = pointer("files", name, "data", key)
        if extent is None:
            found.add(path, *wrong)
        elif extent[0] + len(extent[2]) > file.size:
            cure = f"The file has {spell(file.size, geometry)}: make it larger"
            found.add(path, f"the data at {key} is beyond the end of file {name}", cure)
        else:
            good.append((extent, path, key))
    for extent, path, key in sorted(good):
        if extent[0] < end:
            found.add(path, f"the data at {key} is put over other data", "Give each page or block its data once")
        end = max(end, extent[0] + extent[1])


def largest_file(block_size: int, kind: str = "ext2") -> int:
    """The bytes a file can have; a block map reaches 12 direct blocks, then one, two and three levels of index."""
    if FILESYSTEMS[kind].map == EXTENTS:
        return MAX_BYTES
    pointers = block_size // 4
    return min(MAX_BYTES, (_direct(kind) + pointers + pointers**2 + pointers**3) * block_size)


def _direct(kind: str) -> int:
    return MINIX_DIRECT if FILESYSTEMS[kind].map == MINIX else DIRECT


def blocks_of(file: File, geometry: Geometry, kind: str = "ext2") -> int:
    """How many blocks a file takes at the beginning, its index blocks with them."""
    block, pointers = geometry.block_size, geometry.block_size // 4
    numbers: set[int] = set()
    for offset, length, _ in extents(file.data, geometry):
        stop = min(offset + length, -(-file.size // block) * block)
        numbers.update(range(offset // block, -(-stop // block)))
    if FILESYSTEMS[kind].map == EXTENTS:
        runs = sum(number - 1 not in numbers for number in numbers)
        leaf = 0 < FILESYSTEMS[kind].in_inode < runs
        return len(numbers) + leaf if FILESYSTEMS[kind].holes else -(-file.size // block)
    index: set[tuple[int, int, int]] = set()
    for number in numbers:
        inside = number - _direct(kind)
        for depth in (1, 2, 3):
            if 0 <= inside < pointers**depth:
                index.update((depth, level, inside // pointers**level) for level in range(1, depth + 1))
            inside -= pointers**depth
    return len(numbers) + len(index)


def _check_blocks(scenario: Scenario, found: Findings) -> None:
    needed = sum(blocks_of(file, scenario.geometry, scenario.filesystem.type) for file in scenario.files.values())
    if needed > scenario.filesystem.blocks:
        message = f"the files need {needed} blocks with their index blocks, the filesystem has fewer"
        found.add("/filesystem/blocks", message, f"Write blocks: {needed} or more, or give files less data")
    kind = scenario.filesystem.type
    if scenario.filesystem.reserved_clusters is not None and FILESYSTEMS[kind].spare is None:
        cure = "Leave them out, or choose type: ext4"
        found.add("/filesystem/reserved_clusters", f"{kind} keeps no reserved_clusters", cure)


def _check_task(scenario: Scenario, name: str, found: Findings) -> None:
    task, path = scenario.tasks[name], pointer("tasks", name)
    if name in KERNEL_TASKS:
        found.add(path, f"task {name} is the kernel's own", "Choose another name: A")
    if task.cpu is not None and task.cpu >= scenario.machine.cpus:
        cure = f"Write 0 to {scenario.machine.cpus - 1}, or give the machine more cpus"
        found.add(f"{path}/cpu", f"there is no cpu {task.cpu}", cure)
    if task.thread_of and task.child_of:
        found.add(f"{path}/child_of", f"task {name} cannot be a thread and a child", "Keep thread_of or child_of")
    if task.on_call and task.child_of:
        found.add(f"{path}/on_call", f"task {name} begins when its parent forks", "Leave on_call out")
    if name == next(iter(scenario.tasks)) and all(other.on_call for other in scenario.tasks.values()):
        found.add(f"{path}/on_call", "every task waits to be called", "Let one task begin by itself")
    for key in ("thread_of", "child_of"):
        parent = getattr(task, key)
        if parent is not None:
            _check_parent(scenario, name, key, parent, found)


def _check_parent(scenario: Scenario, name: str, key: str, parent: str, found: Findings) -> None:
    path, tasks = pointer("tasks", name, key), scenario.tasks
    if parent not in tasks:
        found.add(
            path,
            f"there is no task {parent}",
            suggestion(parent, [other for other in tasks if other != name]),
        )
    elif name in _ancestors(tasks, name):
        found.add(path, f"{name} cannot descend from itself", "Name a task that begins by itself")
    elif key == "thread_of" and tasks[parent].thread_of:
        cure = f"Write thread_of: {tasks[parent].thread_of}"
        found.add(path, f"{parent} is itself a thread", cure)
    elif tasks[parent].user != tasks[name].user:
        cure = f"Leave user out, or write {tasks[parent].user}"
        message = f"{name} runs as {tasks[name].user}, but comes from {parent}, which runs as {tasks[parent].user}"
        found.add(pointer("tasks", name, "user"), message, cure)


def _ancestors(tasks: Mapping[str, Task], name: str) -> list[str]:
    """Whom a task comes from, nearest first; a circle is gone round once."""
    found: list[str] = []
    while (parent := tasks[name].thread_of or tasks[name].child_of) in tasks and parent not in found:
        found.append(name := str(parent))
    return found


class _Scripts:
    """Parses the scripts of all tasks, parents before their threads and children."""

    def __init__(self, scenario: Scenario, found: Findings) -> None:
        self.scenario, self.found = scenario, found
        self.contexts: dict[str, Context] = {}
        self.forks: dict[str, dict[str, Variable]] = {}
        self.forked: dict[str, str] = {}
        self.refused: set[str] = set()
        self.pages: dict[str, set[int]] = {}
        self.mappings: dict[str, dict[str, Mmap]] = {}

    def check(self) -> None:
        """Parse everything; then look at what scripts say of one another."""
        tasks = self.scenario.tasks
        for name in sorted(tasks, key=lambda name: len(_ancestors(tasks, name))):
            self.parse(name)
        self.found.lines = {name: self.found.lines[name] for name in tasks}
        for name, task in tasks.items():
            parent = task.child_of
            made = name in self.forked or task.thread_of or parent in self.refused
            if parent in tasks and not made:
                path = pointer("tasks", name, "child_of")
                self.found.add(
                    path, f"{parent} never makes its child {name}", f"Write fork({name}) in {parent}'s script"
                )
        self.check_ballast()

    def parse(self, name: str) -> None:
        """Parse the script of one task."""
        context = self.context(name)
        lines: list[Line] = []
        for index, text in enumerate(self.scenario.tasks[name].script):
            path = pointer("tasks", name, "script", index)
            if lines and isinstance(lines[-1].operation, Exit):
                self.found.add(path, "nothing runs after exit()", "Remove it, or put it before")
            try:
                line = Line(index + 1, plain(text), parse_line(text, context))
            except ScenarioError as error:
                self.refused.add(name)
                self.found.problems += [replace(problem, line=0, path=path) for problem in error.problems]
                continue
            lines.append(line)
            self.note(name, line, path)
        self.found.lines[name] = tuple(lines)

    def context(self, name: str) -> Context:
        """What a task may speak of: a thread knows its leader's names, a child those before the fork."""
        task, tasks = self.scenario.tasks[name], self.scenario.tasks
        children = [child for child, other in tasks.items() if other.child_of == name]
        variables: dict[str, Variable] = {}
        if task.thread_of in self.contexts:
            variables = dict(self.contexts[task.thread_of].variables)
        elif name in self.forks:
            variables = dict(self.forks[name])
        files, everybody, arch = tuple(self.scenario.files), users(self.scenario), self.scenario.machine.arch
        context = Context(files, everybody, children, self.scenario.geometry, variables, arch)
        self.contexts[name] = context
        self.mappings[name] = dict(self.mappings.get(task.thread_of or task.child_of or "", {}))
        return context

    def note(self, name: str, line: Line, path: str) -> None:
        """Keep what concerns more than the line."""
        match line.operation:
            case Fork(child) if child in self.forked:
                self.found.add(path, f"{child} was made before, by {self.forked[child]}", "A child is made once")
            case Fork(child):
                self.forked[child] = name
                self.forks[child] = dict(self.contexts[name].variables)
            case Mmap(var=var) as mapping:
                self.mappings[name][var] = mapping
            case Store(var, start, stop, _) | ReadInto(var, start, stop, _) | Load(_, var, start, stop):
                mapped = self.mappings[name].get(var)
                offset = mapped.offset if mapped is not None else 0
                file = (mapped.file if mapped is not None else None) or "anonymous memory"
                self.touch(file, offset + start, offset + stop, path)
            case Pwrite(file, _, length, offset) | Pread(_, file, length, offset):
                self.touch(file, offset, offset + length, path)

    def touch(self, file: str, start: int, stop: int, path: str) -> None:
        """Count the different pages that scripts touch."""
        page, pages = self.scenario.machine.page_size, self.pages.setdefault(file, set())
        before = len(pages)
        pages.update(range(start // page, -(-stop // page)))
        if before <= MAX_PAGES < len(pages):
            message = f"with this line the scripts touch {len(pages)} pages of {file}"
            self.found.add(path, message, f"The limit is {MAX_PAGES}")

    def check_ballast(self) -> None:
        """Only ballast that somebody took can be freed."""
        lines = [(name, line) for name, script in self.found.lines.items() for line in script]
        taken = [line.operation.name for _, line in lines if isinstance(line.operation, Take | Fill)]
        for task, line in lines:
            if isinstance(line.operation, Free) and line.operation.name not in taken and not self.refused:
                path, name = pointer("tasks", task, "script", line.number - 1), line.operation.name
                cure = suggestion(name, taken) if taken else f"Write fill({name}) or take({name}, 1) first"
                self.found.add(path, f"nobody takes blocks for {name}", cure)


def _check_schedule(scenario: Scenario, found: Findings) -> None:
    """Read the schedule item by item, so that each problem has its place."""
    good: list[str] = []
    for index, item in enumerate(scenario.schedule):
        try:
            found.schedule = schedule_of([*good, item], tasks=scenario.tasks, steps=known_steps())
            good.append(item)
        except ScheduleError as error:
            found.add(pointer("schedule", index), error.message, error.cure)


PLACEHOLDERS: dict[str, Any] = {
    "title": "?",
    "size": 0,
    "user": "root",
    "script": ["sync()"],
    "tasks": {"A": {"user": "root", "script": ["sync()"]}},
}
"""What stands in for something that is missing or wrong while the rest is checked."""


def mend(data: dict[str, Any], wrong: Sequence[tuple[str | int, ...]]) -> dict[str, Any]:
    """A copy of the data without what is wrong, so that the rest can be checked as well."""
    mended: dict[str, Any] = _copy(data)
    for loc in sorted(wrong, key=len, reverse=True):
        path = [part for part in loc if part != "[key]"]
        inside: Any = mended
        for part in path[:-1]:
            inside = inside[part] if _has(inside, part) else None
        if path and isinstance(inside, dict):
            inside.pop(path[-1], None)
            if path[-1] == "size":
                inside.pop("data", None)
            if str(path[-1]) in PLACEHOLDERS:
                inside[path[-1]] = _copy(PLACEHOLDERS[str(path[-1])])
        elif path and isinstance(inside, list) and _has(inside, path[-1]):
            inside[int(path[-1])] = "sync()" if "script" in path else ""
    return mended


def _has(inside: Any, part: str | int) -> bool:
    if isinstance(inside, dict):
        return part in inside
    return isinstance(inside, list) and isinstance(part, int) and part < len(inside)


def _copy(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(value) for value in data] if isinstance(data, list) else data
