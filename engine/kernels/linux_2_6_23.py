"""Linux 2.6.23, October 2007: block_page_mkwrite, and XFS as its first user. Facts 1e.3, 2.

->fault returns the page locked (VM_FAULT_LOCKED), and the lock is held until the entry is set: truncate has to wait,
and writeback either comes before the entry or sees that the page is dirty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs.ext2 import Ext2GetBlock
from engine.fs.xfs_get_blocks import XfsFsync, XfsGetBlocks
from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.block_page_mkwrite import BlockPageMkwrite
from engine.functions.block_write_full_page import BlockWriteFullPage
from engine.functions.blockdev_direct_io import BlockdevDirectIO
from engine.functions.do_no_page import DoNoPage
from engine.functions.do_wp_page import DoWpPage
from engine.functions.filemap_nopage import FilemapNopage
from engine.functions.generic_file_direct_io import GenericFileDirectIO
from engine.functions.invalidate_inode_pages2 import InvalidateInodePages2
from engine.functions.mpage_readpage import MpageReadpage
from engine.functions.mpage_writepages import MpageWritepages
from engine.functions.vmtruncate import Vmtruncate
from engine.kernel import FilesystemOps, Kernel, Switch
from engine.kernels.linux_2_6_9 import table
from engine.kernels.linux_2_6_18 import GenericFileDirectIOUnmapping
from engine.kernels.linux_2_6_19 import LINUX_2_6_19, DoNoPageTracking, DoWpPageTracking
from engine.objects.page import Page
from engine.values import LOCKED, MINOR, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FilemapFault(FilemapNopage):
    """Returns the page with a reference, up to date and locked (VM_FAULT_LOCKED); or SIGBUS; or OOM."""

    source = "mm/filemap.c filemap_fault, 2.6.23 (54cb8821de07, d0217ac04ca6)"

    def mark_page_accessed(self, k: Machine) -> Next:
        """Note that the page is in use."""
        self.page.referenced = True
        return self.lock_for_fault

    @may_sleep
    def lock_for_fault(self, k: Machine) -> Next:
        """Lock the page for whoever faults: truncate and writeback have to wait until the entry is set."""
        return k.lock(self.page.locked)

    def recheck_size(self, k: Machine) -> Next:
        """Locked now: is it still a page of this file, and below its end?"""
        if self.page.mapping == self._file and self.vma.index(self.vpn) * k.page_size < k.inodes[self._file].size:
            k.answer(LOCKED)
            return ret(self.page)
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        return self.i_size


@dataclass
class DoNoPageFault(DoNoPageTracking):
    """__do_fault(): the page is locked from ->fault until its entry is set. Returns as before."""

    source = "mm/memory.c __do_fault, 2.6.23"
    locked: bool = True

    def nopage(self, k: Machine) -> Next:
        """Ask the file for the page (->fault): it comes locked. Where the file has a hole, it is full of zeroes."""
        return call(FilemapFault(self.vma, self.vpn), into="page")

    def truncate_count(self, k: Machine) -> Next:
        """Was the file cut short? It cannot have been: the page is locked, and truncate waits for that lock."""

    def unlock(self, k: Machine) -> Next:
        """Drop page_table_lock."""
        k.unlock(self.vma.mm.page_table_lock)
        return self.unlock_fault_page

    def copy_user_page(self, k: Machine) -> Next:
        """Copy the file's page and unlock it; the copy belongs to no file and needs no disk."""
        k.unlock(self.page.locked)
        self.locked = False
        return super().copy_user_page(k)

    def page_mkwrite(self, k: Machine) -> Next:
        """Unlock the page, tell the filesystem that it is about to become writable, and let it say no."""
        k.unlock(self.page.locked)
        return super().page_mkwrite(k)

    def unlock_page(self, k: Machine) -> Next:
        """It has answered. block_page_mkwrite still unlocks the page at its end (until 2.6.30)."""
        if self.room != LOCKED:
            return self.sigbus
        k.unlock(self.page.locked)
        return self.relock_page

    @may_sleep
    def relock_page(self, k: Machine) -> Next:
        """Lock it again: in between, writeback or truncate may have had it."""
        return k.lock(self.page.locked)

    def still_mapped(self, k: Machine) -> Next:
        """Is it still a page of the file? If not, leave, and let the CPU try again."""
        if self.page.mapping is not None:
            return self.retake_lock
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        return ret(MINOR)

    def unlock_fault_page(self, k: Machine) -> Next:
        """The entry is set: unlock the page. After a store to a shared page there is one more thing to do."""
        if self.locked:
            k.unlock(self.page.locked)
        return self.set_page_dirty_balance if self.dirty else ret(self.fault)


