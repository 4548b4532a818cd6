"""What a student is told of the way to the disk: finding blocks, writing back, reclaim, what is noted of failures."""

from __future__ import annotations

from collections.abc import Mapping

LOOKUP: Mapping[str, str] = {
    "a hole": "{Page} is a hole: the file has no block for it on the disk.",
    "block": "{Page} has a place on the disk: {answer}.",
}
CLEANED: Mapping[str, str] = {
    "dirt=clean": "{Page} counts as clean from here on, although nothing of it has reached the disk yet.",
}
NEXT_FILE: Mapping[str, str] = {
    "none": "No file is left with anything to write.",
    "": "File {answer} has something that waits to be written.",
}

BLOCKS: dict[str, str | Mapping[str, str]] = {
    "*.ext2_get_branch": LOOKUP,
    "*.ext4_find_extent": LOOKUP,
    "*.ext4_es_lookup_extent": LOOKUP,
    "*.btrfs_lookup_file_extent": LOOKUP,
    "*.xfs_bmapi_read": LOOKUP,
    "ext2_get_block.ext2_alloc_branch": "So {it} needs a block, and the map of {file} may need one too.",
    "*.dquot_alloc_block": {
        "no: EDQUOT": "First the quota: may {owner} have one block more? No, the quota is used up.",
        "-": "First the quota: may {owner} have one block more? Nothing stands against it.",
    },
    "*.reserve_blocks": {
        "no: ENOSPC": "Then the disk: is a block free that {who} may take? No, there is none.",
        "yes": "Then the disk: is a block free that {who} may take? Yes, block {number}.",
    },
    "*.dquot_free_block": "The disk had none, so the quota gets back what it gave.",
    "ext2_get_block.allocated": {"last=no: ": "Nothing was got.", "last=yes": "It is got."},
    "*.free_branch": {"no: ": "{It} gets no block: {reason}. What was taken on the way goes back."},
    "ext2_get_block.ext2_splice_branch": {"block": "The file leads there from now on: {it} is {answer}."},
    "ext4_map_blocks.ext4_mb_new_blocks": "So {it} needs a block.",
    "ext4_map_blocks.allocated": {"no: ": "{It} gets no block: {reason}.", "-": "It is got."},
    "ext4_map_blocks.ext4_ext_insert_extent": {"block": "The file leads there from now on."},
    "ext4_da_get_block_prep.ext4_nonda_switch": {
        "no: ask for a promise": "By the kernel's rule of thumb a promise is no gamble yet, so no block is chosen. Whether one is left to promise is asked next.",
        "yes": "So little is free, beside what is promised, that a promise would be a gamble: {it} gets its block at once, or none.",
    },
    "ext4_da_get_block_prep.dquot_reserve_block": {
        "yes": "A block is promised to {page}. Which one, is decided when it is written.",
        "no: ": "No block can be promised to {page}: {reason}.",
    },
    "ext4_mb_new_blocks.claim": {"promised": "The promise is kept: {it} gets block {number}."},
}

NOTE: Mapping[str, str] = {
    "noted=yes": "A note is made with {file}: a write has failed. So far nobody has been told.",
    "last=no: & note=yes": "That a write has failed is noted with {file} already.",
    "last=no: ": "Nobody has passed on that a write has failed, so nothing is noted with {file}: it is forgotten here.",
    "": "Nothing has gone wrong, so nothing is noted.",
}

SENT: Mapping[str, str] = {
    "sent=yes": "{It} is on its way to the disk.",
    "": "No block of {it} is marked, so nothing is sent: {it} counts as written.",
}

