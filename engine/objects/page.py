"""struct page: what the kernel knows of one page frame. include/linux/mm.h and page-flags.h, 2.6.9.

`count` is the true number of references (0 or None: the frame is free), `mapcount` starts at -1 as in the kernel.
`data` is the content of the frame itself.
"""

from __future__ import annotations

from engine.errors import Panic
from engine.journal import Cell, Entity, Journal
from engine.objects.locks import LockCell
from engine.values import Data


class BufferHead(Entity):
    """struct buffer_head: one filesystem block inside a page. `block` is None while it is not mapped to the disk.

    `delay`: it has no block yet, but one is reserved for it. `mapped`: it does not know that its block is unwritten.
    """

    block = Cell[int | None]()
    dirty = Cell[bool | None]()
    uptodate = Cell[bool | None]()
    new = Cell[bool | None]()
    delay = Cell[bool | None]()
    mapped = Cell[bool | None]()


class Page(Entity):
    """One frame. Frame 0 is ZERO_PAGE: reserved, never freed."""

    locked = LockCell()
    error = Cell[bool | None]()
    referenced = Cell[bool | None]()
    uptodate = Cell[bool | None]()
    dirty = Cell[bool | None]()
    lru = Cell[bool | None]()
    active = Cell[bool | None]()
    private = Cell[bool | None]()
    writeback = Cell[bool | None]()
    mappedtodisk = Cell[bool | None]()
    reclaim = Cell[bool | None]()
    reserved = Cell[bool | None]()
    count = Cell[int | None]()
    mapcount = Cell[int | None]()
    mapping = Cell[str | None]()
    index = Cell[int | None]()
    data = Cell[Data | None]()

    def __init__(self, journal: Journal, pfn: int, buffers: int, size: int) -> None:
        super().__init__(journal, f"page/{pfn}")
        self.pfn, self.size = pfn, size
        self.bh = tuple(BufferHead(journal, f"page/{pfn}/bh/{i}") for i in range(buffers))

    @property
    def anon(self) -> bool:
        """PageAnon: the page belongs to no file."""
        return self.mapping == ANON

    @property
    def mapped(self) -> bool:
        """page_mapped(): some page table points at it."""
        return (self.mapcount or 0) >= 0 and self.count is not None and not self.reserved

    @property
    def content(self) -> Data:
        """The bytes of the frame, whoever it belongs to: a stale entry reaches a free frame as well."""
        return Data(self.size) if self.data is None else self.data

    def get(self) -> None:
        """page_cache_get(): one more reference."""
        if not self.count:
            raise Panic(f"{self}: a reference is taken on a free page")
        self.count = self.count + 1

    def attach_buffers(self, *, dirty: bool) -> None:
        """create_empty_buffers(): the page gets its buffer heads, dirty if it is; they hold a reference."""
        for bh in self.bh:
            bh.uptodate, bh.dirty, bh.block = True if self.uptodate else None, dirty or self.dirty or None, None
            bh.delay = None
        self.private, self.count = True, (self.count or 0) + 1

    def drop_buffers(self) -> None:
        """try_to_free_buffers(): clean buffers go, and with them their reference."""
        for bh in self.bh:
            bh.clear()
        self.private, self.count = None, (self.count or 0) - 1

    @property
    def buffers_dirty(self) -> bool:
        """Whether any attached buffer is dirty."""
        return bool(self.private) and any(bh.dirty for bh in self.bh)


ANON = "anon"
