"""ftruncate(2). After fs/open.c do_truncate(), 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.vmtruncate import Vmtruncate
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class SysFtruncate(KernelFunction):
    """Sets a file's size in bytes. The line's result is "0"."""

    source = "fs/open.c sys_ftruncate, do_truncate, 2.6.9"
    file: str
    size: int

    @may_sleep
    def down_i_sem(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        return k.lock(k.inodes[self.file].i_sem)

    def do_truncate(self, k: Machine) -> Next:
        """Cut the file, or let it grow."""
        return call(Vmtruncate(self.file, self.size))

    def up_i_sem(self, k: Machine) -> Next:
        """Back to the program."""
        k.unlock(k.inodes[self.file].i_sem)
        k.finish_line(OK)
        return ret()
