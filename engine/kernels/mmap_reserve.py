"""A 2.6.9 that never was: mmap() reserves the room for every hole of a shared writable mapping, or fails. Facts 1d.

The mail mentions the idea and doubts it: nobody has explained how it copes "with the realities of block indexing
metadata or space consumers competing with mmap()". Here it is, thought through as far as it goes, so that one can see
where it ends: `mm/A/promise/0x40002.blocks` says what one address space was promised for one page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.fs.estimate import missing
from engine.fs.ext2 import Ext2GetBlock, Ext2NewBlock
from engine.function import Next, call, ret, tail
from engine.functions.block_prepare_write import BlockPrepareWrite
from engine.functions.do_exit import DoExit
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_mremap import DoMremap
from engine.functions.do_no_page import DoNoPage
from engine.functions.room import refusal
from engine.functions.sys_munmap import SysMprotect, SysMunmap
from engine.functions.user_range import MapRef, user_range
from engine.functions.world import PowerFails
from engine.kernel import Kernel
from engine.kernels.linux_2_6_9 import ABSENT, EXT2, EXT3, FUNCTIONS, LEAVES_OUT, table
from engine.objects.mapping import Inode
from engine.objects.mm import Mm
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass(frozen=True, slots=True)
class Range:
    """Virtual pages [start, end) of an address space, and the page of the file that the first one shows."""

    mm: Mm
    file: str
    start: int
    end: int
    pgoff: int


def reserve(k: Machine, wanted: Range) -> str | None:
    """Promise every hole of a range, or nothing: then returns the errno. An index block is counted once a range."""
    needed = dict(holes(k, wanted))
    total = sum(needed.values())
    if error := refusal(k, wanted.file, total):
        return error
    for vpn, blocks in needed.items():
        wanted.mm.promised[vpn] = blocks
    if total:
        k.space.promise(total)
        if quota := k.quotas.get(k.inodes[wanted.file].owner):
            quota.promise(total, k.clock.clock)
    return None


def holes(k: Machine, wanted: Range) -> Iterator[tuple[int, int]]:
    """(vpn, blocks it lacks) of the pages below the end of the file, until more are needed than the disk can have."""
    inode, counted, total = k.inodes[wanted.file], set[tuple[int, ...]](), 0
    last = -(-inode.size // k.block_size)
    for vpn in range(wanted.start, wanted.end):
        first = (vpn - wanted.start + wanted.pgoff) * k.blocks_per_page
        blocks = range(first, min(first + k.blocks_per_page, last))
        lacks = sum(missing(k.map, inode, iblock, counted) for iblock in blocks)
        if not blocks or total > k.space.total:
            return
        if lacks and not wanted.mm.promised[vpn]:
            total += lacks
            yield vpn, lacks


def forget(k: Machine, inode: Inode, blocks: int) -> None:
    """So many blocks are promised to nobody any more."""
    k.space.forget(blocks)
    if quota := k.quotas.get(inode.owner):
        quota.forget(blocks)


def release(k: Machine, mm: Mm, start: int, end: int) -> None:
    """Take back what virtual pages [start, end) were promised."""
    for vpn, blocks in list(mm.promised.items()):
        vma = mm.find_vma(vpn)
        if start <= vpn < end and vma is not None and vma.file is not None:
            mm.promised[vpn] = None
            forget(k, k.inodes[vma.file], blocks)


def promisee(k: Machine, inode: Inode, iblock: int) -> tuple[Mm, int] | None:
    """The first address space that was promised blocks for this part of the file, and where in it."""
    index = iblock // k.blocks_per_page
    for mm in k.mms.values():
        for vma in mm.vmas or ():
            vpn = vma.vpn(index) if vma.file == inode.file else None
            if vpn is not None and mm.promised[vpn]:
                return mm, vpn
    return None


@dataclass
class DoMmapReserving(DoMmapPgoff):
    """A shared writable mapping is promised every block it may ever need, or mmap() fails with ENOSPC or EDQUOT."""

    source = "no kernel has it; the mail of 2004-09-05 mentions talk of it"
    asked: bool = False
    error: str | None = None

    def vma_link(self, k: Machine) -> Next:
        """Note the range and its rights; a shared writable mapping has its promise by then. Nothing is mapped yet."""
        if self.file is not None and self.shared and "WRITE" in self.prot and not self.asked:
            return self.enough_space
        return super().vma_link(k)

    def enough_space(self, k: Machine) -> Next:
        """Walk the holes of the range: data and the index blocks that are missing. Promise all of them, or refuse."""
        mm, pages, self.asked = k.current.mm, -(-self.length // k.page_size), True
        start = mm.free_range(pages)
        assert self.file is not None
        before = k.space.delalloc or 0
        self.error = reserve(k, Range(mm, self.file, start, start + pages, self.offset // k.page_size))
        k.answer(f"no: {self.error}" if self.error else f"yes: {(k.space.delalloc or 0) - before} promised")
        return self.refuse if self.error else self.vma_link

    def refuse(self, k: Machine) -> Next:
        """There is no room for all that might be stored one day: mmap() fails, and says why."""
        k.unlock(k.current.mm.mmap_sem)
        k.finish_line(self.error or "")
        return ret()


@dataclass
class MprotectReserving(SysMprotect):
    """A mapping that becomes writable has to be promised its holes now."""

    source = "no kernel has it; kernel-facts 1d"
    asked: bool = False
    error: str | None = None

    def change_pte_range(self, k: Machine) -> Next:
        """Give the range, and every entry in it, its new rights; to become writable it has its promise by then."""
        return self.enough_space if "WRITE" in self.prot and not self.asked else super().change_pte_range(k)

    def enough_space(self, k: Machine) -> Next:
        """Walk the holes of the range as mmap() would have done. Promise all of them, or refuse."""
        self.asked, piece = True, user_range(k, self.var, self.start, self.stop)
        for vma in k.current.mm.vmas or ():
            if piece and vma.reaches_file and vma.file and vma.start < piece.end and vma.end > piece.start:
                low, high = max(vma.start, piece.start), min(vma.end, piece.end)
                self.error = reserve(k, Range(vma.mm, vma.file, low, high, vma.index(low))) or self.error
        k.answer(f"no: {self.error}" if self.error else "yes")
        return self.refuse if self.error else self.change_pte_range

    def refuse(self, k: Machine) -> Next:
        """The rights stay what they were, and the program hears why."""
        k.unlock(k.current.mm.mmap_sem)
        k.finish_line(self.error or "")
        return ret()


@dataclass
class MunmapReleasing(SysMunmap):
    """The promise ends with the mapping, whether the data has arrived or not."""

    source = "no kernel has it; kernel-facts 1d"

    def detach_vmas(self, k: Machine) -> Next:
        """The range is gone, and with it what was promised for it, an index block for its neighbours too."""
        release(k, k.current.mm, self.range.start, self.range.end)
        return super().detach_vmas(k)


@dataclass
class MremapMoving(DoMremap):
    """A mapping that moves takes its promise along; what it grows by is promised nothing."""

    source = "no kernel has it; kernel-facts 1d"

    def move_vma(self, k: Machine) -> Next:
        """A longer one grows where it is, or its entries move, and its promises with them. Nobody asks for the rest."""
        mm, old = k.current.mm, k.current.mm.lookup(self.var)
        then, new = super().move_vma(k), mm.lookup(self.var)
        if then is None and isinstance(old, MapRef) and isinstance(new, MapRef):
            _move(k, mm, old, new)
        return then


def _move(k: Machine, mm: Mm, old: MapRef, new: MapRef) -> None:
    """Promises follow their pages from one place to another; those behind the new end are released."""
    moved = [(vpn, blocks) for vpn, blocks in mm.promised.items() if old.start <= vpn < old.end]
    vma = mm.find_vma(new.start)
    for vpn, _ in moved:
        mm.promised[vpn] = None
    for vpn, blocks in moved:
        to = vpn - old.start + new.start
        if to < new.end:
            mm.promised[to] = blocks
        elif vma is not None and vma.file is not None:
            forget(k, k.inodes[vma.file], blocks)


@dataclass
class ExitReleasing(DoExit):
    """With the address space go its promises."""

    source = "no kernel has it; kernel-facts 1d"

    def free_pgtables(self, k: Machine) -> Next:
        """Ranges, page tables and promises are gone. Data that is not on the disk yet has nobody to speak for it."""
        release(k, k.current.mm, 0, k.format.task_size)
        return super().free_pgtables(k)


@dataclass
class PowerFailsReleasing(PowerFails):
    """Promises were only in memory."""

    def fails(self, k: Machine) -> Next:
        """The power fails: memory, page tables, promises and every program are gone. Only the disk is left."""
        for mm in k.mms.values():
            release(k, mm, 0, k.format.task_size)
        return super().fails(k)


@dataclass
class DoNoPageTrusting(DoNoPage):
    """The fault asks nobody: mmap() has."""

    source = "mm/memory.c do_no_page, 2.6.9, unchanged"

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? mmap() has asked. Nobody looks whether what it was told still holds."""
        blocks = self.vma.mm.promised[self.vpn]
        k.answer(f"asked by mmap: {blocks} promised" if blocks else "never asked")


