"""What a teacher does to the machine: wake its kernel threads, cut its power, fill its disk. Not kernel code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.function import WAIT, KernelFunction, Next, call, ret
from engine.functions.page_flags import remove_from_page_cache
from engine.functions.reboot import forget_files, lose_memory
from engine.functions.sys_sync import SysSync
from engine.functions.vmtruncate import free_blocks
from engine.objects.page import Page
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


class World(KernelFunction):
    """A call of the script that no program could make."""

    source = "not a kernel function"


@dataclass
class WakeThread(World):
    """Wake a kernel thread and wait until it sleeps again and the disk is idle."""

    c_name = "wake"
    thread: str

    def wake_up(self, k: Machine) -> Next:
        """Time passes, or memory gets short: a kernel thread has work to do."""
        k.tasks[self.thread].wanted = True

    def wait(self, k: Machine) -> Next:
        """It has finished."""
        if k.tasks[self.thread].wanted or k.disk.queue:
            k.blocked_on = f"task/{self.thread}.wanted"
            return WAIT
        k.finish_line(OK)
        return ret()


@dataclass
class DropCaches(World):
    """Every clean page that nobody holds leaves the page cache (as invalidate_mapping_pages does).

    Where there is no disk below, such a page holds zeroes that were loaded, and gives its space back. Kernels that
    reclaim soon (mm/swap.c lru_deactivate_file) mark the pages that have to stay because they are dirty.
    """

    c_name = "drop_caches"

    def drop_page(self, k: Machine) -> Next:
        """The next clean page that nobody maps is dropped: what only it knew is gone."""
        page = next(droppable(k), None)
        if page is None:
            mark_kept(k)
            k.finish_line(OK)
            return ret()
        k.answer(f"frame {page.pfn}")
        drop(k, page)
        return self.drop_page


@dataclass
class Remount(World):
    """Unmount and mount again: everything is written, everything is forgotten, and what is read comes from the disk."""

    c_name = "remount"

    def may_umount(self, k: Machine) -> Next:
        """Only a filesystem that nobody uses can be unmounted."""
        if in_use(k) or k.kind.in_memory:
            k.finish_line("n/a" if k.kind.in_memory else "EBUSY")
            return ret()

    def fsync_super(self, k: Machine) -> Next:
        """Write everything."""
        return call(SysSync())

    def invalidate_inodes(self, k: Machine) -> Next:
        """Forget everything, and read what the disk says, unless somebody has come in meanwhile."""
        busy = in_use(k)
        if not busy:
            forget_files(k)
        k.finish_line("EBUSY" if busy else OK)
        return ret()


@dataclass
class PowerFails(World):
    """Memory is gone; what the disk has completed is left."""

    c_name = "power"

    def fails(self, k: Machine) -> Next:
        """The power fails: memory, page tables and every program are gone. Only the disk is left."""
        k.clock.power = None
        k.clock.cuts = (k.clock.cuts or 0) + 1
        lose_memory(k)

    def comes_back(self, k: Machine) -> Next:
        """The machine boots: the filesystem is checked, and files are what the disk says."""
        k.clock.power = True
        forget_files(k)
        k.finish_line(OK)
        return ret()


@dataclass
class Shutdown(World):
    """XFS_IOC_GOINGDOWN, without writing the log. The line's result is "0", or ENOTTY: no such request here."""

    source = "fs/xfs/xfs_fsops.c xfs_fs_goingdown, fs/ext4/ioctl.c ext4_force_shutdown, 6.x"

    def goingdown(self, k: Machine) -> Next:
        """The filesystem gives up while it is mounted: what the disk lacks now it will not get."""
        if k.ops.goes_down:
            k.space.down = True
        k.finish_line(OK if k.ops.goes_down else "ENOTTY")
        k.answer("shut down" if k.ops.goes_down else f"no: {k.kind.title} knows no such request here")
        return ret()


