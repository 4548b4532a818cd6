"""The machine: every object of the simulated system, and the one way it moves, Machine.step(task).

A machine is built from a scenario and a kernel and holds no state of its own: all of it is in the journal. `step` runs
one atomic step of one task; `enabled` and `preview` make, look and unmake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import Panic
from engine.fs.blockmap import BlockMap, MinixMap
from engine.fs.disk import Disk
from engine.fs.extentmap import ExtentMap
from engine.fs.kinds import EXTENTS, FILESYSTEMS, INDIRECT, MINIX, FilesystemKind
from engine.fs.quota import Quota
from engine.fs.space import Space
from engine.function import LAYOUTS, WAIT, KernelFunction, StepInfo, call, ret, tail
from engine.hardware.cpu import Cpu, SoftTlbCpu
from engine.hardware.paging import FORMATS
from engine.hardware.ram import Ram
from engine.journal import Cell, Entity, Journal, Write
from engine.locking import Locking, place
from engine.objects.file import OpenFile
from engine.objects.locks import SPIN
from engine.objects.mapping import AddressSpace, ErrorCursor, Inode, Oracle
from engine.objects.mm import Mm
from engine.objects.page import Page
from engine.objects.task import DONE, IDLE, KILLED, Task
from engine.values import ERRNOS

if TYPE_CHECKING:
    from engine.kernel import Kernel
    from engine.scenario import Scenario
    from engine.values import Run

MAPS: dict[str, type[BlockMap]] = {INDIRECT: BlockMap, MINIX: MinixMap}
"""The classes of the maps that a block-mapped filesystem's files have."""
RETURN = "return"
"""The place of a frame that returns whatever the function above it returns."""


class Clock(Entity):
    """The machine as a whole: seconds since boot, and whether it has power."""

    clock = Cell[int]()
    power = Cell[bool | None]()
    cuts = Cell[int | None]()

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal, "machine")
        self.clock, self.power = 0, True


class LineResult(Entity):
    """What a script line came to: "0", an errno, a signal, or the bytes read."""

    result = Cell[str | None]()


class StoreRecord(Entity):
    """One write by a program, followed to its fate. Byte ranges are (start, stop) pairs in the file."""

    file = Cell[str | None]()
    start = Cell[int]()
    stop = Cell[int]()
    text = Cell[str]()
    vpn = Cell[int | None]()
    accepted = Cell[tuple[tuple[int, int], ...]]()
    refused = Cell[str | None]()


@dataclass(frozen=True, slots=True)
class Peek:
    """What a task's next step would do: who, which step, what it reads and writes; waits_for is the lock it lacks."""

    task: str
    function: str
    step: str
    reads: tuple[str, ...]
    writes: tuple[Write, ...]
    waits_for: str | None


