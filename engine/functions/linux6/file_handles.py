"""open(2), close(2), munmap(2) and exit(2) where a filesystem may have something to say. After fs/open.c, 6.x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, call, ret
from engine.functions.do_exit import DoExit
from engine.functions.file_handles import SysClose, SysOpen, opens_direct
from engine.functions.sys_munmap import SysMunmap
from engine.values import EIO, OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class DoSysOpen(SysOpen):
    """The variable becomes a handle for the file, with a memory of errors of its own."""

    c_name = "do_sys_openat2"
    source = "fs/open.c do_sys_openat2, do_dentry_open, 6.x"

    def filp_open(self, k: Machine) -> Next:
        """The program gets a file descriptor, which remembers which error was there before it."""
        if k.space.down:
            k.finish_line(EIO)
            k.answer(EIO)
            return ret()
        if self.direct and not opens_direct(k):
            return super().filp_open(k)
        k.open_file(k.current, self.file, self.var)
        if k.ops.open is not None:
            return call(k.ops.open(self.file))
        return self.fd_install

    def fd_install(self, k: Machine) -> Next:
        """Back to the program."""
        k.current.mm.assign(self.var, self.file)
        k.finish_line(OK)
        return ret()


@dataclass
class FilpClose(SysClose):
    """The line's result is "0", or what the filesystem has to tell."""

    c_name = "filp_close"
    source = "fs/open.c filp_flush, filp_close, 6.x"
    error: str = OK

    def filp_close(self, k: Machine) -> Next:
        """Most filesystems have nothing to say when a descriptor goes; some write now."""
        if k.ops.flush is not None:
            return call(k.ops.flush(self.file), into="error")
        return self.fput

    def fput(self, k: Machine) -> Next:
        """The descriptor is gone, and its memory of errors with it."""
        k.open_file(k.current, self.file, self.var).clear()
        k.finish_line(self.error)
        k.answer(self.error)
        return ret()


@dataclass
class DoMunmap(SysMunmap):
    """Unmap a range. Most filesystems write nothing now; FUSE does."""

    c_name = "do_vmi_munmap"
    source = "mm/vma.c do_vmi_munmap, remove_vma, 6.x"
    closing: tuple[str, ...] = ()

    def detach_vmas(self, k: Machine) -> Next:
        """The range is gone from the address space; the file keeps no mapping of it."""
        cut = [v for v in k.current.mm.vmas or () if v.start < self.range.end and v.end > self.range.start]
        self.closing = files_to_close(k, cut)
        super().detach_vmas(k)
        if self.closing:
            return self.vm_ops_close

    def vm_ops_close(self, k: Machine) -> Next:
        """The filesystem hears that a mapping has gone."""
        if not self.closing:
            return self.up_write
        file, *rest = self.closing
        self.closing = tuple(rest)
        assert k.ops.vma_close is not None
        return call(k.ops.vma_close(file))

    def closed(self, k: Machine) -> Next:
        """On to the next one."""
        return self.vm_ops_close


@dataclass
class DoExitClosing(DoExit):
    """A signal ends every thread of the process; without one only this task ends."""

    source = "kernel/exit.c do_exit, mm/mmap.c exit_mmap, remove_vma, 6.x"
    closing: tuple[str, ...] = ()

    def free_pgtables(self, k: Machine) -> Next:
        """Ranges and page tables are gone. Most filesystems write nothing now; FUSE does."""
        self.closing = files_to_close(k, k.current.mm.vmas or ())
        super().free_pgtables(k)
        return self.vm_ops_close if self.closing else self.done

    def vm_ops_close(self, k: Machine) -> Next:
        """The filesystem hears that a mapping has gone."""
        if not self.closing:
            return self.done
        file, *rest = self.closing
        self.closing = tuple(rest)
        assert k.ops.vma_close is not None
        return call(k.ops.vma_close(file))

    def closed(self, k: Machine) -> Next:
        """On to the next one."""
        return self.vm_ops_close


def files_to_close(k: Machine, vmas: Sequence[object]) -> tuple[str, ...]:
    """The files of some mappings, if the filesystem wants to hear of it."""
    files = (getattr(vma, "file", None) for vma in vmas)
    return tuple(dict.fromkeys(file for file in files if file)) if k.ops.vma_close is not None else ()
