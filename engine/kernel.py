"""A kernel: which behaviours it has, its story, and what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.function import KernelFunction
from engine.objects.mapping import AddressSpace, Inode
from engine.objects.page import Page


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

    get_block(inode, iblock, create), readpage(page), writepage(page), writepages(mapping, sync), sync_file(inode).
    """

    get_block: Callable[[Inode, int, bool], KernelFunction]
    readpage: Callable[[Page], KernelFunction]
    writepage: Callable[[Page], KernelFunction]
    writepages: Callable[[AddressSpace, bool], KernelFunction]
    sync_file: Callable[[Inode], KernelFunction]


@dataclass(frozen=True, slots=True)
class Kernel:
    """One named set of behaviours. `replaces` says which of the 2.6.9 functions it has in its own version."""

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