class Machine(Locking):
    """Objects by name, and the step. See engine.run for how schedules drive it."""

    def __init__(self, scenario: Scenario, kernel: Kernel) -> None:
        spec, disk = scenario.machine, scenario.filesystem
        self.scenario, self.kernel = scenario, kernel
        self.journal = journal = Journal()
        self.page_size, self.block_size = spec.page_size, disk.block_size
        self.page_shift = spec.page_size.bit_length() - 1
        self.blocks_per_page = spec.page_size // disk.block_size
        self.clock = Clock(journal)
        self.ram = Ram(journal, spec.frames, spec.page_size, self.blocks_per_page)
        self.format = FORMATS[spec.arch]
        cpu = SoftTlbCpu if self.format.refill else Cpu
        self.cpus = tuple(cpu(journal, number) for number in range(spec.cpus))
        self.space = Space(journal, disk.blocks, disk.reserved, disk.block_size)
        self.disk = Disk(journal, disk.block_size)
        self.ops = kernel.ops(disk.type)
        self.kind = FILESYSTEMS[disk.type]
        self.map = map_of(journal, self.kind, disk.block_size)
        self.space.pool = self.kind.pool(disk.blocks, disk.reserved_clusters) or None
        self.quotas = {user: Quota(journal, user, q.soft, q.hard, int(q.grace)) for user, q in disk.quota.items()}
        self.sb = ErrorCursor(journal, "sb")
        self.mms: dict[str, Mm] = {}
        self.mappings: dict[str, AddressSpace] = {}
        self.inodes: dict[str, Inode] = {}
        self.oracles: dict[str, Oracle] = {}
        self.tasks: dict[str, Task] = {}
        self.programs: dict[str, tuple[KernelFunction, ...]] = {}
        self._files: dict[str, OpenFile] = {}
        self.group_exit: KernelFunction
        self._results: dict[str, LineResult] = {}
        self.stores: dict[str, StoreRecord] = {}

    # -- objects by name ------------------------------------------------------------------------------------------

    def page(self, pfn: int) -> Page:
        """struct page of a frame."""
        return self.ram.pages[pfn]

    def cached(self, mapping: AddressSpace, index: int) -> Page | None:
        """The page a file has cached at an index, or None (find_get_page without the reference)."""
        pfn = mapping.pages[index]
        return None if pfn is None else self.ram.pages[pfn]

    def result(self, task: str, line: int) -> LineResult:
        """The result cell of a script line."""
        name = f"line/{task}.{line}"
        if name not in self._results:
            self._results[name] = LineResult(self.journal, name)
        return self._results[name]

    def store(self, task: str, line: int) -> StoreRecord:
        """The record of the store on a script line."""
        name = f"store/{task}.{line}"
        if name not in self.stores:
            self.stores[name] = StoreRecord(self.journal, name)
        return self.stores[name]

    def open_file(self, task: Task, file: str, var: str = "") -> OpenFile:
        """The open file behind a variable, or the one that a process has of a file without saying so.

        A child shares those of its parent, as after fork(2). One that is not open yet is opened here.
        """
        process = task.mm.process
        while (parent := self.scenario.tasks[process].child_of) is not None:
            process = parent
        name = f"{process}.{var or file}"
        opened = self._files.setdefault(name, OpenFile(self.journal, name))
        if not opened.opened:
            opened.sample(self.mappings[file], self.sb)
        return opened

    def has_dirty_entry(self, pfn: int) -> bool:
        """Whether some page table has an entry of a frame with D set."""
        return any(entry.dirty and entry.pfn == pfn for mm in self.mms.values() for _, entry in mm.pte.items())

    def cpu(self, task: Task) -> Cpu:
        """The processor a task runs on."""
        return self.cpus[task.cpu]

    def finish_line(self, result: str) -> None:
        """Note what the current script line came to. An errno is the step's answer too, unless that says more."""
        if result in ERRNOS and self.journal.note is None:
            self.answer(result)
        self.result(self.current.task, self.current.line).result = result

    def answer(self, text: str) -> None:
        """What the step under way found out, for the rail's gates."""
        self.journal.note = text

    # -- what is owed ---------------------------------------------------------------------------------------------

    def accept(self, file: str, run: Run, *, grows: bool = False, orphan: bool = False) -> None:
        """A store was let through: from now on the file ought to hold these bytes; write(2) makes it grow for them.

        A mapping's bytes count as far as the file reaches: the tail of its last page belongs to no file, and a page
        that a cut under way has yet to take goes with it. One that the cut has left an `orphan`, still mapped, should
        have been refused: it is owed.
        """
        oracle, size, stop = self.oracles[file], self.inodes[file].size, run.stop
        beyond = run.start >= -(-size // self.page_size) * self.page_size
        if not grows and not (orphan and beyond):
            stop = min(stop, size)
        if run.start < stop:
            size = max(size, stop, oracle.data.size)
            oracle.data = oracle.data.resized(size).write(run.start, stop, run.text, run.store)

    # -- the step -------------------------------------------------------------------------------------------------

    def step(self, task: Task) -> Moved | None:
        """Run one atomic step of a task. None, and nothing changed, if it has to wait or has nothing to do."""
        journal = self.journal
        self.current, self.blocked_on = task, None
        if self.rests(task):
            return None
        journal.mark()
        stack = task.stack or self._next_line(task)
        if stack is None:
            journal.unmark()
            return None
        kind, at, local, _, _ = stack
        plan = LAYOUTS[kind]
        info = plan.steps[at]
        if info.may_sleep and task.locks:
            self._assert_may_sleep(kind, at)
        frame = kind(*local)
        try:
            then = info.run(frame, self)
        except Panic as panic:
            raise Panic(panic.message, task.task, f"{plan.c_name}.{at}") from panic
        if then is WAIT:
            self._wait(task)
            return None
        task.stack = stack = self._follow(then, stack, plan.pack(frame), info)
        if stack is None:
            self._line_done(task)
        return Moved(task.task, kind, at)

    def _wait(self, task: Task) -> None:
        """Take back that a new line was begun; nothing else may have been written."""
        began = task.stack is None
        writes = self.journal.since_mark()
        assert len(writes) == began, f"a step that waits has written {writes[-1][0]}"
        self.journal.undo()

    def _follow(self, then: Any, stack: Any, kept: tuple[Any, ...], info: StepInfo) -> Any:
        """The stack after a step, given what the step returned and the frame's fields as it left them."""
        kind, _, _, into, below = stack
        if then is None:
            return (kind, self._following(kind, info), kept, into, below)
        if type(then) is call:
            return self._push(then.callee, then.into, (kind, self._following(kind, info), kept, into, below))
        if type(then) is ret:
            return self._return(then.value, below, into)
        if type(then) is tail:
            return self._push(then.callee, None, (kind, RETURN, kept, into, below))
        return (kind, then.__name__, kept, into, below)

    def _following(self, kind: type[KernelFunction], info: StepInfo) -> str:
        if info.following is None:
            raise Panic("fell off the last step", self.current.task, f"{kind.c_name}.{info.name}")
        return info.following

    def _push(self, callee: KernelFunction, into: str | None, below: Any) -> Any:
        kind = type(callee)
        actual = self.kernel.replaces.get(kind, kind)
        local = LAYOUTS[kind].pack(callee) if issubclass(actual, kind) else LAYOUTS[kind].arguments(callee)
        return (actual, LAYOUTS[actual].first, local, into, below)

    def _return(self, value: Any, below: Any, into: str | None) -> Any:
        while below is not None and below[1] == RETURN:
            into, below = below[3], below[4]
        if below is None or into is None:
            return below
        kind, at, local, upper, rest = below
        caller = kind(*local)
        setattr(caller, into, value)
        return (kind, at, LAYOUTS[kind].pack(caller), upper, rest)

    def _next_line(self, task: Task) -> Any:
        """The first frame of a task's next script line; None where there is none (now)."""
        if task.state in (DONE, KILLED):
            return None
        program = self.programs[task.task]
        line = (task.line or 0) + 1
        if line > len(program) or (task.state == IDLE and not self._has_work(task)):
            return None
        task.line = line
        if task.process is not None and task.process.dying:
            return self._push(self.group_exit, None, None)
        return self._push(program[line - 1], None, None)

    def rests(self, task: Task) -> bool:
        """Whether a task has nothing to do. Noted as no look: every task is asked at every state of a search."""
        cells = self.journal.cells
        stack_at, state_at, work_at = task.rests_by
        if stack_at in cells:
            return False
        state = cells[state_at]
        return state in _OVER or (state == IDLE and not cells.get(work_at))

    def _has_work(self, task: Task) -> bool:
        return bool(self.disk.queue) if task.task == "disk" else bool(task.wanted)

    def _line_done(self, task: Task) -> None:
        if task.task in KERNEL_TASKS:
            task.line = 0
        elif task.line >= len(self.programs[task.task]) and task.state not in (DONE, KILLED):
            task.state = DONE

    def _assert_may_sleep(self, kind: type[KernelFunction], at: str) -> None:
        spinning = [held for held in self.current.locks or () if place(held)[1] == SPIN]
        if spinning and not kind.sleeps_atomic:
            step = f"{kind.c_name}.{at}"
            raise Panic(f"may sleep while it holds the spinlock {spinning[0]}", self.current.task, step)

    # -- looking ahead --------------------------------------------------------------------------------------------

    def preview(self, task: Task) -> Peek | None:
        """What a task's next step would do; None if it has none. Nothing stays changed."""
        stack = task.stack
        moved = self.step(task)
        journal = self.journal
        if moved is None:
            if self.blocked_on is None and stack is None:
                return None
            function, name = (stack[0].c_name, stack[1]) if stack else ("", "")
            return Peek(task.task, function, name, tuple(journal.reads), (), self.blocked_on or "")
        peek = Peek(
            task.task,
            moved.function.c_name,
            moved.name,
            tuple(journal.reads),
            tuple(journal.since_mark()),
            None,
        )
        journal.undo()
        return peek

    def enabled(self) -> list[Task]:
        """The tasks that can make a step now, in order."""
        able = []
        for task in self.tasks.values():
            if self.step(task) is not None:
                self.journal.undo()
                able.append(task)
        return able


@dataclass(frozen=True, slots=True)
class Moved:
    """A step that was made: whose, of which function, its name."""

    task: str
    function: type[KernelFunction]
    name: str


def map_of(journal: Journal, kind: FilesystemKind, block_size: int) -> BlockMap:
    """The map of a filesystem's files."""
    if kind.map == EXTENTS:
        return ExtentMap(journal, block_size, kind.in_inode)
    return MAPS[kind.map](journal, block_size)


_OVER = (DONE, KILLED)
KERNEL_TASKS = ("pdflush", "kswapd", "disk")
