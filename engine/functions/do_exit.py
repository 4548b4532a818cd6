"""do_exit(): a task ends; with the last thread the address space goes. After kernel/exit.c and mm/mmap.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.zap_pte_range import ZapPteRange
from engine.objects.task import DONE, KILLED

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoExit(KernelFunction):
    """A signal ends every thread of the process; without one only this task ends."""

    source = "kernel/exit.c do_exit, mm/mmap.c exit_mmap, 2.6.9"
    signal: str | None = None

    def exit_signals(self, k: Machine) -> Next:
        """The task is leaving."""
        task, mm = k.current, k.current.mm
        task.signal = self.signal
        k.finish_line(self.signal or "0")
        if self.signal:
            mm.dying = self.signal
        mm.users = tuple(name for name in mm.users or () if name != task.task)
        if mm.users:
            return self.done

    def exit_mmap(self, k: Machine) -> Next:
        """It was the last one here: the whole address space is unmapped."""
        return call(ZapPteRange(k.current.mm, 0, k.format.task_size))

    def free_pgtables(self, k: Machine) -> Next:
        """Ranges and page tables are gone. Nothing has been written; nobody has been told anything."""
        mm = k.current.mm
        mm.vmas = ()
        mm.free_pgtables()

    def done(self, k: Machine) -> Next:
        """The task is no more."""
        k.current.state = KILLED if self.signal or k.current.mm.dying else DONE
        return ret()
