"""fsync(2), fdatasync(2) and sync(2). After fs/sync.c and fs/fs-writeback.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, ret
from engine.functions.linux6.vfs_fsync_range import VfsFsyncRange
from engine.functions.linux6.wb_writeback import SYNC
from engine.values import EIO, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoFsync(KernelFunction):
    """The line's result is "0" or an errno. `var` names the open file; empty, it is the process's first one."""

    source = "fs/sync.c do_fsync, 6.x"
    file: str
    var: str
    datasync: bool = False
    error: str = OK

    def fdget(self, k: Machine) -> Next:
        """Which open file is it? Each has its own memory of errors."""
        opened = k.open_file(k.current, self.file, self.var)
        return call(VfsFsyncRange(self.file, opened, datasync=self.datasync), into="error")

    def fdput(self, k: Machine) -> Next:
        """Back to the program."""
        k.finish_line(self.error)
        k.answer(self.error)
        return ret()


@dataclass
class KsysSync(KernelFunction):
    """The flusher writes everything, and is waited for. Errors stay where they are; nobody is told by this call."""

    source = "fs/sync.c ksys_sync, fs/fs-writeback.c sync_inodes_sb, 6.x"

    def wakeup_flusher_threads(self, k: Machine) -> Next:
        """Let the flusher write everything: it has root's rights, whoever calls."""
        k.tasks["pdflush"].wanted = SYNC

    def sync_inodes_sb(self, k: Machine) -> Next:
        """Wait for it, and for the disk; sync(2) returns nothing."""
        if k.tasks["pdflush"].wanted or k.disk.queue:
            k.blocked_on = "task/pdflush.wanted"
            return WAIT
        k.finish_line(OK)
        return ret()


@dataclass
class Syncfs(KernelFunction):
    """syncfs(2): as sync, of one filesystem. The line's result is "0" or the error since this open file last asked."""

    source = "fs/sync.c syncfs, 6.x (5.8: 735e4ae5ba28)"
    file: str
    var: str

    def wakeup_flusher(self, k: Machine) -> Next:
        """Let the flusher write everything."""
        k.tasks["pdflush"].wanted = SYNC

    def sync_filesystem(self, k: Machine) -> Next:
        """Wait for it, and for the disk."""
        if k.tasks["pdflush"].wanted or k.disk.queue:
            k.blocked_on = "task/pdflush.wanted"
            return WAIT

    def check_and_advance(self, k: Machine) -> Next:
        """Has anything gone wrong on this filesystem that this open file has not heard of? It hears of it once."""
        told = k.open_file(k.current, self.file, self.var).check_filesystem(k.sb)
        error = EIO if k.space.down else told
        k.finish_line(error)
        k.answer(error)
        return ret()
