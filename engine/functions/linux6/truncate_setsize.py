"""ftruncate(2). After fs/attr.c and mm/truncate.c, 6.x: invalidate_lock keeps faults away while pages and blocks go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import WAIT, Next, call, ret
from engine.functions.linux6.folio_clear_dirty_for_io import write_protect
from engine.functions.linux6.truncate_folio import truncate_folio
from engine.functions.linux6.zero_eof import zeroing
from engine.functions.sys_ftruncate import SysFtruncate
from engine.functions.vmtruncate import Vmtruncate
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoSysFtruncate(SysFtruncate):
    """Sets a file's size in bytes. The line's result is "0" or an errno."""

    c_name = "do_sys_ftruncate"
    source = "fs/open.c do_sys_ftruncate, do_truncate, 6.x"
    error: str = OK

    def do_truncate(self, k: Machine) -> Next:
        """Cut the file, or let it grow."""
        if k.space.refusal != OK:
            self.error = k.space.refusal
            return self.up_i_sem
        return call(Vmtruncate(self.file, self.size), into="error")

    def up_i_sem(self, k: Machine) -> Next:
        """Back to the program."""
        k.unlock(k.inodes[self.file].i_sem)
        k.finish_line(self.error)
        k.answer(self.error)
        return ret()


@dataclass
class TruncateSetsize(Vmtruncate):
    """Sets a file's size, in bytes: entries beyond it go, then pages, then blocks. Returns "0" or an errno."""

    c_name = "truncate_setsize"
    source = "mm/truncate.c truncate_setsize, pagecache_isize_extended; fs/ext4/inode.c ext4_setattr, 6.x"
    error: str = OK

    def i_size_write(self, k: Machine) -> Next:
        """Does the file get shorter? Before it gets longer, a filesystem may have something to say."""
        inode = k.inodes[self.file]
        if self.size <= inode.size:
            return self.invalidate_lock
        if k.ops.grow is not None:
            return self.grow
        return self.zero_eof if zeroing(k, self.file, self.size) else self.pagecache_isize_extended

    def ext2_truncate(self, k: Machine) -> Next:
        """The blocks beyond the end go back to the filesystem, and faults may come again."""
        super().ext2_truncate(k)
        k.unlock(k.mappings[self.file].invalidate_lock)
        return ret(OK)

    def invalidate_lock(self, k: Machine) -> Next:
        """Keep faults away that would want a page of the part that goes."""
        then = self.shrink if k.ops.cut is None else self.truncate_last_block
        return k.lock(k.mappings[self.file].invalidate_lock) or then

    def shrink(self, k: Machine) -> Next:
        """From now on the file is shorter."""
        super().i_size_write(k)
        return self.unmap_mapping_range

    def truncate_page(self, k: Machine) -> Next:
        """Pages beyond the end leave the page cache, dirty or not, and every page table with them."""
        first, mapping = -(-self.size // k.page_size), k.mappings[self.file]
        index = next((i for i, _ in mapping.pages.items() if i >= first), None)
        if index is None:
            return self.zero_tail
        return self.truncate_page if truncate_folio(k, k.page(mapping.pages[index] or 0)) else WAIT

    def grow(self, k: Machine) -> Next:
        """A filesystem without holes takes the blocks now."""
        assert k.ops.grow is not None
        return call(k.ops.grow(k.inodes[self.file], self.size), into="error")

    def grown(self, k: Machine) -> Next:
        """Did it get them?"""
        if self.error != OK:
            k.answer(f"no: {self.error}")
            return ret(self.error)
        return self.pagecache_isize_extended

    def zero_eof(self, k: Machine) -> Next:
        """What was stored behind the old end must not come inside: it is zeroed."""
        then = zeroing(k, self.file, self.size)
        return self.pagecache_isize_extended if then is None else call(then, into="error")

    def zeroed(self, k: Machine) -> Next:
        """Now the file may reach further, if that went well."""
        return self.grown

    def pagecache_isize_extended(self, k: Machine) -> Next:
        """A page that the old end cut in two is tied down: a store behind it has to ask (90a8020278c1)."""
        old = k.inodes[self.file].size
        page = k.cached(k.mappings[self.file], old // k.page_size)
        cut_in_two = old % k.page_size and k.block_size < k.page_size
        if cut_in_two and page is not None and not write_protect(k, page):
            return WAIT
        super().i_size_write(k)
        return ret(OK)

    def truncate_last_block(self, k: Machine) -> Next:
        """The block that the end cuts in two will be written: may it be, where it is?"""
        assert k.ops.cut is not None
        return call(k.ops.cut(k.inodes[self.file], self.size), into="error")

    def cut(self, k: Machine) -> Next:
        """If not, the file stays as it is."""
        if self.error == OK:
            return self.shrink
        k.unlock(k.mappings[self.file].invalidate_lock)
        k.answer(f"no: {self.error}")
        return ret(self.error)
