"""btrfs: copy on write. What is written goes to a new block, and the old one is free when the metadata is on disk.

After fs/btrfs/inode.c, space-info.c and ordered-data.c, 6.x. Blocks change their owner on the way: `f:new` while the
data is on its way to the disk, then `f`; `f:old` what the file on the disk still leads to, until the next commit. A
block that a clone shares is never written in place, and each of its owners gives it back alone.
Metadata has space of its own and is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs import delalloc
from engine.fs.ext2 import Ext2SyncFile
from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.objects.mapping import Inode
from engine.values import ENOSPC, OK

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.page import Page


def must_cow(k: Machine, inode: Inode, iblock: int) -> bool:
    """btrfs_check_nocow_lock(), turned round: does writing need a new block? Unwritten ones are written in place."""
    block = k.map.lookup(inode, iblock)
    return block is None or k.space.is_shared(block) or not (k.kind.nodatacow or inode.unwritten[iblock])


def recount(k: Machine, inode: Inode) -> None:
    """new_delalloc_bytes: st_blocks counts what is delayed over holes, not what is delayed over data."""
    inode.delalloc = sum(k.map.lookup(inode, iblock) is None for iblock in inode.delayed) or None


@dataclass
class BtrfsGetBlock(KernelFunction):
    """Returns the disk block (int), or None for a hole. Nothing is asked for here."""

    c_name = "btrfs_get_extent"
    source = "fs/btrfs/inode.c btrfs_get_extent, 6.x"
    inode: Inode
    iblock: int
    create: bool

    @may_sleep
    def btrfs_lookup_file_extent(self, k: Machine) -> Next:
        """Search the tree: does this part of the file have a block?"""
        block = k.map.lookup(self.inode, self.iblock)
        k.answer("a hole" if block is None else f"block {block}")
        return ret(block)


@dataclass
class BtrfsReserveDataSpace(KernelFunction):
    """Promises a block for each of the given file blocks. Returns those promised now (a tuple), or ENOSPC or EDQUOT.

    Entered without locks: what it flushes to find space needs them.
    """

    c_name = "btrfs_check_data_free_space"
    source = "fs/btrfs/delalloc-space.c btrfs_check_data_free_space, fs/btrfs/space-info.c, 6.x"
    inode: Inode
    blocks: tuple[int, ...]
    flushed: bool = False

    def btrfs_reserve_data_bytes(self, k: Machine) -> Next:
        """Is there a free block for each of them that nobody was promised?"""
        wanted = tuple(iblock for iblock in self.blocks if not self.inode.delayed[iblock])
        refusal = delalloc.refusal(k, self.inode, len(wanted))
        if refusal == ENOSPC and not self.flushed and self._worth_flushing(k):
            return self.flush_delalloc
        if refusal != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        for iblock in wanted:
            delalloc.reserve(k, self.inode, iblock, counted=False)
        recount(k, self.inode)
        return ret(wanted)

    def flush_delalloc(self, k: Machine) -> Next:
        """There is not: what is dirty is written first, for the blocks that it replaces become free."""
        self.flushed = True
        return call(k.ops.writepages(k.mappings[self.inode.file], True))

    @may_sleep
    def wait_ordered_extents(self, k: Machine) -> Next:
        """Wait until it is on the disk."""
        if any(True for _ in k.mappings[self.inode.file].tag_writeback):
            k.blocked_on = f"{k.mappings[self.inode.file]}.tag_writeback"
            return WAIT

    def commit_trans(self, k: Machine) -> Next:
        """The metadata is written, and the old blocks are free."""
        return call(k.ops.sync_file(self.inode))

    def again(self, k: Machine) -> Next:
        """Is there room now?"""
        return self.btrfs_reserve_data_bytes

    def _worth_flushing(self, k: Machine) -> bool:
        dirty = any(True for _ in k.mappings[self.inode.file].tag_dirty)
        return dirty or bool(k.space.owned_by(f"{self.inode.file}:old"))


@dataclass
class BtrfsSyncFile(Ext2SyncFile):
    """Make a file's metadata durable: the transaction is committed. Returns "0"."""

    c_name = "btrfs_commit_transaction"
    source = "fs/btrfs/transaction.c btrfs_commit_transaction, btrfs_finish_extent_commit, 6.x"

    @may_sleep
    def ext2_write_inode(self, k: Machine) -> Next:
        """Write where the file's blocks are; the blocks that the disk led to before are free from now on."""
        done = super().ext2_write_inode(k)
        for block in k.space.owned_by(f"{self.inode.file}:old"):
            k.space.give_back(block, f"{self.inode.file}:old")
        return done


