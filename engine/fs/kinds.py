"""The filesystems by name: what a scenario may put on its disk, whatever the kernel. How each behaves is in its ops.

A filesystem's operations belong to a kernel (`Kernel.filesystems`), because kernels changed them; here stands what is
true of the filesystem itself: what its files look like on the disk, and since when there is one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FilesystemKind:
    """One filesystem. `map` says how a file finds its blocks; `reserves` says in a sentence when space is taken.

    `in_inode` extents fit into the inode, a further one needs a leaf (0: never). `spare`: so many per cent of the
    blocks are kept for metadata at writeback, if a scenario does not say how many; None if none ever are. `in_memory`:
    there is no disk below. `remote`: a server keeps the blocks, which does not lose power with this machine.
    `nodatacow`: data is overwritten in place where other files of its kind copy. `ordered`: a journal writes the data
    of new blocks before it commits their metadata (data=ordered, without delayed allocation).
    """

    id: str
    title: str
    map: str
    since: str
    reserves: str
    story: str
    sources: tuple[str, ...] = ()
    holes: bool = True
    until: str = ""
    in_inode: int = 0
    spare: int | None = None
    in_memory: bool = False
    remote: bool = False
    nodatacow: bool = False
    ordered: bool = False

    def pool(self, blocks: int, chosen: int | None) -> int:
        """ext4's reserved_clusters: at most 4096; here at least one, where a real disk has more. Units: blocks."""
        usual = min(max(1, blocks * self.spare // 100), 4096) if self.spare else 0
        return usual if chosen is None else chosen


INDIRECT, MINIX, EXTENTS = "indirect", "minix", "extents"

_KINDS = (
    FilesystemKind(
        "ext2", "ext2", INDIRECT, "January 1993",
        "At writeback, as it always did: a fault takes nothing, in any kernel.",
        "Block map with direct and indirect blocks, no journal. Never got a page_mkwrite of its own, so that the bug "
        "of 2004 lives in it to this day.",
        ("kernel-facts 1a.13, 1e.5, 3.3", "real-kernels rule 9"),
    ),
    FilesystemKind(
        "ext2-mkwrite", "ext2 with page_mkwrite", INDIRECT, "a patch of 2009-06-15, not merged",
        "At the fault: the block and its index blocks are allocated, in the program's own name.",
        "What Jan Kara posted on 2009-06-15: ext2 whose page_mkwrite is block_page_mkwrite, so that a store without "
        "room gets a signal instead of silently losing its data. It was not merged.",
        ("kernel-facts 1c.4, 1e.5",),
    ),
    FilesystemKind(
        "ext3", "ext3", INDIRECT, "2.4.15, November 2001",
        "At writeback while it had code of its own; at the fault once the ext4 driver mounts it.",
        "ext2's block map with a journal. Its own code never asked at the fault; from 4.3 on the ext4 driver mounts "
        "it, and that one asks.",
        ("kernel-facts 1a.14, 1e.5", "real-kernels rule 1"), ordered=True,
    ),
    FilesystemKind(
        "ext4", "ext4", EXTENTS, "2.6.28, December 2008",
        "At the fault: a block of data and of quota is reserved, and allocated at writeback (delayed allocation).",
        "Extents, a journal, delayed allocation. A fault reserves; writeback finds the blocks, with a pool kept for "
        "the metadata that nobody reserved.",
        ("kernel-facts 1e.4, 3.5", "2.6.27: 2e9ee8503555"), in_inode=4, spare=2,
    ),
    FilesystemKind(
        "ext4-resv0", "ext4, reserved_clusters=0", EXTENTS, "3.9, April 2013",
        "At the fault, for the data; nothing is kept for the metadata that writeback may need.",
        "ext4 whose spare pool was set to nothing by sysfs. A file that needs a leaf at writeback on a full disk loses "
        "the pages: the log says that this should not happen, msync says 0.",
        ("kernel-facts 1e.8", "real-kernels, surprises"), in_inode=4,
    ),
    FilesystemKind(
        "ext4-nodelalloc", "ext4, nodelalloc", EXTENTS, "2.6.28, December 2008",
        "At the fault: the block itself is allocated, in the program's own name.",
        "ext4 without delayed allocation: page_mkwrite allocates the blocks there and then.",
        ("kernel-facts 1e.4",), in_inode=4, spare=0, ordered=True,
    ),
    FilesystemKind(
        "ext2-by-ext4", "ext2 format, by the ext4 driver", INDIRECT, "2.6.28, December 2008",
        "At the fault: the block and its index blocks are allocated.",
        "A filesystem in ext2's format, mounted by the ext4 driver with nodelalloc: block-mapped files and a "
        "page_mkwrite that allocates, index blocks included.",
        ("real-kernels rules 3 and 4",),
    ),
    FilesystemKind(
        "xfs", "XFS", EXTENTS, "2.6.0",
        "At the fault since 2.6.23: a delayed extent, with worst-case metadata for it.",
        "Extents and delayed allocation. The first user of block_page_mkwrite.",
        ("kernel-facts 1a.14, 1e.4", "2.6.23: 4f57dbc6b5ba"),
    ),
    FilesystemKind(
        "btrfs", "btrfs", EXTENTS, "2.6.29, March 2009",
        "At the fault, for every write: copy on write needs a new block even over old data.",
        "Copy on write: a page that has its block needs another one to be written again.",
        ("kernel-facts 1e.4", "generic/173"),
    ),
    FilesystemKind(
        "btrfs-nodatacow", "btrfs, nodatacow", EXTENTS, "2.6.29, March 2009",
        "At the fault for holes; overwriting in place needs no block (in 6.18; 6.1 asks for one all the same).",
        "btrfs with copy on write switched off for data.",
        ("kernel-facts 1e.4", "generic/211"), nodatacow=True,
    ),
    FilesystemKind(
        "tmpfs", "tmpfs", EXTENTS, "2.4",
        "At the fault, for loads too: a page in memory is the file.",
        "Files that live in the page cache alone: only memory keeps them, and a power cut takes all. There is no hole "
        "for a mapping: even a load takes a block.",
        ("real-kernels rule 8",), in_memory=True,
    ),
    FilesystemKind(
        "vfat", "vfat", EXTENTS, "2.0",
        "When the file grows: it has no holes.",
        "A chain of clusters: ftruncate takes the space, so that no store can lack it.",
        ("real-kernels rule 11",), holes=False,
    ),
    FilesystemKind(
        "fuse", "FUSE", EXTENTS, "2.6.14",
        "Never here: a server looks for room when the data reaches it.",
        "A server in user space keeps the file. Nobody asks it at the fault; it learns of the data at writeback, and "
        "several pages come to it as one request. write(2) goes through to it at once.",
        ("kernel-facts 1e.4", "real-kernels rule 9"), remote=True,
    ),
    FilesystemKind(
        "fuse-nokeep", "FUSE without keep_cache", EXTENTS, "2.6.14",
        "Never here; and whoever opens the file next throws away what is cached of it.",
        "FUSE whose server does not ask to keep the cache: each open(2), by anybody, drops the file's clean pages, and "
        "with them those that writeback could not place.",
        ("real-kernels, surprises",), remote=True,
    ),
    FilesystemKind(
        "fuse-writeback", "FUSE, writeback cache", EXTENTS, "3.15",
        "Never here, for write(2) neither: a server looks for room when the data reaches it.",
        "FUSE with writeback_cache: write(2) too stays in the page cache until writeback.",
        ("real-kernels rule 9",), remote=True,
    ),
    FilesystemKind(
        "fuse-short", "FUSE, a server that answers short", EXTENTS, "2.6.14",
        "Never here; and a request that only fits half is answered with half.",
        "A server that answers a WRITE short, as pwrite(2) on a nearly full disk does. msync and fsync say 0, and the "
        "rest is lost.",
        ("real-kernels, surprises",), remote=True,
    ),
    FilesystemKind(
        "minix", "minix", MINIX, "0.96, 1992",
        "At writeback: a fault takes nothing.",
        "The first filesystem Linux had: 7 direct blocks, then indirect ones, and the bug of 2004.",
        ("kernel-facts 1e.5", "real-kernels rule 9"),
    ),
    FilesystemKind(
        "jfs", "JFS", EXTENTS, "2.4.20, November 2002",
        "At writeback: a fault takes nothing.",
        "IBM's journalled filesystem, by extents. It never learned to answer at the fault.",
        ("kernel-facts 1e.5", "real-kernels rule 9"),
    ),
    FilesystemKind(
        "reiserfs", "reiserfs", EXTENTS, "2.4.1, January 2001",
        "At writeback: a fault takes nothing.",
        "Files as items of one tree. It never learned to answer at the fault, and was removed in 6.13.",
        ("kernel-facts 1a.14", "real-kernels rule 9"), until="6.12",
    ),
    FilesystemKind(
        "udf", "UDF", EXTENTS, "2.2",
        "At writeback in 6.1; at the fault in later kernels, which got a page_mkwrite.",
        "The format of DVDs, by extents.",
        ("kernel-facts 1e.4", "real-kernels rule 9"),
    ),
    FilesystemKind(
        "nfs", "NFS", EXTENTS, "2.0",
        "Never here: the server says ENOSPC to WRITE or COMMIT.",
        "Another machine keeps the file. Its disk is full when the data arrives there, long after the store.",
        ("kernel-facts 1e.4",), remote=True,
    ),
)  # fmt: skip

FILESYSTEMS: dict[str, FilesystemKind] = {kind.id: kind for kind in _KINDS}
