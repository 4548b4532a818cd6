"""Locks: who holds them, in which order they may be taken, and who may not sleep under them.

LOCK_ORDER retells the table at the head of mm/filemap.c, 2.6.9: a lock may be taken only while every lock already held
stands at or before its place. Spinlocks forbid sleeping; the machine asserts both at every step.
"""

from __future__ import annotations

from typing import Final

from engine.journal import Cell, Entity

SPIN, SLEEPING = "spin", "sleeping"

LOCK_ORDER: Final = (
    ("mmap_sem", SLEEPING),  # taken first in a fault, in msync, in munmap
    ("i_sem", SLEEPING),  # msync takes it under mmap_sem
    ("i_lock", SLEEPING),  # I_LOCK: one writer-back for an inode at a time
    ("locked", SLEEPING),  # the page lock, PG_locked
    ("i_mmap_lock", SPIN),  # truncate: unmap_mapping_range
    ("page_table_lock", SPIN),  # one per mm in 2.6.9
    ("private_lock", SPIN),
    ("tree_lock", SPIN),
    ("inode_lock", SPIN),
)
RANK: Final = {name: rank for rank, (name, _) in enumerate(LOCK_ORDER)}
KIND: Final = dict(LOCK_ORDER)


class Lock:
    """One lock of one object, such as `mm/A.page_table_lock`: a handle, the holder is a cell."""

    __slots__ = ("at", "entity", "field", "kind", "rank")

    def __init__(self, entity: Entity, field: str) -> None:
        self.entity, self.field = entity, field
        self.at = f"{entity.name}.{field}"
        self.kind, self.rank = KIND[field], RANK[field]

    def __repr__(self) -> str:
        return self.at

    @property
    def holder(self) -> str | None:
        """The task that holds it; for a semaphore held for reading, all of them, comma-separated."""
        holder: str | None = self.entity.journal.read(self.at)
        return holder

    @holder.setter
    def holder(self, task: str | None) -> None:
        self.entity.journal.write(self.at, task)


class LockCell(Cell[Lock]):
    """An attribute that is a lock: reading it gives the handle, never the holder."""

    __slots__ = ()

    def __get__(self, entity: Entity | None, owner: type) -> Lock:  # type: ignore[override]  # the handle, not the holder
        if entity is None:
            return self  # type: ignore[return-value]  # asked of the class
        handles = entity.__dict__.setdefault("_locks", {})
        lock: Lock = handles.get(self.field) or handles.setdefault(self.field, Lock(entity, self.field))
        return lock


READER_MARK: Final = ":r"


def readers(holder: str | None) -> tuple[str, ...]:
    """The tasks that hold a semaphore for reading, given its cell."""
    return tuple(name[:-2] for name in (holder or "").split(",") if name.endswith(READER_MARK))
