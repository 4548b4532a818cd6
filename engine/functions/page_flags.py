"""Small helpers that run inside a step: page flags together with the radix tree's tags and the inode's dirty state.

After mm/page-writeback.c, mm/filemap.c and fs/buffer.c, 2.6.9. Each happens under mapping->tree_lock (and inode_lock),
spinlocks that nothing sleeps under, so each is part of its caller's step.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from engine.objects.page import ANON, Page
from engine.values import Data, pte_mkold

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.mapping import AddressSpace, Inode
    from engine.objects.mm import Mm
    from engine.values import Pte


def mapping_of(k: Machine, page: Page) -> AddressSpace | None:
    """page_mapping(): the file's address space, None for anonymous and for truncated pages."""
    file = page.mapping
    return None if file is None or file == ANON else k.mappings[file]


def set_page_dirty(k: Machine, page: Page) -> None:
    """__set_page_dirty_buffers(): every buffer, the page, the DIRTY tag, and the inode joins s_dirty."""
    if page.reclaim and k.kernel.reclaims_soon:
        page.reclaim = None
    mapping = mapping_of(k, page)
    if mapping is None:
        page.dirty = True
        return
    if page.private:
        for bh in page.bh:
            bh.dirty = True
    if not page.dirty:
        page.dirty = True
        mapping.tag_dirty[page.index or 0] = True
        k.inodes[mapping.file].dirty_pages = True


def mark_buffers_dirty(k: Machine, page: Page, low: int, high: int) -> None:
    """__block_commit_write(): the buffers under bytes [low, high) are dirty, and so is the page; others stay."""
    before = [bh.dirty for bh in page.bh]
    set_page_dirty(k, page)
    for i, bh in enumerate(page.bh):
        bh.dirty = True if low < (i + 1) * k.block_size and high > i * k.block_size else before[i]


def is_dirty(inode: Inode) -> bool:
    """I_DIRTY in any of its forms: writeback will look at this inode."""
    return bool(inode.dirty or inode.dirty_pages)


def clear_page_dirty_for_io(page: Page) -> None:
    """PG_dirty goes, the DIRTY tag stays until set_page_writeback(). 2.6.9 does not look at page tables here."""
    page.dirty = None


def set_page_writeback(k: Machine, page: Page) -> None:
    """PG_writeback and its tag; the DIRTY tag goes if the page is not dirty again."""
    mapping = mapping_of(k, page)
    page.writeback = True
    if mapping is not None:
        mapping.tag_writeback[page.index or 0] = True
        if not page.dirty:
            mapping.tag_dirty[page.index or 0] = None


def no_writeback(k: Machine, page: Page) -> None:
    """set_page_writeback() and end_page_writeback() at once, where nothing was submitted: the DIRTY tag goes."""
    if not page.writeback:
        set_page_writeback(k, page)
        end_page_writeback(k, page)


def end_page_writeback(k: Machine, page: Page) -> None:
    """The write is over, well or badly: PG_writeback and its tag go. What reclaim waits for is its next candidate."""
    mapping = mapping_of(k, page)
    if page.reclaim and page.lru and not page.dirty and not page.active:
        k.ram.lru = (page.pfn, *(pfn for pfn in k.ram.lru if pfn != page.pfn))
    page.writeback = page.reclaim = None
    if mapping is not None:
        mapping.tag_writeback[page.index or 0] = None


def add_to_page_cache(k: Machine, page: Page, file: str, index: int) -> None:
    """The page enters the radix tree locked, with a reference of the cache's own, and joins the LRU."""
    mapping = k.mappings[file]
    k.lock(page.locked)
    page.mapping, page.index, page.count = file, index, (page.count or 0) + 1
    mapping.pages[index] = page.pfn
    mapping.nrpages = (mapping.nrpages or 0) + 1
    k.ram.lru_add(page)


def remove_from_page_cache(k: Machine, page: Page) -> None:
    """The page leaves the radix tree; the cache's reference goes with it."""
    mapping = mapping_of(k, page)
    if mapping is None:
        return
    index = page.index or 0
    mapping.pages[index] = mapping.tag_dirty[index] = mapping.tag_writeback[index] = None
    mapping.nrpages = (mapping.nrpages or 0) - 1 or None
    page.mapping = page.index = None
    k.ram.put(page)


