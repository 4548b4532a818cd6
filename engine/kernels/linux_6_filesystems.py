"""The filesystems of Linux 6.1 and 6.18: which operations each has, and which kernel functions they bring along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from engine.fs import btrfs, delalloc, xfs, xfs_reflink
from engine.fs.ext2 import Ext2GetBlock, Ext2SyncFile
from engine.fs.ext4 import (
    Ext4DaGetBlockPrep,
    Ext4Fallocate,
    Ext4IndMapBlocks,
    Ext4MapBlocks,
    Ext4MbNewBlocks,
    Ext4NewMetaBlocks,
    Ext4SplitConvertExtents,
    Ext4SyncFile,
)
from engine.fs.fuse import FuseFileFallocate, FuseFsync, FuseGetBlock, FuseSendWrite
from engine.fs.jbd2 import Ext4FsyncJournal
from engine.fs.natives import (
    FatContExpand,
    FatFallocate,
    FatGetBlock,
    JfsGetBlock,
    MinixGetBlock,
    NativeSyncFile,
    ReiserfsGetBlock,
    UdfGetBlock,
)
from engine.fs.tmpfs import NoopFsync, ShmemFallocate, ShmemGetBlock, ShmemInodeAcctBlocks, ShmemWritepages
from engine.function import KernelFunction
from engine.functions.linux6.block_write_begin import BlockWriteBegin
from engine.functions.linux6.btrfs_file import (
    BtrfsBufferedWrite,
    BtrfsPageMkwrite,
    BtrfsPageMkwriteAlways,
    BtrfsWritepage,
)
from engine.functions.linux6.clone_range import BtrfsRemapFileRange, GenericRemapFileRangePrep, XfsFileRemapRange
from engine.functions.linux6.direct_blocks import (
    BtrfsDirectIO,
    Ext4DirectIO,
    FuseDirectIO,
    FuseDirectIOShort,
    XfsDirectIO,
)
from engine.functions.linux6.ext4_bio_write_folio import Ext4BioWriteFolio
from engine.functions.linux6.ext4_page_mkwrite import Ext4PageMkwrite, UdfPageMkwrite
from engine.functions.linux6.ext4_writepages import Ext4Writepages
from engine.functions.linux6.fat_write_begin import FatWriteBegin
from engine.functions.linux6.filemap_page_mkwrite import FilemapPageMkwrite
from engine.functions.linux6.fuse_file import (
    FuseFinishOpen,
    FuseFlush,
    FusePageMkwrite,
    FusePerformWrite,
    FusePerformWriteShort,
    FuseVmaClose,
    FuseWriteBegin,
    NfsVmPageMkwrite,
)
from engine.functions.linux6.fuse_writepages import FuseWritepages, FuseWritepagesShort, NfsWritepages
from engine.functions.linux6.iomap_dio_rw import BlockdevDirectIO6, FatDirectIO, IomapDioIter, NoopDirectIO
from engine.functions.linux6.punch_hole import PunchHole, ZeroPageRange
from engine.functions.linux6.shmem_fault import ShmemFault, ShmemPunchHole, ShmemSwapinFolio, ShmemWriteBegin
from engine.functions.linux6.vfs_write import GenericPerformWrite
from engine.functions.linux6.write_cache_pages import WriteCachePages
from engine.functions.linux6.xfs_file import (
    IomapPageMkwrite,
    IomapReadFolio,
    IomapWriteBegin,
    IomapWritepageMap,
    XfsFilemapFault,
)
from engine.functions.linux6.xfs_free_space import XfsFreeFileSpace, XfsTruncatePage
from engine.functions.linux6.zero_eof import BtrfsTruncateBlock, Ext4BlockTruncatePage, XfsSetattrSize, XfsZeroRange
from engine.functions.linux6.zero_range import BtrfsZeroRange, Ext4ZeroRange, XfsFallocZeroRange
from engine.functions.mpage_readpage import MpageReadpage
from engine.functions.mpage_writepage import MpageWritepage
from engine.kernel import FilesystemOps

EXT2 = FilesystemOps(
    Ext2GetBlock, MpageReadpage, MpageWritepage, WriteCachePages, Ext2SyncFile, BlockWriteBegin, FilemapPageMkwrite,
    direct_io=IomapDioIter,
)  # fmt: skip
EXT2_BY_EXT4 = replace(
    EXT2,
    get_block=Ext4IndMapBlocks,
    writepage=Ext4BioWriteFolio,
    writepages=Ext4Writepages,
    page_mkwrite=Ext4PageMkwrite,
    sync_file=Ext4SyncFile,
    punch=PunchHole,
    zero_eof=Ext4BlockTruncatePage,
    goes_down=True,
    promises=True,
)
EXT3 = replace(EXT2_BY_EXT4, sync_file=Ext4FsyncJournal)
EXT4_NODELALLOC = replace(
    EXT3, get_block=Ext4MapBlocks, fallocate=Ext4Fallocate, zero=Ext4ZeroRange, direct_io=Ext4DirectIO
)
EXT4 = replace(
    EXT4_NODELALLOC, get_block=Ext4DaGetBlockPrep, release_page=delalloc.release_page, end_io=delalloc.end_io
)
MINIX = replace(EXT2, get_block=MinixGetBlock, sync_file=NativeSyncFile, direct_io=NoopDirectIO)
JFS = replace(MINIX, get_block=JfsGetBlock, direct_io=BlockdevDirectIO6)
UDF = replace(JFS, get_block=UdfGetBlock)
VFAT = replace(
    MINIX, get_block=FatGetBlock, write_begin=FatWriteBegin, grow=FatContExpand, fallocate=FatFallocate,
    direct_io=FatDirectIO,
)  # fmt: skip
TMPFS = FilesystemOps(
    ShmemGetBlock, ShmemSwapinFolio, MpageWritepage, ShmemWritepages, NoopFsync, ShmemWriteBegin,
    nopage=ShmemFault, fallocate=ShmemFallocate, punch=ShmemPunchHole, direct_is_cached=True, datasync=False,
)  # fmt: skip
XFS = replace(
    EXT4, get_block=xfs.XfsGetBlock, readpage=IomapReadFolio, writepage=IomapWritepageMap, writepages=WriteCachePages,
    write_begin=IomapWriteBegin, page_mkwrite=XfsFilemapFault, sync_file=xfs.XfsFileFsync,
    fallocate=xfs.XfsAllocFileSpace, zero=XfsFallocZeroRange, release_page=xfs.release_page, direct_io=XfsDirectIO,
    punch=XfsFreeFileSpace, clone=XfsFileRemapRange, cut=XfsTruncatePage, end_io=xfs_reflink.end_io,
    zero_eof=XfsZeroRange, set_size=XfsSetattrSize,
)  # fmt: skip
BTRFS = replace(
    XFS, goes_down=False, get_block=btrfs.BtrfsGetBlock, readpage=MpageReadpage, writepage=BtrfsWritepage,
    punch=PunchHole, cut=None, write=BtrfsBufferedWrite, page_mkwrite=BtrfsPageMkwrite, sync_file=btrfs.BtrfsSyncFile,
    fallocate=btrfs.BtrfsFallocate, zero=BtrfsZeroRange, release_page=btrfs.release_page,
    end_io=btrfs.finish_ordered_io, direct_io=BtrfsDirectIO, direct_is_cached=True, clone=BtrfsRemapFileRange,
    zero_eof=BtrfsTruncateBlock, set_size=None, datasync=False,
)  # fmt: skip
BTRFS_NODATACOW = replace(BTRFS, direct_is_cached=False)
BTRFS_6_1 = replace(BTRFS_NODATACOW, page_mkwrite=BtrfsPageMkwriteAlways)
FUSE = FilesystemOps(
    FuseGetBlock, MpageReadpage, MpageWritepage, FuseWritepages, FuseFsync, FuseWriteBegin, FusePageMkwrite,
    fallocate=FuseFileFallocate, punch=PunchHole, flush=FuseFlush, vma_close=FuseVmaClose, write=FusePerformWrite,
    direct_io=FuseDirectIO, datasync=False,
)  # fmt: skip
FUSE_WRITEBACK = replace(FUSE, write=None)
FUSE_SHORT = replace(FUSE, writepages=FuseWritepagesShort, write=FusePerformWriteShort, direct_io=FuseDirectIOShort)
NFS = replace(FUSE_WRITEBACK, writepages=NfsWritepages, page_mkwrite=NfsVmPageMkwrite, vma_close=None)

FILESYSTEMS_6_18: Mapping[str, FilesystemOps] = {
    "ext2": EXT2,
    "ext3": EXT3,
    "ext2-by-ext4": EXT2_BY_EXT4,
    "ext4": EXT4,
    "ext4-nodelalloc": EXT4_NODELALLOC,
    "ext4-resv0": EXT4,
    "xfs": XFS,
    "btrfs": BTRFS,
    "btrfs-nodatacow": BTRFS_NODATACOW,
    "tmpfs": TMPFS,
    "fuse": FUSE,
    "fuse-nokeep": replace(FUSE, open=FuseFinishOpen),
    "fuse-writeback": FUSE_WRITEBACK,
    "fuse-short": FUSE_SHORT,
    "nfs": NFS,
    "vfat": VFAT,
    "minix": MINIX,
    "jfs": JFS,
    "udf": replace(UDF, page_mkwrite=UdfPageMkwrite),
}
EXTS = ("ext3", "ext2-by-ext4", "ext4", "ext4-nodelalloc", "ext4-resv0")
FILESYSTEMS_6_1 = {
    **FILESYSTEMS_6_18,
    **{name: replace(FILESYSTEMS_6_18[name], zero_eof=None, end_io=None) for name in EXTS},
    "reiserfs": replace(JFS, get_block=ReiserfsGetBlock),
    "udf": UDF,
    "tmpfs": replace(TMPFS, direct_is_cached=False),
    "btrfs": BTRFS_6_1,
    "btrfs-nodatacow": BTRFS_6_1,
}

ABSENT_6_1: Mapping[str, str] = {"ext2-mkwrite": "the patch is of 2009, and was never merged"}
ABSENT: Mapping[str, str] = {**ABSENT_6_1, "reiserfs": "it was removed in 6.13"}

FILESYSTEMS_LEAVE_OUT = (
    "Blocks that a file gives back can be taken at once; a journal would keep them, and commit when one is needed.",
    "ext4: a fault that finds little room wakes the flusher; when it writes is up to the schedule here.",
    "ext4: a fallocate() that finds no room leaves the size as it was; there it grows as far as blocks were got.",
    "ext3 and ext4 punch and cut as if no extent had to be split; a leaf that is not needed is given back at once.",
    "A page that write(2) filled in part counts as read as a whole; readahead is that of faults, read(2) has none.",
    "ext4: one leaf holds all extents beyond four. The watermark below which nothing is promised is a sixteenth.",
    "ext4: only fallocated and zeroed blocks are unwritten; they become written ones before the data is on the disk.",
    "ext4: unless a scenario says otherwise the spare pool is 2 %, but at least one block; nodelalloc has none.",
    "XFS: a delayed extent becomes blocks in one go; a page is promised all that it needs or nothing.",
    "btrfs: metadata has room of its own; quota is shown as that of the owner.",
    "Clones: of whole files, all or nothing, without metadata; a new block is asked for alone, XFS takes 32 if it can.",
    "Clones: a block whose other owner has let go can be written in place at once; no log has to say so first.",
    "Shutting down is that of the ext4 driver and XFS, without the log; on ext4 mmap goes on there, which refuses.",
    "tmpfs: what a file holds at first is not in memory until it is touched; quota is asked as elsewhere.",
    "XFS and btrfs: a range that is punched or zeroed is not written back first. FUSE and NFS can punch but not zero.",
    "FUSE and NFS: the server answers at once and syncs what it writes; exit writes mappings, no descriptors.",
    "Direct I/O: XFS refuses what is not aligned before it sets the time; here the time is set first, as on ext4.",
    "Direct I/O: a write has the inode for itself; ext4 and XFS let those that need no new block run side by side.",
    "Direct I/O: an ext2 of 6.1 goes through fs/direct-io.c, which comes to the same; NFS is shown as FUSE.",
    "vfat, minix, JFS, reiserfs and UDF: metadata takes no blocks but minix's index blocks; vfat grows all or nothing.",
)
"""What is simpler here than in those filesystems."""

CALLED = (
    Ext4MbNewBlocks, Ext4NewMetaBlocks, Ext4SplitConvertExtents, Ext4MapBlocks, PunchHole, ZeroPageRange,
    ShmemInodeAcctBlocks, FuseSendWrite, GenericPerformWrite,
    IomapPageMkwrite, xfs.XfsBmapiReserveDelalloc, xfs.XfsBmapiConvertDelalloc, btrfs.BtrfsReserveDataSpace,
    GenericRemapFileRangePrep,
)  # fmt: skip
"""Functions that the operations call."""


def functions_of(filesystems: Mapping[str, FilesystemOps]) -> list[type[KernelFunction]]:
    """Every kernel function that filesystems bring along; of those with one C name the first."""
    found: dict[str, type[KernelFunction]] = {kind.c_name: kind for kind in CALLED}
    for ops in filesystems.values():
        for field in fields(ops):
            value = getattr(ops, field.name)
            if isinstance(value, type) and issubclass(value, KernelFunction):
                found.setdefault(value.c_name, value)
    return list(found.values())
