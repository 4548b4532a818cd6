"""open(2) and close(2). ext2 has no ->flush in 2.6.9: close never tells of an error (facts 1a.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, ret
from engine.values import EINVAL, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class SysOpen(KernelFunction):
    """The variable becomes a handle for the file."""

    source = "fs/open.c sys_open, 2.6.9"
    var: str
    file: str
    write: bool
    direct: bool = False

    def filp_open(self, k: Machine) -> Next:
        """The program gets a file descriptor."""
        if self.direct and not opens_direct(k):
            k.finish_line(EINVAL)
            k.answer(f"no: {EINVAL}")
            return ret()
        k.current.mm.assign(self.var, self.file)
        k.finish_line(OK)
        return ret()


@dataclass
class SysClose(KernelFunction):
    """Nothing is written and nothing is told."""

    source = "fs/open.c sys_close, filp_close, 2.6.9"
    file: str
    var: str

    def filp_close(self, k: Machine) -> Next:
        """The descriptor is gone. close(2) does not write, and knows of no error."""
        k.finish_line(OK)
        return ret()


def opens_direct(k: Machine) -> bool:
    """Whether the filesystem has a way past the page cache, or takes O_DIRECT without one."""
    return k.ops.direct_io is not None or k.ops.direct_is_cached
