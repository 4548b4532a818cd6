"""The idea of 2004-09-05, corrected: what a working 2.6.9 version needs. Facts 1c.

enough_space() is what later kernels call page_mkwrite: it really allocates, under the page lock, and checks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_no_page import DoNoPage
from engine.functions.do_wp_page import DoWpPage
from engine.functions.page_flags import (
    file_blocks,
    flush_tlb,
    mark_buffers_dirty,
    set_page_dirty,
    update_mmu_cache,
)
from engine.functions.sys_munmap import SysMprotect
from engine.kernel import Kernel
from engine.kernels.linux_2_6_9 import EXT2, FUNCTIONS, LEAVES_OUT, table
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import MINOR, SIGBUS, VM_SHARED, Pte, protection_map, pte_mkdirty, pte_mkwrite, pte_mkyoung

if TYPE_CHECKING:
    from engine.machine import Machine

YES, RACED = "yes", "raced"


@dataclass
class EnoughSpace(KernelFunction):
    """Give the page its blocks now, index and quota included, or say why not: "yes", "raced", an errno.

    Entered and left with page_table_lock held; the lock is dropped to ask, because a filesystem may sleep. `expected`
    is what the entry held: whatever else it holds afterwards means that somebody was faster.
    """

    source = (
        "the mail's enough_space; after mm/memory.c 2.6.18 (9637a5efd4fb, c3704ceb4ad0), fs/buffer.c block_page_mkwrite"
    )
    vma: Vma
    vpn: int
    page: Page
    expected: Pte | None
    sequence: int | None = None
    got: int | str | None = None
    at: int = 0
    room: str = YES

    def drop_lock(self, k: Machine) -> Next:
        """The filesystem may sleep: page_table_lock goes. The page is held by a reference."""
        self.sequence = k.mappings[self.vma.file or ""].truncate_count
        k.unlock(self.vma.mm.page_table_lock)

    @may_sleep
    def lock_page(self, k: Machine) -> Next:
        """Lock the page: neither truncate nor writeback comes between."""
        return k.lock(self.page.locked)

    def still_there(self, k: Machine) -> Next:
        """Is it still a page of this file, below its end?"""
        if self.page.mapping != self.vma.file or not file_blocks(k, self.page):
            self.room = RACED
            return self.unlock_page
        if not self.page.private:
            self.page.attach_buffers(dirty=False)
        blocks = file_blocks(k, self.page)
        for bh, iblock in zip(self.page.bh, blocks, strict=False):
            bh.block = k.map.lookup(k.inodes[self.vma.file or ""], iblock)

    def get_block(self, k: Machine) -> Next:
        """Ask the filesystem for every block that is missing under this page, in the program's own name."""
        for at, iblock in enumerate(file_blocks(k, self.page)):
            if self.page.bh[at].block is None:
                self.at = at
                return call(k.ops.get_block(k.inodes[self.page.mapping or ""], iblock, True), into="got")
        return self.commit_write

    def mapped(self, k: Machine) -> Next:
        """Did it find one?"""
        if isinstance(self.got, str):
            self.room = self.got
            return self.keep_new
        self.page.bh[self.at].block, self.page.bh[self.at].new = self.got, True
        return self.get_block

    def commit_write(self, k: Machine) -> Next:
        """Yes: the blocks are this page's, and the page counts as dirty."""
        for bh in self.page.bh:
            bh.uptodate, bh.new = True, None
        set_page_dirty(k, self.page)

    def unlock_page(self, k: Machine) -> Next:
        """Unlock the page."""
        k.unlock(self.page.locked)

    def retake_lock(self, k: Machine) -> Next:
        """Back under page_table_lock: anything may have happened meanwhile."""
        return k.lock(self.vma.mm.page_table_lock)

    def recheck(self, k: Machine) -> Next:
        """Ask again: is the entry what it was, and the file not cut short?"""
        mapping = k.mappings[self.vma.file or ""]
        if self.vma.mm.pte[self.vpn] != self.expected or mapping.truncate_count != self.sequence:
            self.room = RACED
        k.answer(self.room if self.room in (YES, RACED) else f"no: {self.room}")
        return ret(self.room)

    def keep_new(self, k: Machine) -> Next:
        """Blocks got before the one that was refused stay; they are written, so that nobody reads what was there."""
        for i, bh in enumerate(self.page.bh):
            if bh.new:
                mark_buffers_dirty(k, self.page, i * k.block_size, (i + 1) * k.block_size)
                bh.uptodate, bh.new = True, None
        return self.unlock_page


