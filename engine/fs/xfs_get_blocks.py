"""XFS as 2.6.23 has it, simply: blocks by extents, taken when they are asked for. After fs/xfs/linux-2.6/xfs_aops.c."""

from __future__ import annotations

from dataclasses import dataclass

from engine.fs.ext2 import Ext2GetBlock, Ext2SyncFile


@dataclass
class XfsGetBlocks(Ext2GetBlock):
    """As ext2's, on a map without index blocks: a hole costs one block. Quota is asked first, then the disk."""

    source = "fs/xfs/linux-2.6/xfs_aops.c xfs_get_blocks, 2.6.23, without delayed allocation"


@dataclass
class XfsFsync(Ext2SyncFile):
    """Make a file's metadata durable: its inode, which holds the extents. Returns "0"."""

    source = "fs/xfs/linux-2.6/xfs_file.c xfs_file_fsync, 2.6.23, without the log"
