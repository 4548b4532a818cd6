"""FUSE and NFS: a server keeps the file, and looks for room when a WRITE reaches it. After fs/fuse/file.c, 6.x.

The server's disk is the disk here: what it has answered for is there after a power cut of this machine. A FUSE
daemon runs as root, so that quota and reserve do not stop it; an NFS server writes as the client's user, who never has
root's rights there (root_squash).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.fs import delalloc
from engine.function import KernelFunction, Next, ret
from engine.objects.mapping import Inode
from engine.values import EDQUOT, EIO, ENOSPC, OK, Data

if TYPE_CHECKING:
    from engine.machine import Machine


def is_root(k: Machine) -> bool:
    """Whether the server writes with root's rights: a FUSE daemon does, an NFS server takes the client's user."""
    return k.kind.id != "nfs"


def over_quota(k: Machine, inode: Inode, blocks: int) -> bool:
    """Whether the quota on the server's disk, that of the file's owner, forbids so many blocks more."""
    quota = None if is_root(k) else k.quotas.get(inode.owner)
    return bool(quota and blocks and quota.refuses(blocks, k.clock.clock, privileged=False))


@dataclass
class FuseSendWrite(KernelFunction):
    """One WRITE of `data` at byte `start` of a file. Returns how many bytes were written (int), or an errno."""

    source = "fs/fuse/file.c fuse_send_write, fuse_writepages_send, 6.x; the server's pwrite(2)"
    inode: Inode
    start: int
    data: Data

    def request_send(self, k: Machine) -> Next:
        """The request goes to the server, which knows nothing of it yet."""
        k.answer(f"WRITE {self.data.size} at {self.start}")

    def server_write(self, k: Machine) -> Next:
        """The server writes to its own disk: is there room for the whole request?"""
        size = self._fits(k)
        if k.disk.broken or k.disk.inodes[self.inode.file].bad in (-1, *self._pages(k)):
            k.answer(f"no: {EIO}")
            return ret(EIO)
        if not size or over_quota(k, self.inode, len(self._holes(k))):
            k.answer(f"no: {EDQUOT if size else ENOSPC}")
            return ret(EDQUOT if size else ENOSPC)
        self._write(k, size)
        k.answer(f"{size} written")
        return ret(size)

    def _fits(self, k: Machine) -> int:
        """How many bytes the server will take: all or none."""
        return self.data.size if len(self._holes(k)) <= k.space.allowed(privileged=is_root(k)) else 0

    def _holes(self, k: Machine) -> list[int]:
        return [iblock for iblock in self._blocks(k) if k.map.lookup(self.inode, iblock) is None]

    def _blocks(self, k: Machine) -> range:
        return range(self.start // k.block_size, -(-(self.start + self.data.size) // k.block_size))

    def _pages(self, k: Machine) -> range:
        return range(self.start // k.page_size, -(-(self.start + self.data.size) // k.page_size))

    def _write(self, k: Machine, size: int) -> None:
        stop, inode = self.start + size, self.inode
        for iblock in self._blocks(k):
            low, high = max(self.start, iblock * k.block_size), min(stop, (iblock + 1) * k.block_size)
            if low < high:
                block = k.map.lookup(inode, iblock)
                if block is None:
                    block = inode.pointers[iblock] = delalloc.take(k, inode)
                piece = self.data.part(low - self.start, high - self.start)
                k.disk.data[block] = k.disk.read(block).paste(low % k.block_size, piece)
        inode.size = max(inode.size, stop)
        k.disk.write_inode(inode)


@dataclass
class FuseSendWriteShort(FuseSendWrite):
    """One WRITE to a server that answers with as many bytes as it could write, as pwrite(2) does on a full disk."""

    def _fits(self, k: Machine) -> int:
        """How many bytes the server will take: up to the first block that it has no room for."""
        room = k.space.allowed(privileged=True)
        beyond = self._holes(k)[room:]
        return max(0, beyond[0] * k.block_size - self.start) if beyond else self.data.size


@dataclass
class FuseGetBlock(KernelFunction):
    """Returns the server's block (int) or None for a hole. Nothing is asked for here."""

    source = "fs/fuse/file.c fuse_do_readfolio, 6.x"
    inode: Inode
    iblock: int
    create: bool

    def lookup(self, k: Machine) -> Next:
        """What does the server have for this part of the file?"""
        block = k.map.lookup(self.inode, self.iblock)
        k.answer("a hole" if block is None else f"the server's block {block}")
        return ret(block)


@dataclass
class FuseFileFallocate(KernelFunction):
    """Bytes [offset, offset + length) get their blocks on the server. Returns "0" or an errno; all or nothing."""

    source = "fs/fuse/file.c fuse_file_fallocate, 6.x"
    inode: Inode
    offset: int
    length: int

    def fuse_simple_request(self, k: Machine) -> Next:
        """The server is asked for the blocks, and takes them on its own disk."""
        end = -(-(self.offset + self.length) // k.block_size)
        wanted = [i for i in range(self.offset // k.block_size, end) if k.map.lookup(self.inode, i) is None]
        fits = len(wanted) <= k.space.allowed(privileged=is_root(k))
        if not fits or over_quota(k, self.inode, len(wanted)):
            k.answer(f"no: {EDQUOT if fits else ENOSPC}")
            return ret(EDQUOT if fits else ENOSPC)
        for iblock in wanted:
            self.inode.pointers[iblock] = delalloc.take(k, self.inode)
        k.disk.write_inode(self.inode)
        return ret(OK)


@dataclass
class FuseFsync(KernelFunction):
    """Returns "0": the server makes durable what it has taken."""

    source = "fs/fuse/file.c fuse_fsync, 6.x"
    inode: Inode

    def fuse_fsync_common(self, k: Machine) -> Next:
        """FSYNC: the server syncs its own disk. What it never got it cannot miss."""
        k.disk.write_inode(self.inode)
        self.inode.dirty = None
        return ret(OK)
