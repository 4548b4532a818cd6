"""A commit of ext3's and ext4's journal, as far as the disk sees it: one step, for all files. After fs/jbd2/commit.c.

The journal is a file of its own, which is always written on: where nothing can be written any more, it is aborted, and
with it all that was not committed. Nobody's call fails for that but the one that waits for this commit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.objects.mapping import Inode
from engine.values import EIO, OK

if TYPE_CHECKING:
    from engine.machine import Machine


def commit(k: Machine, size_of: Callable[[Machine, Inode], int] = lambda _, inode: inode.size) -> str:
    """Make sizes, pointers and index blocks of every file durable; `size_of` an inode may be less than memory says.

    Returns "0", also for a journal that was aborted long ago, or EIO when this commit aborts it.
    """
    if k.space.aborted:
        return OK
    if not k.disk.takes_more and _pending(k):
        k.space.aborted = True
        return EIO
    for inode in k.inodes.values():
        for index in k.map.index_blocks(inode):
            if index.dirty:
                k.map.write_out(k.disk, index)
        if inode.dirty:
            k.disk.write_inode(inode, size_of(k, inode))
            inode.dirty = None
    return OK


def _pending(k: Machine) -> bool:
    """Whether a transaction is running that would have to be written."""
    inodes = k.inodes.values()
    return any(inode.dirty or any(index.dirty for index in k.map.index_blocks(inode)) for inode in inodes)
