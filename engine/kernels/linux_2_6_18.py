"""Linux 2.6.18, September 2006: page_mkwrite, a hook that no filesystem of the mainline uses. Facts 2, 1c.

The fault asks before it takes page_table_lock; the filesystem's answer is reported where every kernel has its station
enough_space. The page is unlocked again after the answer, which 2.6.30 changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.function import Next, call, ret
from engine.functions.block_page_mkwrite import BlockPageMkwrite
from engine.functions.do_fork import DoFork
from engine.functions.do_fork_lazy import DoForkLazy
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_no_page import DoNoPage
from engine.functions.do_wp_page import DoWpPage
from engine.functions.generic_file_direct_io import GenericFileDirectIO
from engine.functions.invalidate_inode_pages2 import InvalidateInodePages2
from engine.functions.invalidate_inode_pages2_range import InvalidateInodePages2Range
from engine.functions.sys_msync import SysMsync
from engine.functions.sys_munmap import SysMprotect
from engine.functions.zap_pte_range import ZapPteRange, mapped_ranges
from engine.kernel import Kernel
from engine.kernels.linux_2_6_9 import ABSENT, EXT2, EXT3, FUNCTIONS, LEAVES_OUT, table
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import LOCKED, OK, SIGBUS, VM_SHARED, protection_map

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoNoPageMkwrite(DoNoPage):
    """A store to a shared page is told to the filesystem first, if it has a page_mkwrite. Returns as before."""

    source = "mm/memory.c do_no_page, 2.6.18 (9637a5efd4fb)"
    room: str = LOCKED

    def early_cow(self, k: Machine) -> Next:
        """A store to a private mapping gets its copy; one to a shared mapping is told to the filesystem."""
        if self._asks(k) and not isinstance(self.page, str):
            return self.page_mkwrite
        return super().early_cow(k)

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? A filesystem that has page_mkwrite was asked before the lock was taken."""
        if self.copy is not None:
            k.answer("no need: a private copy")
        elif k.ops.page_mkwrite is None:
            k.answer("never asked")
        else:
            k.answer("yes" if self.write else "not asked: a load")

    def page_mkwrite(self, k: Machine) -> Next:
        """Tell the filesystem that this page is about to become writable, and let it say no."""
        assert k.ops.page_mkwrite is not None
        return call(k.ops.page_mkwrite(self.vma, self.vpn, self.page), into="room")

    def unlock_page(self, k: Machine) -> Next:
        """It has answered. The page is unlocked long before its entry is set: writeback may come between."""
        if self.room != LOCKED:
            return self.sigbus
        k.unlock(self.page.locked)
        return self.retake_lock

    def sigbus(self, k: Machine) -> Next:
        """No room, or the page has left the file: a signal, for this hook knows no other word."""
        k.ram.put(self.page)
        return ret(SIGBUS)

    def _asks(self, k: Machine) -> bool:
        return self.write and self.vma.shared and k.ops.page_mkwrite is not None


