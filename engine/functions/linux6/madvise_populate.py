"""Fault pages in without an access: MAP_POPULATE and MADV_POPULATE_*. After mm/gup.c faultin_page_range(), 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.handle_mm_fault import HandleMmFault
from engine.objects.mm import Vma
from engine.values import EFAULT, EINVAL, ENOMEM, MINOR, OK, RETRY, VM_READ

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class MadvisePopulate(KernelFunction):
    """Virtual pages [vpn, end). Entered and left without mmap_lock.

    Returns "0", or at the first refusal EFAULT, ENOMEM where nothing is mapped, EINVAL where the access is not allowed.
    """

    source = "mm/madvise.c madvise_populate, mm/gup.c faultin_page_range, 6.x"
    vpn: int
    end: int
    write: bool
    fault: str = MINOR

    @may_sleep
    def mmap_read_lock(self, k: Machine) -> Next:
        """Share mmap_lock."""
        return k.down_read(k.current.mm.mmap_sem)

    def faultin_page(self, k: Machine) -> Next:
        """The next page that has no entry yet, or one that forbids stores, is faulted in as an access would."""
        mm = k.current.mm
        while self.vpn < self.end and self._there(k):
            self.vpn += 1
        vma = mm.find_vma(self.vpn) if self.vpn < self.end else None
        if vma is None or not self._allowed(vma):
            self.fault = MINOR if self.vpn >= self.end else ENOMEM if vma is None else EINVAL
            return self.mmap_read_unlock
        return call(HandleMmFault(vma, self.vpn, self.write), into="fault")

    def vm_fault(self, k: Machine) -> Next:
        """Did it work?"""
        if self.fault == RETRY:
            return self.mmap_read_lock
        if self.fault == MINOR:
            return self.faultin_page

    def mmap_read_unlock(self, k: Machine) -> Next:
        """Back: what would have been a signal for an access is EFAULT here."""
        k.up_read(k.current.mm.mmap_sem)
        return ret({MINOR: OK, ENOMEM: ENOMEM, EINVAL: EINVAL}.get(self.fault, EFAULT))

    def _allowed(self, vma: Vma) -> bool:
        return vma.writable if self.write else bool(vma.flags & VM_READ)

    def _there(self, k: Machine) -> bool:
        entry = k.current.mm.pte[self.vpn]
        return entry is not None and (entry.write or not self.write)
