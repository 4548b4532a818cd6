"""msync(2). After mm/msync.c, 2.6.9: mmap_sem is held for reading all the time, i_sem is taken under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.filemap_fdatawait import FilemapFdatawait
from engine.functions.page_flags import flush_tlb, set_page_dirty
from engine.functions.user_range import MapRef, covers, user_range, vmas_in
from engine.objects.mm import Vma
from engine.values import ENOMEM, OK, pte_mkclean

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class SysMsync(KernelFunction):
    """The line's result is "0", ENOSPC, EDQUOT, EIO or ENOMEM."""

    source = "mm/msync.c sys_msync, filemap_sync, 2.6.9"
    var: str
    mode: str
    start: int
    stop: int | None
    vma: Vma = None  # type: ignore[assignment]  # a step fills it
    range: MapRef = None  # type: ignore[assignment]  # a step fills it
    unmapped: str = OK
    error: str = OK
    fsync: str = OK
    wait: str = OK

    @may_sleep
    def down_read(self, k: Machine) -> Next:
        """Share mmap_sem; it is held until the disk has answered."""
        return k.down_read(k.current.mm.mmap_sem)

    def find_vma(self, k: Machine) -> Next:
        """Only a shared mapping of a file has anything to write. A part that is not mapped is told of at the end."""
        piece = user_range(k, self.var, self.start, self.stop)
        found = vmas_in(k.current.mm, piece) if piece else []
        self.unmapped = OK if piece and covers(found, piece) else ENOMEM
        bound = [vma for vma in found if vma.reaches_file]
        if piece is None or not bound:
            return self.up_read
        self.vma, self.range = bound[0], piece

    def filemap_sync_pte(self, k: Machine) -> Next:
        """Collect the dirty bits from the page table: each moves to its page. Entries stay writable."""
        mm = self.vma.mm
        if not k.free_lock(mm.page_table_lock):
            return WAIT
        for vpn, entry in mm.pte.items():
            vma = mm.find_vma(vpn) if self.range.start <= vpn < self.range.end and entry.dirty else None
            if vma is not None and vma.reaches_file:
                mm.pte[vpn] = pte_mkclean(entry)
                set_page_dirty(k, k.page(entry.pfn))
        flush_tlb(k, mm.process, range(self.range.start, self.range.end))
        if self.mode != "SYNC":
            return self.up_read

    @may_sleep
    def down_i_sem(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        return k.lock(k.inodes[self._file].i_sem)

    def filemap_fdatawrite(self, k: Machine) -> Next:
        """Write every dirty page of the file, not only this range."""
        return call(k.ops.writepages(k.mappings[self._file], True), into="error")

    def f_op_fsync(self, k: Machine) -> Next:
        """Write the file's metadata."""
        return call(k.ops.sync_file(k.inodes[self._file]), into="fsync")

    def filemap_fdatawait(self, k: Machine) -> Next:
        """Wait for the writes and ask whether they went well."""
        return call(FilemapFdatawait(k.mappings[self._file]), into="wait")

    def up_i_sem(self, k: Machine) -> Next:
        """Let other writers in again; the first error wins."""
        k.unlock(k.inodes[self._file].i_sem)
        self.error = next((e for e in (self.error, self.fsync, self.wait) if e != OK), OK)

    def up_read(self, k: Machine) -> Next:
        """Back to the program, with the answer."""
        k.up_read(k.current.mm.mmap_sem)
        error = self.unmapped if self.error == OK else self.error
        k.finish_line(error)
        k.answer(error)
        return ret()

    @property
    def _file(self) -> str:
        assert self.vma.file is not None
        return self.vma.file
