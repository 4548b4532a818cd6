"""mremap(2). After mm/mremap.c, 2.6.9: shrink in place, grow where there is room, or move the entries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.page_flags import can_walk, flush_tlb
from engine.functions.sys_munmap import outside
from engine.functions.user_range import MapRef
from engine.functions.zap_pte_range import ZapPteRange
from engine.objects.mm import PTRS_PER_PTE
from engine.values import ENOMEM, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoMremap(KernelFunction):
    """Makes a mapping `length` bytes long; the variable follows where it goes."""

    source = "mm/mremap.c do_mremap, move_vma, 2.6.9"
    var: str
    length: int
    error: str = OK

    @may_sleep
    def down_write(self, k: Machine) -> Next:
        """Keep everybody out of this address space's mappings."""
        return k.lock(k.current.mm.mmap_sem)

    def shrink(self, k: Machine) -> Next:
        """A shorter mapping loses its end."""
        ref = k.current.mm.lookup(self.var)
        if not isinstance(ref, MapRef):
            self.error = ENOMEM
            return self.up_write
        if self._pages(k) < ref.end - ref.start:
            return call(ZapPteRange(k.current.mm, ref.start + self._pages(k), ref.end))

    def move_vma(self, k: Machine) -> Next:
        """A longer one grows where it is if the addresses behind it are free; otherwise its entries move."""
        mm, ref = k.current.mm, k.current.mm.lookup(self.var)
        assert isinstance(ref, MapRef)
        if (vma := mm.find_vma(ref.start)) is None:
            self.error = ENOMEM
            return self.up_write
        if not can_walk(k, k.mappings.get(vma.file or ""), mm):
            return WAIT
        start = self._relink(k, ref)
        mm.assign(self.var, MapRef(start, start + self._pages(k), self.length))
        if start != ref.start:
            self._move_page_tables(k, ref, start)

    def up_write(self, k: Machine) -> Next:
        """Back to the program, with the new address."""
        k.unlock(k.current.mm.mmap_sem)
        k.finish_line(self.error)
        return ret()

    def _relink(self, k: Machine, ref: MapRef) -> int:
        """Put the range where its new length fits, and return where that is."""
        mm, pages, start = k.current.mm, self._pages(k), ref.start
        vma = mm.find_vma(start)
        assert vma is not None
        mm.vmas = others = tuple(piece for other in mm.vmas or () for piece in outside(other, ref))
        if any(other.start < start + pages and other.end > start for other in others):
            start = mm.free_range(pages)
        mm.vmas = tuple(sorted((*others, replace(vma, start=start, end=start + pages)), key=lambda item: item.start))
        return start

    def _move_page_tables(self, k: Machine, ref: MapRef, start: int) -> None:
        mm = k.current.mm
        for vpn, entry in list(mm.pte.items()):
            if ref.start <= vpn < ref.end:
                to = vpn - ref.start + start
                if not mm.has_table(to):
                    mm.pgd[to // PTRS_PER_PTE] = f"table {to // PTRS_PER_PTE}"
                mm.pte[vpn], mm.pte[to] = None, entry
        flush_tlb(k, mm.process, range(ref.start, ref.end))

    def _pages(self, k: Machine) -> int:
        return -(-self.length // k.page_size)
