"""munmap(2), madvise(MADV_DONTNEED) and mprotect(2). After mm/mmap.c, mm/madvise.c, mm/mprotect.c, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.page_flags import flush_tlb
from engine.functions.user_range import MapRef, covers, user_range, vmas_in
from engine.functions.zap_pte_range import ZapPteRange
from engine.objects.mm import Vma
from engine.values import EACCES, EINVAL, ENOMEM, OK, VM_EXEC, VM_READ, VM_SHARED, VM_WRITE, protection_map, pte_modify

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class SysMunmap(KernelFunction):
    """Unmap a range. Nothing is written: data that only the page table knew of is dirty now, and that is all."""

    source = "mm/mmap.c do_munmap, 2.6.9"
    var: str
    start: int
    stop: int | None
    range: MapRef = None  # type: ignore[assignment]  # a step fills it

    @may_sleep
    def down_write(self, k: Machine) -> Next:
        """Keep everybody out of this address space's mappings."""
        return k.lock(k.current.mm.mmap_sem)

    def unmap_region(self, k: Machine) -> Next:
        """Clear the page table of this range."""
        piece = user_range(k, self.var, self.start, self.stop)
        if piece is None:
            return self.up_write
        self.range = piece
        return call(ZapPteRange(k.current.mm, piece.start, piece.end))

    def detach_vmas(self, k: Machine) -> Next:
        """The range is gone from the address space; the file keeps no mapping of it."""
        mm = k.current.mm
        mm.vmas = tuple(piece for vma in mm.vmas or () for piece in outside(vma, self.range))

    def up_write(self, k: Machine) -> Next:
        """Back to the program. Whatever was stored, munmap() says that all is well."""
        k.unlock(k.current.mm.mmap_sem)
        k.finish_line(OK)
        return ret()


@dataclass
class SysMprotect(KernelFunction):
    """Change the rights of a range: entries that are there get them at once, A and D stay. "0", ENOMEM or EACCES."""

    source = "mm/mprotect.c mprotect_fixup, change_pte_range, 2.6.9"
    var: str
    prot: tuple[str, ...]
    start: int
    stop: int | None
    error: str | None = None

    @may_sleep
    def down_write(self, k: Machine) -> Next:
        """Keep everybody out of this address space's mappings."""
        return k.lock(k.current.mm.mmap_sem)

    def change_pte_range(self, k: Machine) -> Next:
        """Give the range, and every entry in it, its new rights, as far as mappings go that may have them."""
        mm, piece = k.current.mm, user_range(k, self.var, self.start, self.stop)
        if not k.free_lock(mm.page_table_lock):
            return WAIT
        if piece is None:
            return self.up_write
        self.error = self._walk(k, piece)
        flush_tlb(k, mm.process, range(piece.start, piece.end))

    def up_write(self, k: Machine) -> Next:
        """Back to the program."""
        k.unlock(k.current.mm.mmap_sem)
        k.finish_line(self.error or OK)
        k.answer(self.error or OK)
        return ret()

    def _walk(self, k: Machine, piece: MapRef) -> str | None:
        """Change mapping after mapping, up to the first gap, or to one that may not become writable."""
        bits, at = sum({"READ": VM_READ, "WRITE": VM_WRITE, "EXEC": VM_EXEC}[name] for name in self.prot), piece.start
        for vma in vmas_in(k.current.mm, piece):
            if vma.start > at:
                return ENOMEM
            if bits & VM_WRITE and not vma.may_write:
                return EACCES
            self._change(k, vma, piece, bits | vma.flags & VM_SHARED)
            at = vma.end
        return ENOMEM if at < piece.end else None

    def _change(self, k: Machine, vma: Vma, piece: MapRef, flags: int) -> None:
        mm, prot = vma.mm, k.format.prot(self._vm_page_prot(k, vma, flags), flags)
        low, high = max(vma.start, piece.start), min(vma.end, piece.end)
        changed = replace(vma, start=low, end=high, flags=flags, prot=prot, pgoff=vma.pgoff + low - vma.start)
        rest = [other for other in mm.vmas if other is not vma]
        mm.vmas = tuple(sorted([*rest, *outside(vma, piece), changed], key=lambda item: item.start))
        for vpn, entry in mm.pte.items():
            if low <= vpn < high:
                mm.pte[vpn] = pte_modify(entry, prot)

    def _vm_page_prot(self, k: Machine, vma: Vma, flags: int) -> int:
        return protection_map(flags)


@dataclass
class SysMadvise(KernelFunction):
    """DONTNEED clears the entries, other advice changes nothing here. The result is "0", ENOMEM or EINVAL."""

    source = "mm/madvise.c sys_madvise, madvise_vma, 2.6.9"
    var: str
    advice: str
    start: int
    stop: int | None
    error: str = OK

    @may_sleep
    def down_write(self, k: Machine) -> Next:
        """Keep everybody out of this address space's mappings."""
        return k.lock(k.current.mm.mmap_sem)

    def madvise_vma(self, k: Machine) -> Next:
        """Do what the advice says. Advice to populate is of later kernels: EINVAL. Gaps are told of at the end."""
        piece = user_range(k, self.var, self.start, self.stop)
        found = vmas_in(k.current.mm, piece) if piece else []
        self.error = OK if piece and covers(found, piece) else ENOMEM
        if found and self.advice.startswith("POPULATE"):
            self.error = EINVAL
        elif piece and self.advice == "DONTNEED":
            return call(ZapPteRange(k.current.mm, piece.start, piece.end))

    def up_write(self, k: Machine) -> Next:
        """Back to the program."""
        k.unlock(k.current.mm.mmap_sem)
        k.finish_line(self.error)
        return ret()


def outside(vma: Vma, cut: MapRef) -> list[Vma]:
    """The pieces of a range that a cut leaves."""
    pieces = []
    if vma.start < min(vma.end, cut.start):
        pieces.append(replace(vma, end=min(vma.end, cut.start)))
    if (low := max(vma.start, cut.end)) < vma.end:
        pieces.append(replace(vma, start=low, pgoff=vma.pgoff + low - vma.start))
    return pieces
