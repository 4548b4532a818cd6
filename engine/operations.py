"""What a script line can ask for: one frozen record per call, all sizes in bytes, all ranges half-open.

These are what `engine.script.parse_line` gives and what the engine runs. A `file` is the name of a file of
the scenario, a `var` the name of a variable that holds a mapping; `stop=None` means up to its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Prot: TypeAlias = frozenset[Literal["READ", "WRITE", "EXEC"]]
SyncMode: TypeAlias = Literal["SYNC", "ASYNC", "INVALIDATE"]
Advice: TypeAlias = Literal["NORMAL", "RANDOM", "SEQUENTIAL", "WILLNEED", "DONTNEED", "POPULATE_READ", "POPULATE_WRITE"]


@dataclass(frozen=True, slots=True)
class Mmap:
    """`m = mmap(f, 4P, READ|WRITE, SHARED)`: map bytes of a file into the address space; no page is there yet.

    `length` is in bytes; `file` None is ANON. not `may_write`: no mprotect() can make it writable (VM_MAYWRITE),
    for it is a shared one by a handle that is open for reading only.
    """

    var: str
    file: str | None
    length: int
    prot: Prot
    shared: bool
    offset: int = 0
    populate: bool = False
    may_write: bool = True


@dataclass(frozen=True, slots=True)
class Store:
    """`m[2P] = "C"`: a store of the CPU to [start, stop) of the mapping; `text` repeats to fill it."""

    var: str
    start: int
    stop: int
    text: str


@dataclass(frozen=True, slots=True)
class ReadInto:
    """`readinto(m[2P:3P], "C")`: read(2) of a file of C's into the mapping: the kernel stores, and hears EFAULT."""

    var: str
    start: int
    stop: int
    text: str


@dataclass(frozen=True, slots=True)
class Load:
    """`x = m[2P]`: a load of [start, stop) of the mapping; without a target it only touches."""

    target: str | None
    var: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Open:
    """`h = open(f, RDWR|DIRECT)`: a handle that stands for the file, which hears of its errors by itself.

    `write` is False for RDONLY. `direct`: what is read and written by it goes past the page cache (O_DIRECT).
    """

    var: str
    file: str
    write: bool
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """`close(h)`: close a handle, or the file itself.

    `var` is None for the file itself.
    """

    file: str
    var: str | None = None


@dataclass(frozen=True, slots=True)
class Pwrite:
    """`pwrite(f, "C" * 4P, 0)`: write(2) a text to the file at an offset.

    `text` is repeated to `length` bytes. `direct`: by a handle that was opened with DIRECT.
    """

    file: str
    text: str
    length: int
    offset: int
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Pread:
    """`x = pread(f, 1, 2P)`: read(2) so many bytes of the file at an offset.

    `direct` as in a write.
    """

    target: str | None
    file: str
    length: int
    offset: int
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Fsync:
    """`fsync(f)`: write what is dirty of the file, wait for the disk, and hear of errors.

    `var` is the handle, if it was given by one.
    """

    file: str
    var: str = ""


@dataclass(frozen=True, slots=True)
class Fdatasync:
    """`fdatasync(f)`: as fsync, without the metadata that no reader needs.

    `var` is the handle, if it was given by one.
    """

    file: str
    var: str = ""


@dataclass(frozen=True, slots=True)
class Sync:
    """`sync()`: write everything that is dirty; it has no answer."""


@dataclass(frozen=True, slots=True)
class Syncfs:
    """`syncfs(f)`: write everything that is dirty on the file's filesystem.

    `var` is the handle, if it was given by one.
    """

    file: str
    var: str = ""


@dataclass(frozen=True, slots=True)
class Msync:
    """`msync(m, SYNC)`: write what was stored by all of the mapping, or by [start, stop) of it."""

    var: str
    mode: SyncMode
    start: int = 0
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Munmap:
    """`munmap(m)`: unmap all of the mapping, or [start, stop) of it."""

    var: str
    start: int = 0
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Mremap:
    """`mremap(m, 8P)`: make the mapping so long."""

    var: str
    length: int


