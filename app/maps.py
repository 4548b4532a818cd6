"""The way from a file to its blocks, by the filesystem's map, as slots to follow. Pure functions of numbers and text.

After engine/fs/blockmap.py and engine/fs/extentmap.py: an indirect map has 12 direct pointers and then index blocks, a
minix map has 7; with extents every block of a file is one step away, and slot -1 holds the leaf of its metadata.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.cells import Value, words

DIRECT = {"indirect": 12, "minix": 7}
"""Pointers in the inode that lead to data at once; none by extents, where all do."""
LEAF = -1
"""The slot of a leaf of metadata."""


def path(form: str, iblock: int, per_block: int) -> tuple[int, ...]:
    """The slots on the way to a file block: that of the inode, then those of index blocks."""
    if form not in DIRECT or iblock < DIRECT[form]:
        return (iblock,)
    at, slot, span = iblock - DIRECT[form], DIRECT[form], per_block
    while at >= span:
        at, slot, span = at - span, slot + 1, span * per_block
    way = []
    while span > 1:
        span //= per_block
        way.append(at // span)
        at %= span
    return (slot, *way)


def depth(form: str, slot: int) -> int:
    """How many levels of index blocks stand behind a slot of the inode."""
    return max(0, slot - DIRECT[form] + 1) if form in DIRECT else 0


def first(form: str, slot: int, per_block: int) -> int:
    """The first file block behind a slot of the inode."""
    levels = depth(form, slot)
    return slot if not levels else DIRECT[form] + sum(per_block**level for level in range(1, levels))


def pointers(text: Value) -> Iterator[tuple[int, int]]:
    """The pointers of an inode or index block on the disk: "0→41 12→44" is (0, 41), (12, 44)."""
    for word in words(text):
        slot, _, block = word.partition("→")
        yield int(slot), int(block)
