"""fuse_writepages(): dirty pages that lie side by side become one WRITE. After fs/fuse/file.c, 6.x.

The request succeeds or fails as a whole, and its pages are clean afterwards either way. The caller hears "0": what went
wrong is noted in the mapping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.fs.fuse import FuseSendWrite, FuseSendWriteShort
from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.linux6.folio_clear_dirty_for_io import FolioClearDirtyForIo
from engine.functions.page_flags import end_page_writeback, set_page_writeback
from engine.objects.mapping import AddressSpace
from engine.objects.page import Page
from engine.values import OK, Data

if TYPE_CHECKING:
    from engine.machine import Machine

MAX_PAGES = 32
"""Pages in one request, where the server does not ask for more."""


@dataclass
class FuseWritepages(KernelFunction):
    """Returns "0". Only pages [index, last) are looked at (last None: to the end)."""

    source = "fs/fuse/file.c fuse_writepages, fuse_writepages_fill, fuse_writepage_end, 6.x"
    send: ClassVar[type[FuseSendWrite]] = FuseSendWrite
    mapping: AddressSpace
    sync: bool
    index: int = 0
    last: int | None = None
    page: Page = None  # type: ignore[assignment]
    pages: tuple[int, ...] = ()
    got: int | str = 0

    def pagevec_lookup_tag(self, k: Machine) -> Next:
        """Find the next dirty page. If it does not go on where the request ends, the request is sent first."""
        index = next((i for i, _ in self.mapping.tag_dirty.items() if i >= self.index), None)
        if index is None or (self.last is not None and index >= self.last):
            return self.fuse_writepages_send if self.pages else self.finish
        if self.pages and (index != self.index or len(self.pages) == MAX_PAGES):
            return self.fuse_writepages_send
        self.page, self.index = k.page(self.mapping.pages[index] or 0), index + 1
        self.page.get()
        k.answer(f"page {index}")

    @may_sleep
    def lock_page(self, k: Machine) -> Next:
        """Lock the page."""
        return k.lock(self.page.locked)

    def wait_on_page_writeback(self, k: Machine) -> Next:
        """Is it still this file's dirty page, and is nobody writing it already?"""
        if self.sync and self.page.writeback:
            k.blocked_on = f"{self.page}.writeback"
            return WAIT
        if self.page.mapping != self.mapping.file or self.page.writeback or not self.page.dirty:
            return self.skip

    def clear_page_dirty_for_io(self, k: Machine) -> Next:
        """Tie down every entry that allows stores; from here on the page counts as clean."""
        return call(FolioClearDirtyForIo(self.page))

    def fuse_writepages_fill(self, k: Machine) -> Next:
        """The page joins the request, and is under writeback from now on."""
        for bh in self.page.bh:
            bh.dirty = None
        set_page_writeback(k, self.page)
        k.unlock(self.page.locked)
        self.pages = (*self.pages, self.page.pfn)
        return self.pagevec_lookup_tag

    def fuse_writepages_send(self, k: Machine) -> Next:
        """Send the request: up to the end of the file, or of its last page."""
        start, data = request(k, self.mapping, self.pages)
        if not data.size:
            self.got = 0
            return self.fuse_writepage_end
        k.answer(f"{len(self.pages)} pages")
        return call(self.send(k.inodes[self.mapping.file], start, data), into="got")

    def fuse_writepage_end(self, k: Machine) -> Next:
        """The answer is for all of its pages. An error is noted in the mapping; how much was written nobody checks."""
        if isinstance(self.got, str):
            self.mapping.set_error(self.got)
            k.answer(self.got)
        for pfn in self.pages:
            end_page_writeback(k, k.page(pfn))
            k.ram.put(k.page(pfn))
        self.pages = ()
        return self.pagevec_lookup_tag

    def finish(self, k: Machine) -> Next:
        """Nothing is left to send."""
        return ret(OK)

    def skip(self, k: Machine) -> Next:
        """Nothing to do here; what was collected goes first."""
        k.unlock(self.page.locked)
        k.ram.put(self.page)
        return self.fuse_writepages_send if self.pages else self.pagevec_lookup_tag


@dataclass
class FuseWritepagesShort(FuseWritepages):
    """Returns "0": a short answer is taken for a good one."""

    send = FuseSendWriteShort


@dataclass
class NfsWritepages(FuseWritepages):
    """Returns "0". Only pages [index, last) are looked at (last None: to the end)."""

    c_name = "nfs_writepages"
    source = "fs/nfs/write.c nfs_writepages, nfs_mapping_set_error, 6.x"


def request(k: Machine, mapping: AddressSpace, pages: tuple[int, ...]) -> tuple[int, Data]:
    """Where a request begins, and its bytes: those of pages that follow one another, as far as the file reaches."""
    start = (k.page(pages[0]).index or 0) * k.page_size
    size = max(0, min(len(pages) * k.page_size, k.inodes[mapping.file].size - start))
    data = Data(len(pages) * k.page_size)
    for i, pfn in enumerate(pages):
        data = data.paste(i * k.page_size, k.page(pfn).content)
    return start, data.resized(size)