@dataclass(frozen=True, slots=True)
class Mprotect:
    """`mprotect(m, READ)`: change the rights of all of the mapping, or of [start, stop); NONE is an empty set."""

    var: str
    prot: Prot
    start: int = 0
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Madvise:
    """`madvise(m, DONTNEED)`: tell the kernel what will be done with the mapping, or with [start, stop) of it."""

    var: str
    advice: Advice
    start: int = 0
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Fork:
    """`fork(B)`: task B begins, as a child with a copy of this address space."""

    child: str


@dataclass(frozen=True, slots=True)
class Exit:
    """`exit()`: the task ends; its mappings go with its last thread."""


@dataclass(frozen=True, slots=True)
class Ftruncate:
    """`ftruncate(f, 8P)`: set the file's size; what lies beyond is cut off, what is added is a hole."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Fallocate:
    """`fallocate(f, 0, 4P)`: give a range of the file its blocks now; `KEEP_SIZE` leaves its end where it is."""

    file: str
    offset: int
    length: int
    keep_size: bool = False


@dataclass(frozen=True, slots=True)
class Punch:
    """`punch(f, 2P, 1P)`: make a range of the file a hole."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Zero:
    """`zero(f, 2P, 1P)`: make a range of the file zeroes that keep their blocks."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Clone:
    """`clone(g1, f)`: g1 gets the blocks of f and shares them with it; the destination comes first, as in FICLONE."""

    file: str
    source: str


@dataclass(frozen=True, slots=True)
class PowerFails:
    """`power_fails()`: the power fails, and only what is on the disk is left."""


@dataclass(frozen=True, slots=True)
class Reclaim:
    """`reclaim()`: memory is short; kswapd takes what it can get."""


@dataclass(frozen=True, slots=True)
class Writeback:
    """`writeback()`: pdflush writes what is dirty."""


@dataclass(frozen=True, slots=True)
class DropCaches:
    """`drop_caches()`: every clean page that nobody maps leaves the page cache."""


@dataclass(frozen=True, slots=True)
class Remount:
    """`remount()`: the filesystem is unmounted and mounted again."""


@dataclass(frozen=True, slots=True)
class DiskError:
    """`disk_error(f, 2P)`: writing the file's block at that offset fails from now on.

    Without an offset any block of the file; without a file every write, the journal's too.
    """

    file: str = ""
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class DiskHeals:
    """`disk_heals(f)`: the disk can write the file's blocks again; without a file it is as it was before all errors."""

    file: str = ""


@dataclass(frozen=True, slots=True)
class DeviceRoom:
    """`device_room(4)`: the device below can still take so many blocks that were never written.

    As a sparse image on a full filesystem, or a thin volume: the filesystem above does not know.
    """

    blocks: int


@dataclass(frozen=True, slots=True)
class Shutdown:
    """`shutdown()`: the filesystem is shut down while it is mounted; nothing reaches the disk any more."""


@dataclass(frozen=True, slots=True)
class SetQuota:
    """`quota(alice, hard=9)`: new limits for a user, in blocks; 0 lifts one.

    None leaves a limit as it is.
    """

    user: str
    soft: int | None = None
    hard: int | None = None


@dataclass(frozen=True, slots=True)
class Free:
    """`free(g, 1)`: the ballast of that name gives back so many blocks."""

    name: str
    blocks: int


@dataclass(frozen=True, slots=True)
class Take:
    """`take(g, 1)`: so many free blocks go to the ballast of that name."""

    name: str
    blocks: int


@dataclass(frozen=True, slots=True)
class Fill:
    """`fill(g)`: the ballast takes every free block but `leave`."""

    name: str
    leave: int = 0


@dataclass(frozen=True, slots=True)
class Sleep:
    """`sleep(8d)`: the clock goes on: 30s, 5m, 2h, 8d."""

    seconds: int


Operation: TypeAlias = (
    Mmap | Store | ReadInto | Load | Open | Close | Pwrite | Pread | Fsync | Fdatasync | Sync | Syncfs | Msync
    | Munmap | Mremap | Mprotect | Madvise | Fork | Exit | Ftruncate | Fallocate | Punch | Zero | Clone
    | PowerFails | Reclaim | Writeback | DropCaches | Remount | DiskError | DiskHeals | DeviceRoom | Shutdown | SetQuota
    | Free | Take | Fill | Sleep
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a task's script: `number` counts from 1, `text` is as written without its comment."""

    number: int
    text: str
    operation: Operation
