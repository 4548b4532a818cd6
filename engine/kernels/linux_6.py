"""Linux 6.x: the fault asks the filesystem, writeback ties pages down again, errors are told once per open file. 1e."""

from __future__ import annotations

from dataclasses import replace

from engine.functions.block_write_full_page import BlockWriteFullPage
from engine.functions.do_anonymous_page import DoAnonymousPage
from engine.functions.do_exit import DoExit
from engine.functions.do_fork import DoFork
from engine.functions.do_fork_lazy import DoForkLazy
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_page_fault import DoPageFault
from engine.functions.do_wp_page import DoWpPage
from engine.functions.file_handles import SysClose, SysOpen
from engine.functions.generic_file_direct_io import GenericFileDirectIO
from engine.functions.generic_file_direct_read import GenericFileDirectRead
from engine.functions.generic_file_direct_write import GenericFileDirectWrite
from engine.functions.generic_file_read import GenericFileRead
from engine.functions.generic_file_write import GenericFileWrite
from engine.functions.handle_mm_fault import HandleMmFault
from engine.functions.handle_pte_fault import HandlePteFault
from engine.functions.invalidate_inode_pages2 import InvalidateInodePages2
from engine.functions.kswapd import Kswapd
from engine.functions.linux6.block_page_mkwrite import BlockPageMkwrite
from engine.functions.linux6.block_write_full_folio import BlockWriteFullFolio
from engine.functions.linux6.clone_range import IoctlFileClone
from engine.functions.linux6.direct_file import DirectReadIter, DirectWriteIter
from engine.functions.linux6.do_anonymous_page import DoAnonymousPageUnlocked
from engine.functions.linux6.do_cow_fault import DoCowFault
from engine.functions.linux6.do_fault import DoFault
from engine.functions.linux6.do_page_mkwrite import DoPageMkwrite
from engine.functions.linux6.do_read_fault import DoReadFault
from engine.functions.linux6.do_shared_fault import DoSharedFault
from engine.functions.linux6.do_user_addr_fault import DoUserAddrFault
from engine.functions.linux6.do_wp_page import DoWpPageShared
from engine.functions.linux6.ext4_page_mkwrite import Ext4PageMkwrite
from engine.functions.linux6.fault_dirty_shared_page import FaultDirtySharedPage
from engine.functions.linux6.file_handles import DoExitClosing, DoMunmap, DoSysOpen, FilpClose
from engine.functions.linux6.filemap_fault import FilemapFault
from engine.functions.linux6.filemap_page_mkwrite import FilemapPageMkwrite
from engine.functions.linux6.filemap_write_and_wait_range import FilemapWriteAndWaitRange
from engine.functions.linux6.finish_fault import FinishFault
from engine.functions.linux6.folio_clear_dirty_for_io import FolioClearDirtyForIo
from engine.functions.linux6.handle_mm_fault import HandleMmFaultUnlocked
from engine.functions.linux6.handle_pte_fault import HandlePteFaultUnlocked
from engine.functions.linux6.invalidate_inode_pages2_range import InvalidateFolios
from engine.functions.linux6.iomap_dio_rw import IomapDioRw
from engine.functions.linux6.madvise_populate import MadvisePopulate
from engine.functions.linux6.notifying import DoMadvise, DoMmap, MprotectFixup
from engine.functions.linux6.shrink_folio_list import BalancePgdat, ShrinkFolioList
from engine.functions.linux6.sys_fsync import DoFsync, KsysSync, Syncfs
from engine.functions.linux6.sys_msync import SysMsyncRange
from engine.functions.linux6.truncate_setsize import DoSysFtruncate, TruncateSetsize
from engine.functions.linux6.vfs_fallocate import VfsFallocate, VfsFallocateKeepSize, VfsPunch, VfsZero
from engine.functions.linux6.vfs_fsync_range import VfsFsyncRange
from engine.functions.linux6.vfs_read import VfsRead
from engine.functions.linux6.vfs_write import VfsWrite
from engine.functions.linux6.wb_writeback import WbWriteback
from engine.functions.linux6.wp_page_shared import WpPageShared
from engine.functions.linux6.write_cache_pages import WriteCachePages
from engine.functions.linux6.zap_pte_range import ZapPresentFolioPte
from engine.functions.pdflush import Pdflush
from engine.functions.shrink_list import ShrinkList
from engine.functions.sys_fsync import SysFsync
from engine.functions.sys_ftruncate import SysFtruncate
from engine.functions.sys_msync import SysMsync
from engine.functions.sys_munmap import SysMadvise, SysMprotect, SysMunmap
from engine.functions.sys_ni_syscall import SysFallocate, SysFallocateKeepSize, SysIoctl, SysPunch, SysSyncfs, SysZero
from engine.functions.sys_sync import SysSync
from engine.functions.vmtruncate import Vmtruncate
from engine.functions.zap_pte_range import ZapPteRange
from engine.kernel import Kernel
from engine.kernels.linux_2_6_9 import FUNCTIONS, table
from engine.kernels.linux_6_filesystems import (
    ABSENT,
    ABSENT_6_1,
    FILESYSTEMS_6_1,
    FILESYSTEMS_6_18,
    FILESYSTEMS_LEAVE_OUT,
    functions_of,
)
from engine.values import EIO, ENOSPC

