"""The disk: what survives when the power goes. Writes are queued and become real when the disk completes them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.journal import Cell, Entity, Journal, Table
from engine.objects.mapping import Inode
from engine.values import Data, Pointers, Shown


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
    """Blocks as they are on the platter. `bad` blocks fail every write with EIO."""

    queue = Cell[tuple[Bio, ...] | None]()

    def __init__(self, journal: Journal, block_size: int) -> None:
        super().__init__(journal, "disk")
        self.block_size = block_size
        self.data: Table[Data] = Table(journal, "disk", "data")
        self.pointers: Table[Pointers] = Table(journal, "disk", "pointers")
        self.bad: Table[bool] = Table(journal, "disk", "error")
        self.inodes: dict[str, InodeOnDisk] = {}

    def submit(self, bio: Bio) -> None:
        """submit_bio(): the disk will do it when it comes to it."""
        self.queue = (*(self.queue or ()), bio)

    def read(self, block: int) -> Data:
        """The bytes of a block; never written means zero."""
        return self.data[block] or Data(self.block_size)

    def write_inode(self, inode: Inode, size: int | None = None) -> None:
        """Make size and pointers durable; a `size` in bytes where not all of the file may be seen yet."""
        image = self.inodes[inode.file]
        image.size = inode.size if size is None else size
        image.pointers = Pointers(tuple(inode.pointers.items()))
        image.unwritten = tuple(inode.unwritten) or None
