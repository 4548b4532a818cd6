"""tmpfs: files that live in the page cache. A page takes its space when it is first touched. After mm/shmem.c, 6.x.

What a scenario's file holds at the beginning is found on the simulated disk, as if it had been swapped out; nothing is
ever written there, and a power cut takes everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs import delalloc
from engine.function import KernelFunction, Next, call, ret
from engine.objects.mapping import AddressSpace, Inode
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class ShmemGetBlock(KernelFunction):
    """Returns the block (int) or None: what is accounted for a part of a file. It takes nothing."""

    source = "mm/shmem.c shmem_get_folio_gfp, 6.x"
    inode: Inode
    iblock: int
    create: bool

    def lookup(self, k: Machine) -> Next:
        """Has this part of the file been touched before?"""
        block = k.map.lookup(self.inode, self.iblock)
        k.answer("a hole" if block is None else "it has its space")
        return ret(block)


@dataclass
class ShmemInodeAcctBlocks(KernelFunction):
    """Pages [first, last) of a file have their space. Returns "0", ENOSPC or EDQUOT; all of it or nothing."""

    source = "mm/shmem.c shmem_inode_acct_blocks, 6.x"
    inode: Inode
    first: int
    last: int

    def shmem_inode_acct_blocks(self, k: Machine) -> Next:
        """A page of tmpfs takes its space now: is there room below the size the filesystem was mounted with?"""
        blocks = range(self.first * k.blocks_per_page, self.last * k.blocks_per_page)
        wanted = [i for i in blocks if k.map.lookup(self.inode, i) is None]
        if (refusal := delalloc.refusal(k, self.inode, len(wanted))) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        for iblock in wanted:
            self.inode.pointers[iblock] = delalloc.take(k, self.inode)
        k.answer(f"yes: {len(wanted)}" if wanted else "it has it already")
        return ret(OK)


@dataclass
class ShmemFallocate(KernelFunction):
    """Bytes [offset, offset + length) take their space now. Returns "0" or an errno; all of it or nothing."""

    source = "mm/shmem.c shmem_fallocate, 6.x"
    inode: Inode
    offset: int
    length: int
    error: str = OK

    def shmem_get_folios(self, k: Machine) -> Next:
        """Every page of the range takes its space."""
        first, last = self.offset // k.page_size, -(-(self.offset + self.length) // k.page_size)
        return call(ShmemInodeAcctBlocks(self.inode, first, last), into="error")

    def done(self, k: Machine) -> Next:
        """Got it?"""
        return ret(self.error)


@dataclass
class ShmemWritepages(KernelFunction):
    """Returns "0": there is nowhere to write to, and msync(2) says that all is well."""

    c_name = "shmem_writepages"
    source = "mm/shmem.c shmem_aops has no writepages, 6.x"
    mapping: AddressSpace
    sync: bool
    first: int = 0
    last: int | None = None

    def nothing(self, k: Machine) -> Next:
        """The page cache is the file: nothing is written."""
        k.answer("nothing to write")
        return ret(OK)


@dataclass
class NoopFsync(KernelFunction):
    """Returns "0"."""

    source = "fs/libfs.c noop_fsync, 6.x"
    inode: Inode

    def noop_fsync(self, k: Machine) -> Next:
        """There is no disk to make anything durable on."""
        self.inode.dirty = None
        return ret(OK)
