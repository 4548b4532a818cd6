"""vmtruncate(): cut a file, or let it grow. After mm/memory.c, mm/truncate.c, fs/ext2/inode.c ext2_truncate(), 2.6.9.

Entered and left with i_sem held. Entries go first, then pages, then blocks: so nothing that can still be stored to
ever stands on a block that is somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.extentmap import LEAF
from engine.function import WAIT, KernelFunction, Next, call, ret
from engine.functions.block_truncate_page import BlockTruncatePage
from engine.functions.page_flags import remove_from_page_cache
from engine.functions.zap_pte_range import ZapPteRange
from engine.objects.mapping import Inode
from engine.objects.page import Page

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Vmtruncate(KernelFunction):
    """Sets a file's size, in bytes."""

    source = "mm/memory.c vmtruncate, unmap_mapping_range; mm/truncate.c truncate_inode_pages, 2.6.9"
    file: str
    size: int
    todo: tuple[tuple[str, int, int], ...] = ()

    def i_size_write(self, k: Machine) -> Next:
        """The new size counts from now on. Growing a file is only this."""
        inode = k.inodes[self.file]
        grows, inode.size, inode.dirty = self.size > inode.size, self.size, True
        k.oracles[self.file].data = k.oracles[self.file].data.resized(self.size)
        if grows:
            return ret()

    def unmap_mapping_range(self, k: Machine) -> Next:
        """Keep reclaim off, count the cut, so that a fault under way will notice, and find who maps the lost part."""
        mapping = k.mappings[self.file]
        if k.lock(mapping.i_mmap_lock) is WAIT:
            return WAIT
        mapping.truncate_count = (mapping.truncate_count or 0) + 1
        first = -(-self.size // k.page_size)
        self.todo = tuple(
            (vma.mm.process, max(vma.start, vma.start + first - vma.pgoff), vma.end)
            for mm in k.mms.values()
            for vma in mm.vmas or ()
            if vma.file == self.file and vma.start + first - vma.pgoff < vma.end
        )

    def zap(self, k: Machine) -> Next:
        """Tear the entries of the part that goes, in one mapping after the other."""
        if not self.todo:
            k.unlock(k.mappings[self.file].i_mmap_lock)
            return self.truncate_page
        (process, start, end), *rest = self.todo
        self.todo = tuple(rest)
        return call(ZapPteRange(k.mms[process], start, end))

    def next_vma(self, k: Machine) -> Next:
        """On to the next mapping."""
        return self.zap

    def truncate_page(self, k: Machine) -> Next:
        """Pages beyond the end leave the page cache, dirty or not."""
        first = -(-self.size // k.page_size)
        mapping = k.mappings[self.file]
        index = next((i for i, _ in mapping.pages.items() if i >= first), None)
        if index is None:
            return self.zero_tail
        page = k.page(mapping.pages[index] or 0)
        if page.writeback or not k.free_lock(page.locked):
            k.blocked_on = k.blocked_on or f"{page}.writeback"
            return WAIT
        drop(k, page)
        return self.truncate_page

    def zero_tail(self, k: Machine) -> Next:
        """The rest of the last page becomes zero, and its buffers forget their blocks."""
        page, tail = k.cached(k.mappings[self.file], self.size // k.page_size), self.size % k.page_size
        if page is None or not tail:
            return self.block_truncate_page
        if page.writeback or not k.free_lock(page.locked):
            k.blocked_on = k.blocked_on or f"{page}.writeback"
            return WAIT
        zero_from(k, page, tail)

    def block_truncate_page(self, k: Machine) -> Next:
        """On the disk too: a block that the new end cuts in two."""
        return call(BlockTruncatePage(self.file, self.size))

    def ext2_truncate(self, k: Machine) -> Next:
        """The blocks beyond the end go back to the filesystem."""
        unit = k.page_size if k.kind.in_memory else k.block_size
        free_blocks(k, self.file, -(-self.size // unit) * (unit // k.block_size))
        return ret()


def drop(k: Machine, page: Page) -> None:
    """truncate_complete_page(): forget a page, dirty or not. Whoever maps it still holds an orphan."""
    if k.ops.release_page is not None:
        k.ops.release_page(k, page, 0)
    page.dirty = page.uptodate = page.mappedtodisk = None
    if page.private:
        for bh in page.bh:
            bh.dirty = None
        page.drop_buffers()
    remove_from_page_cache(k, page)


def zero_from(k: Machine, page: Page, tail: int) -> None:
    """Bytes of a page from `tail` on become zero, what was promised for them is given back, buffers forget blocks."""
    if k.ops.release_page is not None:
        k.ops.release_page(k, page, tail)
    page.data, page.mappedtodisk = page.content.zero(tail, k.page_size), None
    for bh in page.bh[-(-tail // k.block_size) :]:
        bh.clear()


def free_blocks(k: Machine, file: str, first: int, last: int | None = None) -> None:
    """Give back the blocks of file blocks [first, last), and index blocks that are empty then."""
    inode = k.inodes[file]
    for iblock in k.map.mapped(inode, first=first):
        if last is None or iblock < last:
            _free_one(k, file, iblock)
    if (leaf := k.map.unneeded(inode)) is not None:
        inode.pointers[LEAF] = None
        _give_back(k, inode, leaf)
    inode.dirty = True


def _free_one(k: Machine, file: str, iblock: int) -> None:
    inode = k.inodes[file]
    path, chain = k.map.path(iblock), k.map.chain(inode, iblock)
    inode.unwritten[iblock] = inode.failed[iblock] = None
    for depth in range(len(path) - 1, -1, -1):
        table = k.map.index(chain[depth - 1]).pointers if depth else inode.pointers
        table[path[depth]] = None
        _give_back(k, inode, chain[depth])
        if depth and any(True for _ in table):
            k.map.index(chain[depth - 1]).dirty = True
            return
        if depth:
            k.map.index(chain[depth - 1]).dirty = None


def _give_back(k: Machine, inode: Inode, block: int) -> None:
    owner = inode.file if k.space.is_shared(block) else None
    k.space.give_back(block, owner)
    inode.blocks = (inode.blocks or 0) - 1 or None
    if quota := k.quotas.get(inode.owner):
        quota.release(1)
