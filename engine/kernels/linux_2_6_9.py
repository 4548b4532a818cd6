"""Linux 2.6.9 as shipped, October 2004. Facts 1a."""

from __future__ import annotations

from dataclasses import replace

from engine.fs.ext2 import Ext2GetBlock, Ext2NewBlock, Ext2SyncFile
from engine.fs.ext3 import Ext3SyncFile
from engine.function import KernelFunction
from engine.functions.alloc_page import AllocPage
from engine.functions.block_prepare_write import BlockPrepareWrite
from engine.functions.block_truncate_page import BlockTruncatePage
from engine.functions.block_write_full_page import BlockWriteFullPage
from engine.functions.blockdev_direct_io import BlockdevDirectIO
from engine.functions.copy_to_user import CopyToUser
from engine.functions.cpu_load import CpuLoad
from engine.functions.cpu_store import CpuStore
from engine.functions.disk_io import EndPageWriteback
from engine.functions.do_anonymous_page import DoAnonymousPage
from engine.functions.do_exit import DoExit
from engine.functions.do_fork import DoFork
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_mremap import DoMremap
from engine.functions.do_no_page import DoNoPage
from engine.functions.do_page_fault import DoPageFault
from engine.functions.do_wp_page import DoWpPage
from engine.functions.file_handles import SysClose, SysOpen
from engine.functions.filemap_fdatawait import FilemapFdatawait
from engine.functions.filemap_nopage import FilemapNopage
from engine.functions.generic_file_buffered_write import GenericFileBufferedWrite
from engine.functions.generic_file_direct_io import GenericFileDirectIO
from engine.functions.generic_file_direct_read import GenericFileDirectRead
from engine.functions.generic_file_direct_write import GenericFileDirectWrite
from engine.functions.generic_file_read import GenericFileRead
from engine.functions.generic_file_write import GenericFileWrite
from engine.functions.grab_cache_page import GrabCachePage
from engine.functions.handle_mm_fault import HandleMmFault
from engine.functions.handle_pte_fault import HandlePteFault
from engine.functions.install_pages import InstallPages
from engine.functions.invalidate_inode_pages2 import InvalidateInodePages2
from engine.functions.kswapd import Kswapd
from engine.functions.mpage_readpage import MpageReadpage
from engine.functions.mpage_writepage import MpageWritepage
from engine.functions.mpage_writepages import MpageWritepages
from engine.functions.page_cache_read import PageCacheRead
from engine.functions.pageout import Pageout
from engine.functions.pdflush import Pdflush
from engine.functions.shrink_list import ShrinkList
from engine.functions.sys_fsync import SysFsync
from engine.functions.sys_ftruncate import SysFtruncate
from engine.functions.sys_msync import SysMsync
from engine.functions.sys_munmap import SysMadvise, SysMprotect, SysMunmap
from engine.functions.sys_ni_syscall import SysIoctl, SysNiSyscall, SysSyncfs
from engine.functions.sys_sync import SysSync
from engine.functions.tlb_handlers import HandleTlb, TlbRefill
from engine.functions.try_to_unmap import TryToUnmap
from engine.functions.vmtruncate import Vmtruncate
from engine.functions.world import Ballast, DropCaches, PowerFails, Remount, Setting, Shutdown, WakeThread
from engine.functions.zap_pte_range import ZapPteRange
from engine.kernel import FilesystemOps, Kernel


def table(*kinds: type[KernelFunction]) -> dict[str, type[KernelFunction]]:
    """Kernel functions by their C names."""
    return {kind.c_name: kind for kind in kinds}


