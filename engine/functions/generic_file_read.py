"""read(2) and pread(2). After mm/filemap.c do_generic_mapping_read(), 2.6.9: what the page cache says is the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, KernelFunction, Next, call, ret
from engine.functions.page_cache_read import PageCacheRead
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GenericFileRead(KernelFunction):
    """Reads `length` bytes at `offset`; the line's result is their text, zero bytes as dots."""

    c_name = "do_generic_mapping_read"
    source = "mm/filemap.c do_generic_mapping_read, 2.6.9"
    file: str
    length: int
    offset: int
    done: int = 0
    text: str = ""
    error: str = OK

    def find_get_page(self, k: Machine) -> Next:
        """Is the page in the page cache?"""
        left = k.inodes[self.file].size - self.offset - self.done
        if left <= 0 or self.done >= self.length or self.error != OK:
            return self.finish
        page = self._page(k)
        k.answer("no" if page is None else f"yes: frame {page.pfn}")
        if page is None:
            return self.no_cached_page
        if not page.uptodate:
            return self.page_not_up_to_date if k.free_lock(page.locked) else WAIT

    def file_read_actor(self, k: Machine) -> Next:
        """Copy what the page holds, whether the disk has it or not."""
        page, low = self._page(k), (self.offset + self.done) % k.page_size
        if page is None:
            return self.find_get_page
        size = k.inodes[self.file].size
        high = min(k.page_size, low + self.length - self.done, low + size - self.offset - self.done)
        page.referenced = True
        self.text, self.done = (self.text + page.content.part(low, high).text())[:64], self.done + high - low
        return self.find_get_page

    def no_cached_page(self, k: Machine) -> Next:
        """It is not: the page is read from the disk, or filled with zeroes where the file has a hole."""
        index = (self.offset + self.done) // k.page_size
        return call(PageCacheRead(self.file, index), into="error")

    def page_read(self, k: Machine) -> Next:
        """Now it is there."""
        return self.find_get_page

    def page_not_up_to_date(self, k: Machine) -> Next:
        """It is there, but its content is not: it has to be read."""
        page = self._page(k)
        if page is None or page.uptodate:
            return self.find_get_page
        if not k.trylock(page.locked):
            return WAIT
        return call(k.ops.readpage(page), into="error")

    def read_again(self, k: Machine) -> Next:
        """Now its content is there."""
        return self.find_get_page

    def finish(self, k: Machine) -> Next:
        """Back to the program with the bytes."""
        k.finish_line(self.text if self.error == OK else self.error)
        k.answer(self.text if self.error == OK else self.error)
        return ret()

    def _page(self, k: Machine) -> Page | None:
        page: Page | None = k.cached(k.mappings[self.file], (self.offset + self.done) // k.page_size)
        return page
