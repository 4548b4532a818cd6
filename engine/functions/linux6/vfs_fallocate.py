"""fallocate(2): give a range its blocks beforehand, make it a hole, or make it zeroes. After fs/open.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.values import EIO, EOPNOTSUPP, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class VfsFallocate(KernelFunction):
    """Mode 0. The line's result is "0" or an errno; a file that ends inside the range becomes longer."""

    source = "fs/open.c vfs_fallocate, 6.x"
    file: str
    offset: int
    length: int
    error: str = OK

    @may_sleep
    def inode_lock(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        if k.ops.fallocate is None:
            return self.eopnotsupp
        return k.lock(k.inodes[self.file].i_sem)

    def f_op_fallocate(self, k: Machine) -> Next:
        """Ask the filesystem for the blocks, now."""
        if k.space.down:
            self.error = EIO
            return self.inode_unlock
        assert k.ops.fallocate is not None
        return call(k.ops.fallocate(k.inodes[self.file], self.offset, self.length), into="error")

    def i_size_write(self, k: Machine) -> Next:
        """The file reaches at least as far as the range."""
        inode, end = k.inodes[self.file], self.offset + self.length
        if self.error == OK and end > inode.size:
            inode.size, inode.dirty = end, True
            k.oracles[self.file].data = k.oracles[self.file].data.resized(end)

    def inode_unlock(self, k: Machine) -> Next:
        """Back to the program."""
        k.unlock(k.inodes[self.file].i_sem)
        k.finish_line(self.error)
        k.answer(self.error)
        return ret()

    def eopnotsupp(self, k: Machine) -> Next:
        """This filesystem cannot do it."""
        k.finish_line(EOPNOTSUPP)
        k.answer(EOPNOTSUPP)
        return ret()


@dataclass
class VfsZero(VfsFallocate):
    """FALLOC_FL_ZERO_RANGE. The line's result is "0" or an errno; a file that ends inside the range becomes longer."""

    @may_sleep
    def inode_lock(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        if k.ops.zero is None:
            return self.eopnotsupp
        return k.lock(k.inodes[self.file].i_sem)

    def f_op_fallocate(self, k: Machine) -> Next:
        """Ask the filesystem to make the range zeroes that keep their place."""
        if k.space.down:
            self.error = EIO
            return self.inode_unlock
        assert k.ops.zero is not None
        return call(k.ops.zero(k.inodes[self.file], self.offset, self.length), into="error")


@dataclass
class VfsPunch(KernelFunction):
    """FALLOC_FL_PUNCH_HOLE. The line's result is "0" or an errno; the file's size stays."""

    source = "fs/open.c vfs_fallocate, 6.x"
    file: str
    offset: int
    length: int
    error: str = OK

    @may_sleep
    def inode_lock(self, k: Machine) -> Next:
        """Keep other writers of this file away."""
        if k.ops.punch is None:
            return self.eopnotsupp
        return k.lock(k.inodes[self.file].i_sem)

    def f_op_fallocate(self, k: Machine) -> Next:
        """Ask the filesystem to make the range a hole."""
        if k.space.down:
            self.error = EIO
            return self.inode_unlock
        assert k.ops.punch is not None
        return call(k.ops.punch(k.inodes[self.file], self.offset, self.length), into="error")

    def inode_unlock(self, k: Machine) -> Next:
        """Back to the program."""
        k.unlock(k.inodes[self.file].i_sem)
        k.finish_line(self.error)
        k.answer(self.error)
        return ret()

    def eopnotsupp(self, k: Machine) -> Next:
        """This filesystem cannot do it."""
        k.finish_line(EOPNOTSUPP)
        k.answer(EOPNOTSUPP)
        return ret()
