"""Mappings that start read-only in the page table, so that the first store traps. After mm/vma.c, 6.x.

vma_wants_writenotify(): a shared writable mapping of a file whose filesystem wants to be told, or is written back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.function import WAIT, Next, call, ret
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.linux6.madvise_populate import MadvisePopulate
from engine.functions.sys_munmap import SysMadvise, SysMprotect
from engine.functions.user_range import MapRef, user_range
from engine.objects.mm import Vma
from engine.objects.page import ANON
from engine.values import VM_SHARED, VM_WRITE, protection_map, pte_mkwrite

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoMmap(DoMmapPgoff):
    """The line's result is "0" or an errno; the variable becomes the mapping. Length and offset in bytes."""

    c_name = "do_mmap"
    source = "mm/mmap.c do_mmap, mm/vma.c vma_set_page_prot, 6.x"

    def vma_link(self, k: Machine) -> Next:
        """Note the range and its rights. A shared mapping of a file gets no right to write in its entries yet."""
        then = super().vma_link(k)
        if self.file is not None and then is not WAIT:
            k.open_file(k.current, self.file)
        return then

    def make_pages_present(self, k: Machine) -> Next:
        """MAP_POPULATE: fault every page in, one after the other. A shared mapping's entries stay read-only."""
        return call(MadvisePopulate(self.vma.start, self.vma.end, self.vma.writable and not self.vma.shared))

    def _vm_page_prot(self, k: Machine, flags: int) -> int:
        return page_prot(k, self.file, flags)


@dataclass
class MprotectFixup(SysMprotect):
    """Change the rights of a range: entries do not become writable behind the filesystem's back.

    Those do at once that need not ask: of pages that are dirty already, and of copies that nobody else has.
    """

    c_name = "mprotect_fixup"
    source = "mm/mprotect.c mprotect_fixup, can_change_pte_writable, mm/vma.c vma_set_page_prot, 6.x"

    def _change(self, k: Machine, vma: Vma, piece: MapRef, flags: int) -> None:
        super()._change(k, vma, piece, flags)
        for vpn, entry in vma.mm.pte.items() if flags & VM_WRITE else ():
            page = k.page(entry.pfn)
            own = not vma.shared and page.mapping == ANON and not page.mapcount
            if max(vma.start, piece.start) <= vpn < min(vma.end, piece.end) and (own or (vma.shared and entry.dirty)):
                vma.mm.pte[vpn] = pte_mkwrite(entry)

    def _vm_page_prot(self, k: Machine, vma: Vma, flags: int) -> int:
        return page_prot(k, vma.file, flags)


@dataclass
class DoMadvise(SysMadvise):
    """DONTNEED clears the entries, POPULATE_* fill them, RANDOM switches read-around off; the rest changes nothing."""

    c_name = "do_madvise"
    source = "mm/madvise.c do_madvise, 6.x"

    def madvise_vma(self, k: Machine) -> Next:
        """Do what the advice says."""
        mm, piece = k.current.mm, user_range(k, self.var, self.start, self.stop)
        if piece and self.advice in ("RANDOM", "NORMAL", "SEQUENTIAL"):
            mm.vmas = tuple(
                replace(vma, random=self.advice == "RANDOM") if vma.start < piece.end and vma.end > piece.start else vma
                for vma in mm.vmas or ()
            )
        return self.populate if piece and self.advice.startswith("POPULATE") else super().madvise_vma(k)

    def populate(self, k: Machine) -> Next:
        """Fault the pages of the range in; each takes mmap_lock for itself."""
        piece = user_range(k, self.var, self.start, self.stop)
        assert piece is not None
        k.unlock(k.current.mm.mmap_sem)
        return call(MadvisePopulate(piece.start, piece.end, self.advice == "POPULATE_WRITE"), into="error")

    def populated(self, k: Machine) -> Next:
        """Back to the program, with the answer."""
        k.finish_line(self.error)
        k.answer(self.error)
        return ret()


def page_prot(k: Machine, file: str | None, flags: int) -> int:
    """vm_page_prot: without the right to write where the first store has to trap."""
    notify = file is not None and k.ops.page_mkwrite is not None
    return protection_map(flags & ~VM_SHARED if notify else flags)
