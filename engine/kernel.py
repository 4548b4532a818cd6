"""A kernel: which behaviours it has, its story, and what it leaves out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine.errors import NoSuchCombination, UnknownSwitch
from engine.fs.kinds import FILESYSTEMS
from engine.function import KernelFunction
from engine.functions.block_prepare_write import BlockPrepareWrite
from engine.objects.mapping import Inode
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import EIO

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass(frozen=True, slots=True)
class BuildError:
    """One place where a patch does not compile: where in the patch, what the compiler says, why, the least repair."""

    place: str
    line: str
    message: str
    why: str
    repair: str


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What happens when the kernel is built as posted."""

    verdict: str
    errors: tuple[BuildError, ...]


@dataclass(frozen=True, slots=True)
class FilesystemOps:
    """A filesystem's operations under one kernel, as Linux has them in tables. Each is a kernel function's class.

    get_block(inode, iblock, create)      a disk block, None for a hole, or an errno
    readpage(page)                        "0" or an errno; entered with the page locked, left with it unlocked
    writepage(page)                       the same; the page is clean already
    writepages(mapping, sync, first, last=)     "0" or an errno; a range of pages where the kernel can say one
    sync_file(inode)                      make the metadata durable; "0" or an errno
    write_begin(file, index, page, low, high)   before write(2) puts data into bytes [low, high) of a page
    page_mkwrite(vma, vpn, page)          before a page becomes writable: LOCKED and the page is, RACED, or errno
    nopage(vma, vpn)                      the page for an address with a reference, or SIGBUS, or OOM
    fallocate, punch, zero(inode, offset, length)     "0" or an errno
    clone(inode, origin)                  a file gets the blocks of another, which keeps them: "0" or an errno
    grow, cut(inode, size)                before a file gets longer or shorter: "0" or an errno
    open(file), flush(file)               what open(2) and close(2) do beside the common; "0" or an errno
    vma_close(file)                       when a mapping of a file has gone, by munmap(2) or exit(2)
    write(file, text, length, offset)     write(2) where it does not go through the page cache first
    direct_io(inode, offset, length, text)      past the page cache: bytes written, Data read, or an errno; may be short
    release_page(k, page, offset, stop)   a plain function: what was reserved for a part of a page goes back
    end_io(k, page, pieces, ok)           a plain function: the disk has written (part, block) pairs of a page, or not

    None means that the filesystem has no such operation and the kernel does what it does then: without `direct_io`
    open(2) refuses O_DIRECT, unless `direct_is_cached`: writes go through the page cache and are waited for.
    `promises`: a page that can be stored to has its place on the disk, allocated or promised (invariant I4), or so
    kernel and filesystem say; `zero_eof` zeroes bytes [low, high) behind the end before a file grows, `set_size` does
    so for truncate(2) and fallocate(2) where these do more; `goes_down`: it can be shut down while it is mounted;
    `datasync`: msync(2) and fdatasync(2) leave metadata alone that no data needs (6.x).
    """

    get_block: Callable[[Inode, int, bool], KernelFunction]
    readpage: Callable[[Page], KernelFunction]
    writepage: Callable[[Page], KernelFunction]
    writepages: Callable[..., KernelFunction]
    sync_file: Callable[[Inode], KernelFunction]
    write_begin: Callable[[str, int, Page, int, int], KernelFunction] = BlockPrepareWrite
    page_mkwrite: Callable[[Vma, int, Page], KernelFunction] | None = None
    nopage: Callable[[Vma, int], KernelFunction] | None = None
    fallocate: Callable[[Inode, int, int], KernelFunction] | None = None
    punch: Callable[[Inode, int, int], KernelFunction] | None = None
    zero: Callable[[Inode, int, int], KernelFunction] | None = None
    clone: Callable[[Inode, Inode], KernelFunction] | None = None
    grow: Callable[[Inode, int], KernelFunction] | None = None
    cut: Callable[[Inode, int], KernelFunction] | None = None
    zero_eof: Callable[[str, int, int], KernelFunction] | None = None
    set_size: Callable[[str, int, int], KernelFunction] | None = None
    open: Callable[[str], KernelFunction] | None = None
    flush: Callable[[str], KernelFunction] | None = None
    vma_close: Callable[[str], KernelFunction] | None = None
    write: Callable[[str, str, int, int], KernelFunction] | None = None
    direct_io: Callable[[Inode, int, int, str], KernelFunction] | None = None
    release_page: Callable[..., None] | None = None
    end_io: Callable[[Machine, Page, tuple[tuple[int, int], ...], bool], None] | None = None
    direct_is_cached: bool = False
    goes_down: bool = False
    datasync: bool = True
    promises: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    """A named change of a kernel: one defect alone, or one bug of its day. `replaces` adds to the kernel's own."""

    name: str
    title: str
    story: str
    sources: tuple[str, ...]
    replaces: Mapping[type[KernelFunction], type[KernelFunction]]
    adds: tuple[type[KernelFunction], ...] = ()


@dataclass(frozen=True, slots=True)
class Kernel:
    """One named set of behaviours. `replaces` says which of the 2.6.9 functions it has in its own version.

    `absent` gives the reason why a filesystem is not in `filesystems`; `switches` are known by name, `switch` is the
    one that is on; `lock_names` says what this kernel calls the locks that 2.6.9 knew under other names; `errseq`:
    each open file hears of an error once. `reclaims_soon`: a dirty page that should have left the page cache is marked
    (PG_reclaim, the bit of PG_readahead), until it is stored to again or written (2.6.39: 278df9f451dc). `full_below`:
    what a write is told that finds no room in the device below.
    """

    id: str
    title: str
    short: str
    story: str
    sources: tuple[str, ...]
    functions: Mapping[str, type[KernelFunction]]
    filesystems: Mapping[str, FilesystemOps]
    replaces: Mapping[type[KernelFunction], type[KernelFunction]] = field(default_factory=dict)
    leaves_out: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    build: BuildReport | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, Switch] = field(default_factory=dict)
    switch: Switch | None = None
    lock_names: Mapping[str, str] = field(default_factory=dict)
    errseq: bool = False
    reclaims_soon: bool = False
    full_below: str = EIO

    def ops(self, filesystem: str) -> FilesystemOps:
        """A filesystem's operations under this kernel. Raises NoSuchCombination with the reason."""
        if filesystem not in self.filesystems:
            kind = FILESYSTEMS[filesystem]
            reason = self.absent.get(filesystem) or (
                f"there is one since {kind.since}"
                if _release(kind.since) > (_release(self.id) or BASE)
                else f"{kind.title} is simulated under other kernels alone"
            )
            raise NoSuchCombination(self.id, kind.title, reason, self.filesystems)
        return self.filesystems[filesystem]

    def switched(self, name: str) -> Kernel:
        """This kernel with one of its switches on. Raises UnknownSwitch."""
        if name not in self.switches:
            raise UnknownSwitch(self.id, name, self.switches)
        switch = self.switches[name]
        return replace(
            self,
            id=f"{self.id}+{name}",
            title=f"{self.title}, {switch.title}",
            short=f"{self.short} +{name}",
            story=switch.story,
            sources=(*self.sources, *switch.sources),
            functions={**self.functions, **{kind.c_name: kind for kind in (*switch.replaces.values(), *switch.adds)}},
            replaces={**self.replaces, **switch.replaces},
            defects=(*self.defects, f"{name}: {switch.title}."),
            switches={},
            switch=switch,
        )


BASE = (2, 6, 9)
"""What the kernels are made from that have no release in their names."""


def _release(text: str) -> tuple[int, ...]:
    """The first version number in a text, as numbers; () if there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
