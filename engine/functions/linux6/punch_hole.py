"""Making part of a file a hole. After fs/ext4/inode.c ext4_punch_hole() and mm/truncate.c, 6.x; others do the same.

Entered with the inode locked. invalidate_lock keeps faults away from the first entry that goes to the last block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.grab_cache_page import GrabCachePage
from engine.functions.linux6.folio_clear_dirty_for_io import write_protect
from engine.functions.linux6.truncate_folio import truncate_folio
from engine.functions.page_flags import fill, mark_buffers_dirty
from engine.functions.vmtruncate import free_blocks
from engine.functions.zap_pte_range import ZapPteRange, mapped_ranges
from engine.objects.mapping import Inode
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class PunchHole(KernelFunction):
    """Bytes [offset, offset + length) of a file read as zeroes afterwards, whole blocks are freed. Returns "0"."""

    source = "fs/ext4/inode.c ext4_punch_hole, mm/truncate.c truncate_pagecache_range, 6.x"
    inode: Inode
    offset: int
    length: int
    todo: tuple[tuple[str, int, int], ...] = ()
    edges: tuple[tuple[int, int], ...] = ()

    @may_sleep
    def invalidate_lock(self, k: Machine) -> Next:
        """Keep faults away that would want a page of the part that goes."""
        waiting = k.lock(k.mappings[self.inode.file].invalidate_lock)
        if waiting is None:
            self._plan(k)
        return waiting

    def unmap_mapping_range(self, k: Machine) -> Next:
        """Tear the entries of the pages that go as a whole. Who has a private copy keeps it."""
        if not self.todo:
            return self.truncate_pages
        (process, start, end), *rest = self.todo
        self.todo = tuple(rest)
        return call(ZapPteRange(k.mms[process], start, end, even_cows=False))

    def next_vma(self, k: Machine) -> Next:
        """On to the next mapping."""
        return self.unmap_mapping_range

    def truncate_pages(self, k: Machine) -> Next:
        """Those pages leave the page cache, dirty or not: the program wanted it."""
        mapping, (first, last) = k.mappings[self.inode.file], self._pages(k)
        index = next((i for i, _ in mapping.pages.items() if first <= i < last), None)
        if index is not None and not truncate_folio(k, k.page(mapping.pages[index] or 0)):
            return WAIT
        give_up(k, self.inode.file, first * k.page_size, last * k.page_size)
        return self.zero_partial if index is None else self.truncate_pages

    def zero_partial(self, k: Machine) -> Next:
        """A page that is punched only in part is zeroed in memory."""
        if not self.edges:
            return self.remove_space
        (low, high), *rest = self.edges
        self.edges = tuple(rest)
        return call(ZeroPageRange(self.inode.file, low, high))

    def next_edge(self, k: Machine) -> Next:
        """On to the other end of the range."""
        return self.zero_partial

    def remove_space(self, k: Machine) -> Next:
        """The whole blocks of the range go back to the filesystem, and the file forgets what it held."""
        first, last = self._blocks(k)
        if first < last:
            free_blocks(k, self.inode.file, first, last)
        give_up(k, self.inode.file, self.offset, self._end(k))
        self.inode.dirty = True
        k.unlock(k.mappings[self.inode.file].invalidate_lock)
        return ret(OK)

    def _end(self, k: Machine) -> int:
        """The last page of the file counts as a whole if the range covers all of the file in it."""
        size, end = self.inode.size, self.offset + self.length
        return -(-size // k.page_size) * k.page_size if end >= size else end

    def _blocks(self, k: Machine) -> tuple[int, int]:
        return -(-self.offset // k.block_size), self._end(k) // k.block_size

    def _pages(self, k: Machine) -> tuple[int, int]:
        return -(-self.offset // k.page_size), self._end(k) // k.page_size

    def _plan(self, k: Machine) -> None:
        pages, end = self._pages(k), self._end(k)
        self.todo = mapped_ranges(k, self.inode.file, *pages)
        low, high = (index * k.page_size for index in pages)
        pieces = ((self.offset, min(low, end)), (max(high, self.offset), end)) if low <= high else ((self.offset, end),)
        self.edges = tuple((start, stop) for start, stop in pieces if start < stop)


@dataclass
class ZeroPageRange(KernelFunction):
    """Zeroes bytes [low, high) of a file, which lie in one page; buffers that lie in them as a whole are forgotten."""

    c_name = "block_zero_page_range"
    source = "fs/ext4/inode.c ext4_zero_partial_blocks, ext4_block_zero_page_range, 6.x"
    file: str
    low: int
    high: int
    page: Page | None = None

    def grab_page(self, k: Machine) -> Next:
        """The page is needed, locked."""
        return call(GrabCachePage(self.file, self.low // k.page_size), into="page")

    @may_sleep
    def zero_block(self, k: Machine) -> Next:
        """Read it if it is not there, and clear the range."""
        page = self.page
        if page is None:
            return ret()
        if page.writeback or not write_protect(k, page):
            k.blocked_on = k.blocked_on or f"{page}.writeback"
            return WAIT
        self._clear(k, page)

    def unlock_page(self, k: Machine) -> Next:
        """Let go of the page."""
        assert self.page is not None
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        return ret(OK)

    def _clear(self, k: Machine, page: Page) -> None:
        self._know_blocks(k, page)
        fill(k, page)
        low, high = self.low % k.page_size, (self.high - 1) % k.page_size + 1
        page.data = page.content.zero(low, high)
        give_up(k, self.file, self.low, self.high)
        self._mark(k, page, low, high)

    def _know_blocks(self, k: Machine, page: Page) -> None:
        if not page.private:
            page.attach_buffers(dirty=False)
        for i, bh in enumerate(page.bh):
            if bh.block is None:
                bh.block = k.map.lookup(k.inodes[self.file], (page.index or 0) * k.blocks_per_page + i)

    def _mark(self, k: Machine, page: Page, low: int, high: int) -> None:
        """Blocks that the range cuts are dirty now; those inside it will have no block any more."""
        for i, bh in enumerate(page.bh):
            start, stop = i * k.block_size, (i + 1) * k.block_size
            if low <= start and stop <= high:
                forget_buffer(k, page, i)
            elif low < stop and high > start and (bh.block is not None or bh.delay):
                mark_buffers_dirty(k, page, start, stop)
        page.mappedtodisk = None


def give_up(k: Machine, file: str, low: int, high: int) -> None:
    """From here on the file owes nobody bytes [low, high): the program wanted them gone."""
    oracle = k.oracles[file]
    high = min(high, oracle.data.size)
    if low < high:
        oracle.data = oracle.data.zero(low, high)


def forget_buffer(k: Machine, page: Page, at: int) -> None:
    """A buffer whose block goes: what was reserved for it goes back too."""
    if k.ops.release_page is not None:
        k.ops.release_page(k, page, at * k.block_size, (at + 1) * k.block_size)
    page.bh[at].clear()
