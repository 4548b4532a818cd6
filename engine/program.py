"""Script lines as what the machine runs: each operation becomes the kernel function (or CPU instruction) behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import operations as op
from engine.function import KernelFunction
from engine.functions.copy_to_user import CopyToUser
from engine.functions.cpu_load import CpuLoad
from engine.functions.cpu_store import CpuStore
from engine.functions.do_exit import DoExit
from engine.functions.do_fork import DoFork
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_mremap import DoMremap
from engine.functions.file_handles import SysClose, SysOpen
from engine.functions.generic_file_direct_read import GenericFileDirectRead
from engine.functions.generic_file_direct_write import GenericFileDirectWrite
from engine.functions.generic_file_read import GenericFileRead
from engine.functions.generic_file_write import GenericFileWrite
from engine.functions.sys_fsync import SysFsync
from engine.functions.sys_ftruncate import SysFtruncate
from engine.functions.sys_msync import SysMsync
from engine.functions.sys_munmap import SysMadvise, SysMprotect, SysMunmap
from engine.functions.sys_ni_syscall import SysFallocate, SysFallocateKeepSize, SysIoctl, SysPunch, SysSyncfs, SysZero
from engine.functions.sys_sync import SysSync
from engine.functions.world import Ballast, DropCaches, PowerFails, Remount, Setting, Shutdown, WakeThread


def mmap(o: op.Mmap) -> KernelFunction:
    """The mapping call, with its rights in a fixed order."""
    return DoMmapPgoff(o.var, o.file, o.length, tuple(sorted(o.prot)), o.shared, o.offset, o.populate, o.may_write)


FUNCTIONS: dict[type, Callable[[Any], KernelFunction]] = {
    op.Mmap: mmap,
    op.Store: lambda o: CpuStore(o.var, o.start, o.stop, o.text),
    op.ReadInto: lambda o: CopyToUser(o.var, o.start, o.stop, o.text),
    op.Load: lambda o: CpuLoad(o.target, o.var, o.start, o.stop),
    op.Open: lambda o: SysOpen(o.var, o.file, o.write, o.direct),
    op.Close: lambda o: SysClose(o.file, o.var or ""),
    op.Pwrite: lambda o: (GenericFileDirectWrite if o.direct else GenericFileWrite)(o.file, o.text, o.length, o.offset),
    op.Pread: lambda o: (GenericFileDirectRead if o.direct else GenericFileRead)(o.file, o.length, o.offset),
    op.Fsync: lambda o: SysFsync(o.file, o.var),
    op.Fdatasync: lambda o: SysFsync(o.file, o.var, datasync=True),
    op.Sync: lambda _: SysSync(),
    op.Syncfs: lambda o: SysSyncfs(o.file, o.var),
    op.Msync: lambda o: SysMsync(o.var, o.mode, o.start, o.stop),
    op.Munmap: lambda o: SysMunmap(o.var, o.start, o.stop),
    op.Mremap: lambda o: DoMremap(o.var, o.length),
    op.Mprotect: lambda o: SysMprotect(o.var, tuple(sorted(o.prot)), o.start, o.stop),
    op.Madvise: lambda o: SysMadvise(o.var, o.advice, o.start, o.stop),
    op.Fork: lambda o: DoFork(o.child),
    op.Exit: lambda _: DoExit(),
    op.Ftruncate: lambda o: SysFtruncate(o.file, o.size),
    op.Fallocate: lambda o: (SysFallocateKeepSize if o.keep_size else SysFallocate)(o.file, o.offset, o.length),
    op.Punch: lambda o: SysPunch(o.file, o.offset, o.length),
    op.Zero: lambda o: SysZero(o.file, o.offset, o.length),
    op.Clone: lambda o: SysIoctl(o.file, o.source),
    op.PowerFails: lambda _: PowerFails(),
    op.Reclaim: lambda _: WakeThread("kswapd"),
    op.Writeback: lambda _: WakeThread("pdflush"),
    op.DropCaches: lambda _: DropCaches(),
    op.Remount: lambda _: Remount(),
    op.DiskError: lambda o: Setting("disk_error", o.file, o.offset, None),
    op.DiskHeals: lambda o: Setting("disk_heals", o.file, None, None),
    op.DeviceRoom: lambda o: Setting("device_room", "", o.blocks, None),
    op.Shutdown: lambda _: Shutdown(),
    op.SetQuota: lambda o: Setting("quota", o.user, o.soft, o.hard),
    op.Free: lambda o: Ballast(o.name, -o.blocks),
    op.Take: lambda o: Ballast(o.name, o.blocks),
    op.Fill: lambda o: Ballast(o.name, None, o.leave),
    op.Sleep: lambda o: Setting("sleep", "", o.seconds, None),
}


def function_for(operation: op.Operation) -> KernelFunction:
    """The first frame of a script line."""
    return FUNCTIONS[type(operation)](operation)
