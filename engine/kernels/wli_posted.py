"""The patch of 2004-09-05 as posted: it does not compile; then with the least repair that builds. Facts 1b."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.do_no_page import DoNoPage, entry_for
from engine.functions.do_wp_page import DoWpPage
from engine.kernel import BuildError, BuildReport, Kernel
from engine.kernels.linux_2_6_9 import ABSENT, EXT2, EXT3, FUNCTIONS, LEAVES_OUT, table
from engine.objects.mm import Vma
from engine.values import ENOSPC, SIGBUS, mk_pte, pte_mkdirty, pte_mkwrite, pte_mkyoung, pte_wrprotect

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class EnoughSpace(KernelFunction):
    """The mail leaves its body open. The least there is: it looks whether a block is free, and reserves nothing.

    Entered and left with page_table_lock held; it drops the lock to ask. Nobody checks again what may have changed.
    """

    source = "no kernel has it; the mail of 2004-09-05 says it may have to drop the lock"
    vma: Vma
    vpn: int
    room: bool = False

    def drop_lock(self, k: Machine) -> Next:
        """The filesystem may sleep: page_table_lock goes, and the entry is unmapped."""
        k.unlock(self.vma.mm.page_table_lock)

    @may_sleep
    def ask(self, k: Machine) -> Next:
        """Ask the filesystem: is a block free? It looks and reserves nothing."""
        if self.vma.file is None:
            self.room = True
            return None
        inode = k.inodes[self.vma.file]
        first = self.vma.index(self.vpn) * k.blocks_per_page
        needed = sum(k.map.lookup(inode, first + i) is None for i in range(k.blocks_per_page))
        privileged, quota = k.current.privileged, k.quotas.get(inode.owner)
        full = k.space.allowed(privileged=privileged) < needed
        over = quota is not None and quota.refuses(needed, k.clock.clock, privileged=privileged)
        self.room = not needed or not (full or over)
        k.answer("yes" if self.room else f"no: {ENOSPC if full else 'EDQUOT'}")

    def retake_lock(self, k: Machine) -> Next:
        """Back under the lock. Anything may have happened meanwhile, and nobody looks."""
        return k.lock(self.vma.mm.page_table_lock)

    def done(self, k: Machine) -> Next:
        """Hand over the answer, which is already old."""
        return ret(self.room)


@dataclass
class DoNoPagePosted(DoNoPage):
    """The second hunk: ask before a store's entry is filled; a load's entry is write-protected, so that stores trap."""

    source = "mm/memory.c do_no_page, patch of 2004-09-05"
    room: bool = False

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Ask, private copies too (defect N6)."""
        if self.write:
            return call(EnoughSpace(self.vma, self.vpn), into="room")
        k.answer("not asked: a load")

    def set_pte(self, k: Machine) -> Next:
        """Fill the entry, whatever it holds by now (defect N4). A load's stays read-only."""
        if self.write and not self.room:
            return self.sigbus
        mm, entry = self.vma.mm, mk_pte(self.page.pfn, self.vma.prot)
        mm.pte[self.vpn] = entry_for(self.vma, self.page, write=True) if self.write else pte_wrprotect(entry)
        mm.rss = (mm.rss or 0) + 1

    def sigbus(self, k: Machine) -> Next:
        """No room: the program is told now, while it still has its data in hand. The lock goes first (N7)."""
        k.unlock(self.vma.mm.page_table_lock)

    def page_cache_release(self, k: Machine) -> Next:
        """Let go of the page, or of the private copy (OK2)."""
        k.ram.put(self.page)
        return ret(SIGBUS)


