"""Linux 2.6.19, November 2006: dirty shared pages are tracked. A store to a clean page always traps. Facts 1e.6, 2.

As repaired in 2.6.20 for the corruption of December 2006, which is the switch dec2006.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.clear_page_dirty_for_io import ClearPageDirtyForIo
from engine.functions.do_fork import DoFork
from engine.functions.do_fork_lazy import DoForkLazy
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_no_page import DoNoPage
from engine.functions.do_wp_page import DoWpPage
from engine.functions.generic_file_direct_io import GenericFileDirectIO
from engine.functions.invalidate_inode_pages2 import InvalidateInodePages2
from engine.functions.invalidate_inode_pages2_range import InvalidateInodePages2RangeClean
from engine.functions.mpage_writepages import MpageWritepages
from engine.functions.page_flags import clear_page_dirty_for_io
from engine.functions.page_mkclean import PageMkclean
from engine.functions.set_page_dirty_balance import SetPageDirtyBalance
from engine.functions.sys_fsync import SysFsync
from engine.functions.sys_msync import SysMsync
from engine.functions.sys_munmap import SysMprotect
from engine.functions.user_range import MapRef
from engine.kernel import Kernel, Switch
from engine.kernels.linux_2_6_9 import table
from engine.kernels.linux_2_6_18 import (
    LINUX_2_6_18,
    DoNoPageMkwrite,
    DoWpPageMkwrite,
    GenericFileDirectIOUnmapping,
    SysMsyncUnlocked,
)
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import VM_SHARED, VM_WRITE, protection_map, pte_mkwrite

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoNoPageTracking(DoNoPageMkwrite):
    """A store's fault also marks the page dirty, and pays for it if too much is dirty."""

    source = "mm/memory.c do_no_page, 2.6.19 (d08b3851da41, edc79b2a46ed)"
    dirty: bool = False

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Only a filesystem with page_mkwrite was asked; the others learn it afterwards."""
        super().enough_space(k)
        if not self.write:
            k.answer("not asked: a load")

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry. After a load it is read-only, so that the first store will trap."""
        super().set_pte(k)
        if self.write and self.vma.shared:
            self.page.get()
            self.dirty = True

    def unlock(self, k: Machine) -> Next:
        """Drop the lock. After a store to a shared page there is one more thing to do."""
        k.unlock(self.vma.mm.page_table_lock)
        return self.set_page_dirty_balance if self.dirty else ret(self.fault)

    def set_page_dirty_balance(self, k: Machine) -> Next:
        """The page is dirty from now on, and everybody who looks at pages can see it."""
        return call(SetPageDirtyBalance(self.page))

    def put_page(self, k: Machine) -> Next:
        """Let go of the page: its entry holds it."""
        k.ram.put(self.page)
        return ret(self.fault)


@dataclass
class DoWpPageTracking(DoWpPageMkwrite):
    """The first store to a clean shared page: the entry becomes writable, and the page dirty."""

    source = "mm/memory.c do_wp_page, 2.6.19 (d08b3851da41, edc79b2a46ed)"
    dirty: bool = False

    def reuse(self, k: Machine) -> Next:
        """Make the entry writable as it stands, and flush the TLB."""
        if self.vma.reaches_file:
            self._old(k).get()
            self.dirty = True
        return super().reuse(k)

    def unlock(self, k: Machine) -> Next:
        """Drop the lock. After a store to a shared page there is one more thing to do."""
        k.unlock(self.vma.mm.page_table_lock)
        return self.set_page_dirty_balance if self.dirty else ret(self.fault)

    def set_page_dirty_balance(self, k: Machine) -> Next:
        """The page is dirty from now on, and everybody who looks at pages can see it."""
        return call(SetPageDirtyBalance(self._old(k)))

    def put_page(self, k: Machine) -> Next:
        """Let go of the page: its entry holds it."""
        k.ram.put(self._old(k))
        return ret(self.fault)


@dataclass
class DoMmapTracking(DoMmapPgoff):
    """Every shared mapping of a file on a disk starts read-only in the page table (vma_wants_writenotify)."""

    source = "mm/mmap.c do_mmap_pgoff, vma_wants_writenotify, 2.6.19"

    def _vm_page_prot(self, k: Machine, flags: int) -> int:
        return protection_map(flags & ~VM_SHARED if self.file is not None else flags)


@dataclass
class MprotectTracking(SysMprotect):
    """Entries become writable only where the page is known to be dirty already."""

    source = "mm/mprotect.c mprotect_fixup, change_pte_range, 2.6.19"

    def _change(self, k: Machine, vma: Vma, piece: MapRef, flags: int) -> None:
        super()._change(k, vma, piece, flags)
        if not (vma.reaches_file and flags & VM_WRITE):
            return
        for vpn, entry in vma.mm.pte.items():
            if max(vma.start, piece.start) <= vpn < min(vma.end, piece.end) and entry.dirty:
                vma.mm.pte[vpn] = pte_mkwrite(entry)

    def _vm_page_prot(self, k: Machine, vma: Vma, flags: int) -> int:
        return protection_map(flags & ~VM_SHARED if vma.file is not None else flags)


