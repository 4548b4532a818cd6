"""filemap_page_mkwrite(): what a filesystem does that has no page_mkwrite of its own. After mm/filemap.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, may_sleep, ret
from engine.functions.file_update_time import file_update_time
from engine.functions.page_flags import set_page_dirty
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import LOCKED, RACED

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FilemapPageMkwrite(KernelFunction):
    """Returns LOCKED with the page locked, or RACED. It allocates nothing and reserves nothing."""

    source = "mm/filemap.c filemap_page_mkwrite, 6.x"
    vma: Vma
    vpn: int
    page: Page

    def file_update_time(self, k: Machine) -> Next:
        """The file counts as changed from now on."""
        file_update_time(k, self.vma.file or "")

    @may_sleep
    def folio_lock(self, k: Machine) -> Next:
        """Lock the page."""
        return k.lock(self.page.locked)

    def mapping(self, k: Machine) -> Next:
        """Is it still a page of this file?"""
        if self.page.mapping != self.vma.file:
            k.unlock(self.page.locked)
            return ret(RACED)

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? This filesystem has no opinion: it marks the page and asks nobody."""
        set_page_dirty(k, self.page)
        k.answer("never asked")

    @may_sleep
    def folio_wait_stable(self, k: Machine) -> Next:
        """A page that is being written stays as it is until that is done."""
        if self.page.writeback:
            k.blocked_on = f"{self.page}.writeback"
            return WAIT
        return ret(LOCKED)
