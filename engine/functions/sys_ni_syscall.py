"""Calls that 2.6.9 does not have: fallocate(2) and punching holes came years later. The program hears ENOSYS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.function import KernelFunction, Next, ret

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class SysNiSyscall(KernelFunction):
    """The line's result is ENOSYS. A file, and bytes [offset, offset + length) of it."""

    source = "kernel/sys.c sys_ni_syscall, 2.6.9"
    call: ClassVar[str] = ""
    file: str
    offset: int
    length: int

    def enosys(self, k: Machine) -> Next:
        """This kernel has no such call."""
        k.finish_line("ENOSYS")
        k.answer(f"{self.call}: ENOSYS")
        return ret()


@dataclass
class SysFallocate(SysNiSyscall):
    """fallocate(2), mode 0: since 2.6.23."""

    call = "fallocate"


@dataclass
class SysFallocateKeepSize(SysNiSyscall):
    """fallocate(2), FALLOC_FL_KEEP_SIZE: since 2.6.23."""

    call = "fallocate"


@dataclass
class SysPunch(SysNiSyscall):
    """fallocate(2), FALLOC_FL_PUNCH_HOLE: since 2.6.38."""

    call = "punch"


@dataclass
class SysZero(SysNiSyscall):
    """fallocate(2), FALLOC_FL_ZERO_RANGE: since 3.15."""

    call = "zero"


@dataclass
class SysIoctl(KernelFunction):
    """FICLONE, since 4.5: a request that nobody knows yet. The line's result is ENOTTY."""

    source = "fs/ioctl.c sys_ioctl, file_ioctl, 2.6.9"
    file: str
    source_file: str

    def enotty(self, k: Machine) -> Next:
        """This kernel has no such request."""
        k.finish_line("ENOTTY")
        k.answer("FICLONE: ENOTTY")
        return ret()


@dataclass
class SysSyncfs(KernelFunction):
    """syncfs(2): since 2.6.39. The line's result is ENOSYS."""

    c_name = "sys_syncfs"
    source = "kernel/sys.c sys_ni_syscall, 2.6.9"
    file: str
    var: str

    def enosys(self, k: Machine) -> Next:
        """This kernel has no such call."""
        k.finish_line("ENOSYS")
        k.answer("syncfs: ENOSYS")
        return ret()
