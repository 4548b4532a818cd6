"""Cutting shared blocks on XFS: what is zeroed in part is written, and needs a new block first. After fs/xfs, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.xfs import XfsBmapiReserveDelalloc, homeless
from engine.function import KernelFunction, Next, call, may_sleep, ret, tail
from engine.functions.linux6.punch_hole import PunchHole
from engine.objects.mapping import Inode
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class XfsTruncatePage(KernelFunction):
    """Before a file is cut to `size` bytes. Returns "0", ENOSPC or EDQUOT."""

    source = "fs/xfs/xfs_iops.c xfs_setattr_size, fs/xfs/xfs_iomap.c xfs_truncate_page, 6.x"
    inode: Inode
    size: int

    def iomap_truncate_page(self, k: Machine) -> Next:
        """Does the end cut a block that is shared? Then its rest is zeroed in a new one, which is asked for."""
        shared = cut_and_shared(k, self.inode, self.size)
        k.answer("yes" if shared else "no")
        return tail(XfsBmapiReserveDelalloc(self.inode, shared[0], shared[0] + 1)) if shared else ret(OK)


@dataclass
class XfsFreeFileSpace(PunchHole):
    """Bytes [offset, offset + length) of a file read as zeroes afterwards, whole blocks are freed. Returns "0".

    Or ENOSPC, EDQUOT: blocks that the range cuts cannot be zeroed where they are if they are shared.
    """

    source = "fs/xfs/xfs_bmap_util.c xfs_free_file_space, fs/xfs/xfs_iomap.c xfs_zero_range, 6.x"
    error: str = OK

    @may_sleep
    def invalidate_lock(self, k: Machine) -> Next:
        """Keep faults away that would want a page of the part that goes."""
        return super().invalidate_lock(k) or (self.xfs_zero_range if self._cut(k) else None)

    def xfs_zero_range(self, k: Machine) -> Next:
        """A block that the range cuts is shared: a new one is asked for, in which its part can be zeroed."""
        iblock = self._cut(k)[0]
        return call(XfsBmapiReserveDelalloc(self.inode, iblock, iblock + 1), into="error")

    def unshared(self, k: Machine) -> Next:
        """Is there room for it? If not, the range stays as it is."""
        if self.error == OK:
            return self.xfs_zero_range if self._cut(k) else self.unmap_mapping_range
        k.unlock(k.mappings[self.inode.file].invalidate_lock)
        k.answer(f"no: {self.error}")
        return ret(self.error)

    def _cut(self, k: Machine) -> list[int]:
        return cut_and_shared(k, self.inode, self.offset, self._end(k))


def cut_and_shared(k: Machine, inode: Inode, *ends: int) -> list[int]:
    """The blocks that these places in a file lie inside of, if others have them too and no new one is promised."""
    cut = sorted({end // k.block_size for end in ends if end % k.block_size})
    wanted = (i for iblock in cut for i in homeless(k, inode, range(iblock, iblock + 1)))
    return [i for i in wanted if k.map.lookup(inode, i) is not None]
