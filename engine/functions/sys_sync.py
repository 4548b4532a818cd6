"""sync(2): write everything that is dirty, and wait. After fs/buffer.c and fs/fs-writeback.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.filemap_fdatawait import FilemapFdatawait
from engine.functions.page_flags import is_dirty
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class SysSync(KernelFunction):
    """Two rounds over the dirty files. `todo` is left of this one; `held` is kept by the first for the second."""

    source = "fs/buffer.c do_sync, fs/fs-writeback.c sync_sb_inodes, __sync_single_inode, 2.6.9"
    todo: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    final: bool = False
    error: str = OK

    def sync_inodes(self, k: Machine) -> Next:
        """Which files are dirty? One that was written before, badly, is clean and not looked at."""
        self.todo = self.held = tuple(file for file, inode in k.inodes.items() if is_dirty(inode))

    def sync_sb_inodes(self, k: Machine) -> Next:
        """On to the next file: first all of them without waiting, then the same and any new ones, waiting for each."""
        if not self.todo and not self.final:
            self.final = True
            self.todo = tuple(file for file, inode in k.inodes.items() if file in self.held or is_dirty(inode))
        if not self.todo:
            return self.done

    @may_sleep
    def lock_inode(self, k: Machine) -> Next:
        """One writer-back for an inode at a time."""
        return k.lock(k.inodes[self.todo[0]].i_lock)

    def do_writepages(self, k: Machine) -> Next:
        """Write this file's dirty pages."""
        return call(k.ops.writepages(k.mappings[self.todo[0]], True), into="error")

    def write_inode(self, k: Machine) -> Next:
        """Write its metadata."""
        return call(k.ops.sync_file(k.inodes[self.todo[0]]), into="error")

    def filemap_fdatawait(self, k: Machine) -> Next:
        """The second time round: wait for the writes. An error noted in the file is taken away here."""
        if self.final:
            return call(FilemapFdatawait(k.mappings[self.todo[0]]), into="error")

    def unlock_inode(self, k: Machine) -> Next:
        """sync(2) returns nothing, so an error ends here."""
        k.unlock(k.inodes[self.todo[0]].i_lock)
        self.todo = self.todo[1:]
        return self.sync_sb_inodes

    def done(self, k: Machine) -> Next:
        """Back to the program. sync(2) has no way to tell what went wrong."""
        k.finish_line(OK)
        return ret()
