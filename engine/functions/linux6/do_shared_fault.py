"""do_shared_fault(): a store to a shared mapping whose entry is empty. After mm/memory.c, 6.x.

The page stays locked from the filesystem's yes until it is dirty, so that writeback cannot slip in between (b827e496).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.functions.linux6.do_page_mkwrite import DoPageMkwrite
from engine.functions.linux6.fault_dirty_shared_page import FaultDirtySharedPage
from engine.functions.linux6.filemap_fault import FilemapFault
from engine.functions.linux6.finish_fault import FinishFault
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import LOCKED, MINOR, OK, RACED, SIGBUS

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoSharedFault(KernelFunction):
    """Returns MINOR, RETRY, SIGBUS or OOM."""

    source = "mm/memory.c do_shared_fault, 6.x"
    vma: Vma
    vpn: int
    page: Page = None  # type: ignore[assignment]
    room: str = LOCKED
    done: str = OK

    def fault(self, k: Machine) -> Next:
        """Ask the file for the page. Where it has a hole, it answers with zeroes."""
        return call((k.ops.nopage or FilemapFault)(self.vma, self.vpn), into="page")

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Ask the filesystem, if it wants to be asked."""
        if isinstance(self.page, str):
            return ret(self.page)
        if k.ops.page_mkwrite is None:
            k.answer("no page_mkwrite")
            return self.finish_fault
        k.unlock(self.page.locked)
        return call(DoPageMkwrite(self.vma, self.vpn, self.page), into="room")

    def answered(self, k: Machine) -> Next:
        """What does it say?"""
        if self.room == LOCKED:
            return self.finish_fault
        k.ram.put(self.page)
        k.answer("the page is gone: try again" if self.room == RACED else f"no: {self.room}")
        return ret(MINOR if self.room == RACED else SIGBUS)

    def finish_fault(self, k: Machine) -> Next:
        """Fill the entry."""
        return call(FinishFault(self.vma, self.vpn, self.page, True), into="done")

    def fault_dirty_shared_page(self, k: Machine) -> Next:
        """The page is dirty from now on, whether or not the CPU has stored yet."""
        if self.done == RACED:
            k.unlock(self.page.locked)
            return ret(MINOR)
        return call(FaultDirtySharedPage(self.page))

    def finished(self, k: Machine) -> Next:
        """Back to the instruction."""
        return ret(MINOR)
