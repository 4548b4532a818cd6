"""fsync(2), fdatasync(2) and sync(2). After fs/buffer.c, fs/fs-writeback.c, 2.6.9. None looks at page tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.filemap_fdatawait import FilemapFdatawait
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class SysFsync(KernelFunction):
    """The line's result is "0", ENOSPC, EDQUOT or EIO."""

    source = "fs/buffer.c sys_fsync, 2.6.9"
    file: str
    var: str
    error: str = OK
    fsync: str = OK
    wait: str = OK

    @may_sleep
    def down_i_sem(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        return k.lock(k.inodes[self.file].i_sem)

    def filemap_fdatawrite(self, k: Machine) -> Next:
        """Write every page that is marked dirty. A dirty bit that is only in a page table is not seen."""
        return call(k.ops.writepages(k.mappings[self.file], True), into="error")

    def f_op_fsync(self, k: Machine) -> Next:
        """Write the file's metadata."""
        return call(k.ops.sync_file(k.inodes[self.file]), into="fsync")

    def filemap_fdatawait(self, k: Machine) -> Next:
        """Wait for the writes and ask whether they went well."""
        return call(FilemapFdatawait(k.mappings[self.file]), into="wait")

    def up_i_sem(self, k: Machine) -> Next:
        """Back to the program, with the first error there was."""
        k.unlock(k.inodes[self.file].i_sem)
        error = next((e for e in (self.error, self.fsync, self.wait) if e != OK), OK)
        k.finish_line(error)
        k.answer(error)
        return ret()


@dataclass
class SysSync(KernelFunction):
    """Everything is written and waited for; the errors are taken away, and nobody is told."""

    source = "fs/buffer.c sys_sync, fs/fs-writeback.c __sync_single_inode, 2.6.9"
    files: tuple[str, ...] = ()
    at: int = 0
    final: bool = False
    error: str = OK

    def sync_inodes(self, k: Machine) -> Next:
        """Go through the files, first without waiting, then waiting."""
        self.files = self.files or tuple(k.inodes)
        if self.at == len(self.files):
            if self.final:
                return self.done
            self.final, self.at = True, 0

    def do_writepages(self, k: Machine) -> Next:
        """Write this file's dirty pages."""
        mapping = k.mappings[self.files[self.at]]
        return call(k.ops.writepages(mapping, self.final), into="error")

    def write_inode(self, k: Machine) -> Next:
        """Write its metadata."""
        return call(k.ops.sync_file(k.inodes[self.files[self.at]]), into="error")

    def wait(self, k: Machine) -> Next:
        """The second time round: wait for the writes. An error noted in the file is taken away here."""
        if self.final:
            return call(FilemapFdatawait(k.mappings[self.files[self.at]]), into="error")

    def next_file(self, k: Machine) -> Next:
        """On to the next file. sync(2) returns nothing, so an error ends here."""
        k.inodes[self.files[self.at]].dirty_pages = None
        self.at += 1
        return self.sync_inodes

    def done(self, k: Machine) -> Next:
        """Back to the program. sync(2) has no way to tell what went wrong."""
        k.finish_line(OK)
        return ret()