FAULT_PATH = (
    CpuStore, CpuLoad, CopyToUser, DoPageFault, HandleMmFault, HandlePteFault, DoNoPage, DoAnonymousPage, DoWpPage,
    FilemapNopage, PageCacheRead, MpageReadpage, AllocPage, InstallPages, TlbRefill, HandleTlb,
)  # fmt: skip
WRITE_PATH = (
    Pdflush, MpageWritepages, MpageWritepage, BlockWriteFullPage, Ext2GetBlock, Ext2NewBlock, Ext2SyncFile,
    Ext3SyncFile, FilemapFdatawait, EndPageWriteback, Kswapd, ShrinkList, Pageout, TryToUnmap,
)  # fmt: skip
SYSCALLS = (
    DoMmapPgoff, SysMunmap, SysMprotect, SysMadvise, DoMremap, SysMsync, SysFsync, SysSync, GenericFileWrite,
    GenericFileBufferedWrite, GrabCachePage, BlockPrepareWrite, GenericFileRead, SysFtruncate, Vmtruncate,
    BlockTruncatePage, ZapPteRange, DoFork, DoExit, SysOpen, SysClose, SysNiSyscall, SysSyncfs, SysIoctl,
    GenericFileDirectWrite, GenericFileDirectRead, GenericFileDirectIO, BlockdevDirectIO, InvalidateInodePages2,
)  # fmt: skip
WORLD = (WakeThread, DropCaches, Remount, PowerFails, Ballast, Setting, Shutdown)

FUNCTIONS = table(*FAULT_PATH, *WRITE_PATH, *SYSCALLS, *WORLD)

EXT2 = FilesystemOps(
    Ext2GetBlock, MpageReadpage, BlockWriteFullPage, MpageWritepages, Ext2SyncFile, direct_io=BlockdevDirectIO
)
EXT3 = replace(EXT2, sync_file=Ext3SyncFile)

ABSENT = {
    "ext2-mkwrite": "page_mkwrite comes with 2.6.18, and the patch is of 2009",
    "xfs": "XFS is simulated from 2.6.23 on, where it asks at the fault",
    "tmpfs": "tmpfs is simulated from 6.1 on",
    "vfat": "vfat is simulated from 6.1 on",
    "nfs": "NFS is simulated from 6.1 on",
}
"""Why a filesystem that existed is not simulated under the kernels of 2004."""

LEAVES_OUT = (
    "Page tables, inodes and index blocks live outside the simulated frames; only pages of data take frames.",
    "There is no read-ahead and no read-around: each page is read when it is asked for.",
    "There is no swap: anonymous pages stay in memory. None of them is shared but by threads and by fork().",
    "mlock(), remap_file_pages(), O_SYNC and time stamps are left out.",
    "A direct transfer is waited for within one step. The program's buffer is aligned, and in no mapping of a file.",
    "A kernel BUG stops whoever runs into it, and its locks stay taken; in the kernel that task would die as well.",
    "Reads, and writes of inodes and index blocks, are waited for within one step; writes of data are queued.",
    "A write(2) to a part of a page reads the rest of it first. No call takes a page fault inside the kernel.",
    "A writable shared mapping of a file that is open for reading only is refused before the run, not with EACCES.",
    "msync() writes the file once, even where the mapping has been cut into several ranges.",
    "ext2 has one block group, takes the first free block, and preallocates nothing; its own tables are not counted.",
    "pdflush runs when the script says writeback(), not every five seconds, until inode and index blocks are written.",
    "sync(2) does not wake pdflush first, and dirty limits never throttle anybody.",
    "tree_lock, private_lock, inode_lock and the filesystem's spinlocks are taken and dropped within single steps.",
    "Reclaim is kswapd's, or the allocating task's, on one list of pages; reclaim() stands for lasting pressure.",
    "A TLB holds any number of entries and is emptied when the CPU changes to another address space.",
    "On mips entries start young, as on i386, a TLB entry covers one page, not two, and caches never disagree.",
    "ext3 is ext2 with a journal of one step: a commit is atomic, and metadata never waits for space in the journal.",
    "Interrupts, priorities, other users of memory, and time spent are left out; a step takes no time.",
)

LINUX_2_6_9 = Kernel(
    id="linux-2.6.9",
    title="Linux 2.6.9 as shipped",
    short="2.6.9 as shipped",
    story=(
        "October 2004. A shared writable mapping gets a writable entry on first touch, even on a load. "
        "No store ever enters the kernel after that, and nobody asks the filesystem for a block until writeback. "
        "Where there is none then, the page is marked clean, a flag is set in the file, and data goes with the page."
    ),
    sources=(
        "kernel-facts 1a",
        "mm/memory.c, mm/filemap.c, mm/msync.c, fs/buffer.c, fs/mpage.c, fs/ext2, 2.6.9",
    ),
    functions=FUNCTIONS,
    filesystems={"ext2": EXT2, "ext3": EXT3},
    absent=ABSENT,
    leaves_out=LEAVES_OUT,
)
