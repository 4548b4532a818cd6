"""do_page_mkwrite(): tell the filesystem that a page is about to become writable. After mm/memory.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import LOCKED, RACED

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoPageMkwrite(KernelFunction):
    """Entered without spinlocks, holding the page. Returns LOCKED with the page locked, RACED, or an errno."""

    source = "mm/memory.c do_page_mkwrite, 6.x"
    vma: Vma
    vpn: int
    page: Page
    room: str = LOCKED

    def enough_space(self, k: Machine) -> Next:
        """Here it is asked: the filesystem may sleep, allocate, or begin a transaction."""
        assert k.ops.page_mkwrite is not None
        return call(k.ops.page_mkwrite(self.vma, self.vpn, self.page), into="room")

    def vm_fault(self, k: Machine) -> Next:
        """Its answer becomes a fault code: an errno is SIGBUS, a page that is gone means try again."""
        if self.room == LOCKED and self.page.mapping != self.vma.file:
            k.unlock(self.page.locked)
            self.room = RACED
        said = {LOCKED: "yes: VM_FAULT_LOCKED", RACED: "VM_FAULT_NOPAGE"}
        k.answer(said.get(self.room, f"no: {self.room}"))
        return ret(self.room)
