"""Script lines as C: each operation as the call of the real system that it stands for."""

from __future__ import annotations

from collections.abc import Iterator

from engine import Scenario
from engine import operations as op

MADVICE = {
    "NORMAL": "MADV_NORMAL", "RANDOM": "MADV_RANDOM", "SEQUENTIAL": "MADV_SEQUENTIAL", "WILLNEED": "MADV_WILLNEED",
    "DONTNEED": "MADV_DONTNEED", "POPULATE_READ": "MADV_POPULATE_READ", "POPULATE_WRITE": "MADV_POPULATE_WRITE",
}  # fmt: skip
MODES = {"SYNC": "MS_SYNC", "ASYNC": "MS_ASYNC", "INVALIDATE": "MS_SYNC | MS_INVALIDATE"}
BEYOND = {
    op.PowerFails: "no program lets the power fail: run it in a virtual machine and kill that",
    op.Reclaim: "no program makes memory short for one file alone",
    op.Remount: "mounting is for root, and the files are open here",
    op.DiskError: "a disk that fails is made with dmsetup and its error target",
    op.DiskHeals: "a disk that heals is made with dmsetup",
    op.DeviceRoom: "a device with less below it than it says is a sparse image on a full filesystem, or dm-thin",
    op.Shutdown: "shutting down a filesystem is for root: xfs_io -x -c shutdown",
    op.SetQuota: "quotas are set with setquota",
    op.Sleep: "days are not waited for",
}
"""What a program can not make a machine do, and what can."""