@dataclass
class DoNoPageAsking(DoNoPage):
    """No page of a shared mapping becomes writable before it has a home on disk."""

    source = "mm/memory.c do_no_page; idea of 2004-09-05, after 2.6.18"
    room: str = YES

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Ask the filesystem, for stores to shared mappings."""
        if self.write and self.vma.shared:
            return call(EnoughSpace(self.vma, self.vpn, self.page, None), into="room")
        k.answer("not asked: a load" if not self.write else "no need: a private copy")

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry. It is writable only if the page has its block; after a load the first store will trap."""
        if self.room == RACED:
            return self.back_out
        return super().set_pte(k) if self.room == YES else self.sigbus

    def sigbus(self, k: Machine) -> Next:
        """No room: the program is told now, while it still has its data in hand."""
        self.fault = SIGBUS
        return self.back_out


@dataclass
class DoWpPageAsking(DoWpPage):
    """Two reasons for a protection fault: copy-on-write, and a shared page whose first store was waited for."""

    source = "mm/memory.c do_wp_page; idea of 2004-09-05, after 2.6.18"
    room: str = YES

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Hold the page and ask, if the mapping is shared; a private one will be copied."""
        if self._asks:
            page = k.page(self.orig.pfn)
            page.get()
            return call(EnoughSpace(self.vma, self.vpn, page, self.orig), into="room")
        k.answer("no need: a private copy")

    def can_share_swap_page(self, k: Machine) -> Next:
        """A shared page is never copied; a private one is, unless this is its last user."""
        if not self._asks:
            return super().can_share_swap_page(k)
        k.ram.put(k.page(self.orig.pfn))
        if self.room == YES:
            return self.reuse
        self.fault = MINOR if self.room == RACED else SIGBUS
        return self.unlock

    def reuse(self, k: Machine) -> Next:
        """Make the entry writable as it stands, and flush the TLB."""
        mm = self.vma.mm
        mm.pte[self.vpn] = pte_mkwrite(pte_mkyoung(pte_mkdirty(self.orig)))
        flush_tlb(k, mm.process, (self.vpn,))
        update_mmu_cache(k, mm, self.vpn)
        return self.unlock

    @property
    def _asks(self) -> bool:
        return self.vma.shared and self.vma.file is not None


@dataclass
class DoMmapNotifying(DoMmapPgoff):
    """A shared mapping of a file starts read-only in the page table, so that the first store traps."""

    source = "mm/mmap.c do_mmap_pgoff; after 2.6.18 (vm_page_prot without VM_SHARED)"

    def _vm_page_prot(self, k: Machine, flags: int) -> int:
        return protection_map(flags & ~VM_SHARED if self.file is not None else flags)


@dataclass
class MprotectNotifying(SysMprotect):
    """New rights do not make entries writable behind the filesystem's back."""

    source = "mm/mprotect.c mprotect_fixup; after 2.6.18"

    def _vm_page_prot(self, k: Machine, vma: Vma, flags: int) -> int:
        return protection_map(flags & ~VM_SHARED if vma.file is not None else flags)


CHANGED = (EnoughSpace, DoNoPageAsking, DoWpPageAsking, DoMmapNotifying, MprotectNotifying)

WLI_CORRECTED = Kernel(
    id="wli-corrected",
    title="The idea, corrected",
    short="the idea, corrected",
    story=(
        "What the sketch needs to work on 2.6.9: shared mappings start read-only in the page table, the question "
        "really allocates, index blocks and quota included, and after the lock was dropped everything is asked again. "
        "Linux came to it as page_mkwrite, from 2.6.18 on. A store without room is refused: SIGBUS."
    ),
    sources=(
        "kernel-facts 1c",
        "mail-2004-09-05",
        "2.6.18: 9637a5efd4fb; 2.6.21: c3704ceb4ad0; 2.6.23: 5417169026c3",
    ),
    functions={**FUNCTIONS, **table(*CHANGED)},
    filesystems={"ext2": EXT2},
    replaces={
        DoNoPage: DoNoPageAsking,
        DoWpPage: DoWpPageAsking,
        DoMmapPgoff: DoMmapNotifying,
        SysMprotect: MprotectNotifying,
    },
    leaves_out=(
        *LEAVES_OUT,
        "2.6.18 asks before it takes page_table_lock; here the question keeps its place: the lock is dropped for it.",
    ),
)
