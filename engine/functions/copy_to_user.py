"""copy_to_user(): a system call stores into a program's mapping. After arch/i386/lib/usercopy.c, 2.6.9.

The kernel's own store faults as a program's does; a refusal is no signal, because the exception table has a way out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, ret
from engine.functions.cpu_store import CpuStore
from engine.values import EFAULT, SIGBUS

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class CopyToUser(CpuStore):
    """As if read(2) put text into bytes [start, stop) of a mapping. The line's result is "ok" or EFAULT."""

    c_name = "copy_to_user"
    source = "arch/i386/lib/usercopy.c copy_to_user, arch/i386/mm/extable.c fixup_exception, 2.6.9"

    def signal(self, k: Machine) -> Next:
        """fixup_exception: no signal. The call stops here and says EFAULT, or how much it has read so far."""
        k.store(k.current.task, k.current.line).refused = EFAULT if self.fault == SIGBUS else self.fault
        k.finish_line(EFAULT)
        k.answer(EFAULT)
        return ret()
