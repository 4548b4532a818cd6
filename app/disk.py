"""What a power cut would leave: files as somebody finds them who has the disk alone, read from the disk's cells.

The way from an inode to its blocks is ext2's (fs/ext2/inode.c, 2.6.9): 12 direct pointers, then index blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine import Scenario

DIRECT = 12

Cells = Mapping[str, int | str | bool | None]


def size_on_disk(cells: Cells, file: str) -> int:
    """The size of a file in bytes, as its inode on the disk says it."""
    return int(cells.get(f"disk/inode/{file}.size") or 0)


def pages_on_disk(cells: Cells, scenario: Scenario, file: str) -> dict[int, str]:
    """The pages of a file that have a block on the disk, by index, in the wire form of bytes; the others are holes."""
    block_size = scenario.filesystem.block_size
    per_page = scenario.machine.page_size // block_size
    pages: dict[int, list[str]] = {}
    for iblock, block in blocks_on_disk(cells, file, block_size // 4):
        if iblock * block_size < size_on_disk(cells, file):
            parts = pages.setdefault(iblock // per_page, ["."] * per_page)
            parts[iblock % per_page] = str(cells.get(f"disk/{block}.data") or ".")
    return {index: _joined(parts, block_size) for index, parts in sorted(pages.items())}


def _joined(parts: list[str], block_size: int) -> str:
    """The blocks of a page as one text: a letter alone where it fills all of it."""
    if len(set(parts)) == 1 and (len(parts) == 1 or len(parts[0]) == 1):
        return parts[0]
    return " ".join(f"{part}{block_size}" if len(part) == 1 else part for part in parts)


def blocks_on_disk(cells: Cells, file: str, per_block: int) -> Iterator[tuple[int, int]]:
    """(block of the file, block of the disk) for everything that the inode on the disk leads to."""
    for slot, block in _slots(cells, f"disk/inode/{file}.pointers"):
        if slot < DIRECT:
            yield slot, block
        else:
            first = DIRECT + sum(per_block**depth for depth in range(1, slot - DIRECT + 1))
            yield from _leaves(cells, block, slot - DIRECT, first, per_block)


def _leaves(cells: Cells, block: int, depth: int, first: int, per_block: int) -> Iterator[tuple[int, int]]:
    """What an index block on the disk leads to; `first` is the file block of its first leaf."""
    for slot, child in _slots(cells, f"disk/{block}.pointers"):
        at = first + slot * per_block**depth
        if depth:
            yield from _leaves(cells, child, depth - 1, at, per_block)
        else:
            yield at, child


def _slots(cells: Cells, address: str) -> Iterator[tuple[int, int]]:
    """The pointers of an inode or index block: "0→41 12→44" is (0, 41), (12, 44)."""
    for word in str(cells.get(address) or "").split():
        slot, _, block = word.partition("→")
        yield int(slot), int(block)
