"""How ext4, XFS, btrfs and FUSE move a direct write to its place, holes included. After fs/ext4, xfs, btrfs, fuse, 6.x.

ext4 and XFS take unwritten blocks for a hole, which read as zeroes until the data is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.fs import delalloc, xfs_reflink
from engine.fs.btrfs import BtrfsReserveDataSpace, lead_to, must_cow, place
from engine.fs.ext4 import Ext4MapBlocks, Ext4SplitConvertExtents
from engine.fs.fuse import FuseSendWrite, FuseSendWriteShort
from engine.fs.xfs import XfsAllocFileSpace, bm_maxlevels, homeless, settle, take_place
from engine.function import KernelFunction, Next, call, ret
from engine.functions.direct_transfer import places, wanted
from engine.functions.linux6.iomap_dio_rw import IomapDioIter
from engine.values import ENOSPC, OK, Data, Run

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Ext4DirectIO(IomapDioIter):
    """Returns the bytes written (int), what was read (Data), or an errno. A write fills holes by itself."""

    source = "fs/iomap/direct-io.c iomap_dio_iter; fs/ext4/inode.c ext4_iomap_alloc, 6.x"
    converted: str = OK

    def dio_complete(self, k: Machine) -> Next:
        """Back to who called, once the blocks that were taken for this count as written."""
        if self.text and self.error == OK and self._unwritten(k):
            return self.ext4_dio_write_end_io
        return super().dio_complete(k)

    def ext4_dio_write_end_io(self, k: Machine) -> Next:
        """The data is there: from now on the file reads as what was written."""
        first = end = self._unwritten(k)[0]
        while end in self._unwritten(k):
            end += 1
        return call(Ext4SplitConvertExtents(self.inode, first, end), into="converted")

    def ext4_converted(self, k: Machine) -> Next:
        """Did their extents find a place?"""
        self.error = self.converted
        return self.dio_complete

    def _look(self, k: Machine, iblock: int) -> KernelFunction:
        if not self.text:
            return super()._look(k, iblock)
        return Ext4MapBlocks(self.inode, iblock, True, unwritten=not self._is_beyond(k, iblock))

    def _unwritten(self, k: Machine) -> list[int]:
        return [iblock for iblock in places(k, self) if self.inode.unwritten[iblock]]


@dataclass
class XfsDirectIO(IomapDioIter):
    """Returns the bytes written (int), what was read (Data), or an errno. A write fills holes, all or none."""

    source = "fs/iomap/direct-io.c iomap_dio_iter; fs/xfs/xfs_iomap.c xfs_direct_write_iomap_begin, 6.x"
    allocated: str | None = None

    def get_block(self, k: Machine) -> Next:
        """Where on the disk is the next block of the file? The holes of a write get theirs before it begins."""
        if self.text and self.allocated is None:
            return self.xfs_iomap_write_direct
        return super().get_block(k)

    def blocksize_mask(self, k: Machine) -> Next:
        """Does it begin and end where sectors do? A part of a block that is shared is left to the page cache."""
        refused = super().blocksize_mask(k)
        cut = self.offset % k.block_size or self.length % k.block_size
        if refused is None and self.text and cut and self._shared(k):
            k.answer("no: part of a shared block")
            return ret(0)
        return refused

    def mapped(self, k: Machine) -> Next:
        """A block, or a hole? What is shared is written to the new block."""
        new = self.inode.cow[wanted(k, self)[len(self.blocks)]]
        self.got = new if self.text and new is not None else self.got
        return super().mapped(k)

    def dio_complete(self, k: Machine) -> Next:
        """Back to who called; what is written counts as written, and the file leads there. Else it stays as it was."""
        for iblock in places(k, self) if self.text and self.error == OK else ():
            self.inode.unwritten[iblock], self.inode.dirty = None, True
            if self.inode.cow[iblock] is not None:
                xfs_reflink.end_cow(k, self.inode, iblock)
        return super().dio_complete(k)

    def xfs_iomap_write_direct(self, k: Machine) -> Next:
        """The holes get unwritten blocks, if there is room for them and their metadata."""
        return call(XfsAllocFileSpace(self.inode, self.offset, self.length, whole=False), into="allocated")

    def has_space(self, k: Machine) -> Next:
        """Did they get them?"""
        if self.allocated != OK:
            k.answer(f"no: {self.allocated}")
            return ret(self.allocated)
        if not self._shared(k):
            return self.get_block

    def xfs_reflink_allocate_cow(self, k: Machine) -> Next:
        """Blocks that are shared get new ones in the COW fork, if there is room."""
        new = homeless(k, self.inode, wanted(k, self))
        if (refusal := delalloc.refusal(k, self.inode, len(new), bm_maxlevels(k.block_size) - 1)) != OK:
            k.answer(f"no: {refusal}")
            return ret(refusal)
        for iblock in self._shared(k):
            take_place(k, self.inode, iblock)
        settle(k, self.inode)
        return self.get_block

    def _shared(self, k: Machine) -> list[int]:
        here = ((i, k.map.lookup(self.inode, i)) for i in wanted(k, self) if self.inode.cow[i] is None)
        return [i for i, block in here if block is not None and k.space.is_shared(block)]


@dataclass
class BtrfsDirectIO(IomapDioIter):
    """Returns the bytes written (int), what was read (Data), or an errno; 0 for what is not made of whole blocks."""

    source = "fs/btrfs/direct-io.c btrfs_direct_write, btrfs_get_blocks_direct_write, btrfs_direct_read, 6.x"
    promised: tuple[int, ...] | str = ()

    def blocksize_mask(self, k: Machine) -> Next:
        """Does it begin and end where blocks do? If not, the page cache has to help."""
        whole = not self.offset % k.block_size and not self.length % k.block_size
        k.answer("yes" if whole else "no: the page cache")
        return None if whole else ret(0)

    def get_block(self, k: Machine) -> Next:
        """Where on the disk is the next block of the file? A write has to be promised its blocks first."""
        if self.text:
            return self.btrfs_check_data_free_space
        return super().get_block(k)

    def dio_complete(self, k: Machine) -> Next:
        """Back to who called; the file leads to the blocks that were written, and those that failed are free again."""
        for iblock, block in zip(places(k, self), self.blocks, strict=True):
            if self.text and block is not None and k.space.owner[block] == f"{self.inode.file}:new":
                lead_to(k, self.inode, iblock, block) if k.disk.data[block] else k.space.give_back(block)
        return super().dio_complete(k)

    def btrfs_check_data_free_space(self, k: Machine) -> Next:
        """Is there a block for each that nobody was promised?"""
        return call(BtrfsReserveDataSpace(self.inode, tuple(wanted(k, self))), into="promised")

    def btrfs_get_blocks_direct_write(self, k: Machine) -> Next:
        """Each takes its new block, or is written in place where nothing has to be copied."""
        copied = tuple(iblock for iblock in wanted(k, self) if must_cow(k, self.inode, iblock))
        if isinstance(self.promised, str) and (copied or self.promised != ENOSPC):
            k.answer(f"no: {self.promised}")
            return ret(self.promised)
        self.new = copied
        self.blocks = tuple(place(k, self.inode, iblock) for iblock in wanted(k, self))
        k.answer(", ".join(f"block {block}" for block in self.blocks))
        return self.dio_bio_submit


@dataclass
class FuseDirectIO(IomapDioIter):
    """Returns the bytes that the server has written (int), what it has read (Data), or its errno."""

    c_name = "fuse_direct_IO"
    source = "fs/fuse/file.c fuse_direct_IO; fs/nfs/direct.c nfs_file_direct_write, 6.x"
    send: ClassVar[type[FuseSendWrite]] = FuseSendWrite
    answer: int | str = 0

    def blocksize_mask(self, k: Machine) -> Next:
        """A server takes any bytes. What is written goes to it at once."""
        if self.text:
            return self.fuse_send_write

    def fuse_send_write(self, k: Machine) -> Next:
        """The bytes go to the server, and it says whether it has room."""
        run = self._run(k, self.length).moved(-self.offset)
        return call(self.send(self.inode, self.offset, Data(self.length, (run,))), into="answer")

    def answered(self, k: Machine) -> Next:
        """What does it say? The program will hear the same."""
        if isinstance(self.answer, int):
            run = self._run(k, self.answer)
            k.store(k.current.task, k.current.line).accepted = ((run.start, run.stop),)
            k.accept(self.inode.file, run, grows=True)
        k.answer(str(self.answer))
        return ret(self.answer)

    def _run(self, k: Machine, length: int) -> Run:
        return Run(self.offset, self.offset + length, self.text, f"{k.current.task}.{k.current.line}")


@dataclass
class FuseDirectIOShort(FuseDirectIO):
    """The same with a server that answers short: the rest is sent once more."""

    send = FuseSendWriteShort
