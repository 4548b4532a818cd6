"""mmap(2). After mm/mmap.c do_mmap_pgoff(), 2.6.9. No page table entry is made and no filesystem space is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.install_pages import InstallPages
from engine.functions.user_range import MapRef
from engine.objects.mm import Vma
from engine.values import OK, VM_EXEC, VM_READ, VM_SHARED, VM_WRITE, protection_map

if TYPE_CHECKING:
    from engine.machine import Machine

_BITS = {"READ": VM_READ, "WRITE": VM_WRITE, "EXEC": VM_EXEC}


@dataclass
class DoMmapPgoff(KernelFunction):
    """The line's result is "0" or an errno; the variable becomes the mapping. Length and offset in bytes."""

    source = "mm/mmap.c do_mmap_pgoff, 2.6.9"
    var: str
    file: str | None
    length: int
    prot: tuple[str, ...]
    shared: bool
    offset: int
    populate: bool
    may_write: bool = True
    vma: Vma = None  # type: ignore[assignment]  # a step fills it

    @may_sleep
    def down_write(self, k: Machine) -> Next:
        """Keep everybody out of this address space's mappings."""
        return k.lock(k.current.mm.mmap_sem)

    def vma_link(self, k: Machine) -> Next:
        """Note the range and its rights. Nothing is mapped yet, and no space is asked for."""
        if self.file is not None and not k.free_lock(k.mappings[self.file].i_mmap_lock):
            return WAIT
        mm, pages = k.current.mm, -(-self.length // k.page_size)
        flags = sum(_BITS[name] for name in self.prot) | (VM_SHARED if self.shared else 0)
        start = mm.free_range(pages)
        prot = k.format.prot(self._vm_page_prot(k, flags), flags)
        self.vma = Vma(mm, start, start + pages, flags, prot, self.file, self.offset // k.page_size, self.may_write)
        mm.vmas = tuple(sorted((*(mm.vmas or ()), self.vma), key=lambda vma: vma.start))
        mm.assign(self.var, MapRef(start, start + pages, self.length))

    def up_write(self, k: Machine) -> Next:
        """Back to the program, with the address."""
        k.unlock(k.current.mm.mmap_sem)
        k.finish_line(OK)
        if self.populate and self.file is not None:
            return self.make_pages_present
        return ret()

    def make_pages_present(self, k: Machine) -> Next:
        """MAP_POPULATE: fill the page table at once, without a fault."""
        return call(InstallPages(self.vma))

    def populated(self, k: Machine) -> Next:
        """Every page of the file that exists has its entry."""
        return ret()

    def _vm_page_prot(self, k: Machine, flags: int) -> int:
        return protection_map(flags)
