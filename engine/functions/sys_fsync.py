"""fsync(2) and fdatasync(2). After fs/buffer.c, 2.6.9. Neither looks at page tables."""

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
    datasync: bool = False
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
