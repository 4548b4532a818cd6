"""Delayed allocation: what a block reserved but not chosen yet means to the accounts. After fs/ext4/inode.c, 6.x.

A reservation is a promise of the free space and of the owner's quota; `inode/f/block/3.delayed` says for which file
block. Writeback claims it: the promise becomes a block. Small helpers, each part of its caller's step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.values import EDQUOT, ENOSPC, OK

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.mapping import Inode
    from engine.objects.page import Page


def refusal(k: Machine, inode: Inode, blocks: int, metadata: int = 0) -> str:
    """EDQUOT or ENOSPC if so many blocks cannot be promised now, else "0". Quota counts data only."""
    quota = k.quotas.get(inode.owner)
    if quota and blocks and quota.refuses(blocks, k.clock.clock, privileged=k.current.privileged):
        return EDQUOT
    room = k.space.allowed(privileged=k.current.privileged)
    return ENOSPC if blocks and room < blocks + metadata else OK


def reserve(k: Machine, inode: Inode, iblock: int, *, counted: bool = True) -> None:
    """Promise a block for a file block. `counted` in st_blocks: not for data that has a block already."""
    inode.delayed[iblock] = True
    k.space.promise(1)
    if counted:
        inode.delalloc = (inode.delalloc or 0) + 1
    if quota := k.quotas.get(inode.owner):
        quota.promise(1, k.clock.clock)


def forget(k: Machine, inode: Inode, iblock: int, *, counted: bool = True) -> None:
    """Take the promise back: the block is not wanted, or is about to be taken under its own name."""
    if not inode.delayed[iblock]:
        return
    inode.delayed[iblock] = None
    k.space.forget(1)
    if counted:
        inode.delalloc = (inode.delalloc or 0) - 1 or None
    if quota := k.quotas.get(inode.owner):
        quota.forget(1)


def take(k: Machine, inode: Inode, goal: int = 0) -> int:
    """Choose a block for data and charge it. It reads as zeroes until it is written: nobody sees what it held."""
    block = k.space.take(inode.file, goal)
    k.disk.data[block] = None
    inode.blocks = (inode.blocks or 0) + 1
    if quota := k.quotas.get(inode.owner):
        quota.charge(1, k.clock.clock)
    return block


def end_io(k: Machine, page: Page, pieces: tuple[tuple[int, int], ...], ok: bool) -> None:
    """ext4_end_io_end(), 6.18: a new block stays unwritten when its write fails, but its buffer counts as mapped.

    So what is written through that buffer later reaches the block, and the file still reads as zeroes there.
    """
    inode = k.inodes[page.mapping or ""]
    for part, block in pieces:
        if not ok and k.disk.data[block] is None:
            iblock = (page.index or 0) * k.blocks_per_page + part
            inode.unwritten[iblock] = inode.failed[iblock] = True
            page.bh[part].mapped = True if page.private else None


def blocks_of(k: Machine, page: Page, offset: int = 0, stop: int | None = None) -> range:
    """The file blocks of a page that begin in bytes [offset, stop) of it."""
    first = (page.index or 0) * k.blocks_per_page
    end = k.page_size if stop is None else stop
    return range(first + -(-offset // k.block_size), first + -(-end // k.block_size))


def release_page(k: Machine, page: Page, offset: int, stop: int | None = None) -> None:
    """ext4_es_remove_extent() at truncate, punch and invalidate: what was reserved for a part of a page goes back."""
    inode = k.inodes[page.mapping or ""]
    for iblock in blocks_of(k, page, offset, stop):
        forget(k, inode, iblock)
        page.bh[iblock % k.blocks_per_page].delay = None
