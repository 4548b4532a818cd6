"""do_user_addr_fault(): the trap. After arch/x86/mm/fault.c, 6.x (with mmap_lock; the lock of the one range left out).

A handler below may have let go of mmap_lock to wait for a read: then it says RETRY, and the fault begins again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.handle_mm_fault import HandleMmFault
from engine.objects.mm import Vma
from engine.values import MINOR, RETRY, SIGSEGV, VM_EXEC, VM_READ, VM_WRITE

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoUserAddrFault(KernelFunction):
    """Returns MINOR, SIGBUS, SIGSEGV or OOM."""

    source = "arch/x86/mm/fault.c do_user_addr_fault, 6.x"
    vpn: int
    write: bool
    vma: Vma = None  # type: ignore[assignment]
    fault: str = MINOR
    majors: int = 0

    def read_cr2(self, k: Machine) -> Next:
        """The CPU traps: CR2 says which address, the error code says why."""
        entry = k.current.mm.pte[self.vpn]
        k.answer(f"{'store' if self.write else 'load'}, {'not present' if entry is None else 'not allowed'}")
        self.majors = k.current.maj_flt or 0

    @may_sleep
    def mmap_read_lock(self, k: Machine) -> Next:
        """Share mmap_lock, so that the mappings cannot change meanwhile."""
        return k.down_read(k.current.mm.mmap_sem)

    def find_vma(self, k: Machine) -> Next:
        """Which mapping is this address in, and does it allow the access?"""
        vma = k.current.mm.find_vma(self.vpn)
        if vma is None or (self.write and not vma.writable) or not vma.flags & (VM_READ | VM_WRITE | VM_EXEC):
            self.fault = SIGSEGV
            return self.mmap_read_unlock
        self.vma = vma
        k.answer(vma.wire())

    def handle(self, k: Machine) -> Next:
        """A good address: let the memory manager fill the page table."""
        return call(HandleMmFault(self.vma, self.vpn, self.write), into="fault")

    def retry(self, k: Machine) -> Next:
        """Had the lock to go while a page was read? Then the fault begins again, and finds the page."""
        if self.fault == RETRY:
            k.answer("yes: VM_FAULT_RETRY")
            return self.mmap_read_lock

    def account(self, k: Machine) -> Next:
        """Count the fault."""
        if self.fault == MINOR and (k.current.maj_flt or 0) == self.majors:
            k.current.min_flt = (k.current.min_flt or 0) + 1

    def mmap_read_unlock(self, k: Machine) -> Next:
        """Leave the kernel: the instruction is tried again, or a signal is due."""
        k.up_read(k.current.mm.mmap_sem)
        return ret(self.fault)