@dataclass
class Ext2GetBlockPromised(Ext2GetBlock):
    """At writeback a promised hole uses its promise up. Returns as ext2_get_block does."""

    def ext2_alloc_branch(self, k: Machine) -> Next:
        """A hole needs a block now, and one for each index level that is missing: promised ones first."""
        index = self.have + len(self.new) + 1 < len(k.map.path(self.iblock))
        found = promisee(k, self.inode, self.iblock)
        if found is None:
            return call(Ext2NewBlock(self.inode, index), into="got")
        return call(Ext2NewBlockPromised(self.inode, index, *found), into="got")


@dataclass
class Ext2NewBlockPromised(Ext2NewBlock):
    """One promised block becomes one that is used. Returns its number."""

    source = "no kernel has it; kernel-facts 1d"
    mm: Mm
    vpn: int

    def dquot_alloc_block(self, k: Machine) -> Next:
        """The quota was asked when the mapping was made."""
        k.answer("yes: promised")

    def reserve_blocks(self, k: Machine) -> Next:
        """So was the disk: the promise is redeemed, unless the mapping has gone and taken it along."""
        left = self.mm.promised[self.vpn]
        if not left:
            return tail(Ext2NewBlock(self.inode, self.index))
        self.mm.promised[self.vpn] = left - 1 or None
        forget(k, self.inode, 1)
        if quota := k.quotas.get(self.inode.owner):
            quota.charge(1, k.clock.clock)
        self.inode.blocks = (self.inode.blocks or 0) + 1
        block = k.space.take(f"{self.inode.file}:index" if self.index else self.inode.file)
        k.answer(f"yes: block {block}, promised")
        return ret(block)


