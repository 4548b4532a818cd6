"""XFS's COW fork: the new block for a shared one, from writeback until it is written. After fs/xfs/xfs_reflink.c, 6.x.

The new block belongs to `f:cow` meanwhile. Only when the disk has it does the file lead to it, and lets go of its share
of the old one; if the disk cannot write it, the file stays where it was. Small helpers, each part of its caller's step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.mapping import Inode
    from engine.objects.page import Page


def take(k: Machine, inode: Inode, iblock: int, goal: int = 0) -> int:
    """xfs_bmapi_allocate() in the COW fork: choose the new block. Quota stays with the old one."""
    block = k.space.take(f"{inode.file}:cow", goal)
    inode.cow[iblock], k.disk.data[block] = block, None
    return block


def place(k: Machine, inode: Inode, iblock: int) -> int | None:
    """xfs_map_blocks(): where a file block is written, which is not always where it is read; None for a hole."""
    new = inode.cow[iblock]
    return k.map.lookup(inode, iblock) if new is None else new


def end_cow(k: Machine, inode: Inode, iblock: int) -> None:
    """xfs_reflink_end_cow(): the file leads to the new block, and gives back its share of the old one."""
    old, new = k.map.lookup(inode, iblock), inode.cow[iblock]
    assert old is not None
    assert new is not None
    k.space.hand_over(new, f"{inode.file}:cow", inode.file)
    inode.pointers[iblock], inode.cow[iblock], inode.dirty = new, None, True
    k.space.give_back(old, inode.file)


def cancel(k: Machine, inode: Inode, iblock: int) -> None:
    """xfs_reflink_cancel_cow_blocks(): the new block is not wanted after all."""
    if (block := inode.cow[iblock]) is not None:
        inode.cow[iblock] = None
        k.space.give_back(block)


def end_io(k: Machine, page: Page, pieces: tuple[tuple[int, int], ...], ok: bool) -> None:
    """xfs_end_ioend(): new blocks that were written join the file; others go, unless they are to be written again."""
    inode = k.inodes[page.mapping or ""]
    for part, block in pieces:
        iblock = (page.index or 0) * k.blocks_per_page + part
        if inode.cow[iblock] != block:
            continue
        if ok:
            end_cow(k, inode, iblock)
            page.bh[part].block = block if page.private else None
        elif not (page.private and page.bh[part].dirty):
            cancel(k, inode, iblock)
