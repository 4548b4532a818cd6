"""Read-around: the neighbours of a page that had to be read. After mm/readahead.c and mm/filemap.c, 6.x, in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.functions.page_flags import read_block
from engine.objects.page import Page
from engine.values import Data

if TYPE_CHECKING:
    from engine.machine import Machine


def read_around(k: Machine, file: str, index: int) -> int:
    """Bring the window around a page into the page cache, as far as frames are free; returns how many pages came.

    The window has `machine.readahead` pages (32 on a usual disk; 0 switches it off) and half of it lies before. A hole
    needs no disk: whoever asked for one goes on at once, while neighbours that have data are still on their way.
    """
    window = k.scenario.machine.readahead
    if not window:
        return 0
    start, end = max(0, index - window // 2), -(-k.inodes[file].size // k.page_size)
    came = [at for at in range(start, min(start + window, end)) if _bring(k, file, at)]
    if not _has_data(k, file, index):
        pages = k.mappings[file].pages
        k.current.ahead = tuple(pages[at] or 0 for at in came if _has_data(k, file, at)) or None
    return len(came)


def _bring(k: Machine, file: str, index: int) -> bool:
    if k.cached(k.mappings[file], index) is not None or (page := k.ram.take()) is None:
        return False
    _fill(k, page, file, index)
    return True


def _has_data(k: Machine, file: str, index: int) -> bool:
    first = index * k.blocks_per_page
    inode, blocks = k.inodes[file], range(first, first + k.blocks_per_page)
    return any(k.map.lookup(inode, i) is not None and not inode.unwritten[i] for i in blocks)


def _fill(k: Machine, page: Page, file: str, index: int) -> None:
    """The page enters the cache with what the disk has; holes are zeroes."""
    mapping, inode, data = k.mappings[file], k.inodes[file], Data(k.page_size)
    whole = True
    for i in range(k.blocks_per_page):
        iblock = index * k.blocks_per_page + i
        block = k.map.lookup(inode, iblock)
        whole = whole and block is not None
        if block is not None:
            data = data.paste(i * k.block_size, read_block(k, inode, iblock, block))
    page.mapping, page.index, page.data, page.uptodate = file, index, data, True
    page.mappedtodisk = whole or None
    mapping.pages[index] = page.pfn
    mapping.nrpages = (mapping.nrpages or 0) + 1
    k.ram.lru_add(page)
