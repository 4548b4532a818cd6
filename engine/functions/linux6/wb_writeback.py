"""wb_writeback(): the flusher, a kernel thread that writes back what is dirty. After fs/fs-writeback.c, 6.x.

It runs with root's rights: where a filesystem looks for room only now, quota and reserve do not stop it (facts 1a.12).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine

SYNC = "sync"
"""What a task writes into the flusher's `wanted` when it waits for everything; True is a usual round."""


@dataclass
class WbWriteback(KernelFunction):
    """One round over the dirty inodes; for sync(2) a second one that tries every page."""

    source = "fs/fs-writeback.c wb_writeback, __writeback_single_inode, wait_sb_inodes, 6.x"
    seen: tuple[str, ...] = ()
    file: str = ""
    error: str = OK
    integrity: bool = False

    def queue_io(self, k: Machine) -> Next:
        """Which inode is dirty? Who waits for everything takes those as well whose pages are under way."""
        self.file = next((file for file in k.inodes if file not in self.seen and self._is_due(k, file)), "")
        k.answer(self.file or "none")
        if not self.file:
            return self.done
        self.seen = (*self.seen, self.file)

    @may_sleep
    def i_sync(self, k: Machine) -> Next:
        """One writer-back for an inode at a time."""
        return k.lock(k.inodes[self.file].i_lock)

    def do_writepages(self, k: Machine) -> Next:
        """Write its dirty pages."""
        return call(k.ops.writepages(k.mappings[self.file], self.integrity), into="error")

    @may_sleep
    def filemap_fdatawait(self, k: Machine) -> Next:
        """Wait for its pages, if somebody waits for everything: the metadata comes after the data."""
        if self.integrity and any(True for _ in k.mappings[self.file].tag_writeback):
            k.blocked_on = f"{k.mappings[self.file]}.tag_writeback"
            return WAIT

    def write_inode(self, k: Machine) -> Next:
        """Write the inode and its metadata."""
        return call(k.ops.sync_file(k.inodes[self.file]))

    def requeue_inode(self, k: Machine) -> Next:
        """What went wrong is remembered in its mapping."""
        inode = k.inodes[self.file]
        inode.dirty_pages = True if any(True for _ in k.mappings[self.file].tag_dirty) else None
        k.unlock(inode.i_lock)
        return self.queue_io

    def done(self, k: Machine) -> Next:
        """Back to sleep, or once more from the start if somebody waits for everything."""
        if k.current.wanted == SYNC and not self.integrity:
            self.seen, self.integrity = (), True
            return self.queue_io
        k.current.wanted = None
        return ret()

    def _is_due(self, k: Machine, file: str) -> bool:
        inode, waits = k.inodes[file], self.integrity
        return bool(inode.dirty or inode.dirty_pages or (waits and any(True for _ in k.mappings[file].tag_writeback)))
