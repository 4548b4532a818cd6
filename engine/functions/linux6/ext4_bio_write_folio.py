"""Writing a page of ext4: what was promised becomes blocks, and the page goes to the disk. fs/ext4/inode.c, 6.x.

Nothing is asked for that the fault did not ask for: a buffer without block and without promise is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.delalloc import release_page
from engine.fs.ext4 import Ext4MapBlocks, Ext4SplitConvertExtents
from engine.function import Next, call, ret
from engine.functions.block_write_full_page import BlockWriteFullPage
from engine.functions.linux6.block_page_mkwrite import give_place
from engine.functions.page_flags import file_blocks, no_writeback
from engine.objects.mapping import Inode
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Ext4BioWriteFolio(BlockWriteFullPage):
    """Returns "0", even where the data is lost: mpage_map_and_submit_extent() tells nobody."""

    c_name = "ext4_bio_write_folio"
    source = "fs/ext4/inode.c mpage_map_and_submit_extent, fs/ext4/page-io.c ext4_bio_write_folio, 6.x"
    converted: str = OK

    def create_empty_buffers(self, k: Machine) -> Next:
        """The page's buffers know where their blocks are."""
        if not self.page.private:
            self.page.attach_buffers(dirty=True)
        for i, iblock in enumerate(file_blocks(k, self.page)):
            give_place(self.page, i, k.map.lookup(self._inode(k), iblock))

    def get_block(self, k: Machine) -> Next:
        """Was a dirty buffer promised a block? Now it gets it, and the pool of spare blocks may help with the leaf."""
        blocks, inode = file_blocks(k, self.page), self._inode(k)
        waiting = zip(self.page.bh, blocks, strict=False)
        wanted = (i for i, (bh, iblock) in enumerate(waiting) if bh.dirty and waits(inode, iblock) and not bh.mapped)
        if (at := next(wanted, None)) is None:
            return self.submit_bh
        self.at = at
        if inode.unwritten[blocks[at]]:
            return self.ext4_convert
        return call(Ext4MapBlocks(inode, blocks[at], True, nofail=True), into="got")

    def mapped(self, k: Machine) -> Next:
        """Did the filesystem find one?"""
        if isinstance(self.got, str):
            return self.recover
        give_place(self.page, self.at, self.got)
        self.page.bh[self.at].delay = None
        k.answer(f"yes: block {self.got}")
        return self.get_block

    def recover(self, k: Machine) -> Next:
        """This should not happen!! Data will be lost: the promise is dropped, the page is invalid, nobody is told."""
        release_page(k, self.page, 0)
        for bh in self.page.bh:
            bh.dirty = None
        self.page.drop_buffers()
        self.page.uptodate = self.page.mappedtodisk = None
        no_writeback(k, self.page)
        k.unlock(self.page.locked)
        return ret(OK)

    def ext4_convert(self, k: Machine) -> Next:
        """Blocks that fallocate gave become written ones, together with those of the dirty pages that follow."""
        first = file_blocks(k, self.page)[self.at]
        return call(Ext4SplitConvertExtents(self._inode(k), first, self._end(k, first)), into="converted")

    def ext4_converted(self, k: Machine) -> Next:
        """Did their extents find a place?"""
        if self.converted != OK:
            self.got = self.converted
            return self.recover
        return self.get_block

    def _inode(self, k: Machine) -> Inode:
        inode: Inode = k.inodes[self.page.mapping or ""]
        return inode

    def _end(self, k: Machine, iblock: int) -> int:
        """Where the run of unwritten blocks ends that are about to be written: of this page and of dirty ones."""
        inode, mapping = self._inode(k), k.mappings[self.page.mapping or ""]
        while inode.unwritten[iblock]:
            index, part = divmod(iblock, k.blocks_per_page)
            page = k.cached(mapping, index)
            if page is None or not (page is self.page or page.dirty) or (page.private and not page.bh[part].dirty):
                break
            iblock += 1
        return iblock


def waits(inode: Inode, iblock: int) -> bool:
    """Whether something has to be done about a file block before it can be written."""
    return bool(inode.delayed[iblock] or inode.unwritten[iblock])