def rmap(k: Machine, page: Page) -> list[tuple[Mm, int, Pte]]:
    """Every (mm, vpn, entry) that points at a page: what object-based reverse mapping finds."""
    return [(mm, vpn, pte) for mm in k.mms.values() for vpn, pte in mm.pte.items() if pte.pfn == page.pfn]


def can_walk(k: Machine, mapping: AddressSpace | None, *mms: Mm) -> bool:
    """Whether i_mmap_lock and then these page_table_locks could be taken and dropped within this step."""
    return (mapping is None or k.free_lock(mapping.i_mmap_lock)) and all(k.free_lock(mm.page_table_lock) for mm in mms)


def page_add_anon_rmap(k: Machine, page: Page, vpn: int) -> None:
    """A new page that belongs to no file is mapped for the first time, and joins the LRU."""
    page.mapping, page.index, page.uptodate, page.mapcount = ANON, vpn, True, 0
    k.ram.lru_add(page, active=True)


def page_add_file_rmap(page: Page) -> None:
    """One more entry points at a page of a file. `mapcount` starts at -1, as in the kernel."""
    page.mapcount = (page.mapcount or 0) + 1


def page_remove_rmap(page: Page) -> None:
    """One entry less points at a page."""
    page.mapcount = (page.mapcount or 0) - 1


def ptep_clear_flush_young(k: Machine, mm: Mm, vpn: int) -> bool:
    """Whether an entry was used since this was asked last; A is cleared, and the TLB forgets the entry."""
    entry = mm.pte[vpn]
    if entry is None or not entry.young:
        return False
    mm.pte[vpn] = pte_mkold(entry)
    flush_tlb(k, mm.process, (vpn,))
    return True


def flush_tlb(k: Machine, process: str, vpns: Container[int]) -> None:
    """flush_tlb_page() for each: no CPU that runs this address space remembers these entries."""
    for cpu in k.cpus:
        if cpu.mm == process:
            for vpn in [vpn for vpn in cpu.tlb if vpn in vpns]:
                cpu.tlb[vpn] = None


def fill(k: Machine, page: Page) -> None:
    """A page that is not up to date is read where it has blocks; new blocks and holes are zeroes."""
    if not page.uptodate:
        held = [buffered(k, page, i) for i in range(len(page.bh))]
        page.data = Data(k.page_size)
        inode, first = k.inodes[page.mapping or ""], (page.index or 0) * k.blocks_per_page
        for i, bh in enumerate(page.bh):
            block = _block_now(k, page, i) if bh.delay else bh.block
            if block is not None and not bh.new:
                page.data = page.content.paste(i * k.block_size, held[i] or read_block(k, inode, first + i, block))
    page.uptodate = True


def read_block(k: Machine, inode: Inode, iblock: int, block: int) -> Data:
    """What a file's block reads as: while it is unwritten zeroes, whatever the disk holds there."""
    return Data(k.block_size) if inode.unwritten[iblock] else k.disk.read(block)


def _block_now(k: Machine, page: Page, part: int) -> int | None:
    """Where a block lies that will be written to another place: copy on write reads the old one first."""
    return k.map.lookup(k.inodes[page.mapping or ""], (page.index or 0) * k.blocks_per_page + part)


def buffered(k: Machine, page: Page, part: int) -> Data | None:
    """What a page holds of a block whose buffer is up to date: that is not read again, even where the page is not."""
    here = page.private and page.bh[part].uptodate
    return page.content.part(part * k.block_size, (part + 1) * k.block_size) if here else None


def update_mmu_cache(k: Machine, mm: Mm, vpn: int) -> None:
    """An entry was made or allows more now: a TLB that the kernel fills gets it at once; elsewhere nothing happens."""
    cpu = k.cpu(k.current)
    if k.format.refill and cpu.mm == mm.process:
        cpu.tlb[vpn] = mm.pte[vpn]


def file_blocks(k: Machine, page: Page) -> range:
    """The file's blocks that lie in this page and below the end of the file."""
    inode = k.inodes[page.mapping or ""]
    first = (page.index or 0) * k.blocks_per_page
    last = -(-inode.size // k.block_size)
    return range(first, min(first + k.blocks_per_page, max(last, first)))


def zero_tail(k: Machine, page: Page) -> bool:
    """Before a page is written: what lies beyond the end of the file is zeroed. False if all of it does."""
    end = k.inodes[page.mapping or ""].size - (page.index or 0) * k.page_size
    if 0 < end < k.page_size:
        page.data = page.content.zero(end, k.page_size)
    return end > 0
