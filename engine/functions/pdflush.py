"""pdflush: the kernel thread that writes back what is dirty. After mm/page-writeback.c and fs/fs-writeback.c, 2.6.9.

It runs with every capability: quota limits and root's reserve do not stop it (facts 1a.12).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.page_flags import is_dirty
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Pdflush(KernelFunction):
    """One round over the dirty inodes."""

    c_name = "wb_kupdate"
    source = "mm/page-writeback.c wb_kupdate, fs/fs-writeback.c __sync_single_inode, 2.6.9"
    seen: tuple[str, ...] = ()
    file: str = ""
    error: str = OK

    def sync_sb_inodes(self, k: Machine) -> Next:
        """Thirty seconds have passed: which inode is dirty?"""
        dirty = (f for f, inode in k.inodes.items() if f not in self.seen and is_dirty(inode))
        self.file = next(dirty, "")
        k.answer(self.file or "none")
        if not self.file:
            return self.done
        self.seen = (*self.seen, self.file)

    @may_sleep
    def lock_inode(self, k: Machine) -> Next:
        """One writer-back for an inode at a time."""
        return k.lock(k.inodes[self.file].i_lock)

    def do_writepages(self, k: Machine) -> Next:
        """Write its dirty pages."""
        return call(k.ops.writepages(k.mappings[self.file], False), into="error")

    def write_inode(self, k: Machine) -> Next:
        """Write the inode and its index blocks."""
        return call(k.ops.sync_file(k.inodes[self.file]))

    def unlock_inode(self, k: Machine) -> Next:
        """The inode is clean. What went wrong is only a flag in its mapping."""
        k.unlock(k.inodes[self.file].i_lock)
        return self.sync_sb_inodes

    def done(self, k: Machine) -> Next:
        """Back to sleep."""
        k.current.wanted = None
        return ret()
