"""How many blocks a file would still need: data and index blocks, exactly, for as long as nobody changes the map."""

from __future__ import annotations

from engine.fs.blockmap import BlockMap
from engine.objects.mapping import Inode


def missing(blocks: BlockMap, inode: Inode, iblock: int, counted: set[tuple[int, ...]]) -> int:
    """Blocks a file block lacks: its own if it is a hole, and the index blocks on the way that nobody has counted yet.

    `counted` holds the places (ways from the inode down) counted so far, and takes the new ones.
    """
    path, have = blocks.path(iblock), len(blocks.chain(inode, iblock))
    new = {path[:depth] for depth in range(have + 1, len(path) + 1)} - counted
    counted |= new
    return len(new)
