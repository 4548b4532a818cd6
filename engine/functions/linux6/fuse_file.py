"""What a FUSE or NFS file does at page_mkwrite, write(2), open(2), close(2), munmap(2). After fs/fuse/file.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.fs.fuse import FuseSendWrite, FuseSendWriteShort
from engine.function import WAIT, KernelFunction, Next, call, may_sleep, ret
from engine.functions.linux6.filemap_page_mkwrite import FilemapPageMkwrite
from engine.functions.page_flags import fill, remove_from_page_cache
from engine.functions.try_to_unmap import TryToUnmap
from engine.objects.page import Page
from engine.values import EIO, ENOSPC, OK, Data, Run

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class FusePageMkwrite(FilemapPageMkwrite):
    """Returns LOCKED with the page locked, or RACED. The server is not asked."""

    c_name = "fuse_page_mkwrite"
    source = "fs/fuse/file.c fuse_page_mkwrite, 6.x"


@dataclass
class NfsVmPageMkwrite(FilemapPageMkwrite):
    """Returns LOCKED with the page locked, or RACED. The server is not asked."""

    c_name = "nfs_vm_page_mkwrite"
    source = "fs/nfs/file.c nfs_vm_page_mkwrite, 6.x"


@dataclass
class FuseWriteBegin(KernelFunction):
    """Bytes [low, high) of a locked page are about to be written into the cache. Returns "0": nobody is asked."""

    source = "fs/fuse/file.c fuse_write_begin, 6.x; fs/nfs/file.c nfs_write_begin"
    file: str
    index: int
    page: Page
    low: int
    high: int

    @may_sleep
    def fuse_wait_on_page_writeback(self, k: Machine) -> Next:
        """A page that is on its way to the server stays as it is."""
        if self.page.writeback:
            k.blocked_on = f"{self.page}.writeback"
            return WAIT

    def fuse_do_readfolio(self, k: Machine) -> Next:
        """What the write leaves of the page is read from the server. Whether it has room, nobody asks."""
        if not self.page.private:
            self.page.attach_buffers(dirty=False)
        for i, bh in enumerate(self.page.bh):
            bh.block = k.map.lookup(k.inodes[self.file], self.index * k.blocks_per_page + i)
        fill(k, self.page)
        k.answer("never asked")
        return ret(OK)


@dataclass
class FusePerformWrite(KernelFunction):
    """write(2) without a writeback cache: the server has it before it returns. Entered with i_rwsem.

    Returns the bytes written. Simplified: pages that are cached stay locked until the server has answered, and no page
    comes into the cache by a write.
    """

    source = "fs/fuse/file.c fuse_cache_write_iter, fuse_perform_write, fuse_fill_write_pages, 6.x"
    send: ClassVar[type[FuseSendWrite]] = FuseSendWrite
    file: str
    text: str
    length: int
    offset: int
    got: int | str = 0
    pages: tuple[Page, ...] = ()
    page: Page = None  # type: ignore[assignment]

    def find_get_folio(self, k: Machine) -> Next:
        """The next page of the cache that shows this part of the file."""
        mapping, after = k.mappings[self.file], self.pages[-1].index if self.pages else None
        low = self.offset // k.page_size if after is None else after + 1
        high = -(-(self.offset + self.length) // k.page_size)
        pfn = next((pfn for index, pfn in mapping.pages.items() if low <= index < high and pfn), None)
        if pfn is None:
            return self.fuse_send_write_pages
        self.page = k.page(pfn)
        self.page.get()

    @may_sleep
    def folio_lock(self, k: Machine) -> Next:
        """Nobody may read it in or write it back while the server is told of other bytes."""
        return k.lock(self.page.locked)

    def fuse_wait_on_page_writeback(self, k: Machine) -> Next:
        """What is on its way to the server arrives first. Is it still this file's page?"""
        page = self.page
        if page.writeback:
            k.blocked_on = f"{page}.writeback"
            return WAIT
        if page.mapping == self.file:
            self.pages = (*self.pages, page)
            return self.find_get_folio
        _let_go(k, page)
        return self.find_get_folio

    def fuse_send_write_pages(self, k: Machine) -> Next:
        """The bytes go to the server at once, and it says whether it has room."""
        return call(self.send(k.inodes[self.file], self.offset, self._data(k)), into="got")

    def answered(self, k: Machine) -> Next:
        """What does it say? The program will hear the same. Pages that show this part get what the server took."""
        store = k.store(k.current.task, k.current.line)
        if isinstance(self.got, str):
            store.refused = self.got
        else:
            start, stop = self.offset, self.offset + self.got
            store.accepted = ((start, stop),)
            k.accept(self.file, Run(start, stop, self.text, self._origin(k)), grows=True)
            for page in self.pages:
                self._copy(k, page, stop)

    def folio_unlock(self, k: Machine) -> Next:
        """Let go of the pages, and say how much the server took, or why nothing."""
        for page in self.pages:
            _let_go(k, page)
        k.answer(str(self.got))
        return ret(self.got)

    def _origin(self, k: Machine) -> str:
        return f"{k.current.task}.{k.current.line}"

    def _data(self, k: Machine) -> Data:
        return Data(self.length).write(0, self.length, self.text, self._origin(k))

    def _copy(self, k: Machine, page: Page, stop: int) -> None:
        base = (page.index or 0) * k.page_size
        low, high = max(self.offset, base), min(stop, base + k.page_size)
        if page.uptodate and low < high:
            part = self._data(k).part(low - self.offset, high - self.offset)
            page.data = page.content.paste(low - base, part)


