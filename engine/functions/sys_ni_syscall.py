"""Calls that 2.6.9 does not have: fallocate(2) and punching holes came years later. The program hears ENOSYS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, ret

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class SysNiSyscall(KernelFunction):
    """The line's result is ENOSYS."""

    source = "kernel/sys.c sys_ni_syscall, 2.6.9"
    name: str

    def enosys(self, k: Machine) -> Next:
        """This kernel has no such call."""
        k.finish_line("ENOSYS")
        k.answer(f"{self.name}: ENOSYS")
        return ret()
