"""Which addresses a program's variable stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.values import Shown

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.mm import Mm, Vma


@dataclass(frozen=True, slots=True)
class MapRef(Shown):
    """What mmap() returned: virtual pages [start, end), and the length in bytes."""

    start: int
    end: int
    length: int

    def wire(self) -> str:
        """`0x40000-0x40004`."""
        return f"{self.start:#x}-{self.end:#x}"


def vpn_at(k: Machine, var: str, at: int) -> int:
    """The virtual page of byte `at` of a mapping."""
    ref = k.current.mm.lookup(var)
    assert isinstance(ref, MapRef)
    return ref.start + at // k.page_size


def vmas_in(mm: Mm, piece: MapRef) -> list[Vma]:
    """The ranges that a piece of the address space meets, in order."""
    return [vma for vma in mm.vmas or () if vma.start < piece.end and vma.end > piece.start]


def covers(vmas: list[Vma], piece: MapRef) -> bool:
    """Whether these ranges leave no gap in a piece of the address space."""
    return sum(min(vma.end, piece.end) - max(vma.start, piece.start) for vma in vmas) == piece.end - piece.start


def user_range(k: Machine, var: str, start: int = 0, stop: int | None = None) -> MapRef | None:
    """The virtual pages of bytes [start, stop) of a mapping; None if the variable holds no mapping."""
    ref = k.current.mm.lookup(var)
    if not isinstance(ref, MapRef):
        return None
    end = ref.length if stop is None else stop
    first, last = start // k.page_size, -(-end // k.page_size)
    return MapRef(ref.start + first, ref.start + last, end - start)