@dataclass
class DoWpPageFault(DoWpPageTracking):
    """The page is held until the lock is back, and a writeback that has it locked is waited for."""

    source = "mm/memory.c do_wp_page, 2.6.23 (c3704ceb4ad0, 79352894b285)"

    def release_page(self, k: Machine) -> Next:
        """The page stays held until page_table_lock is back: its frame cannot become another page."""
        return self.retake_lock

    def pte_same(self, k: Machine) -> Next:
        """Only go on if the entry is still what it was. Now the page may be let go."""
        if self.vma.reaches_file:
            k.ram.put(self._old(k))
        return super().pte_same(k)

    def set_page_dirty_balance(self, k: Machine) -> Next:
        """Wait for a writeback that has the page locked: it must not take this dirt away with the old. Then mark it."""
        if not k.free_lock(self._old(k).locked):
            return WAIT
        return super().set_page_dirty_balance(k)


@dataclass
class VmtruncateAgain(Vmtruncate):
    """A page that a fault has mapped after the ranges were cleared is unmapped before it leaves the file."""

    source = "mm/memory.c vmtruncate; mm/truncate.c truncate_inode_pages, 2.6.23"

    def truncate_page(self, k: Machine) -> Next:
        """Pages beyond the end leave the page cache, dirty or not. One that is mapped again is unmapped first."""
        first, mapping = -(-self.size // k.page_size), k.mappings[self.file]
        index = next((i for i, _ in mapping.pages.items() if i >= first), None)
        page: Page | None = None if index is None else k.page(mapping.pages[index] or 0)
        if page is not None and page.mapped and k.free_lock(page.locked):
            return self.unmap_mapping_range
        return super().truncate_page(k)


@dataclass
class GenericFileDirectIOBefore(GenericFileDirectIOUnmapping):
    """Writes text, or reads where there is none. Returns the bytes written (int), what was read (Data), or an errno."""

    source = "mm/filemap.c generic_file_direct_IO, 2.6.23 (65b8291c4000)"
    invalidated: bool = False

    def direct_IO(self, k: Machine) -> Next:  # noqa: N802 -- its name in the kernel
        """The filesystem moves the bytes between the program and the device."""
        if self.error == OK and self.text and not self.invalidated:
            return self.invalidate_before
        return super().direct_IO(k)

    def invalidate_inode_pages2(self, k: Machine) -> Next:
        """The cache was emptied before. What came into it meanwhile stays, old as it is (bdb76ef5a4bc mends it)."""

    def invalidate_before(self, k: Machine) -> Next:
        """Before a write the range leaves the cache. If a page of it cannot, nothing is written."""
        self.invalidated = True
        return call(InvalidateInodePages2(self.file, *self._pages(k)), into="error")

    def cache_is_empty(self, k: Machine) -> Next:
        """Now the device."""
        return self.direct_IO


@dataclass
class XfsDirectIO(BlockdevDirectIO):
    """Returns the bytes written (int), what was read (Data), or an errno. A write fills holes, by its own lock."""

    source = "fs/xfs/linux-2.6/xfs_aops.c xfs_vm_direct_IO, xfs_get_blocks_direct, 2.6.23"

    def _look(self, k: Machine, iblock: int) -> KernelFunction:
        return k.ops.get_block(self.inode, iblock, bool(self.text))


@dataclass
class Ext2GetBlocksUnverified(Ext2GetBlock):
    """Returns the disk block (int), None for a hole, or an errno. It trusts the look it took before it allocated."""

    c_name = "ext2_get_block"
    source = "fs/ext2/inode.c ext2_get_blocks, ext2_splice_branch, from its reservations to 2.6.29"

    def ext2_splice_branch(self, k: Machine) -> Next:
        """Hang the new blocks into the map, where there was a hole. Whether there still is one, nobody looks."""
        k.map.splice(self.inode, self.iblock, self.new)
        k.answer(f"block {self.new[-1]}")
        return ret(self.new[-1])


GET_BLOCK_RACE = Switch(
    name="get-block-race",
    title="with ext2's race of 2009",
    story=(
        "When ext2 learned to reserve blocks it forgot to look again. Two who need an index block at the same time "
        "both find none, both allocate one, and the second overwrites the pointer to the first, and with it "
        "everything that hangs on it. Data disappears without any error and with room; Ying Han's test found it. "
        "Mended in 2.6.30. 2.6.23 itself still looked: it is the nearest kernel there is here."
    ),
    sources=("kernel-facts 3.3, 6 H15", "2.6.30: 316cb4ef3eb2"),
    replaces={Ext2GetBlock: Ext2GetBlocksUnverified},
)

XFS = FilesystemOps(
    XfsGetBlocks,
    MpageReadpage,
    BlockWriteFullPage,
    MpageWritepages,
    XfsFsync,
    page_mkwrite=BlockPageMkwrite,
    direct_io=XfsDirectIO,
    promises=True,
)

CHANGED = (
    FilemapFault, DoNoPageFault, DoWpPageFault, VmtruncateAgain, XfsGetBlocks, XfsFsync, GenericFileDirectIOBefore,
)  # fmt: skip

LINUX_2_6_23 = Kernel(
    id="linux-2.6.23",
    title="Linux 2.6.23: the first filesystem that asks",
    short="2.6.23: XFS asks",
    story=(
        "October 2007. block_page_mkwrite gives a page its blocks before it becomes writable, and XFS is the first to "
        "use it: a store without room gets SIGBUS. ->fault returns the page locked, and the races of 2.6.18 and 2.6.19 "
        "are mended. ext2 and ext3 do not use the hook and lose data as in 2004. page_mkwrite still returns with the "
        "page unlocked, which lets writeback in for a moment; that was mended in 2.6.30."
    ),
    sources=(
        "kernel-facts 1e.3, 1e.4, 2",
        "2.6.23: 5417169026c3 (block_page_mkwrite), 4f57dbc6b5ba (XFS), d0217ac04ca6, 79352894b285",
        "2.6.21: c3704ceb4ad0",
    ),
    functions={**LINUX_2_6_19.functions, **table(*CHANGED)},
    filesystems={**LINUX_2_6_19.filesystems, "xfs": XFS},
    absent={name: reason for name, reason in LINUX_2_6_19.absent.items() if name != "xfs"},
    replaces={
        **LINUX_2_6_19.replaces,
        DoNoPage: DoNoPageFault,
        DoWpPage: DoWpPageFault,
        Vmtruncate: VmtruncateAgain,
        GenericFileDirectIO: GenericFileDirectIOBefore,
    },
    switches={GET_BLOCK_RACE.name: GET_BLOCK_RACE},
    leaves_out=(
        *LINUX_2_6_19.leaves_out,
        "XFS allocates where it would delay: no delayed extents, no worst-case metadata, no log.",
        "XFS: a direct write drops the rest of the file from the cache as well; here only its own range.",
        "MAP_POPULATE still fills entries by itself, as 2.6.9 does, where 2.6.23 lets each page fault.",
    ),
)
