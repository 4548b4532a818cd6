"""write(2): through the page cache, or to whoever keeps the file. After fs/read_write.c and mm/filemap.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, call
from engine.functions.generic_file_buffered_write import GenericFileBufferedWrite
from engine.functions.generic_file_write import GenericFileWrite
from engine.functions.linux6.zero_eof import zeroing
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class GenericPerformWrite(GenericFileBufferedWrite):
    """Entered and left with i_rwsem held. Returns the number of bytes written, or an errno where it is none."""

    c_name = "generic_perform_write"
    source = "mm/filemap.c generic_perform_write, 6.x"


@dataclass
class VfsWrite(GenericFileWrite):
    """Writes `length` bytes of text at `offset`. The line's result is the number of bytes written, or an errno."""

    c_name = "vfs_write"
    source = "fs/read_write.c vfs_write, fs/inode.c file_update_time, 6.x"

    def update_time(self, k: Machine) -> Next:
        """The file counts as changed from now on, unless its filesystem is shut down and lets nothing through."""
        if is_refused(k):
            self.written = k.space.refusal
            return self.up_i_sem
        then = super().update_time(k)
        return then or (self.zero_eof if zeroing(k, self.file, self.offset, by_write=True) else self.write)

    def zero_eof(self, k: Machine) -> Next:
        """The file will reach further: what was stored behind its old end must not come inside, and is zeroed."""
        then = zeroing(k, self.file, self.offset, by_write=True)
        return self.write if then is None else call(then, into="written")

    def is_zero(self, k: Machine) -> Next:
        """Now the bytes may come, if that went well."""
        if self.written == OK:
            return self.write
        k.store(k.current.task, k.current.line).refused = str(self.written)
        return self.up_i_sem

    def write(self, k: Machine) -> Next:
        """The filesystem decides how: most put the bytes into the page cache, page by page."""
        write = k.ops.write or GenericPerformWrite
        return call(write(self.file, self.text, self.length, self.offset), into="written")


def is_refused(k: Machine) -> bool:
    """Whether the filesystem is shut down or read-only: then the store of this line is refused."""
    if k.space.refusal != OK:
        k.store(k.current.task, k.current.line).refused = k.space.refusal
    return k.space.refusal != OK