@dataclass
class DoWpPagePosted(DoWpPage):
    """The first hunk: it takes every store to a write-protected page, copy-on-write included (defect W2)."""

    source = "mm/memory.c do_wp_page, patch of 2004-09-05"
    room: bool = False

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Ask, and never mind whether the mapping is shared (defect W2)."""
        return call(EnoughSpace(self.vma, self.vpn), into="room")

    def can_share_swap_page(self, k: Machine) -> Next:
        """The patch returns before the question whether a copy is needed."""
        return self.set_pte if self.room else self.sigbus

    def set_pte(self, k: Machine) -> Next:
        """Make the old entry writable and dirty: not checked again (W3), not copied (W2), no TLB told (W5, W6)."""
        self.vma.mm.pte[self.vpn] = pte_mkwrite(pte_mkyoung(pte_mkdirty(self.orig)))
        return self.unlock

    def sigbus(self, k: Machine) -> Next:
        """No room: the program is told now."""
        self.fault = SIGBUS
        return self.unlock


BUILD = BuildReport(
    verdict="The patch as posted does not build. What runs is the least repair that does; every other defect is alive.",
    errors=(
        BuildError(
            place="mm/memory.c, do_wp_page(), hunk 1",
            line="pte = pte_mkwrite(pte_mkyoung(pte_mkdirty(pte))));",
            message="parse error before ')' token",
            why="Three parentheses are opened and four are closed.",
            repair="One closing parenthesis less.",
        ),
        BuildError(
            place="mm/memory.c, do_no_page(), hunk 2",
            line="entry = pte_wrprotect(pte);",
            message="'pte' undeclared (first use in this function)",
            why="do_no_page() has no variable of that name; the value just made is `entry`. It is used twice.",
            repair="`entry` in both places.",
        ),
        BuildError(
            place="mm/memory.c, both hunks",
            line="enough_space(vma, address, pte, &page_table)",
            message="undefined reference to 'enough_space'",
            why="The mail leaves it to the reader: it does not exist.",
            repair="The least body: drop the lock, see whether a block is free for this page, take the lock again.",
        ),
    ),
)

DEFECTS = (
    "W2: the test is VM_WRITE, not VM_SHARED, so copy-on-write is gone: private stores reach shared pages, and files.",
    "W3: the entry is written back after the lock was dropped, without pte_same: it may belong to a page that is gone.",
    "W4: nobody holds the page while the lock is dropped: its frame may be somebody else's by then.",
    "W5: the TLB is not flushed when the entry becomes writable: a CPU that knows it as read-only traps for nothing.",
    "W6: update_mmu_cache is not called: where the kernel fills the TLB, as on mips, the store itself traps once more.",
    "N4: pte_none is asked before enough_space, not after: two threads fill one entry, and counts never balance again.",
    "N5: truncate_count is not asked again either: a page that left the file can be mapped.",
    "N6: private copies ask for disk space they will never need: SIGBUS where there is no reason.",
    "X3: the page is not locked, and neither the size of the file nor the page's mapping is looked at.",
    "N7: where it fails, the lock is dropped before the entry is unmapped; it has no effect here.",
    "X4: it checks and does not reserve: two tasks can be promised one block.",
    "X6: the page is not marked dirty, so pdflush still knows of no store until the page table is looked at.",
    "X7: the question is asked once in the life of an entry.",
    "X8: MAP_POPULATE and mprotect() make entries writable without a question: vm_page_prot still says so.",
    "X13: the program learns that there is no room, not whether disk or quota was full: every errno is a SIGBUS.",
)

WLI_POSTED = Kernel(
    id="wli-posted",
    title="The patch as posted",
    short="the patch as posted",
    story=(
        "William Lee Irwin's sketch of 2004-09-05: trap the first store, ask the filesystem in the fault, and answer "
        "SIGBUS where there is no room. As posted it does not compile. With the least repair it runs, refuses the "
        "store of the mail's experiment as it should, and breaks copy-on-write for everybody."
    ),
    sources=("mail-2004-09-05", "kernel-facts 1b"),
    functions={**FUNCTIONS, **table(EnoughSpace, DoNoPagePosted, DoWpPagePosted)},
    filesystems={name: replace(ops, promises=True) for name, ops in (("ext2", EXT2), ("ext3", EXT3))},
    absent=ABSENT,
    replaces={DoNoPage: DoNoPagePosted, DoWpPage: DoWpPagePosted},
    leaves_out=(
        *LEAVES_OUT,
        "enough_space(), which the mail leaves open, compares the data blocks that the page lacks with what is free.",
        "It asks the quota as well, and finds the page's place in the file by a linear mapping (X2).",
        "Defects that need swap, mlock or a fault inside a call are not shown: W2d, X9, X11, X12.",
        "Nor are those that need shared memory, devices or another processor: N3, W7 to W9.",
    ),
    defects=DEFECTS,
    build=BUILD,
)
