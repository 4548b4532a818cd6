"""do_fault(): an address of a file whose entry is empty. After mm/memory.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, tail
from engine.functions.linux6.do_cow_fault import DoCowFault
from engine.functions.linux6.do_read_fault import DoReadFault
from engine.functions.linux6.do_shared_fault import DoSharedFault
from engine.objects.mm import Vma

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoFault(KernelFunction):
    """Returns MINOR, RETRY, SIGBUS or OOM."""

    source = "mm/memory.c do_fault, 6.x"
    vma: Vma
    vpn: int
    write: bool

    def which(self, k: Machine) -> Next:
        """A load, a store to a private mapping, or a store that the file has to know of?"""
        if not self.write:
            k.answer("a load")
            return tail(DoReadFault(self.vma, self.vpn))
        if not self.vma.shared:
            k.answer("a private store")
            return tail(DoCowFault(self.vma, self.vpn))
        k.answer("a store to a shared mapping")
        return tail(DoSharedFault(self.vma, self.vpn))