@dataclass
class BlockPrepareWriteBeside(BlockPrepareWrite):
    """write(2) asks for blocks of its own: what was promised to mappings is not for it."""

    def get_block(self, k: Machine) -> Next:
        """A block is asked for from what is free. That one was promised for this very page, nobody knows here."""
        for i in range(self.low // k.block_size, -(-self.high // k.block_size)):
            if self.page.bh[i].block is None:
                self.at = i
                iblock = self.index * k.blocks_per_page + i
                return call(Ext2GetBlock(k.inodes[self.file], iblock, create=True), into="got")
        return ret(OK)


CHANGED = (
    DoMmapReserving, MprotectReserving, MunmapReleasing, MremapMoving, ExitReleasing, PowerFailsReleasing,
    DoNoPageTrusting, Ext2GetBlockPromised, BlockPrepareWriteBeside,
)  # fmt: skip

MMAP_RESERVE = Kernel(
    id="mmap-reserve",
    title="Reserve at mmap()",
    short="reserve at mmap",
    story=(
        "A 2.6.9 that never was. mmap() of a shared writable range walks its holes, promises a block for each and for "
        "the index blocks on the way, and fails with ENOSPC or EDQUOT where there is no room. That is its one merit: "
        "an errno, and early. The promise is as long as the mapping and as exact as the block map was on that day; "
        "what changes later, nobody asks about."
    ),
    sources=("kernel-facts 1d", "mail-2004-09-05"),
    functions={**FUNCTIONS, **table(*CHANGED)},
    filesystems={
        name: replace(ops, get_block=Ext2GetBlockPromised, write_begin=BlockPrepareWriteBeside, promises=True)
        for name, ops in (("ext2", EXT2), ("ext3", EXT3))
    },
    absent=ABSENT,
    replaces={
        DoMmapPgoff: DoMmapReserving,
        SysMprotect: MprotectReserving,
        SysMunmap: MunmapReleasing,
        DoMremap: MremapMoving,
        DoExit: ExitReleasing,
        PowerFails: PowerFailsReleasing,
        DoNoPage: DoNoPageTrusting,
    },
    leaves_out=LEAVES_OUT,
    defects=(
        "Volume: a sparse file needs room for all of itself to be mapped, though three pages will be touched.",
        "Lifetime: the promise ends with munmap() or exit, the data stays in the page cache and finds no block.",
        "Lifetime: a child of fork() has the mapping and no promise.",
        "Lifetime: a range that is unmapped takes the index block along that its neighbours were counting on.",
        "Twice: two processes that map one hole are promised two blocks for it, and an index block each.",
        "Beside: write(2) to a promised hole is refused, or takes another block and leaves the promise to nobody.",
        "Size: a file that grows, or is cut and grows again, has holes under the mapping that nobody was asked about.",
        "mremap() reserves nothing for what a mapping grows by.",
    ),
)
