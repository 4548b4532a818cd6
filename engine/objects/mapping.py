"""struct address_space and struct inode as the page cache sees them. include/linux/fs.h, 2.6.9."""

from __future__ import annotations

from engine.journal import Cell, Entity, Journal, Table
from engine.objects.locks import LockCell
from engine.values import ENOSPC, Data


class AddressSpace(Entity):
    """A file's pages: radix tree slot -> frame, with the tags DIRTY and WRITEBACK, and the error bits AS_*."""

    nrpages = Cell[int | None]()
    enospc = Cell[bool | None]()
    eio = Cell[bool | None]()
    truncate_count = Cell[int | None]()
    i_mmap_lock = LockCell()

    def __init__(self, journal: Journal, file: str) -> None:
        super().__init__(journal, f"mapping/{file}")
        self.file = file
        self.pages: Table[int] = Table(journal, self.name, "page")
        self.tag_dirty: Table[bool] = Table(journal, self.name, "dirty")
        self.tag_writeback: Table[bool] = Table(journal, self.name, "writeback")

    def set_error(self, errno: str) -> None:
        """AS_ENOSPC for ENOSPC, AS_EIO for anything else: EDQUOT too becomes EIO for whoever asks later."""
        if errno == ENOSPC:
            self.enospc = True
        else:
            self.eio = True


class Inode(Entity):
    """An inode in memory. Sizes in bytes; `blocks` counts filesystem blocks, index blocks included."""

    size = Cell[int]()
    blocks = Cell[int | None]()
    dirty = Cell[bool | None]()
    dirty_pages = Cell[bool | None]()
    owner = Cell[str]()
    i_sem = LockCell()
    i_lock = LockCell()

    def __init__(self, journal: Journal, file: str) -> None:
        super().__init__(journal, f"inode/{file}")
        self.file = file
        self.pointers: Table[int] = Table(journal, f"{self.name}/block", "pointer")


class Oracle(Entity):
    """What the file would hold if every accepted store arrived: the measure of all loss. Not a kernel object."""

    data = Cell[Data]()

    def __init__(self, journal: Journal, file: str) -> None:
        super().__init__(journal, f"oracle/{file}")
        self.file = file
