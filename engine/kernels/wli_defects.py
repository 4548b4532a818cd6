"""The defects of the patch of 2004-09-05, each alone: wli-corrected with one thing taken back. Facts 1b.

What cannot live here is left out: what does not build (W1, N1, X1), what only other machines notice (W7, W8), what
needs shared memory without a file (N3). X7, one question in the life of an entry, is in wli-corrected itself: its cure
is dirty tracking, see linux-2.6.19 and the scenario once-in-a-life.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, ret
from engine.functions.block_page_mkwrite import BlockPageMkwrite
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_no_page import DoNoPage
from engine.functions.do_wp_page import DoWpPage
from engine.functions.page_flags import file_blocks, flush_tlb
from engine.functions.room import lacking, refusal
from engine.functions.sys_munmap import SysMprotect
from engine.kernel import Switch
from engine.kernels.wli_asking import DoNoPageAsking, DoWpPageAsking, EnoughSpace
from engine.values import EDQUOT, ENOSPC, pte_mkdirty, pte_mkwrite, pte_mkyoung, pte_wrprotect

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoWpPageW2(DoWpPageAsking):
    """VM_WRITE is tested where VM_SHARED is meant: every store to a write-protected page counts as a first store."""

    def can_share_swap_page(self, k: Machine) -> Next:
        """The mapping may be written, so the page is made writable as it stands, whoever else has it (defect W2)."""
        return super().can_share_swap_page(k) if self._asks else self.reuse


@dataclass
class EnoughSpaceW3(EnoughSpace):
    """The lock was dropped, and the old entry is taken on trust afterwards."""

    def recheck(self, k: Machine) -> Next:
        """Nobody asks whether the entry is still what it was: pte_same is missing (defect W3)."""
        if self.expected is None:
            return super().recheck(k)
        return ret(self.room)


@dataclass
class DoWpPageW4(DoWpPageAsking):
    """The page is not held while the question is out: its frame can be freed and used again."""

    def enough_space(self, k: Machine) -> Next:
        """Ask, and hold nothing: page_cache_get is missing (defect W4)."""
        then = super().enough_space(k)
        if self._asks:
            k.ram.put(k.page(self.orig.pfn))
        return then

    def can_share_swap_page(self, k: Machine) -> Next:
        """The entry looks the same. Whether the page behind it is the same, nobody can say."""
        return self._decide() if self._asks else super().can_share_swap_page(k)


@dataclass
class DoWpPageW5(DoWpPageAsking):
    """set_pte on an entry that is in use, and no flush_tlb_page after it."""

    def reuse(self, k: Machine) -> Next:
        """Make the entry writable; what the CPUs remember of it stays (defect W5)."""
        self.vma.mm.pte[self.vpn] = pte_mkwrite(pte_mkyoung(pte_mkdirty(self.orig)))
        return self.unlock


@dataclass
class DoWpPageW6(DoWpPageAsking):
    """flush_tlb_page, and no update_mmu_cache after it."""

    def reuse(self, k: Machine) -> Next:
        """Make the entry writable and flush the TLB; where software fills it, it stays empty (defect W6)."""
        mm = self.vma.mm
        mm.pte[self.vpn] = pte_mkwrite(pte_mkyoung(pte_mkdirty(self.orig)))
        flush_tlb(k, mm.process, (self.vpn,))
        return self.unlock


@dataclass
class DoNoPageN2(DoNoPageAsking):
    """The repair that is nearest at hand for the undeclared `pte`: pte = *page_table, which is empty."""

    def set_pte(self, k: Machine) -> Next:
        """A load gets the old entry, write-protected: an empty one. All is counted, nothing is mapped (defect N2)."""
        if self.write:
            return super().set_pte(k)
        mm = self.vma.mm
        mm.pte[self.vpn], mm.rss = None, (mm.rss or 0) + 1


@dataclass
class EnoughSpaceN4(EnoughSpace):
    """pte_none is asked before the lock is dropped, and not again after."""

    def recheck(self, k: Machine) -> Next:
        """Nobody asks again whether the entry is still empty (defect N4)."""
        if self.expected is None and not self._truncated(k):
            return ret(self.room)
        return super().recheck(k)


@dataclass
class EnoughSpaceN5(EnoughSpace):
    """truncate_count is not compared again."""

    def recheck(self, k: Machine) -> Next:
        """Nobody asks again whether the file was cut short meanwhile (defect N5)."""
        if self.expected is None and not self._pte_changed:
            return ret(self.room)
        return super().recheck(k)


@dataclass
class DoNoPageN6(DoNoPageAsking):
    """A private copy has to ask for disk space that it will never need."""

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Private copies are asked about too (defect N6)."""
        if not self.write or self.vma.shared or self.vma.file is None:
            return super().enough_space(k)
        first = self.vma.index(self.vpn) * k.blocks_per_page
        blocks = lacking(k, self.vma.file, range(first, first + k.blocks_per_page))
        self.room = refusal(k, self.vma.file, blocks) or self.room
        k.answer(f"no: {self.room}" if self.room in (ENOSPC, EDQUOT) else "yes")


@dataclass
class BlockPageMkwriteX4(BlockPageMkwrite):
    """It checks and does not take: check, then act."""

    def get_block(self, k: Machine) -> Next:
        """Look whether there is room, and take nothing: somebody else may be promised the same block (defect X4)."""
        file = self.page.mapping or ""
        error = refusal(k, file, lacking(k, file, file_blocks(k, self.page)))
        self.room = error or self.room
        return self.unlock_page if error else self.commit_write


