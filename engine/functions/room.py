"""How much room a part of a file still needs, and whether it would get it: what those look at who ask beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.fs.estimate import missing
from engine.values import EDQUOT, ENOSPC

if TYPE_CHECKING:
    from engine.machine import Machine


def lacking(k: Machine, file: str, iblocks: Iterable[int]) -> int:
    """How many blocks, index blocks included, these blocks of a file still need."""
    counted: set[tuple[int, ...]] = set()
    return sum(missing(k.map, k.inodes[file], iblock, counted) for iblock in iblocks)


def refusal(k: Machine, file: str, blocks: int) -> str | None:
    """The errno that so many more blocks for a file would get now, or None. Nothing is taken."""
    privileged, quota = k.current.privileged, k.quotas.get(k.inodes[file].owner)
    if not blocks:
        return None
    if quota is not None and quota.refuses(blocks, k.clock.clock, privileged=privileged):
        return EDQUOT
    return ENOSPC if k.space.allowed(privileged=privileged) < blocks else None