WRITEBACK: dict[str, str | Mapping[str, str]] = {
    "wake.wake_up": {
        "line=reclaim": "Memory gets short, and the kernel wakes the thread that frees pages.",
        "line=writeback": "Time passes, and the kernel wakes the thread that writes back what has waited for long.",
    },
    "wake.wait": "The kernel thread has finished.",
    "wb_kupdate.sync_sb_inodes": NEXT_FILE,
    "wb_writeback.queue_io": NEXT_FILE,
    "wb_kupdate.lock_inode": "Only one may write this file back at a time.",
    "wb_writeback.i_sync": "Only one may write this file back at a time.",
    "wb_kupdate.do_writepages": "Its pages come first.",
    "wb_writeback.do_writepages": "Its pages come first.",
    "wb_writeback.filemap_fdatawait": "If somebody waits for everything, the pages are waited for now.",
    "*.pagevec_lookup_tag": {
        "page": "Page {number} is marked: what memory has of it is newer than the disk.",
        "none left": "No page is left that is marked.",
    },
    "filemap_fdatawait.pagevec_lookup_tag": "Is any page still on its way to the disk?",
    "mpage_writepages.lock_page": "{It} is locked.",
    "write_cache_pages.lock_page": "{It} is locked.",
    "filemap_fdatawait.wait_on_page_writeback": "Whatever is on its way has to arrive first.",
    "*.wait_on_page_writeback": "Is {it} still to be written, and is nobody writing it already?",
    "mpage_writepages.clear_page_dirty_for_io": CLEANED,
    "pageout.clear_page_dirty_for_io": CLEANED,
    "*.clear_page_dirty_for_io": "Before {it} is written, the page tables that lead to it are looked at.",
    "folio_clear_dirty_for_io.folio_mkclean": {
        "none left": "No page table allows stores to {it} any more: the next one will have to ask.",
        "-": "A page table loses its right to store to {it}.",
    },
    "*.page_mkclean_one": "A page table loses its right to store to {it}: the next store will have to ask.",
    "clear_page_dirty_for_io.page_mkclean": "First every page table that leads to {it} loses its right to store.",
    "page_mkclean.lock_i_mmap": "Who maps {it} must not change now.",
    "page_mkclean.unlock_i_mmap": {"": "That is all of them: {answer}."},
    "clear_page_dirty_for_io.set_page_dirty": "If one of them had been stored to, all of {it} counts as changed.",
    "folio_clear_dirty_for_io.mark_dirty": "If one of them had been stored to, all of {it} counts as changed.",
    "*.test_clear_page_dirty": CLEANED,
    "*.test_clear_dirty": CLEANED,
    "*.writepage": "The filesystem is told to write {it}.",
    "mpage_writepage.page_has_buffers": "Is there a straight way to the disk for {it}?",
    "*.get_block": "Has {it} a block, or can it get one now?",
    "*.mapped": {
        "no: ": "{It} has no block and gets none: {reason}.",
        "yes": "Yes: block {number}.",
        "last=no: ": "It gets none.",
        "-": "It has one.",
    },
    "mpage_writepage.confused": "The straight way is closed. It is tried once more, with more care.",
    "*.create_empty_buffers": "The kernel notes, block by block, what {it} needs.",
    "block_write_full_page.i_size": "Does {file} reach as far as {it}? Beyond its end nothing is written.",
    "block_write_full_folio.i_size": "Does {file} reach as far as {it}? Beyond its end nothing is written.",
    "ext4_bio_write_folio.i_size": "Does {file} reach as far as {it}? Beyond its end nothing is written.",
    "ext4_bio_write_folio.recover": "Writing {page} has failed. What memory has of it counts as invalid from now on, and nobody is told.",
    "*.recover": "Writing {page} has failed. The page stays marked as clean all the same, so nobody will try again.",
    "*.mapping_set_error": NOTE,
    "pageout.handle_write_error": NOTE,
    "*.submit_bio": SENT,
    "*.submit_bh": SENT,
    "end_page_writeback.end_io": {
        "written & disk=written": "The disk has {page} now: it survives a power cut.",
        "written": "{Page} has been written.",
        "EIO": "The disk has failed to take {page}.",
        "ENOSPC": "The device below has no room for {page}.",
    },
    "*.journal_write_metadata": {
        "no: EIO, the journal is aborted": "The journal cannot be written: it is aborted, and what was not committed is gone.",
        "": "One transaction for all files: sizes, and where blocks lie, are on the disk.",
    },
    "*.write_inode": "Then what the file knows of itself: how long it is, and which blocks it has.",
    "*.sync_mapping_buffers": "The file's map of blocks goes to the disk.",
    "*.ext2_write_inode": "The file's own record goes to the disk: its size, and where its blocks are.",
    "wb_kupdate.unlock_inode": "File done. If something went wrong, only the note says so.",
    "wb_writeback.requeue_inode": "File done. If something went wrong, only the note says so.",
    "wb_kupdate.done": "Nothing is left to do: {who} goes back to sleep.",
    "wb_writeback.done": "Nothing is left to do: {who} goes back to sleep.",
}

RECLAIM: dict[str, str | Mapping[str, str]] = {
    "*.isolate": "The page that was not used for longest is looked at first.",
    "*.trylock_page": "If somebody has it locked, it is left alone.",
    "*.page_referenced": "Has anybody used it of late?",
    "shrink_list.try_to_unmap": "Every page table that leads to it has to let go.",
    "shrink_folio_list.try_to_unmap": "Every page table that leads to it has to let go.",
    "*.unmap_one": {
        "entry=torn dirty": "An entry that leads to {page} is torn out. It knew of a store, so the page is marked as changed.",
        "entry=torn": "An entry that leads to {page} is torn out.",
    },
    "shrink_list.pageout": "Does {it} hold something that the disk lacks? Then it would have to be written first.",
    "shrink_folio_list.pageout": "Does {it} hold something that the disk lacks? Then another thread writes it, and reclaim comes back.",
    "pageout.is_page_cache_freeable": "Does anybody else need {it}? Then writing it would free nothing.",
    "*.trylock_again": "After all that {it} counts as clean and is on no way to the disk.",
    "*.release_buffers": "{It} counts as clean, so what was noted of its blocks can go.",
    "*.remove_mapping": {"cache=leaves": "Nobody else holds {it}: memory lets go of it, and its frame is free."},
    "*.keep": "Somebody still needs {it}: it stays.",
    "*.leave": "On to the next page.",
    "balance_pgdat.shrink_zone": "The kernel goes through the pages, those first that were not used for longest.",
    "balance_pgdat.blk_congestion_wait": "It waits for the writes that it has begun, and goes through the pages once more.",
    "balance_pgdat.done": "{Who} goes back to sleep.",
    "drop_caches.drop_page": {
        "frame & cache=leaves": "{Page} counts as clean and nobody maps it, so memory lets go of it.",
        "-": "No page is left that could go.",
    },
}

SAYINGS: Mapping[str, str | Mapping[str, str]] = {**BLOCKS, **WRITEBACK, **RECLAIM}
