"""Free blocks and who owns the others: the block bitmap and its count, with ext2's root reserve.

After fs/ext2/balloc.c, 2.6.9 (reserve_blocks, ext2_new_block). Units: filesystem blocks, numbered from 0; blocks of the
filesystem's own tables are not counted. One group, first fit from a goal, no preallocation window. Delayed allocation
promises blocks before it takes them: `delalloc` counts them, after fs/ext4/inode.c ext4_da_reserve_space, 6.x.

A block that files share (reflink) has more than one owner: the first is `block/3.owner`, the others `block/3.sharers`.
It is free when the last of them has given it back, as the reference count of fs/xfs/libxfs/xfs_refcount.c has it.
"""

from __future__ import annotations

from engine.journal import Cell, Entity, Journal, Table
from engine.values import EIO, EROFS, OK


class Space(Entity):
    """The accounts: free + owned = total, always. `reserved` is what only root may use; `delalloc` is promised.

    `down`: the filesystem was shut down while it was mounted, and nothing is written to the disk any more. `aborted`:
    its journal was; who begins a transaction then makes the filesystem `readonly`.

    `pool` blocks are kept for metadata at writeback (ext4's reserved_clusters); nobody else may have them.
    """

    free = Cell[int]()
    delalloc = Cell[int | None]()
    reserved = Cell[int]()
    total = Cell[int]()
    pool = Cell[int | None]()
    down = Cell[bool | None]()
    aborted = Cell[bool | None]()
    readonly = Cell[bool | None]()

    def __init__(self, journal: Journal, blocks: int, reserved: int, block_size: int) -> None:
        super().__init__(journal, "fs")
        self.block_size = block_size
        self.owner: Table[str] = Table(journal, "block", "owner")
        self.sharers: Table[tuple[str, ...]] = Table(journal, "block", "sharers")
        self.free, self.reserved, self.total = blocks, reserved, blocks
        self._numbers = range(blocks)

    @property
    def refusal(self) -> str:
        """Why nothing here can be changed: EIO, EROFS; "0" if it can. After ext4_emergency_state(), 6.x."""
        return EIO if self.down else EROFS if self.readonly else OK

    def begin_transaction(self) -> str:
        """EIO, EROFS, or "0": one has begun. That the journal was aborted is seen here. ext4_journal_check_start()."""
        if self.aborted:
            self.readonly = True
        return self.refusal

    def allowed(self, *, privileged: bool, metadata: bool = False) -> int:
        """How many blocks a task may still take: the reserve is for the privileged, what is promised for nobody.

        `metadata` at writeback may use the pool as well.
        """
        left = self.free - (self.delalloc or 0) - (0 if metadata else self.pool or 0)
        return max(0, left if privileged else left - self.reserved)

    def take(self, owner: str, goal: int = 0) -> int:
        """Set the first clear bit from the goal on, or else the first one. The caller has seen that there is one."""
        if goal and goal in self._numbers and self.owner[goal] is None:
            block = goal
        else:
            block = next(number for number in self._numbers if self.owner[number] is None)
        self.owner[block], self.free = owner, self.free - 1
        return block

    def promise(self, blocks: int) -> None:
        """Reserve so many blocks without saying which. The caller has seen that they are there."""
        self.delalloc = (self.delalloc or 0) + blocks or None

    def forget(self, blocks: int) -> None:
        """Take a promise back: the blocks are free again, or have been taken under their own name."""
        self.delalloc = (self.delalloc or 0) - blocks or None

    def take_many(self, owner: str, count: int) -> None:
        """Set the first so many clear bits in one go."""
        for block in [number for number in self._numbers if self.owner[number] is None][:count]:
            self.owner[block] = owner
            self.free = self.free - 1

    def claim(self, block: int, owner: str, *, shared: bool = False) -> None:
        """Set the bit of a block that a map leads to, if it is clear; `shared`: who else has it stays beside."""
        if self.owner[block] is None:
            self.owner[block], self.free = owner, self.free - 1
        elif shared:
            self.share(block, owner)

    def give_back(self, block: int, owner: str | None = None) -> None:
        """An owner lets go of a block; without others, or for all of them, the bit is cleared."""
        left = tuple(name for name in self.owners(block) if owner is not None and name != owner)
        self._set(block, left)
        self.free = self.free + (not left)

    def owners(self, block: int) -> tuple[str, ...]:
        """Everybody who has a block, the first one first."""
        first = self.owner[block]
        return () if first is None else (first, *(self.sharers[block] or ()))

    def share(self, block: int, owner: str) -> None:
        """One owner more for a block that has one."""
        if owner not in (owners := self.owners(block)):
            self._set(block, (*owners, owner))

    def is_shared(self, block: int) -> bool:
        """Whether more than one owner has it: then nobody may write it where it is."""
        return self.sharers[block] is not None

    def hand_over(self, block: int, owner: str, heir: str) -> None:
        """What one owner had of a block another has from now on, once."""
        names = (heir if name == owner else name for name in self.owners(block))
        self._set(block, tuple(dict.fromkeys(names)))

    def _set(self, block: int, owners: tuple[str, ...]) -> None:
        self.owner[block], self.sharers[block] = owners[0] if owners else None, owners[1:] or None

    def owned_by(self, owner: str) -> list[int]:
        """The blocks of one owner, in order, shared ones too."""
        more = {block for block, names in self.sharers.items() if owner in names}
        return [block for block, name in self.owner.items() if name == owner or block in more]
