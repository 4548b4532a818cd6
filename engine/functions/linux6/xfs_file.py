"""What XFS does at page_mkwrite, write(2) and writeback. After fs/xfs/xfs_file.c, fs/iomap/buffered-io.c, 6.x.

A shared block is asked for as a hole is, and written elsewhere: the file leads there when the disk has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import Panic
from engine.fs import xfs_reflink
from engine.fs.disk import Bio
from engine.fs.xfs import XfsBmapiConvertDelalloc, XfsBmapiReserveDelalloc
from engine.function import Next, call, ret
from engine.functions.block_write_full_page import BlockWriteFullPage
from engine.functions.linux6.block_page_mkwrite import BlockPageMkwrite, give_place
from engine.functions.linux6.block_write_begin import BlockWriteBegin
from engine.functions.linux6.ext4_page_mkwrite import Ext4PageMkwrite
from engine.functions.mpage_readpage import MpageReadpage
from engine.functions.page_flags import file_blocks, no_writeback, set_page_writeback
from engine.objects.page import Page
from engine.values import DELAYED, EIO

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class IomapPageMkwrite(BlockPageMkwrite):
    """Returns LOCKED with the page locked, RACED, or ENOSPC, EDQUOT."""

    c_name = "iomap_page_mkwrite"
    source = "fs/iomap/buffered-io.c iomap_page_mkwrite, 6.x"

    def get_block(self, k: Machine) -> Next:
        """All of the page below the end of the file is asked for in one go: holes, and blocks that are shared."""
        blocks, inode = file_blocks(k, self.page), k.inodes[self.page.mapping or ""]
        return call(XfsBmapiReserveDelalloc(inode, blocks.start, blocks.stop), into="got")

    def mapped(self, k: Machine) -> Next:
        """Did it find room, or was it promised some?"""
        if self.got != "0":
            k.unlock(self.page.locked)
            return ret(self.got)
        know_places(k, self.page)
        return self.block_commit_write


@dataclass
class XfsFilemapFault(Ext4PageMkwrite):
    """Returns LOCKED with the page locked, RACED, or an errno."""

    c_name = "xfs_write_fault"
    source = "fs/xfs/xfs_file.c xfs_write_fault, 6.x"

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Its holes become a delayed extent, if there is room for it and its metadata."""
        return call(IomapPageMkwrite(self.vma, self.vpn, self.page), into="room")


@dataclass
class IomapWriteBegin(BlockWriteBegin):
    """Bytes [low, high) of a locked page are about to be written. Returns "0", ENOSPC or EDQUOT."""

    c_name = "iomap_write_begin"
    source = "fs/iomap/buffered-io.c iomap_write_begin, 6.x"

    def get_block(self, k: Machine) -> Next:
        """The blocks that will be written are asked for in one go, before the data is taken."""
        first = self.index * k.blocks_per_page
        low, high = first + self.low // k.block_size, first + -(-self.high // k.block_size)
        return call(XfsBmapiReserveDelalloc(k.inodes[self.file], low, high), into="got")

    def mapped(self, k: Machine) -> Next:
        """Did it find room, or was it promised some?"""
        know_places(k, self.page)
        return ret(self.got)


@dataclass
class IomapWritepageMap(BlockWriteFullPage):
    """Returns "0", or EIO once shut down. A delayed extent always finds its blocks: they were promised.

    A shared block is not written: its data goes to the new one that was promised for it.
    """

    c_name = "iomap_writepage_map"
    source = "fs/iomap/buffered-io.c iomap_writepage_map, fs/xfs/xfs_aops.c xfs_map_blocks, 6.x"

    def create_empty_buffers(self, k: Machine) -> Next:
        """The page's buffers know where their blocks are."""
        if not self.page.private:
            self.page.attach_buffers(dirty=True)
        know_places(k, self.page)

    def get_block(self, k: Machine) -> Next:
        """Is a dirty part of the page delayed still? Then its extent gets its blocks now, unless all is shut down."""
        if k.space.down:
            self.got = EIO
            return self.recover
        inode = k.inodes[self.page.mapping or ""]
        for i, iblock in enumerate(file_blocks(k, self.page)):
            if self.page.bh[i].dirty and inode.delayed[iblock]:
                return call(XfsBmapiConvertDelalloc(inode, iblock), into="got")
            if self.page.bh[i].dirty and inode.unwritten[iblock]:
                inode.unwritten[iblock], inode.dirty = None, True
        return self.submit_bh

    def mapped(self, k: Machine) -> Next:
        """The page's buffers know them."""
        know_places(k, self.page)
        return self.get_block

    def _submit(self, k: Machine) -> None:
        inode, blocks = k.inodes[self.page.mapping or ""], file_blocks(k, self.page)
        dirty = [(i, iblock) for i, iblock in enumerate(blocks) if self.page.bh[i].dirty]
        places = ((i, xfs_reflink.place(k, inode, iblock)) for i, iblock in dirty)
        pieces = tuple((i, block) for i, block in places if block is not None)
        for bh in self.page.bh:
            bh.dirty = None
        if any(k.space.is_shared(block) for _, block in pieces):
            raise Panic(f"a block of {self.page} is written that another file shares")
        if pieces:
            set_page_writeback(k, self.page)
            k.disk.submit(Bio(self.page.pfn, pieces))

    def recover(self, k: Machine) -> Next:
        """The page is given up: clean, tied down, what was promised for it gone. It stays readable."""
        assert k.ops.release_page is not None
        k.ops.release_page(k, self.page, 0)
        for bh in self.page.bh:
            bh.dirty = None
        no_writeback(k, self.page)
        k.unlock(self.page.locked)
        return ret(self.got)


@dataclass
class IomapReadFolio(MpageReadpage):
    """Returns "0", or EIO once shut down."""

    source = "fs/iomap/buffered-io.c iomap_read_folio, fs/xfs/xfs_iomap.c xfs_read_iomap_begin, 6.x"

    def get_block(self, k: Machine) -> Next:
        """Where on the disk is this part of the file? A filesystem that is shut down does not say."""
        if k.space.down:
            k.answer(f"no: {EIO}")
            k.unlock(self.page.locked)
            return ret(EIO)
        return super().get_block(k)


def know_places(k: Machine, page: Page) -> None:
    """Each buffer below the end of the file notes its block, or that one is promised."""
    inode = k.inodes[page.mapping or ""]
    first = (page.index or 0) * k.blocks_per_page
    for i in range(k.blocks_per_page):
        give_place(page, i, DELAYED if inode.delayed[first + i] else k.map.lookup(inode, first + i))