def _let_go(k: Machine, page: Page) -> None:
    k.unlock(page.locked)
    k.ram.put(page)


@dataclass
class FusePerformWriteShort(FusePerformWrite):
    """write(2) to a server that answers short: here the program hears how much was written."""

    send = FuseSendWriteShort


@dataclass
class FuseFlush(KernelFunction):
    """close(2): everything is written, and what went wrong since somebody was told is told now. "0" or an errno."""

    source = "fs/fuse/file.c fuse_flush, mm/filemap.c filemap_check_errors, 6.x; fs/nfs/file.c nfs_file_flush"
    file: str

    def write_inode_now(self, k: Machine) -> Next:
        """Write every dirty page."""
        return call(k.ops.writepages(k.mappings[self.file], True))

    @may_sleep
    def filemap_fdatawait(self, k: Machine) -> Next:
        """Wait for those that others have sent."""
        if any(True for _ in k.mappings[self.file].tag_writeback):
            k.blocked_on = f"{k.mappings[self.file]}.tag_writeback"
            return WAIT

    def filemap_check_errors(self, k: Machine) -> Next:
        """Has anything gone wrong? Whoever closes first takes the error away."""
        mapping = k.mappings[self.file]
        error = ENOSPC if mapping.enospc else EIO if mapping.eio else OK
        mapping.enospc = mapping.eio = None
        k.answer(error)
        return ret(error)


@dataclass
class FuseVmaClose(KernelFunction):
    """A mapping of a file has gone: its dirty pages are written now. Nobody is told how it went."""

    source = "fs/fuse/file.c fuse_vma_close, 6.x"
    file: str

    def write_inode_now(self, k: Machine) -> Next:
        """Write every dirty page, as long as there is somebody who may."""
        return call(k.ops.writepages(k.mappings[self.file], True))

    def done(self, k: Machine) -> Next:
        """What went wrong stays noted in the mapping."""
        return ret(OK)


@dataclass
class FuseFinishOpen(KernelFunction):
    """open(2) where the server does not ask to keep the cache: the file's clean pages are dropped. Returns "0"."""

    source = "fs/fuse/file.c fuse_finish_open, mm/truncate.c invalidate_inode_pages2, 6.x"
    file: str
    at: int = 0
    page: Page = None  # type: ignore[assignment]

    def launder(self, k: Machine) -> Next:
        """What is dirty is written first."""
        return call(k.ops.writepages(k.mappings[self.file], True))

    def find_get_entries(self, k: Machine) -> Next:
        """The next page of the file in the cache."""
        mapping = k.mappings[self.file]
        index = next((i for i, _ in mapping.pages.items() if i >= self.at), None)
        if index is None:
            return ret(OK)
        self.page, self.at = k.page(mapping.pages[index] or 0), index + 1
        self.page.get()

    @may_sleep
    def folio_lock(self, k: Machine) -> Next:
        """Lock it."""
        return k.lock(self.page.locked)

    def unmap_mapping_folio(self, k: Machine) -> Next:
        """Every page table lets go of it."""
        if self.page.writeback:
            k.blocked_on = f"{self.page}.writeback"
            return WAIT
        return call(TryToUnmap(self.page, whatever=True))

    def invalidate_complete_folio2(self, k: Machine) -> Next:
        """A clean page leaves the cache: what only it knew is gone."""
        page = self.page
        if page.mapping == self.file and not page.dirty and page.count == 2 + bool(page.private):
            if page.private:
                page.drop_buffers()
            remove_from_page_cache(k, page)
            k.answer(f"page {self.at - 1} dropped")
        k.unlock(page.locked)
        k.ram.put(page)
        return self.find_get_entries
