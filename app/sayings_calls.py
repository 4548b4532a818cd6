"""What a student is told of system calls: mapping, syncing, reading, writing, cutting, forking, ending."""

from __future__ import annotations

from collections.abc import Mapping

MAPPINGS: dict[str, str | Mapping[str, str]] = {
    "*.down_write": "Nobody may change {who}'s mappings meanwhile.",
    "do_mmap_pgoff.vma_link": {
        "mapped=yes & asked=yes": "{Who} has a range of addresses now. No page is in it yet, but the room for them is promised.",
        "mapped=yes": "{Who} has a range of addresses now. No page is in it yet, and nobody has asked for room.",
    },
    "do_mmap.vma_link": {
        "mapped=yes": "{Who} has a range of addresses now. No page is in it yet, and nobody has asked for room."
    },
    "do_mmap_pgoff.up_write": {"result=0": "Back to {who}, with the address."},
    "do_mmap.up_write": {"result=0": "Back to {who}, with the address."},
    "do_mmap_pgoff.refuse": "There is no room for everything that might be stored one day, so the mapping is refused.",
    "do_madvise.populated": {
        "0": "madvise answers {who}: every page is there.",
        "E": "madvise answers {who}: {answer}.",
    },
    "*.unmap_region": "The page table forgets this range.",
    "*.detach_vmas": "The range of addresses is gone.",
    "sys_munmap.up_write": "Back to {who}. Whatever became of its stores, this call says that all is well.",
    "do_vmi_munmap.up_write": "Back to {who}. Whatever became of its stores, this call says that all is well.",
    "zap_pte_range.lock": "The page table is locked while it is taken apart.",
    "zap_pte_range.zap_pte": {
        "entry=torn dirty & mapping=private & home=own": "The entry of {page} goes. What {who} stored there belongs to no file: nobody has to write it.",
        "entry=torn dirty & dirt=dirty": "The entry of {page} goes. It knew of a store, so the page itself is marked now: somebody has to write it.",
        "entry=torn": "The entry of {page} goes.",
        "-": "No entry is left.",
    },
    "zap_pte_range.tlb_finish_mmu": "No CPU may remember the way to these pages any more; then they are let go.",
    "zap_pte_range.unlock": "The page table is unlocked.",
    "do_exit.exit_signals": "{Who} ends.",
    "do_exit.exit_mmap": "Nobody else uses its memory, so that is taken apart.",
    "do_exit.free_pgtables": "Its page tables are gone. Nothing has been written for that, and nobody has been told anything.",
    "do_exit.done": "{Who} is no more.",
    "do_fork.dup_mmap": "The child gets the same ranges of addresses.",
    "do_fork.copy_pte_range": "The child gets the same pages. Private ones become read-only for both, so that the first store makes a copy.",
    "do_fork.flush_tlb_mm": "No CPU may remember that the parent was allowed to store.",
    "do_fork.wake_up_forked": "The child can run.",
    "*.filp_open": "{Who} opens the file.",
    "*.fd_install": "Back to {who}.",
}

SYNC: dict[str, str | Mapping[str, str]] = {
    "sys_msync.down_read": "{Who} wants to know its stores on the disk. Its mappings must not change meanwhile.",
    "msync.mmap_read_lock": "{Who} wants to know its stores on the disk. Its mappings must not change while they are looked at.",
    "sys_msync.find_vma": "Which file is mapped there?",
    "msync.find_vma": "Which file is mapped there?",
    "sys_msync.filemap_sync_pte": "Which pages has {who} stored to? Only the page table knows, so it is asked, and the pages are marked.",
    "*.down_i_sem": "Nobody else may write to the file meanwhile.",
    "*.filemap_fdatawrite": "Every page that is marked is written now.",
    "*.filemap_fdatawrite_range": "Every page of the range that is marked is written now.",
    "*.f_op_fsync": "Then the file's own record, and its map of blocks.",
    "*.filemap_fdatawait": "Has everything arrived, and has nothing gone wrong?",
    "*.filemap_fdatawait_range": "Has everything arrived?",
    "*.test_and_clear_bit": {
        "0": "Is there a note of a failed write? No.",
        "E": "Is there a note of a failed write? Yes, {answer}. Who asks takes the note away: nobody after will find it.",
    },
    "*.check_and_advance": {
        "0": "Is there a note of a failed write that this open file has not heard of? No.",
        "E": "Is there a note of a failed write that this open file has not heard of? Yes, {answer}. It hears of it once.",
    },
    "sys_msync.up_i_sem": "Others may write to the file again.",
    "sys_msync.up_read": {"0": "msync answers {who}: all is well.", "E": "msync answers {who}: {answer}."},
    "msync.done": {"0": "msync answers {who}: all is well.", "E": "msync answers {who}: {answer}."},
    "sys_fsync.up_i_sem": {"0": "fsync answers {who}: all is well.", "E": "fsync answers {who}: {answer}."},
    "do_fsync.fdget": "Which open file is it? Each remembers what it has heard of failures.",
    "do_fsync.fdput": {"0": "fsync answers {who}: all is well.", "E": "fsync answers {who}: {answer}."},
    "msync.vfs_fsync_range": "That part of the file is written, waited for, and asked after.",
    "msync.next_vma": "On to the next mapping.",
    "vfs_fsync_range.done": "The first failure is the one that counts.",
    "ksys_sync.wakeup_flusher_threads": "Everything that is marked is to be written.",
    "ksys_sync.sync_inodes_sb": "That is waited for. sync has no way to say what went wrong.",
    "sys_sync.done": "Back to {who}. sync has no way to say what went wrong.",
}

READ_WRITE: dict[str, str | Mapping[str, str]] = {
    "do_generic_mapping_read.find_get_page": {
        "no": "{Who} reads from the file. Is {page} in memory? No.",
        "yes": "Is {page} in memory? Yes, in frame {number}.",
        "-": "That was all there was to read.",
    },
    "do_generic_mapping_read.no_cached_page": "So {page} has to be brought in first.",
    "do_generic_mapping_read.page_read": "{Page} is in memory now.",
    "do_generic_mapping_read.file_read_actor": "{Who} gets what memory holds, whether or not the disk has it.",
    "do_generic_mapping_read.finish": {"E": "The read fails: {answer}.", "": "{Who} has read {value}."},
    "*.grab_page": "{Who} needs the page in memory, locked.",
    "*.prepare_write": "Is there room? The filesystem is asked before any byte is taken.",
    "*.copy_from_user": "The bytes arrive in the page.",
    "*.vmtruncate": "What was got beyond the end of the file, and is not needed, goes back.",
    "*.find_lock_page": "Is {page} in memory? Then it is locked.",
    "__grab_cache_page.add_to_page_cache": "It is not, so a new page takes its place in the cache.",
    "power.fails": "The power fails. Memory and every program are gone; only the disk is left.",
    "power.comes_back": "The machine starts again. Files are what the disk says they are.",
    "*.do_truncate": "The file is cut, or grows.",
    "*.truncate_page": "Pages beyond the new end leave memory, written or not.",
    "*.ext2_truncate": "Blocks beyond the new end are free again.",
    "others.change": {
        "0 free": "{Who} fills the disk: no block is free any more.",
        "": "{Who} changes how many blocks of the disk are free: {answer}.",
    },
    "remount.may_umount": "Only a filesystem that nobody uses can be taken away.",
    "remount.fsync_super": "Everything is written first.",
    "remount.invalidate_inodes": "Memory forgets all of it, and reads again what the disk says.",
}

SAYINGS: Mapping[str, str | Mapping[str, str]] = {**MAPPINGS, **SYNC, **READ_WRITE}