@dataclass
class BtrfsFallocate(KernelFunction):
    """Bytes [offset, offset + length) get their blocks, unwritten. Returns "0" or an errno; all or nothing."""

    source = "fs/btrfs/file.c btrfs_fallocate, 6.x"
    inode: Inode
    offset: int
    length: int

    def btrfs_prealloc_file_range(self, k: Machine) -> Next:
        """The holes of the range get blocks that read as zeroes until somebody writes."""
        blocks = range(self.offset // k.block_size, -(-(self.offset + self.length) // k.block_size))
        holes = [i for i in blocks if k.map.lookup(self.inode, i) is None and not self.inode.delayed[i]]
        if (refusal := delalloc.refusal(k, self.inode, len(holes))) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        for iblock in holes:
            self.inode.pointers[iblock] = delalloc.take(k, self.inode)
            self.inode.unwritten[iblock] = self.inode.dirty = True
        return ret(OK)


def place(k: Machine, inode: Inode, iblock: int) -> int | None:
    """btrfs_run_delalloc_range(): where a file block will be written, in place or in a new block; None without room."""
    old = k.map.lookup(inode, iblock)
    promised = inode.delayed[iblock]
    delalloc.forget(k, inode, iblock, counted=False)
    recount(k, inode)
    if old is not None and not must_cow(k, inode, iblock):
        inode.unwritten[iblock], inode.dirty = None, True
        return old
    if not promised and k.space.allowed(privileged=k.current.privileged) < 1:
        return None
    block = k.space.take(f"{inode.file}:new")
    k.disk.data[block] = None
    return block


def finish_ordered_io(k: Machine, page: Page, pieces: tuple[tuple[int, int], ...], ok: bool) -> None:
    """btrfs_finish_ordered_io(): the file leads to the new blocks once they are written; otherwise it keeps the old."""
    inode = k.inodes[page.mapping or ""]
    for part, block in pieces:
        if k.space.owner[block] != f"{inode.file}:new":
            continue
        if ok:
            lead_to(k, inode, (page.index or 0) * k.blocks_per_page + part, block)
            page.bh[part].block = block if page.private else None
        else:
            k.space.give_back(block)
    recount(k, inode)


def lead_to(k: Machine, inode: Inode, iblock: int, block: int) -> None:
    """A file block is found at a new place from now on; the old one waits for the next commit."""
    old = k.map.lookup(inode, iblock)
    k.space.hand_over(block, f"{inode.file}:new", inode.file)
    inode.pointers[iblock] = block
    inode.unwritten[iblock], inode.dirty = None, True
    if old is not None:
        k.space.hand_over(old, inode.file, f"{inode.file}:old")
        return
    inode.blocks = (inode.blocks or 0) + 1
    if quota := k.quotas.get(inode.owner):
        quota.charge(1, k.clock.clock)


def release_page(k: Machine, page: Page, offset: int, stop: int | None = None) -> None:
    """btrfs_invalidate_folio(): what was promised for a part of a page goes back."""
    inode = k.inodes[page.mapping or ""]
    for iblock in delalloc.blocks_of(k, page, offset, stop):
        delalloc.forget(k, inode, iblock, counted=False)
        page.bh[iblock % k.blocks_per_page].delay = None
    recount(k, inode)