@dataclass
class DoWpPageMkwrite(DoWpPage):
    """A protection fault on a shared page is no longer a case for copying: the page is reused, after a question."""

    source = "mm/memory.c do_wp_page, 2.6.18 (9637a5efd4fb)"
    room: str = LOCKED

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? If the mapping is shared and the filesystem has page_mkwrite, drop the lock."""
        if not self.vma.reaches_file:
            k.answer("no need: a private copy")
            return None
        if k.ops.page_mkwrite is None:
            k.answer("never asked")
            return None
        self._old(k).get()
        k.unlock(self.vma.mm.page_table_lock)
        return self.page_mkwrite

    def can_share_swap_page(self, k: Machine) -> Next:
        """A shared page is never copied; a private one is, unless this is its last user."""
        return self.reuse if self.vma.reaches_file else super().can_share_swap_page(k)

    def pte_same(self, k: Machine) -> Next:
        """Only go on if the entry is still what it was."""
        if not self.vma.reaches_file:
            return super().pte_same(k)
        same = self.vma.mm.pte[self.vpn] == self.orig
        k.answer("yes" if same else "no: it changed")
        return self.reuse if same else self.unlock

    def page_mkwrite(self, k: Machine) -> Next:
        """Tell the filesystem that this page is about to become writable, and let it say no."""
        assert k.ops.page_mkwrite is not None
        return call(k.ops.page_mkwrite(self.vma, self.vpn, self._old(k)), into="room")

    def unlock_page(self, k: Machine) -> Next:
        """It has answered. The page is unlocked again before anything is written down."""
        if self.room != LOCKED:
            return self.sigbus
        k.unlock(self._old(k).locked)

    def release_page(self, k: Machine) -> Next:
        """The page is let go before the lock is back. For a moment nothing holds it (mended in 2.6.21)."""
        k.ram.put(self._old(k))
        return self.retake_lock

    def sigbus(self, k: Machine) -> Next:
        """No room, or the page has left the file: a signal."""
        k.ram.put(self._old(k))
        return ret(SIGBUS)

    def _old(self, k: Machine) -> Page:
        page: Page = k.page(self.orig.pfn)
        return page


@dataclass
class DoMmapMkwrite(DoMmapPgoff):
    """A shared mapping starts read-only in the page table, but only where the filesystem wants to hear of stores."""

    source = "mm/mmap.c do_mmap_pgoff, 2.6.18 (9637a5efd4fb)"

    def _vm_page_prot(self, k: Machine, flags: int) -> int:
        asks = self.file is not None and k.ops.page_mkwrite is not None
        return protection_map(flags & ~VM_SHARED if asks else flags)


@dataclass
class MprotectMkwrite(SysMprotect):
    """New rights do not make entries writable behind the back of a filesystem that has page_mkwrite."""

    source = "mm/mprotect.c mprotect_fixup, 2.6.18 (9637a5efd4fb)"

    def _vm_page_prot(self, k: Machine, vma: Vma, flags: int) -> int:
        asks = vma.file is not None and k.ops.page_mkwrite is not None
        return protection_map(flags & ~VM_SHARED if asks else flags)


@dataclass
class SysMsyncUnlocked(SysMsync):
    """mmap_sem is let go before the disk is waited for, so that other threads can map and fault meanwhile."""

    source = "mm/msync.c sys_msync, 2.6.17 (707c21c848d)"
    dropped: bool = False

    def filemap_sync_pte(self, k: Machine) -> Next:
        """Collect the dirty bits from the page table: each moves to its page. Then mmap_sem goes."""
        then = super().filemap_sync_pte(k)
        if then is None:
            k.up_read(k.current.mm.mmap_sem)
            self.dropped = True
        return then

    def up_read(self, k: Machine) -> Next:
        """Back to the program, with the answer."""
        if not self.dropped:
            return super().up_read(k)
        error = self.unmapped if self.error == OK else self.error
        k.finish_line(error)
        k.answer(error)
        return ret()


@dataclass
class GenericFileDirectIOUnmapping(GenericFileDirectIO):
    """Writes text, or reads where there is none. Returns the bytes written (int), what was read (Data), or an errno."""

    source = "mm/filemap.c generic_file_direct_IO, 2.6.18 (as since 2.6.11)"
    todo: tuple[tuple[str, int, int], ...] | None = None

    def unmap_mapping_range(self, k: Machine) -> Next:
        """A write tears the entries of its range: what only they know to be dirty makes the pages dirty."""
        if self.todo is None:
            self.todo = mapped_ranges(k, self.file, *self._pages(k)) if self.text else ()
        if not self.todo:
            return self.filemap_fdatawrite
        (process, start, end), *rest = self.todo
        self.todo = tuple(rest)
        return call(ZapPteRange(k.mms[process], start, end))

    def filemap_fdatawrite(self, k: Machine) -> Next:
        """Write every page of the file that is marked dirty. Stores through the range's mappings are among them."""
        if self.todo:
            return self.unmap_mapping_range
        return super().filemap_fdatawrite(k)

    def done(self, k: Machine) -> Next:
        """Back to who called. A page that could not be dropped is an error, though everything is written."""
        return ret(self.got if self.error == OK else self.error)


EXT2_MKWRITE = replace(EXT2, page_mkwrite=BlockPageMkwrite, promises=True)

ABSENT_2006 = {name: reason for name, reason in ABSENT.items() if name != "ext2-mkwrite"} | dict.fromkeys(
    ("fuse", "fuse-short"), "FUSE has writable shared mappings from 2.6.26 on"
)
"""Why a filesystem that existed is not simulated under the kernels of 2006 and 2007."""

CHANGED = (
    DoNoPageMkwrite,
    DoWpPageMkwrite,
    BlockPageMkwrite,
    DoMmapMkwrite,
    MprotectMkwrite,
    DoForkLazy,
    SysMsyncUnlocked,
    GenericFileDirectIOUnmapping,
    InvalidateInodePages2Range,
)

LINUX_2_6_18 = Kernel(
    id="linux-2.6.18",
    title="Linux 2.6.18: a hook for filesystems",
    short="2.6.18: the hook",
    story=(
        "September 2006. A filesystem can have a page_mkwrite: then its shared mappings start read-only, the first "
        "store traps, and the filesystem may refuse it. No filesystem of the mainline does, so ext2 and ext3 lose data "
        "as in 2004. Take ext2 with page_mkwrite, a patch of 2009 that was not merged, to see what the hook could do: "
        "it has a race: the page is let go before the lock is back."
    ),
    sources=(
        "kernel-facts 1c, 2",
        "2.6.18: 9637a5efd4fb (page_mkwrite); its race: c3704ceb4ad0 (2.6.21)",
        "2.6.17: 707c21c848d (msync without mmap_sem)",
    ),
    functions={**FUNCTIONS, **table(*CHANGED)},
    filesystems={"ext2": EXT2, "ext2-mkwrite": EXT2_MKWRITE, "ext3": EXT3},
    absent=ABSENT_2006,
    replaces={
        DoNoPage: DoNoPageMkwrite,
        DoWpPage: DoWpPageMkwrite,
        DoMmapPgoff: DoMmapMkwrite,
        SysMprotect: MprotectMkwrite,
        DoFork: DoForkLazy,
        SysMsync: SysMsyncUnlocked,
        GenericFileDirectIO: GenericFileDirectIOUnmapping,
        InvalidateInodePages2: InvalidateInodePages2Range,
    },
    leaves_out=(
        *LEAVES_OUT,
        "page_table_lock is still one for an address space; since 2.6.15 each page-table page has its own.",
    ),
)
