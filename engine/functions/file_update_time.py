"""file_update_time(), in 2.6.9 inode_update_time(): mtime and ctime, at write(2), and at stores since 2.6.18's hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.machine import Machine


def file_update_time(k: Machine, file: str) -> None:
    """Note the time of the change in the inode. Units: seconds of the machine's clock."""
    inode = k.inodes[file]
    if inode.mtime != k.clock.clock:
        inode.mtime, inode.dirty = k.clock.clock, True
