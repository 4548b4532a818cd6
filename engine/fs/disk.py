"""The disk: what survives when the power goes. Writes are queued and become real when the disk completes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.journal import Cell, Entity, Journal, Table
from engine.objects.mapping import Inode
from engine.values import EIO, OK, Data, Pointers, Shown

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass(frozen=True, slots=True)
class Bio(Shown):
    """A write under way: of frame pfn, the pieces (offset in blocks of the page, block number)."""

    pfn: int
    pieces: tuple[tuple[int, int], ...]

    def wire(self) -> str:
        """`page/7→41`."""
        return f"page/{self.pfn}→{','.join(str(block) for _, block in self.pieces)}"


class InodeOnDisk(Entity):
    """The inode as written: size in bytes, block pointers, which of them are unwritten.

    `bad`: writes of this page fail (-1: of any).
    """

    size = Cell[int]()
    pointers = Cell[Pointers]()
    unwritten = Cell[tuple[int, ...] | None]()
    bad = Cell[int | None]()

    def __init__(self, journal: Journal, file: str) -> None:
        super().__init__(journal, f"disk/inode/{file}")


class Disk(Entity):
    """Blocks as they are on the platter, or on a device that has less below it than it says.

    `room`: so many blocks that were never written it can still take (a sparse image, dm-thin; None: all of them);
    `broken`: no write succeeds; `counts`: whether anything may ever ask for room.
    """

    queue = Cell[tuple[Bio, ...] | None]()
    room = Cell[int | None]()
    broken = Cell[bool | None]()

    def __init__(self, journal: Journal, block_size: int) -> None:
        super().__init__(journal, "disk")
        self.block_size, self.counts = block_size, False
        self.data: Table[Data] = Table(journal, "disk", "data")
        self.pointers: Table[Pointers] = Table(journal, "disk", "pointers")
        self.present: Table[bool] = Table(journal, "disk", "present")
        self.inodes: dict[str, InodeOnDisk] = {}

    def submit(self, bio: Bio) -> None:
        """submit_bio(): the disk will do it when it comes to it."""
        self.queue = (*(self.queue or ()), bio)

    def claim(self, block: int) -> bool:
        """Whether the device has a place for a block: the first write takes one, later ones find it there."""
        if not self.counts and self.room is None:
            return True
        if not self.could_take(block):
            return False
        if self._is_there(block):
            return True
        self.room, self.present[block] = None if self.room is None else self.room - 1, True
        return True

    def could_take(self, block: int | None) -> bool:
        """Whether a block, or one that is still to be chosen (None), has its place below or would get one."""
        return self.room != 0 or (block is not None and self._is_there(block))

    def _is_there(self, block: int) -> bool:
        return bool(self.present[block]) or self.data[block] is not None

    @property
    def takes_more(self) -> bool:
        """Whether a write to a new place, as the next one of a journal, would succeed."""
        return not self.broken and self.room != 0

    def read(self, block: int) -> Data:
        """The bytes of a block; never written means zero."""
        return self.data[block] or Data(self.block_size)

    def write_inode(self, inode: Inode, size: int | None = None) -> None:
        """Make size and pointers durable; a `size` in bytes where not all of the file may be seen yet."""
        image = self.inodes[inode.file]
        image.size = inode.size if size is None else size
        image.pointers = Pointers(tuple(inode.pointers.items()))
        image.unwritten = tuple(inode.unwritten) or None


def write_error(k: Machine, file: str, index: int, block: int) -> str:
    """What the disk says to a write of this block, which belongs to that page of the file: "0" or an errno."""
    bad = k.disk.inodes[file].bad if file in k.disk.inodes else None
    if k.disk.broken or bad in (-1, index):
        return EIO
    return OK if k.disk.claim(block) else k.kernel.full_below