@dataclass
class Ballast(World):
    """Other people's files take blocks or give them back, one block each. Units: blocks; negative gives back."""

    c_name = "others"
    name: str
    blocks: int | None
    leave: int = 0

    def change(self, k: Machine) -> Next:
        """The free space changes; no quota of ours is touched."""
        allowed = k.space.allowed(privileged=k.current.privileged)
        wanted = max(0, allowed - self.leave) if self.blocks is None else self.blocks
        k.space.take_many(self.name, max(0, min(wanted, allowed)))
        for block in list(reversed(k.space.owned_by(self.name)))[: max(0, -wanted)]:
            k.space.give_back(block)
        k.finish_line(OK if wanted <= allowed else "ENOSPC")
        k.answer(f"{k.space.free} free")
        return ret()


@dataclass
class Setting(World):
    """A limit, the clock, or the health of the disk changes."""

    c_name = "set"
    what: str
    name: str
    first: int | None
    second: int | None

    def change(self, k: Machine) -> Next:
        """From now on the machine is different."""
        if self.what == "quota":
            set_quota(k, self.name, self.first, self.second)
        elif self.what == "sleep":
            k.clock.clock = k.clock.clock + (self.first or 0)
        else:
            set_disk(k, self.what, self.name, self.first)
        k.finish_line(OK)
        return ret()


def droppable(k: Machine) -> Iterator[Page]:
    """The pages of files that are clean and that nobody holds, in the order of the files."""
    for page in unmapped(k):
        busy = page.dirty or page.writeback or page.buffers_dirty or page.locked.holder
        if not busy and page.count == 1 + bool(page.private):
            yield page


def drop(k: Machine, page: Page) -> None:
    """A page leaves the page cache. Where that is all there is of it, its space is given back."""
    if page.private:
        page.drop_buffers()
    file, first = page.mapping or "", (page.index or 0) * k.blocks_per_page
    remove_from_page_cache(k, page)
    if k.kind.in_memory:
        free_blocks(k, file, first, first + k.blocks_per_page)


def mark_kept(k: Machine) -> None:
    """Pages that nobody maps, and that have to stay, shall go as soon as they are written."""
    for page in unmapped(k) if k.kernel.reclaims_soon else ():
        if page.dirty or page.writeback:
            page.reclaim = True


def unmapped(k: Machine) -> Iterator[Page]:
    """The pages of files that no page table leads to, in the order of the files."""
    for mapping in k.mappings.values():
        for pfn in [pfn for _, pfn in mapping.pages.items()]:
            page = k.page(pfn)
            if not page.mapped:
                yield page


def in_use(k: Machine) -> bool:
    """Whether somebody maps a file, or is in the middle of a call."""
    mapped = any(vma.file for mm in k.mms.values() for vma in mm.vmas or ())
    calling = (t for t in k.tasks.values() if t is not k.current and t.process and t.stack is not None)
    return mapped or any(not issubclass(bottom(task.stack), World) for task in calling)


def bottom(stack: Any) -> type[KernelFunction]:
    """The class of the outermost frame."""
    while stack[4] is not None:
        stack = stack[4]
    kind: type[KernelFunction] = stack[0]
    return kind


def set_quota(k: Machine, user: str, soft: int | None, hard: int | None) -> None:
    """New limits, in blocks; None leaves one as it is. A user without limits gets an account of what is in use."""
    quota = k.quotas[user]
    quota.soft = quota.soft if soft is None else soft
    quota.hard = quota.hard if hard is None else hard
    if not quota.soft or quota.used <= quota.soft:
        quota.expires = None


def set_disk(k: Machine, what: str, file: str, number: int | None) -> None:
    """What the disk does from now on: fail, heal, or have room for so many more blocks."""
    if what == "device_room":
        k.disk.room = number
    elif what == "disk_heals":
        heal_disk(k, file)
    else:
        break_disk(k, file, number)


def break_disk(k: Machine, file: str, offset: int | None) -> None:
    """Writes of this part of a file fail from now on (None: of all of it); without a file all writes do."""
    if not file:
        k.disk.broken = True
    else:
        k.disk.inodes[file].bad = -1 if offset is None else offset // k.page_size


def heal_disk(k: Machine, file: str) -> None:
    """Writes of this file succeed again, without a file all."""
    k.disk.broken = k.disk.broken if file else None
    for name in [file] if file else list(k.disk.inodes):
        k.disk.inodes[name].bad = None
