"""The filesystems of Linux 6.1 and 6.18: which operations each has, and which kernel functions they bring along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.fs.delalloc import release_page
from engine.fs.ext2 import Ext2GetBlock, Ext2SyncFile
from engine.fs.ext4 import (
    Ext4DaGetBlockPrep,
    Ext4Fallocate,
    Ext4MapBlocks,
    Ext4MbNewBlocks,
    Ext4NewMetaBlocks,
    Ext4SplitConvertExtents,
    Ext4SyncFile,
)
from engine.function import KernelFunction
from engine.functions.linux6.block_write_begin import BlockWriteBegin
from engine.functions.linux6.ext4_bio_write_folio import Ext4BioWriteFolio
from engine.functions.linux6.ext4_page_mkwrite import Ext4PageMkwrite
from engine.functions.linux6.filemap_page_mkwrite import FilemapPageMkwrite
from engine.functions.linux6.punch_hole import PunchHole, ZeroPageRange
from engine.functions.linux6.write_cache_pages import WriteCachePages
from engine.functions.mpage_readpage import MpageReadpage
from engine.functions.mpage_writepage import MpageWritepage
from engine.kernel import FilesystemOps

EXT2 = FilesystemOps(
    Ext2GetBlock, MpageReadpage, MpageWritepage, WriteCachePages, Ext2SyncFile, BlockWriteBegin, FilemapPageMkwrite
)
EXT2_BY_EXT4 = replace(
    EXT2,
    writepage=Ext4BioWriteFolio,
    page_mkwrite=Ext4PageMkwrite,
    sync_file=Ext4SyncFile,
    punch=PunchHole,
    promises=True,
)
EXT4_NODELALLOC = replace(EXT2_BY_EXT4, get_block=Ext4MapBlocks, fallocate=Ext4Fallocate)
EXT4 = replace(EXT4_NODELALLOC, get_block=Ext4DaGetBlockPrep, release_page=release_page)

FILESYSTEMS_6_18: Mapping[str, FilesystemOps] = {
    "ext2": EXT2,
    "ext3": EXT2_BY_EXT4,
    "ext2-by-ext4": EXT2_BY_EXT4,
    "ext4": EXT4,
    "ext4-nodelalloc": EXT4_NODELALLOC,
    "ext4-resv0": EXT4,
}
FILESYSTEMS_6_1 = {**FILESYSTEMS_6_18}

ABSENT: Mapping[str, str] = {"reiserfs": "it was removed in 6.13"}

CALLED = (
    Ext4MbNewBlocks, Ext4NewMetaBlocks, Ext4SplitConvertExtents, Ext4MapBlocks, PunchHole, ZeroPageRange,
)  # fmt: skip
"""Functions that the operations call."""


def functions_of(filesystems: Mapping[str, FilesystemOps]) -> list[type[KernelFunction]]:
    """Every kernel function that filesystems bring along, once."""
    found = dict.fromkeys(CALLED)
    for ops in filesystems.values():
        for field in ops.__dataclass_fields__:
            value = getattr(ops, field)
            if isinstance(value, type) and issubclass(value, KernelFunction):
                found[value] = None
    return list(found)
