"""ext2's block map: 12 direct pointers, then single, double and triple indirect blocks. minix has 7 direct ones.

After fs/ext2/inode.c, 2.6.9 (ext2_block_to_path, ext2_get_branch). Pointers in memory are cells:
`inode/f/block/12.pointer` for the inode's own, `index/40/5.pointer` for slot 5 of the index block in disk block 40.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import ClassVar

from engine.errors import Panic
from engine.fs.disk import Disk
from engine.journal import Cell, Entity, Journal, Table
from engine.objects.mapping import Inode
from engine.values import Pointers

DIRECT = 12
MINIX_DIRECT = 7


class IndexBlock(Entity):
    """An index block in the buffer cache: dirty until its pointers are on disk."""

    dirty = Cell[bool | None]()

    def __init__(self, journal: Journal, block: int) -> None:
        super().__init__(journal, f"index/{block}")
        self.block = block
        self.pointers: Table[int] = Table(journal, self.name, "pointer")


class BlockMap:
    """The maps of all files of one filesystem: geometry, and the index blocks met so far."""

    direct: ClassVar[int] = DIRECT

    def __init__(self, journal: Journal, block_size: int) -> None:
        self._journal = journal
        self.per_block = block_size // 4
        self._index: dict[int, IndexBlock] = {}

    def index(self, block: int) -> IndexBlock:
        """The index block in a disk block."""
        if block not in self._index:
            self._index[block] = IndexBlock(self._journal, block)
        return self._index[block]

    def path(self, iblock: int) -> tuple[int, ...]:
        """ext2_block_to_path(): the slots on the way to a file block, 1 to 4 of them."""
        per, at = self.per_block, iblock - self.direct
        if at < 0:
            return (iblock,)
        if at < per:
            return (self.direct, at)
        if (at := at - per) < per**2:
            return (self.direct + 1, at // per, at % per)
        if (at := at - per**2) < per**3:
            return (self.direct + 2, at // per**2, at // per % per, at % per)
        raise Panic(f"file block {iblock} is beyond the block map")

    def chain(self, inode: Inode, iblock: int) -> tuple[int, ...]:
        """ext2_get_branch(): the pointers found on the way; as many as the path is long where there is no hole."""
        found: list[int] = []
        table: Table[int] = inode.pointers
        for slot in self.path(iblock):
            pointer = table[slot]
            if pointer is None:
                break
            found.append(pointer)
            table = self.index(pointer).pointers
        return tuple(found)

    def lookup(self, inode: Inode, iblock: int) -> int | None:
        """The disk block behind a file block; None is a hole."""
        chain = self.chain(inode, iblock)
        return chain[-1] if len(chain) == len(self.path(iblock)) else None

    def splice(self, inode: Inode, iblock: int, new: tuple[int, ...]) -> None:
        """ext2_splice_branch(): hang the new blocks (top-down, data last) where the chain ends, or ended."""
        path = self.path(iblock)
        chain = self.chain(inode, iblock)[: len(path) - len(new)]
        for slot, pointer in zip(path[len(chain) :], new, strict=True):
            if chain:
                parent = self.index(chain[-1])
                parent.pointers[slot], parent.dirty = pointer, True
            else:
                inode.pointers[slot] = pointer
            chain = (*chain, pointer)
        inode.dirty = True

    def depth(self, slot: int) -> int:
        """How many levels of index stand behind a slot of the inode."""
        return max(0, slot - self.direct + 1)

    def index_blocks(self, inode: Inode) -> Iterator[IndexBlock]:
        """Every index block of a file, parents first."""
        level = [(self.depth(slot) - 1, block) for slot, block in inode.pointers.items() if self.depth(slot)]
        while level:
            depth, block = level.pop(0)
            yield self.index(block)
            if depth:
                level += [(depth - 1, child) for _, child in self.index(block).pointers.items()]

    def has_room(self, inode: Inode, extents: int) -> bool:
        """Whether so many extents have their place: a block map has none to keep."""
        return True

    def unneeded(self, inode: Inode, extents: int = 0) -> int | None:
        """An index block that nothing hangs on any more and that is not freed with what hung on it: none."""
        return None

    def write_out(self, disk: Disk, index: IndexBlock) -> None:
        """Put an index block's pointers on the disk."""
        disk.pointers[index.block] = Pointers(tuple(index.pointers.items()))
        index.dirty = None

    def on_disk(self, disk: Disk, inode: Inode, iblock: int) -> int | None:
        """The disk block behind a file block as somebody finds it after a power cut."""
        pointers: Pointers = disk.inodes[inode.file].pointers
        block: int | None = None
        for slot in self.path(iblock):
            slots = pointers.slots
            place = bisect_left(slots, (slot,))
            if place == len(slots) or slots[place][0] != slot:
                return None
            block = slots[place][1]
            pointers = disk.pointers[block] or Pointers(())
        return block

    def mapped(self, inode: Inode, *, first: int = 0) -> list[int]:
        """The file blocks from `first` on that have a disk block, in order."""
        found, base = [slot for slot, _ in inode.pointers.items() if slot < self.direct], self.direct
        for depth in range(3):
            if (pointer := inode.pointers[self.direct + depth]) is not None:
                found += self._leaves(pointer, depth, base)
            base += self.per_block ** (depth + 1)
        return [iblock for iblock in found if iblock >= first]

    def _leaves(self, block: int, depth: int, base: int) -> list[int]:
        entries = list(self.index(block).pointers.items())
        if depth == 0:
            return [base + slot for slot, _ in entries]
        span = self.per_block**depth
        return [leaf for slot, child in entries for leaf in self._leaves(child, depth - 1, base + slot * span)]


class MinixMap(BlockMap):
    """minix: 7 direct pointers, then single, double and triple indirect blocks. After fs/minix/itree_v2.c."""

    direct = MINIX_DIRECT
