"""filemap_write_and_wait_range(): a range of a file goes to the disk, and what went wrong is asked. 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.objects.mapping import AddressSpace
from engine.values import EIO, ENOSPC, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FilemapWriteAndWaitRange(KernelFunction):
    """Pages [first, last) of a file. Returns "0", ENOSPC or EIO, and takes the error's flag away."""

    source = "mm/filemap.c filemap_write_and_wait_range, filemap_check_errors, 6.x"
    file: str
    first: int
    last: int
    error: str = OK

    def filemap_fdatawrite_range(self, k: Machine) -> Next:
        """Write every dirty page of the range. Stores through a mapping have marked theirs in the fault."""
        return call(k.ops.writepages(self._mapping(k), True, self.first, last=self.last), into="error")

    @may_sleep
    def filemap_fdatawait_range(self, k: Machine) -> Next:
        """Wait until the disk has them."""
        if any(self.first <= i < self.last for i, _ in self._mapping(k).tag_writeback.items()):
            k.blocked_on = f"{self._mapping(k)}.tag_writeback"
            return WAIT

    def filemap_check_errors(self, k: Machine) -> Next:
        """Has anything gone wrong with this file? The flag goes; each open file will hear of it all the same."""
        mapping = self._mapping(k)
        if self.error == OK:
            self.error = ENOSPC if mapping.enospc else EIO if mapping.eio else OK
        mapping.enospc = mapping.eio = None
        k.answer(self.error)
        return ret(self.error)

    def _mapping(self, k: Machine) -> AddressSpace:
        return k.mappings[self.file]
