"""fallocate(2): give a range its blocks beforehand, make it a hole, or make it zeroes. After fs/open.c, 6.x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.linux6.zero_eof import zeroing
from engine.values import EOPNOTSUPP, OK

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.mapping import Inode

Operation: TypeAlias = "Callable[[Inode, int, int], KernelFunction]"


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
        if self._operation(k) is None:
            return self.eopnotsupp
        return k.lock(k.inodes[self.file].i_sem) or (self.zero_eof if self._zeroing(k) else None)

    def f_op_fallocate(self, k: Machine) -> Next:
        """Ask the filesystem for the blocks, now."""
        operation = self._operation(k)
        if operation is None or k.space.refusal != OK:
            self.error = k.space.refusal
            return self.inode_unlock
        return call(operation(k.inodes[self.file], self.offset, self.length), into="error")

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

    def zero_eof(self, k: Machine) -> Next:
        """The file will reach further: what was stored behind its old end must not come inside, and is zeroed."""
        then = self._zeroing(k)
        return self.f_op_fallocate if then is None else call(then, into="error")

    def is_zero(self, k: Machine) -> Next:
        """Now the blocks may come, if that went well."""
        return self.f_op_fallocate if self.error == OK else self.inode_unlock

    def _zeroing(self, k: Machine) -> KernelFunction | None:
        return zeroing(k, self.file, self.offset + self.length)

    def _operation(self, k: Machine) -> Operation | None:
        return k.ops.fallocate


@dataclass
class VfsFallocateKeepSize(VfsFallocate):
    """FALLOC_FL_KEEP_SIZE. The line's result is "0" or an errno; the file's size stays."""

    def i_size_write(self, k: Machine) -> Next:
        """The file ends where it did: what it got beyond waits there until it grows."""

    def _zeroing(self, k: Machine) -> None:
        return None


@dataclass
class VfsZero(VfsFallocate):
    """FALLOC_FL_ZERO_RANGE. The line's result is "0" or an errno; a file that ends inside the range becomes longer."""

    def f_op_fallocate(self, k: Machine) -> Next:
        """Ask the filesystem to make the range zeroes that keep their place."""
        return super().f_op_fallocate(k)

    def _operation(self, k: Machine) -> Operation | None:
        return k.ops.zero


@dataclass
class VfsPunch(VfsFallocate):
    """FALLOC_FL_PUNCH_HOLE. The line's result is "0" or an errno; the file's size stays."""

    def f_op_fallocate(self, k: Machine) -> Next:
        """Ask the filesystem to make the range a hole."""
        return super().f_op_fallocate(k)

    def i_size_write(self, k: Machine) -> Next:
        """A hole makes no file longer: FALLOC_FL_KEEP_SIZE goes with it."""

    def _zeroing(self, k: Machine) -> None:
        return None

    def _operation(self, k: Machine) -> Operation | None:
        return k.ops.punch
