"""do_read_fault(): a load from a file. After mm/memory.c, 6.x. Cached neighbours get their entries too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, ret
from engine.functions.linux6.filemap_fault import FilemapFault
from engine.functions.linux6.finish_fault import FinishFault
from engine.functions.page_flags import page_add_file_rmap
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import MINOR, mk_pte

if TYPE_CHECKING:
    from engine.machine import Machine

FAULT_AROUND = 16
"""Pages: 64 KiB, aligned."""


@dataclass
class DoReadFault(KernelFunction):
    """Returns MINOR, RETRY, SIGBUS or OOM."""

    source = "mm/memory.c do_read_fault, do_fault_around; mm/filemap.c filemap_map_pages, 6.x"
    vma: Vma
    vpn: int
    page: Page | str = ""
    done: str = ""

    def do_fault_around(self, k: Machine) -> Next:
        """Pages that are in the cache already get their entries now, sixteen at a time; nothing is read for it."""
        if not k.free_lock(self.vma.mm.page_table_lock):
            return WAIT
        found = [vpn for vpn in self._window() if _map(k, self.vma, vpn)]
        k.current.ahead = None
        k.answer(f"{len(found)} mapped")
        if self.vpn in found:
            return self.mapped

    def fault(self, k: Machine) -> Next:
        """Ask the file for the page. Where it has a hole, it answers with zeroes."""
        return call((k.ops.nopage or FilemapFault)(self.vma, self.vpn), into="page")

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? A load need not ask: its entry will not allow stores."""
        if isinstance(self.page, str):
            return ret(self.page)
        k.answer("not asked: a load")

    def finish_fault(self, k: Machine) -> Next:
        """Fill the entry."""
        assert isinstance(self.page, Page)
        return call(FinishFault(self.vma, self.vpn, self.page, False), into="done")

    def unlock_page(self, k: Machine) -> Next:
        """Unlock the page."""
        assert isinstance(self.page, Page)
        k.unlock(self.page.locked)
        return ret(MINOR)

    def mapped(self, k: Machine) -> Next:
        """The page was among them: that is all."""
        return ret(MINOR)

    def _window(self) -> range:
        low = self.vpn // FAULT_AROUND * FAULT_AROUND
        return range(max(low, self.vma.start), min(low + FAULT_AROUND, self.vma.end))


def _is_only_read(k: Machine, vma: Vma, vpn: int) -> bool:
    """Whether there is a hole of tmpfs here: read(2) finds zeroes in it, which no mapping can have."""
    first = vma.index(vpn) * k.blocks_per_page
    return k.kind.in_memory and k.map.lookup(k.inodes[vma.file or ""], first) is None


def _map(k: Machine, vma: Vma, vpn: int) -> bool:
    """Give one page its entry if it is cached, up to date, unlocked and not marked, and the entry is empty."""
    page = k.cached(k.mappings[vma.file or ""], vma.index(vpn))
    free = vma.mm.has_table(vpn) and vma.mm.pte[vpn] is None and not _is_only_read(k, vma, vpn)
    if page is None or not page.uptodate or page.reclaim or page.locked.holder or not free:
        return False
    if page.pfn in (k.current.ahead or ()):
        return False
    page.get()
    page_add_file_rmap(page)
    vma.mm.rss = (vma.mm.rss or 0) + 1
    vma.mm.pte[vpn] = mk_pte(page.pfn, vma.prot)
    return True
