"""The functions of the corrected idea of 2004-09-05: who asks, when, and what is asked again afterwards. Facts 1c.

enough_space() is what later kernels call page_mkwrite: it really allocates, under the page lock, and checks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.block_page_mkwrite import BlockPageMkwrite
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_no_page import DoNoPage
from engine.functions.do_wp_page import DoWpPage
from engine.functions.page_flags import flush_tlb, update_mmu_cache
from engine.functions.sys_munmap import SysMprotect
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import (
    LOCKED,
    MINOR,
    RACED,
    SIGBUS,
    VM_SHARED,
    Pte,
    protection_map,
    pte_mkdirty,
    pte_mkwrite,
    pte_mkyoung,
)

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class EnoughSpace(KernelFunction):
    """Give the page its blocks now, index and quota included, or say why not: LOCKED is yes, else RACED or an errno.

    Entered and left with page_table_lock held; the lock is dropped to ask, because a filesystem may sleep. `expected`
    is what the entry held: whatever else it holds afterwards means that somebody was faster.
    """

    source = "the mail's enough_space; after mm/memory.c 2.6.18 (9637a5efd4fb, c3704ceb4ad0)"
    vma: Vma
    vpn: int
    page: Page
    expected: Pte | None
    sequence: int | None = None
    room: str = LOCKED

    def drop_lock(self, k: Machine) -> Next:
        """The filesystem may sleep: page_table_lock goes. The page is held by a reference."""
        self.sequence = k.mappings[self.vma.file or ""].truncate_count
        k.unlock(self.vma.mm.page_table_lock)

    def page_mkwrite(self, k: Machine) -> Next:
        """Ask the filesystem: is there room for this page?"""
        return call(BlockPageMkwrite(self.vma, self.vpn, self.page), into="room")

    def unlock_page(self, k: Machine) -> Next:
        """It has answered. If it said yes, the page is still locked: unlock it."""
        if self.room == LOCKED:
            k.unlock(self.page.locked)

    def retake_lock(self, k: Machine) -> Next:
        """Back under page_table_lock: anything may have happened meanwhile."""
        return k.lock(self.vma.mm.page_table_lock)

    def recheck(self, k: Machine) -> Next:
        """Ask again: is the entry what it was, and, where it was empty, the file not cut short?"""
        if self._pte_changed or (self.expected is None and self._truncated(k)):
            self.room = RACED
        k.answer({LOCKED: "yes", RACED: "raced"}.get(self.room, f"no: {self.room}"))
        return ret(self.room)

    @property
    def _pte_changed(self) -> bool:
        return self.vma.mm.pte[self.vpn] != self.expected

    def _truncated(self, k: Machine) -> bool:
        return k.mappings[self.vma.file or ""].truncate_count != self.sequence


@dataclass
class DoNoPageAsking(DoNoPage):
    """No page of a shared mapping becomes writable before it has a home on disk."""

    source = "mm/memory.c do_no_page; idea of 2004-09-05, after 2.6.18"
    room: str = LOCKED

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Ask the filesystem, for stores to shared mappings."""
        if self.write and self.vma.shared:
            return call(EnoughSpace(self.vma, self.vpn, self.page, None), into="room")
        k.answer("not asked: a load" if not self.write else "no need: a private copy")

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry. It is writable only if the page has its block; after a load the first store will trap."""
        if self.room == RACED:
            return self.back_out
        return super().set_pte(k) if self.room == LOCKED else self.sigbus

    def sigbus(self, k: Machine) -> Next:
        """No room: the program is told now, while it still has its data in hand."""
        self.fault = SIGBUS
        return self.back_out


@dataclass
class DoWpPageAsking(DoWpPage):
    """Two reasons for a protection fault: copy-on-write, and a shared page whose first store was waited for."""

    source = "mm/memory.c do_wp_page; idea of 2004-09-05, after 2.6.18"
    room: str = LOCKED

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
        return self._decide()

    def reuse(self, k: Machine) -> Next:
        """Make the entry writable as it stands, and flush the TLB."""
        mm = self.vma.mm
        mm.pte[self.vpn] = pte_mkwrite(pte_mkyoung(pte_mkdirty(self.orig)))
        flush_tlb(k, mm.process, (self.vpn,))
        update_mmu_cache(k, mm, self.vpn)
        return self.unlock

    def _decide(self) -> Next:
        if self.room == LOCKED:
            return self.reuse
        self.fault = MINOR if self.room == RACED else SIGBUS
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