@dataclass
class SysMsyncTracking(SysMsyncUnlocked):
    """MS_SYNC is an fsync of the file; MS_ASYNC does nothing at all."""

    source = "mm/msync.c sys_msync, 2.6.19 (204ec841fbea)"

    def filemap_sync_pte(self, k: Machine) -> Next:
        """No page table is looked at: every dirty page is known. Without MS_SYNC that is all, and nothing was done."""
        if self.mode != "SYNC":
            return self.up_read
        k.up_read(k.current.mm.mmap_sem)
        self.dropped = True


@dataclass
class SysFsyncTracking(SysFsync):
    """The same as before, and now it sees what was stored through a mapping."""

    def filemap_fdatawrite(self, k: Machine) -> Next:
        """Write every page that is marked dirty: stores through a mapping have marked theirs in the fault."""
        return super().filemap_fdatawrite(k)


@dataclass
class MpageWritepagesTracking(MpageWritepages):
    """Before a page is written, its entries become read-only again."""

    source = "fs/mpage.c mpage_writepages, 2.6.19"

    def pagevec_lookup_tag(self, k: Machine) -> Next:
        """Find the next page with the DIRTY tag: every page that was stored to has it."""
        return super().pagevec_lookup_tag(k)

    def clear_page_dirty_for_io(self, k: Machine) -> Next:
        """From here on the page counts as clean, and its next store has to trap."""
        return call(ClearPageDirtyForIo(self.page))


@dataclass
class ClearPageDirtyForIoDec2006(KernelFunction):
    """The order of 2.6.19: first the page counts as clean, then its entries are cleaned, and what they said is lost."""

    c_name = "clear_page_dirty_for_io"
    source = "mm/page-writeback.c clear_page_dirty_for_io, 2.6.19"
    page: Page
    cleaned: int = 0

    def test_clear_page_dirty(self, k: Machine) -> Next:
        """The page counts as clean: its buffers say what has to be written."""
        clear_page_dirty_for_io(self.page)

    def page_mkclean(self, k: Machine) -> Next:
        """The entries become read-only and clean."""
        return call(PageMkclean(self.page), into="cleaned")

    def ignore_result(self, k: Machine) -> Next:
        """Some were dirty? Nobody asks, and no buffer hears of it: what is clean there will not be written."""
        k.answer(f"{self.cleaned} ignored")
        return ret()


DEC_2006 = Switch(
    name="dec2006",
    title="as released, with the corruption of December 2006",
    story=(
        "As 2.6.19 was shipped. A filesystem may have written a page's buffers by itself and marked them clean, while "
        "the page still counts as dirty and its entry as writable. A store that comes then is only in the entry's "
        "dirty bit; writeback takes that bit away, looks at the buffers, finds them clean, and writes nothing. "
        "rtorrent and apt lost parts of their files this way."
    ),
    sources=("kernel-facts 1e.6, 6 H13", "2.6.20: fba2591bf4e4, 7658cc289288"),
    replaces={ClearPageDirtyForIo: ClearPageDirtyForIoDec2006},
)

CHANGED = (
    DoNoPageTracking, DoWpPageTracking, DoMmapTracking, MprotectTracking, SysMsyncTracking, SysFsyncTracking,
    MpageWritepagesTracking, ClearPageDirtyForIo, PageMkclean, SetPageDirtyBalance, InvalidateInodePages2RangeClean,
)  # fmt: skip

LEAVES_OUT = (
    *(line for line in LINUX_2_6_18.leaves_out if not line.startswith("sync(2) does not wake")),
    "sync(2) does not wake pdflush first.",
    "Whoever dirties a page by a fault is throttled by one limit of 40 percent of the frames; write(2) is not.",
)

LINUX_2_6_19 = Kernel(
    id="linux-2.6.19",
    title="Linux 2.6.19: dirty pages are tracked",
    short="2.6.19: dirty tracking",
    story=(
        "November 2006. Every shared mapping of a file starts read-only; the first store to a clean page traps, marks "
        "the page dirty and pays if too much is. Before a page is written its entries become read-only again. fsync "
        "sees what was stored through a mapping, msync no longer looks at page tables, MS_ASYNC does nothing. Nobody "
        "asks for space: ext2 loses data as before. With the repair of 2.6.20; the switch dec2006 is the kernel as "
        "released."
    ),
    sources=(
        "kernel-facts 1e.6, 2",
        "2.6.19: d08b3851da41, edc79b2a46ed, 204ec841fbea",
        "2.6.20: 7658cc289288; still open: 79352894b285 (2.6.23)",
    ),
    functions={**LINUX_2_6_18.functions, **table(*CHANGED)},
    filesystems=LINUX_2_6_18.filesystems,
    absent=LINUX_2_6_18.absent,
    replaces={
        DoNoPage: DoNoPageTracking,
        DoWpPage: DoWpPageTracking,
        DoMmapPgoff: DoMmapTracking,
        SysMprotect: MprotectTracking,
        DoFork: DoForkLazy,
        SysMsync: SysMsyncTracking,
        SysFsync: SysFsyncTracking,
        MpageWritepages: MpageWritepagesTracking,
        GenericFileDirectIO: GenericFileDirectIOUnmapping,
        InvalidateInodePages2: InvalidateInodePages2RangeClean,
    },
    leaves_out=LEAVES_OUT,
    switches={DEC_2006.name: DEC_2006},
)