class Replayer:
    """The lines of a scenario as the cases of a switch."""

    def __init__(self, scenario: Scenario) -> None:
        """Nothing is written yet."""
        self._scenario = scenario
        self._tasks = list(scenario.tasks)

    def cases(self) -> Iterator[str]:
        """A case for each line: what it does, and what it answers."""
        for place, name in enumerate(self._tasks):
            for line in self._scenario.lines(name):
                body = self._call(name, line.operation)
                yield f"    case {place * 10_000 + line.number}: {{ {body} }} /* {name}.{line.number} */"

    def variables(self) -> Iterator[str]:
        """The variables of all scripts: mappings with their lengths, and handles."""
        for name in self._tasks:
            for line in self._scenario.lines(name):
                match line.operation:
                    case op.Mmap(var=var):
                        yield f"static char *map_{name}_{var}; static size_t long_{name}_{var};"
                    case op.Open(var=var):
                        yield f"static int handle_{name}_{var} = -1;"

    def ballast(self) -> list[str]:
        """The files that only take room."""
        lines = [line.operation for name in self._tasks for line in self._scenario.lines(name)]
        found = [each.name for each in lines if isinstance(each, op.Fill | op.Take | op.Free)]
        return [name for name in dict.fromkeys(found) if name not in self._scenario.files]

    def _owner(self, task: str, kind: type, var: str) -> str:
        """The task that names a variable: this one, or whom it has its address space from."""
        spec = self._scenario.tasks[task]
        named = (line.operation for line in self._scenario.lines(task) if isinstance(line.operation, kind))
        own = any(getattr(each, "var", "") == var for each in named)
        parent = spec.thread_of or spec.child_of
        return task if own or not parent else self._owner(parent, kind, var)

    def _map(self, task: str, var: str) -> str:
        return f"map_{self._owner(task, op.Mmap, var)}_{var}"

    def _range(self, task: str, var: str, start: int, stop: int | None) -> str:
        """The arguments of a call on part of a mapping."""
        length = f"long_{self._owner(task, op.Mmap, var)}_{var}" if stop is None else str(stop)
        return f"{self._map(task, var)} + {start}, {length} - {start}"

    def _handle(self, task: str, file: str, var: str | None) -> str:
        """What a file is called by: a handle, or the one that the program has of each file."""
        return f"handle_{self._owner(task, op.Open, var)}_{var}" if var else f"file_{file}"

    def _call(self, task: str, each: op.Operation) -> str:
        reason = BEYOND.get(type(each))
        return f"return skip({quoted(reason)});" if reason else self._memory(task, each) or self._file(task, each)

    def _memory(self, task: str, each: op.Operation) -> str:  # noqa: C901, PLR0911 - a case each
        """What is done with mappings and tasks; empty for anything else."""
        match each:
            case op.Mmap():
                return self._mmap(task, each)
            case op.Store(var=var, start=start, stop=stop, text=text):
                return f"return fill_text({self._range(task, var, start, stop)}, {quoted(text)});"
            case op.ReadInto(var=var, start=start, stop=stop, text=text):
                return f"return read_into({self._range(task, var, start, stop)}, {quoted(text)});"
            case op.Load(var=var, start=start, stop=stop):
                return f"return load({self._range(task, var, start, stop)});"
            case op.Msync(var=var, mode=mode, start=start, stop=stop):
                return f"return answer(msync({self._range(task, var, start, stop)}, {MODES[mode]}));"
            case op.Munmap(var=var, start=start, stop=stop):
                return f"return answer(munmap({self._range(task, var, start, stop)}));"
            case op.Mprotect(var=var, prot=prot, start=start, stop=stop):
                return f"return answer(mprotect({self._range(task, var, start, stop)}, {_prot(prot)}));"
            case op.Madvise(var=var, advice=advice, start=start, stop=stop):
                return f"return answer(madvise({self._range(task, var, start, stop)}, {MADVICE[advice]}));"
            case op.Mremap(var=var, length=length):
                at, size = self._map(task, var), f"long_{self._owner(task, op.Mmap, var)}_{var}"
                return (
                    f"void *to = mremap({at}, {size}, {length}, MREMAP_MAYMOVE); if (to == MAP_FAILED) return errno; "
                    f"{at} = to; {size} = {length}; return 0;"
                )
            case op.Fork(child=child):
                place = self._tasks.index(child)
                return f"return begin({place});"
            case op.Exit():
                return "return ENDED;"
        return ""

    def _mmap(self, task: str, each: op.Mmap) -> str:
        flags = ["MAP_SHARED" if each.shared else "MAP_PRIVATE"]
        flags += [] if each.file else ["MAP_ANONYMOUS"]
        flags += ["MAP_POPULATE"] if each.populate else []
        handle = f"file_{each.file}" if each.file else "-1"
        at, size = f"map_{task}_{each.var}", f"long_{task}_{each.var}"
        call = f"mmap(NULL, {each.length}, {_prot(each.prot)}, {' | '.join(flags)}, {handle}, {each.offset})"
        return f"{at} = {call}; {size} = {each.length}; return {at} == MAP_FAILED ? errno : 0;"

    def _file(self, task: str, each: op.Operation) -> str:  # noqa: C901, PLR0911, PLR0912 - a case each
        """What is done with files."""
        match each:
            case op.Open(var=var, file=file, write=write, direct=direct):
                flags = ("O_RDWR" if write else "O_RDONLY") + (" | O_DIRECT" if direct else "")
                path = f'char path[4096]; snprintf(path, sizeof path, "%s/%s", folder, {quoted(file)});'
                return f"{path} handle_{task}_{var} = open(path, {flags}); return answer(handle_{task}_{var});"
            case op.Close(file=file, var=var):
                return f"return answer(close({self._handle(task, file, var)}));"
            case op.Pwrite(file=file, text=text, length=length, offset=offset, direct=direct):
                return f"return write_text({self._direct(task, file, direct)}, {quoted(text)}, {length}, {offset});"
            case op.Pread(file=file, length=length, offset=offset, direct=direct):
                return f"return read_text({self._direct(task, file, direct)}, {length}, {offset});"
            case op.Fsync(file=file, var=var) | op.Fdatasync(file=file, var=var) | op.Syncfs(file=file, var=var):
                return f"return answer({type(each).__name__.lower()}({self._handle(task, file, var)}));"
            case op.Sync() | op.Writeback():
                return "sync(); return 0;"
            case op.DropCaches():
                return "return drop_caches();"
            case op.Ftruncate(file=file, size=size):
                return f"return answer(ftruncate(file_{file}, {size}));"
            case op.Fallocate(file=file, offset=offset, length=length, keep_size=keep):
                how = "FALLOC_FL_KEEP_SIZE" if keep else "0"
                return f"return answer(fallocate(file_{file}, {how}, {offset}, {length}));"
            case op.Punch(file=file, offset=offset, length=length):
                how = "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE"
                return f"return answer(fallocate(file_{file}, {how}, {offset}, {length}));"
            case op.Zero(file=file, offset=offset, length=length):
                return f"return answer(fallocate(file_{file}, FALLOC_FL_ZERO_RANGE, {offset}, {length}));"
            case op.Clone(file=file, source=source):
                return f"return answer(ioctl(file_{file}, FICLONE, file_{source}));"
            case op.Fill(name=name, leave=leave):
                return f"return take_all(file_{name}, {leave});"
            case op.Free(name=name, blocks=blocks):
                return f"return resize(file_{name}, -{blocks});"
            case op.Take(name=name, blocks=blocks):
                return f"return resize(file_{name}, {blocks});"
        return 'return skip("this program has no call for it");'

    def _direct(self, task: str, file: str, direct: bool) -> str:
        """The handle that a write or a read goes by: one that was opened with O_DIRECT, where that was asked for."""
        for line in self._scenario.lines(task) if direct else ():
            match line.operation:
                case op.Open(var=var, file=name, direct=True) if name == file:
                    return f"handle_{task}_{var}"
        return f"file_{file}"


def _prot(said: op.Prot) -> str:
    return " | ".join(f"PROT_{word}" for word in sorted(said)) or "PROT_NONE"


PLAIN_NOT = '"\\?'
"""Signs that mean something else within a string of C; two question marks may begin a trigraph."""


def quoted(text: str) -> str:
    """A text as C has it: whatever is no plain letter, digit or sign stands as its bytes."""
    plain = (
        chr(byte) if " " <= chr(byte) <= "~" and chr(byte) not in PLAIN_NOT else f"\\{byte:03o}"
        for byte in text.encode()
    )
    return f'"{"".join(plain)}"'
