"""msync(2). After mm/msync.c, 6.x: MS_SYNC is an fsync of the range; MS_ASYNC does nothing at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.linux6.vfs_fsync_range import VfsFsyncRange
from engine.functions.user_range import covers, user_range, vmas_in
from engine.objects.mm import Vma
from engine.values import ENOMEM, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class SysMsyncRange(KernelFunction):
    """The line's result is "0" or an errno. Bytes [start, stop) of a mapping; stop None is its end.

    A part that is not mapped is told of at the end: ENOMEM.
    """

    c_name = "msync"
    source = "mm/msync.c msync, 6.x"
    var: str
    mode: str
    start: int
    stop: int | None
    at: int = 0
    error: str = OK
    vma: Vma | None = None

    @may_sleep
    def mmap_read_lock(self, k: Machine) -> Next:
        """Share mmap_lock to look at the mappings."""
        return k.down_read(k.current.mm.mmap_sem)

    def find_vma(self, k: Machine) -> Next:
        """The next mapping of the range. MS_ASYNC has nothing to do: the pages are known to be dirty."""
        self.vma = self._next(k) if self.error == OK else None
        k.up_read(k.current.mm.mmap_sem)
        if self.vma is None:
            return self.done
        self.at = self.vma.end
        if self.mode != "SYNC" or self.vma.file is None or not self.vma.shared:
            k.answer("nothing to do")
            return self.mmap_read_lock

    def vfs_fsync_range(self, k: Machine) -> Next:
        """Write that part of the file, wait, and ask what went wrong. mmap_lock is not held meanwhile."""
        vma, piece = self.vma, user_range(k, self.var, self.start, self.stop)
        assert vma is not None
        assert vma.file is not None
        assert piece is not None
        first, last = (vma.index(vpn) for vpn in (max(vma.start, piece.start), min(vma.end, piece.end)))
        opened = k.open_file(k.current, vma.file)
        return call(VfsFsyncRange(vma.file, opened, first, last, datasync=True), into="error")

    def next_vma(self, k: Machine) -> Next:
        """On to the next mapping."""
        return self.mmap_read_lock

    def done(self, k: Machine) -> Next:
        """Back to the program."""
        piece = user_range(k, self.var, self.start, self.stop)
        whole = piece is not None and covers(vmas_in(k.current.mm, piece), piece)
        error = self.error if self.error != OK or whole else ENOMEM
        k.finish_line(error)
        k.answer(error)
        return ret()

    def _next(self, k: Machine) -> Vma | None:
        piece = user_range(k, self.var, self.start, self.stop)
        if piece is None:
            return None
        low = max(self.at, piece.start)
        return next((vma for vma in k.current.mm.vmas or () if vma.end > low and vma.start < piece.end), None)