REPLACES = {
    DoPageFault: DoUserAddrFault,
    HandleMmFault: HandleMmFaultUnlocked,
    HandlePteFault: HandlePteFaultUnlocked,
    DoAnonymousPage: DoAnonymousPageUnlocked,
    DoWpPage: DoWpPageShared,
    DoFork: DoForkLazy,
    DoMmapPgoff: DoMmap,
    SysMprotect: MprotectFixup,
    SysMadvise: DoMadvise,
    SysMsync: SysMsyncRange,
    SysFsync: DoFsync,
    SysSync: KsysSync,
    SysSyncfs: Syncfs,
    SysFtruncate: DoSysFtruncate,
    Vmtruncate: TruncateSetsize,
    Pdflush: WbWriteback,
    ShrinkList: ShrinkFolioList,
    Kswapd: BalancePgdat,
    BlockWriteFullPage: BlockWriteFullFolio,
    SysFallocate: VfsFallocate,
    SysFallocateKeepSize: VfsFallocateKeepSize,
    SysPunch: VfsPunch,
    SysZero: VfsZero,
    SysIoctl: IoctlFileClone,
    SysOpen: DoSysOpen,
    SysClose: FilpClose,
    SysMunmap: DoMunmap,
    DoExit: DoExitClosing,
    GenericFileRead: VfsRead,
    GenericFileWrite: VfsWrite,
    GenericFileDirectWrite: DirectWriteIter,
    GenericFileDirectRead: DirectReadIter,
    GenericFileDirectIO: IomapDioRw,
    InvalidateInodePages2: InvalidateFolios,
}
REPLACES_6_18 = {**REPLACES, ZapPteRange: ZapPresentFolioPte}
ADDED = (
    DoFault, DoReadFault, DoSharedFault, DoCowFault, FilemapFault, FinishFault, DoPageMkwrite, WpPageShared,
    FaultDirtySharedPage, FilemapPageMkwrite, BlockPageMkwrite, Ext4PageMkwrite, FolioClearDirtyForIo, WriteCachePages,
    VfsFsyncRange, MadvisePopulate, FilemapWriteAndWaitRange,
)  # fmt: skip
GONE = {
    "sys_ni_syscall",
    "sys_ioctl",
    "do_no_page",
    "filemap_nopage",
    "install_page",
    "mpage_writepages",
    "filemap_fdatawait",
    "pageout",
}
"""Functions of 2.6.9 that 6.x has not, or has under another name."""
KEPT = {name: kind for name, kind in FUNCTIONS.items() if name not in GONE and kind not in REPLACES}

LOCK_NAMES = {"mmap_sem": "mmap_lock", "page_table_lock": "ptl", "i_sem": "i_rwsem", "locked": "folio lock"}

LEAVES_OUT = (
    *FILESYSTEMS_LEAVE_OUT,
    "mmap_lock is taken for every fault; the lock of the range (6.4) is left out. Page tables have one lock.",
    "Folios have one page: large folios, which take and refuse blocks for all their pages, are left out.",
    "Page tables, inodes and index blocks live outside the simulated frames; only pages of data take frames.",
    "Read-around and fault-around happen in one step; read-around is off unless the scenario's machine asks for it.",
    "The journal is left out: a commit makes metadata durable in one step, on ext3 and ext4 that of all files.",
    "Dirty throttling counts and never makes anybody wait; the flusher runs when it is woken.",
    "There is no swap: anonymous pages stay in memory. Reclaim works on one list of pages.",
    "Interrupts, priorities, other users of memory, and time spent are left out; a step takes no time.",
)

LINUX_6_18 = Kernel(
    id="linux-6.18",
    title="Linux 6.18",
    short="6.18",
    story=(
        "November 2025. A shared mapping of a file starts read-only in the page table: the first store traps, and "
        "page_mkwrite asks the filesystem, which allocates, reserves, or has no opinion. Writeback ties the page down "
        "again, and what goes wrong is told once to every open file. ext2 never learned to answer: there the bug lives."
    ),
    sources=("kernel-facts 1e", "real-kernels"),
    functions={**KEPT, **table(*REPLACES_6_18.values(), *ADDED), **table(*functions_of(FILESYSTEMS_6_18))},
    filesystems=FILESYSTEMS_6_18,
    absent=ABSENT,
    replaces=REPLACES_6_18,
    leaves_out=LEAVES_OUT,
    lock_names=LOCK_NAMES,
    errseq=True,
    reclaims_soon=True,
    full_below=ENOSPC,
)
LINUX_6_1 = replace(
    LINUX_6_18,
    id="linux-6.1",
    title="Linux 6.1",
    short="6.1",
    story=(
        "December 2022, the kernel of Debian 12. As 6.18 in nearly everything that can be seen here; where the two "
        "differed in real runs, it does what 6.1 did."
    ),
    functions={**KEPT, **table(*REPLACES.values(), *ADDED), **table(*functions_of(FILESYSTEMS_6_1))},
    replaces=REPLACES,
    filesystems=FILESYSTEMS_6_1,
    absent=ABSENT_6_1,
    full_below=EIO,
)
