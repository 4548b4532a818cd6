"""read(2) and write(2) of files that are open with O_DIRECT. After mm/filemap.c and fs/libfs.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, call, may_sleep, ret, tail
from engine.functions.file_handles import opens_direct
from engine.functions.generic_file_direct_io import GenericFileDirectIO
from engine.functions.generic_file_direct_read import GenericFileDirectRead
from engine.functions.generic_file_direct_write import GenericFileDirectWrite
from engine.functions.generic_file_read import GenericFileRead
from engine.functions.linux6.filemap_write_and_wait_range import FilemapWriteAndWaitRange
from engine.functions.linux6.vfs_write import GenericPerformWrite, is_refused
from engine.functions.page_flags import remove_from_page_cache
from engine.functions.world import droppable
from engine.values import EBADF, EIO, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DirectWriteIter(GenericFileDirectWrite):
    """Writes `length` bytes of text at `offset`. The line's result is the number of bytes written, or an errno."""

    source = "mm/filemap.c generic_file_direct_write, fs/libfs.c direct_write_fallback, 6.x"
    error: str = OK

    @may_sleep
    def down_i_sem(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        if not opens_direct(k):
            k.finish_line(EBADF)
            return ret()
        return super().down_i_sem(k)

    def update_time(self, k: Machine) -> Next:
        """The file counts as changed from now on, unless its filesystem is shut down and lets nothing through."""
        if is_refused(k):
            self.written = k.space.refusal
            return self.up_i_sem
        return super().update_time(k)

    def direct_write(self, k: Machine) -> Next:
        """Straight from the program's memory to the device, unless this filesystem takes it through the page cache."""
        if k.ops.direct_is_cached:
            k.answer("through the page cache")
            return self.buffered_write
        return call(GenericFileDirectIO(self.file, self.offset, self.length, self.text), into="written")

    def buffered_write(self, k: Machine) -> Next:
        """The rest goes through the page cache, which may fill a hole."""
        done, write = self._done, k.ops.write or GenericPerformWrite
        return call(write(self.file, self._text(done), self.length - done, self.offset + done), into="rest")

    def filemap_fdatawrite(self, k: Machine) -> Next:
        """Was anything written? Then it is sent to the disk at once: the program counts on finding it there."""
        if isinstance(self.rest, str):
            return self.up_i_sem
        return call(FilemapWriteAndWaitRange(self.file, *self._rest(k)), into="error")

    def filemap_fdatawait(self, k: Machine) -> Next:
        """Has it arrived? If not, the program hears why."""
        if self.error == OK:
            return self.invalidate_mapping_pages
        self.rest = k.store(k.current.task, k.current.line).refused = self.error
        return self.up_i_sem

    def invalidate_mapping_pages(self, k: Machine) -> Next:
        """What is clean and mapped by nobody leaves the cache again."""
        first, last = self._rest(k)
        for page in [page for page in droppable(k) if page.mapping == self.file and first <= (page.index or 0) < last]:
            if page.private:
                page.drop_buffers()
            remove_from_page_cache(k, page)
        return self.up_i_sem

    def _rest(self, k: Machine) -> tuple[int, int]:
        return (self.offset + self._done) // k.page_size, -(-(self.offset + self.length) // k.page_size)


@dataclass
class DirectReadIter(GenericFileDirectRead):
    """Reads `length` bytes at `offset`; the line's result is their text, zero bytes as dots, or an errno."""

    c_name = "generic_file_read_iter"
    source = "mm/filemap.c generic_file_read_iter, fs/ext4/file.c ext4_dio_read_iter, 6.x"

    @may_sleep
    def down_i_sem(self, k: Machine) -> Next:
        """Share the file with other readers: no block may change hands meanwhile."""
        refusal = EBADF if not opens_direct(k) else EIO if k.space.down else OK
        if refusal != OK:
            k.finish_line(refusal)
            return ret()
        if k.ops.direct_io is None:
            return tail(GenericFileRead(self.file, self.length, self.offset))
        return k.down_read(k.inodes[self.file].i_sem)

    def up_i_sem(self, k: Machine) -> Next:
        """Back to the program with the bytes. What the filesystem would not read this way the page cache reads."""
        k.up_read(k.inodes[self.file].i_sem)
        if isinstance(self.got, int):
            return tail(GenericFileRead(self.file, self.length, self.offset))
        result = self.got if isinstance(self.got, str) else self.got.text()
        k.finish_line(result)
        k.answer(result)
        return ret()
