"""What a power cut would leave: files as somebody finds them who has the disk alone, read from the disk's cells.

The way from an inode to its blocks is that of the filesystem's map. A block that was allocated and not written to reads
as zeroes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app import maps
from engine import FILESYSTEMS, Scenario

Cells = Mapping[str, int | str | bool | None]


def size_on_disk(cells: Cells, file: str) -> int:
    """The size of a file in bytes, as its inode on the disk says it."""
    return int(cells.get(f"disk/inode/{file}.size") or 0)


def pages_on_disk(cells: Cells, scenario: Scenario, file: str) -> dict[int, str]:
    """The pages of a file that have a block on the disk, by index, in the wire form of bytes; the others are holes."""
    block_size = scenario.filesystem.block_size
    per_page = max(1, scenario.machine.page_size // block_size)
    form = FILESYSTEMS[scenario.filesystem.type].map
    raw = unwritten(cells, file)
    pages: dict[int, list[str]] = {}
    for iblock, block in blocks_on_disk(cells, file, form, block_size // 4):
        if iblock * block_size < size_on_disk(cells, file):
            parts = pages.setdefault(iblock // per_page, ["."] * per_page)
            if iblock not in raw:
                parts[iblock % per_page] = str(cells.get(f"disk/{block}.data") or ".")
    return {index: _joined(parts, block_size) for index, parts in sorted(pages.items())}


def unwritten(cells: Cells, file: str) -> set[int]:
    """The blocks of a file that its inode on the disk says were never written."""
    return {int(word) for word in str(cells.get(f"disk/inode/{file}.unwritten") or "").split()}


def _joined(parts: list[str], block_size: int) -> str:
    """The blocks of a page as one text: a letter alone where it fills all of it."""
    if len(set(parts)) == 1 and (len(parts) == 1 or len(parts[0]) == 1):
        return parts[0]
    return " ".join(f"{part}{block_size}" if len(part) == 1 else part for part in parts)


def blocks_on_disk(cells: Cells, file: str, form: str, per_block: int) -> Iterator[tuple[int, int]]:
    """(block of the file, block of the disk) for all data that the inode on the disk leads to."""
    for slot, block in maps.pointers(cells.get(f"disk/inode/{file}.pointers")):
        if slot != maps.LEAF:
            first = maps.first(form, slot, per_block)
            yield from _leaves(cells, block, maps.depth(form, slot), first, per_block)


def _leaves(cells: Cells, block: int, depth: int, first: int, per_block: int) -> Iterator[tuple[int, int]]:
    """What a block of the disk leads to by so many levels of index blocks; `first` is the file block of the first."""
    if not depth:
        yield first, block
        return
    for slot, child in maps.pointers(cells.get(f"disk/{block}.pointers")):
        yield from _leaves(cells, child, depth - 1, first + slot * per_block ** (depth - 1), per_block)
