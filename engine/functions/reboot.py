"""Losing memory, and reading everything from the disk again: what a power cut and a remount have in common."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from engine.functions.vmtruncate import drop
from engine.objects.task import DONE, IDLE, KILLED
from engine.values import Pointers

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.mapping import Inode


def lose_memory(k: Machine) -> None:
    """Every page, page table, TLB, lock and program is gone; the calling task lives on as whoever boots the machine."""
    for task in k.tasks.values():
        if task is not k.current:
            if task.state not in (DONE, KILLED, IDLE):
                task.state = KILLED
            task.stack = task.wanted = None
        if task.process is None:
            task.line = 0
        task.locks = None
    for mm in k.mms.values():
        mm.pte.clear()
        mm.free_pgtables()
        mm.pgd_alloc()
        for at in (mm.mmap_sem, mm.page_table_lock):
            at.holder = None
        mm.vmas, mm.rss = (), None
    for cpu in k.cpus:
        cpu.tlb.clear()
        cpu.mm = None
    k.disk.queue = None
    drop_all_pages(k)


def forget_files(k: Machine) -> None:
    """Page cache and inodes are dropped; inodes and the block map are read from the disk, the bitmap is made to fit."""
    for mapping in k.mappings.values():
        for pfn in [pfn for _, pfn in mapping.pages.items()]:
            drop(k, k.page(pfn))
        mapping.clear()
    for inode in k.inodes.values():
        _read_inode(k, inode)
    k.space.delalloc = k.space.down = k.space.aborted = k.space.readonly = None
    for quota in k.quotas.values():
        quota.promised = None
    _check_bitmap(k)


def drop_all_pages(k: Machine) -> None:
    """Every frame but ZERO_PAGE is empty, and no file has anything cached."""
    for page in k.ram.pages:
        if not page.reserved:
            for bh in page.bh:
                bh.clear()
            page.clear()
    k.ram.lru = ()
    for mapping in k.mappings.values():
        for table in (mapping.pages, mapping.tag_dirty, mapping.tag_writeback):
            table.clear()
        mapping.clear()


def _read_inode(k: Machine, inode: Inode) -> None:
    image = k.disk.inodes[inode.file]
    if k.kind.remote:
        k.disk.write_inode(inode)
    if k.kind.in_memory:
        image.size, image.pointers, image.unwritten = 0, Pointers(()), None
    for index in list(k.map.index_blocks(inode)):
        index.pointers.clear()
        index.dirty = None
    for table in (inode.pointers, inode.unwritten, inode.delayed, inode.cow):
        table.clear()
    inode.delalloc = inode.indlen = None
    inode.i_sem.holder = inode.i_lock.holder = None
    inode.dirty = inode.dirty_pages = None
    inode.size = image.size
    for slot, block in image.pointers.slots:
        inode.pointers[slot] = block
        _read_index(k, block, k.map.depth(slot))
    for iblock in image.unwritten or ():
        inode.unwritten[iblock] = True


def _read_index(k: Machine, block: int, depth: int) -> None:
    if not depth:
        return
    for slot, child in (k.disk.pointers[block] or Pointers(())).slots:
        k.map.index(block).pointers[slot] = child
        _read_index(k, child, depth - 1)


def _check_bitmap(k: Machine) -> None:
    """What fsck does: a block belongs to a file if, and only if, the file's map on the disk leads to it.

    Other people's files lose a block that they took after ours gave it back in memory alone.
    """
    for inode in k.inodes.values():
        for owner in (f"{inode.file}:new", f"{inode.file}:cow", f"{inode.file}:old"):
            _give_back(k, owner)
    for inode in k.inodes.values():
        _reclaim(k, inode)
    for user, quota in k.quotas.items():
        blocks = sum(inode.blocks or 0 for inode in k.inodes.values() if inode.owner == user)
        if quota.used != blocks:
            quota.release(quota.used - blocks)


def _reclaim(k: Machine, inode: Inode) -> None:
    """A file has the blocks that its map leads to, and no others; where files can share, others may have them too."""
    ours = {name for file in k.inodes for name in (file, f"{file}:index")}
    index = [item.block for item in k.map.index_blocks(inode)]
    data = [k.map.chain(inode, iblock)[-1] for iblock in k.map.mapped(inode)]
    for blocks_of, owner in ((index, f"{inode.file}:index"), (data, inode.file)):
        for block in blocks_of:
            if k.space.owner[block] is not None and k.space.owner[block] not in ours:
                k.space.give_back(block)
            k.space.claim(block, owner, shared=k.ops.clone is not None)
    for owner in (inode.file, f"{inode.file}:index"):
        _give_back(k, owner, {*index, *data})
    inode.blocks = len({*index, *data}) or None


def _give_back(k: Machine, owner: str, but: Collection[int] = ()) -> None:
    """Everything that an owner has goes back, except these blocks."""
    for block in k.space.owned_by(owner):
        if block not in but:
            k.space.give_back(block, owner)
