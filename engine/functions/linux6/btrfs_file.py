"""What btrfs does at page_mkwrite, write(2) and writeback. After fs/btrfs/inode.c and file.c, 6.x.

Space is reserved before any page is locked: to find some, dirty pages may have to be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.fs.btrfs import BtrfsReserveDataSpace, must_cow, place, recount
from engine.fs.delalloc import forget
from engine.fs.disk import Bio
from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.block_write_full_page import BlockWriteFullPage
from engine.functions.file_update_time import file_update_time
from engine.functions.grab_cache_page import GrabCachePage
from engine.functions.linux6.vfs_write import GenericPerformWrite
from engine.functions.linux6.xfs_file import know_places
from engine.functions.page_flags import file_blocks, set_page_dirty, set_page_writeback
from engine.objects.locks import Lock
from engine.objects.mapping import Inode
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import ENOMEM, ENOSPC, LOCKED, RACED

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class BtrfsPageMkwrite(KernelFunction):
    """Returns LOCKED with the page locked, RACED, or ENOSPC, EDQUOT."""

    source = "fs/btrfs/file.c btrfs_page_mkwrite, 6.18"
    always: ClassVar[bool] = False
    """Whether blocks that will be written in place are asked for as well."""
    vma: Vma
    vpn: int
    page: Page
    got: tuple[int, ...] | str = ()

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Each block needs another one, even where there is data: copy on write."""
        return call(BtrfsReserveDataSpace(self._inode(k), self._wanted(k)), into="got")

    def reserved(self, k: Machine) -> Next:
        """What does it say?"""
        if isinstance(self.got, str):
            k.answer(f"no: {self.got}")
            return ret(self.got)
        file_update_time(k, self.vma.file or "")

    @may_sleep
    def i_mmap_lock(self, k: Machine) -> Next:
        """Share the lock that truncate, punch and a clone take alone: no block can go, or be shared, meanwhile."""
        return k.down_read(self._lock(k))

    @may_sleep
    def folio_lock(self, k: Machine) -> Next:
        """Lock the page."""
        return k.lock(self.page.locked)

    def mapping(self, k: Machine) -> Next:
        """Is it still a page of this file, below its end? A page that is being written is waited for."""
        if self.page.mapping != self.vma.file or not file_blocks(k, self.page):
            return self.out_unlock
        if self.page.writeback:
            k.blocked_on = f"{self.page}.writeback"
            return WAIT
        if any(not self._inode(k).delayed[iblock] for iblock in self._wanted(k)):
            k.unlock(self.page.locked)
            k.up_read(self._lock(k))
            return self.enough_space

    def btrfs_set_extent_delalloc(self, k: Machine) -> Next:
        """Yes: the page is dirty, and what it needs is promised."""
        if not self.page.private:
            self.page.attach_buffers(dirty=False)
        know_places(k, self.page)
        set_page_dirty(k, self.page)
        k.up_read(self._lock(k))
        k.answer("yes")
        return ret(LOCKED)

    def out_unlock(self, k: Machine) -> Next:
        """The page is gone: what was promised for it goes back."""
        k.unlock(self.page.locked)
        k.up_read(self._lock(k))
        give_back(k, self._inode(k), self.got)
        return ret(RACED)

    def _inode(self, k: Machine) -> Inode:
        inode: Inode = k.inodes[self.vma.file or ""]
        return inode

    def _lock(self, k: Machine) -> Lock:
        return k.mappings[self.vma.file or ""].invalidate_lock

    def _wanted(self, k: Machine) -> tuple[int, ...]:
        first, inode = self.vma.index(self.vpn) * k.blocks_per_page, self._inode(k)
        end = min(first + k.blocks_per_page, -(-inode.size // k.block_size))
        return tuple(i for i in range(first, end) if self.always or must_cow(k, inode, i))


@dataclass
class BtrfsPageMkwriteAlways(BtrfsPageMkwrite):
    """Returns LOCKED with the page locked, RACED, or ENOSPC, EDQUOT. 6.1 asks for overwriting in place as well."""

    source = "fs/btrfs/inode.c btrfs_page_mkwrite, 6.1"
    always = True


@dataclass
class BtrfsBufferedWrite(GenericPerformWrite):
    """Entered and left with i_rwsem held. Returns the number of bytes written, or an errno where it is none."""

    c_name = "btrfs_buffered_write"
    source = "fs/btrfs/file.c btrfs_buffered_write, 6.x"
    got: tuple[int, ...] | str = ()

    def grab_page(self, k: Machine) -> Next:
        """Space is promised first, for overwriting too, before any page is locked."""
        return call(BtrfsReserveDataSpace(k.inodes[self.file], self._blocks(k)), into="got")

    def prepare_write(self, k: Machine) -> Next:
        """Is there room? What can be written in place needs none."""
        if isinstance(self.got, str):
            if self.got != ENOSPC or any(must_cow(k, k.inodes[self.file], i) for i in self._blocks(k)):
                self.error = self.got
                return self.finish
            self.got = ()
        return self.prepare_pages

    def prepare_pages(self, k: Machine) -> Next:
        """Get the page, locked."""
        return call(GrabCachePage(self.file, self._at // k.page_size), into="page")

    def wait_on_writeback(self, k: Machine) -> Next:
        """A page that is being written is waited for. Then the bytes may come."""
        if self.page is None:
            give_back(k, k.inodes[self.file], self.got)
            self.error = ENOMEM
            return self.finish
        if self.page.writeback:
            k.blocked_on = f"{self.page}.writeback"
            return WAIT
        return self.check_again

    def check_again(self, k: Machine) -> Next:
        """Has writeback taken a promise meanwhile that this write counted on? Then ask again."""
        inode, page = k.inodes[self.file], self._page
        if any(must_cow(k, inode, i) and not inode.delayed[i] for i in self._blocks(k)):
            k.unlock(page.locked)
            k.ram.put(page)
            self.page = None
            return self.grab_page
        if not page.private:
            page.attach_buffers(dirty=False)
        know_places(k, page)
        return self.copy_from_user

    def _blocks(self, k: Machine) -> tuple[int, ...]:
        low, high = self._span(k)
        first = self._at // k.page_size * k.blocks_per_page
        return tuple(range(first + low // k.block_size, first + -(-high // k.block_size)))


@dataclass
class BtrfsWritepage(BlockWriteFullPage):
    """Returns "0" or ENOSPC. The page is written to new blocks, which the file leads to when they are on the disk."""

    c_name = "btrfs_run_delalloc_range"
    source = "fs/btrfs/inode.c btrfs_run_delalloc_range, cow_file_range, run_delalloc_nocow, 6.x"
    pieces: tuple[tuple[int, int], ...] = ()

    def create_empty_buffers(self, k: Machine) -> Next:
        """Which parts of the page have to be written?"""
        if not self.page.private:
            self.page.attach_buffers(dirty=True)

    def get_block(self, k: Machine) -> Next:
        """Each dirty part takes the block that was promised, and leaves the old one alone."""
        inode = k.inodes[self.page.mapping or ""]
        for i, iblock in enumerate(file_blocks(k, self.page)):
            if self.page.bh[i].dirty:
                block = place(k, inode, iblock)
                if block is None:
                    self.got = ENOSPC
                    return self.recover
                self.pieces = (*self.pieces, (i, block))
        return self.submit_bh

    def _submit(self, k: Machine) -> None:
        for bh in self.page.bh:
            bh.dirty = bh.delay = None
        if self.pieces:
            k.answer(", ".join(f"block {block}" for _, block in self.pieces))
            set_page_writeback(k, self.page)
            k.disk.submit(Bio(self.page.pfn, self.pieces))


def give_back(k: Machine, inode: Inode, promised: tuple[int, ...] | str) -> None:
    """Promises that are not needed after all go back."""
    for iblock in promised if isinstance(promised, tuple) else ():
        forget(k, inode, iblock, counted=False)
    recount(k, inode)
