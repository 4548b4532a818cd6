"""struct address_space and struct inode as the page cache sees them. include/linux/fs.h, 2.6.9."""

from __future__ import annotations

from dataclasses import dataclass

from engine.journal import Cell, Entity, Journal, Table
from engine.objects.locks import LockCell
from engine.values import ENOSPC, Data, Shown


@dataclass(frozen=True, slots=True)
class ErrSeq(Shown):
    """errseq_t: the last error, how often errors were counted, and whether anybody has seen this one."""

    errno: str
    counter: int
    seen: bool = False

    def wire(self) -> str:
        """`ENOSPC #1 seen`."""
        return f"{self.errno} #{self.counter}{' seen' if self.seen else ''}"


class ErrorCursor(Entity):
    """The last error of a file (4.13), or of a whole filesystem for syncfs(2) (5.8): wb_err and s_wb_err."""

    wb_err = Cell[ErrSeq | None]()

    def note(self, errno: str) -> None:
        """errseq_set(): a new error counts one up if the last one has been seen; one that nobody saw is replaced."""
        last = self.wb_err
        self.wb_err = ErrSeq(errno, 0 if last is None else last.counter + last.seen)


class AddressSpace(ErrorCursor):
    """A file's pages: radix tree slot -> frame, with the tags DIRTY and WRITEBACK, and the error bits AS_*.

    `wb_err` takes the place of the bits where kernels have it (4.13): each open file hears of an error once.
    """

    nrpages = Cell[int | None]()
    enospc = Cell[bool | None]()
    eio = Cell[bool | None]()
    truncate_count = Cell[int | None]()
    i_mmap_lock = LockCell()
    invalidate_lock = LockCell()

    def __init__(self, journal: Journal, file: str, sb: ErrorCursor | None = None) -> None:
        super().__init__(journal, f"mapping/{file}")
        self.file, self.sb = file, sb
        self.pages: Table[int] = Table(journal, self.name, "page")
        self.tag_dirty: Table[bool] = Table(journal, self.name, "dirty")
        self.tag_writeback: Table[bool] = Table(journal, self.name, "writeback")

    def set_error(self, errno: str) -> None:
        """AS_ENOSPC for ENOSPC, AS_EIO for anything else: EDQUOT too becomes EIO for whoever asks later."""
        if self.sb is not None:
            self.sb.note(errno)
            self.note(errno)
        if errno == ENOSPC:
            self.enospc = True
        else:
            self.eio = True


class Inode(Entity):
    """An inode in memory. Sizes in bytes; `blocks` counts filesystem blocks, index blocks included.

    Delayed allocation: `delayed` are the file blocks that are reserved, `delalloc` how many of them st_blocks counts
    beside `blocks`, `indlen` the blocks of metadata promised with them. `unwritten` blocks read as zeroes.
    `cow` is XFS's third fork: new blocks for shared ones, until what is written there is on the disk. `ordered` pages,
    from the first to behind the last, have new blocks in the running transaction and are written before it commits.
    `failed` are unwritten blocks whose write failed.
    """

    size = Cell[int]()
    blocks = Cell[int | None]()
    delalloc = Cell[int | None]()
    indlen = Cell[int | None]()
    dirty = Cell[bool | None]()
    dirty_pages = Cell[bool | None]()
    mtime = Cell[int | None]()
    ordered = Cell[tuple[int, int] | None]()
    owner = Cell[str]()
    i_sem = LockCell()
    i_lock = LockCell()

    def __init__(self, journal: Journal, file: str) -> None:
        super().__init__(journal, f"inode/{file}")
        self.file = file
        self.pointers: Table[int] = Table(journal, f"{self.name}/block", "pointer")
        self.unwritten: Table[bool] = Table(journal, f"{self.name}/block", "unwritten")
        self.delayed: Table[bool] = Table(journal, f"{self.name}/block", "delayed")
        self.failed: Table[bool] = Table(journal, f"{self.name}/block", "failed")
        self.cow: Table[int] = Table(journal, f"{self.name}/block", "cow")


class Oracle(Entity):
    """What the file would hold if every accepted store arrived: the measure of all loss. Not a kernel object."""

    data = Cell[Data]()

    def __init__(self, journal: Journal, file: str) -> None:
        super().__init__(journal, f"oracle/{file}")
        self.file = file