@dataclass
class BlockPageMkwriteX5(BlockPageMkwrite):
    """It reserves, and nobody owns the reservation: it is never used up and never given back."""

    def get_block(self, k: Machine) -> Next:
        """Promise what the page lacks. To whom is noted nowhere, so it will never end (defect X5)."""
        file = self.page.mapping or ""
        blocks = lacking(k, file, file_blocks(k, self.page))
        error = refusal(k, file, blocks)
        if error:
            self.room = error
            return self.unlock_page
        if blocks:
            k.space.promise(blocks)
        return self.commit_write


@dataclass
class BlockPageMkwriteX6(BlockPageMkwrite):
    """The page has its blocks, but is not marked dirty: only the entry knows of the store."""

    def commit_write(self, k: Machine) -> Next:
        """Yes, the blocks are there; set_page_dirty is missing, so that no writer of pages will see it (defect X6)."""
        for bh in self.page.bh:
            bh.uptodate = True
        k.answer("yes")
        return ret(self.room)


@dataclass
class DoNoPageX8(DoNoPageAsking):
    """The entry is write-protected in the fault, where vm_page_prot would have done it for every way to an entry."""

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry, and write-protect that of a load. Other ways to fill one do not come by here (defect X8)."""
        then = super().set_pte(k)
        entry = self.vma.mm.pte[self.vpn]
        if not self.write and entry is not None:
            self.vma.mm.pte[self.vpn] = pte_wrprotect(entry)
        return then


def _switch(
    name: str, title: str, story: str, replaces: dict[type[KernelFunction], type[KernelFunction]]
) -> tuple[str, Switch]:
    return name, Switch(name, title, story, (f"kernel-facts 1b {name}",), replaces)


SWITCHES = dict(
    (
        _switch(
            "W2", "copy-on-write broken",
            "The test is VM_WRITE, not VM_SHARED, so that every store to a write-protected page is let through as it "
            "stands. ZERO_PAGE becomes writable for everybody, a child's store appears in its parent, and a private "
            "store to a file one may only read reaches the disk.",
            {DoWpPage: DoWpPageW2},
        ),
        _switch(
            "W3", "no pte_same after the question",
            "The lock was dropped to ask; whoever cleared the entry meanwhile has let go of the page. The old entry is "
            "set all the same, and points at a frame that will be somebody else's.",
            {EnoughSpace: EnoughSpaceW3},
        ),
        _switch(
            "W4", "the page is not held",
            "Without a reference the page can leave the file and its frame can come back as another page while the "
            "question is out. Then the entry looks the same as before and says nothing.",
            {DoWpPage: DoWpPageW4},
        ),
        _switch(
            "W5", "no TLB flush",
            "The entry changes and the CPUs are not told. On a PC each other CPU takes one fault too many. Where "
            "software fills the TLB the store itself traps again; it ends, for the handler looks in the page table.",
            {DoWpPage: DoWpPageW5},
        ),
        _switch(
            "W6", "the TLB is not filled",
            "update_mmu_cache is not called. A PC never misses it; where the kernel fills the TLB, as on mips, the "
            "store is tried again, finds nothing there and traps once more for what the kernel knew already.",
            {DoWpPage: DoWpPageW6},
        ),
        _switch(
            "N2", "a load that never ends",
            "The undeclared variable repaired by reading the entry that is there: it is empty, and an empty entry "
            "write-protected is an empty entry. The load faults for ever, and each round leaks a reference, a mapping "
            "and a page of rss.",
            {DoNoPage: DoNoPageN2},
        ),
        _switch(
            "N4", "pte_none is not asked again",
            "Two threads find the entry empty, both ask, both fill it. The page is counted twice for one entry and can "
            "never be freed; rss never comes back to nothing.",
            {EnoughSpace: EnoughSpaceN4},
        ),
        _switch(
            "N5", "truncate_count is not asked again",
            "The file is cut short between the answer and the entry. A page that no file owns is mapped: stores go "
            "nowhere, and nobody gets the SIGBUS that is due beyond the end.",
            {EnoughSpace: EnoughSpaceN5},
        ),
        _switch(
            "N6", "private copies ask too",
            "A private copy needs no disk, but has to ask for it: on a full disk programs get SIGBUS for their own "
            "memory.",
            {DoNoPage: DoNoPageN6},
        ),
        _switch(
            "X4", "asks, but does not take",
            "The question is only a look. Two tasks see the same last block, both are told yes, and one of them loses "
            "its data at writeback.",
            {BlockPageMkwrite: BlockPageMkwriteX4},
        ),
        _switch(
            "X5", "a promise nobody takes back",
            "The blocks are promised and the promise has no owner: writeback does not use it up, munmap and truncate "
            "do not give it back. An empty disk says that it is full.",
            {BlockPageMkwrite: BlockPageMkwriteX5},
        ),
        _switch(
            "X6", "the page is not marked dirty",
            "The block is there, but only the entry knows of the store: fsync and pdflush see a clean page.",
            {BlockPageMkwrite: BlockPageMkwriteX6},
        ),
        _switch(
            "X8", "ways round the question",
            "The entry is write-protected in the fault instead of in vm_page_prot. MAP_POPULATE and mprotect make "
            "entries of their own, writable ones: the first store does not trap, and the old bug is back.",
            {DoNoPage: DoNoPageX8, DoMmapPgoff: DoMmapPgoff, SysMprotect: SysMprotect},
        ),
    )
)  # fmt: skip
