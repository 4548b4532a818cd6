"""The stations of the rail, as tables: which steps stand at which. A new kernel needs a line here, not code.

A step is named "function.step", "*.step" where the name says it under every kernel, "function.*" for all that a
function does itself, or "*_page_mkwrite.*" for all that filesystems' functions of a kind do. A step that no table names
stands where the step before it stood: whoever called it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

GATE, STOP = "gate", "stop"


@dataclass(frozen=True, eq=False)
class Station:
    """One station: its label, whether it is a gate, the steps that stand there; it `stands` out if it matters most."""

    label: str
    kind: str
    steps: frozenset[str]
    key: bool = False
    lock: bool = False
    silent: bool = False
    """Whether what its steps answer is not said below it."""


def stop(label: str, *steps: str, key: bool = False, lock: bool = False, silent: bool = False) -> Station:
    """A station passed without a question."""
    return Station(label, STOP, frozenset(steps), key, lock, silent)


def gate(label: str, *steps: str, key: bool = True) -> Station:
    """A station that asks."""
    return Station(label, GATE, frozenset(steps), key)


@lru_cache(maxsize=4096)
def place_of(stations: tuple[Station, ...], point: str) -> int | None:
    """The station that a step stands at: the one that names it most narrowly; None where no table names it."""
    function, _, step = point.partition(".")
    kind = "*_page_mkwrite.*" if function.endswith("page_mkwrite") else ""
    for name in (point, f"{function}.*", kind, f"*.{step}"):
        for place, station in enumerate(stations):
            if name in station.steps:
                return place
    return None


# --- a fault ---------------------------------------------------------------------------------------------------------

ACCESS = stop("access", silent=True)
WALK = stop("TLB · walk", "*.tlb", "*.walk", "*.trap", "*.tlb_exception", "tlb_refill.*", "handle_tlb.*", silent=True)
TRAP = stop("find_vma", "do_page_fault.*", "do_user_addr_fault.*", "handle_mm_fault.*", silent=True)
FIRST = gate("pte_none?", "handle_pte_fault.pte_none")
FETCH = stop(
    "nopage", "*.nopage", "*.fault", "*.do_fault_around", "do_fault.*", "do_no_page.drop_lock", "do_no_page.early_cow",
    "filemap_nopage.*", "filemap_fault.*", "shmem_fault.*", "page_cache_read.*", "mpage_readpage.*", "*.copy_user_page",
    "do_cow_fault.alloc",
)  # fmt: skip
LOCK = stop("lock", "*.retake_lock", "finish_fault.lock", "do_cow_fault.lock", "do_anonymous_page.pte_lock", lock=True)
AGAIN = gate("pte_none?", "*.pte_none", key=False)
SAME = gate("pte_same?", "do_wp_page.pte_same", "wp_page_shared.pte_same", key=False)
ASK = gate(
    "enough_space?", "*.enough_space", "*.page_mkwrite", "enough_space.*", "*_page_mkwrite.*", "*.answered",
    "xfs_write_fault.*", "xfs_bmapi_reserve_delalloc.*", "btrfs_check_data_free_space.*", "*.allocate",
    "*.dquot_reserve_block", "*.reserve_blocks", "shmem_inode_acct_blocks.*", "shmem_fault.accounted",
    "wp_page_shared.folio_get", "wp_page_shared.lock_page",
)  # fmt: skip
SET = stop(
    "set_pte", "*.set_pte", "*.set_zero_pte", "*.zero_page", "*.break_cow", "*.reuse", "*.make_writable",
    "handle_pte_fault.ptep_set_access_flags", "do_read_fault.mapped", "*.fault_dirty_shared_page",
    "fault_dirty_shared_page.*", "set_page_dirty_balance.*", key=True, silent=True,
)  # fmt: skip
BACK = stop(
    "retry", "do_page_fault.account", "do_page_fault.up_read", "do_user_addr_fault.account", "do_user_addr_fault.retry",
    "do_user_addr_fault.mmap_read_unlock", "*.resume", "*.eret", "*.write", "*.read", "*.signal", silent=True,
)  # fmt: skip
COPY = stop("copy", "do_wp_page.copy_cow_page", "do_wp_page.can_share_swap_page", "do_wp_page.alloc", silent=True)
ALLOC = stop("alloc_page", "do_anonymous_page.alloc", "do_anonymous_page.drop_lock", silent=True)

NO_PAGE = (ACCESS, WALK, TRAP, FIRST, FETCH, LOCK, AGAIN, ASK, SET, BACK)
"""A page that no entry leads to, asked for room under the lock, or not at all: 2.6.9."""
NO_PAGE_ASKED = (ACCESS, WALK, TRAP, FIRST, FETCH, ASK, LOCK, AGAIN, SET, BACK)
"""The same where the filesystem is asked before the lock is taken, and the entry is looked at again after: 2.6.18."""
WP_PAGE = (ACCESS, WALK, TRAP, FIRST, ASK, COPY, LOCK, SAME, SET, BACK)
ANONYMOUS = (ACCESS, WALK, TRAP, FIRST, ALLOC, LOCK, AGAIN, SET, BACK)

# --- writeback and reclaim -------------------------------------------------------------------------------------------

MAPPED = (
    "*.ext2_get_branch", "*.ext4_find_extent", "*.ext4_es_lookup_extent", "*.lookup", "*.btrfs_lookup_file_extent",
    "*.xfs_bmapi_read",
)  # fmt: skip
SUBMIT = ("*.submit_bio", "*.submit_bh", "*.fuse_writepages_send", "fuse_send_write.request_send")
RECOVER = stop("recover", "*.recover", key=True)
QUOTA = gate("quota?", "*.dquot_alloc_block", "*.dquot_reserve_block", key=False)
FREE = gate(
    "free block?", "*.reserve_blocks", "*.ext4_has_free_clusters", "*.allocate", "*.xfs_bmapi_allocate",
    "*.server_write",
)  # fmt: skip
WRITEBACK = (
    stop("dirty page", "*.pagevec_lookup_tag"),
    stop("lock page", "*.lock_page", "*.wait_on_page_writeback", lock=True),
    stop(
        "clear dirty",
        "*.clear_page_dirty_for_io",
        "clear_page_dirty_for_io.*",
        "folio_clear_dirty_for_io.*",
        key=True,
        silent=True,
    ),
    gate("block?", *MAPPED),
    QUOTA,
    FREE,
    stop("submit", *SUBMIT, key=True),
    RECOVER,
    stop("note error", "*.mapping_set_error", "*.fuse_writepage_end"),
)
RECLAIM = (
    stop("oldest page", "*.isolate"),
    stop("lock page", "*.trylock_page", lock=True),
    stop("unmap", "*.unmap_one", "*.try_to_unmap", key=True),
    stop("dirty?", "*.pageout"),
    gate("block?", *MAPPED, key=False),
    QUOTA,
    FREE,
    stop("submit", *SUBMIT),
    RECOVER,
    stop("frame freed", "*.remove_mapping", key=True),
)

OWNERS = {
    "store": "fault",
    "load": "fault",
    "copy_to_user": "fault",
    "write_cache_pages": "writeback",
    "shrink_list": "reclaim",
    "shrink_folio_list": "reclaim",
}
"""The functions that begin a journey of their own kind; everything they call belongs to it."""
WRITERS = "writepages"
"""What functions are called, at the end of their names, that begin a journey of writeback."""
FIRST_STEPS = {"fault": "tlb", "writeback": "pagevec_lookup_tag", "reclaim": "isolate"}
"""The step of its owner that begins another journey of a kind."""
TRAPS = ("do_page_fault", "do_user_addr_fault")
"""The functions that the CPU's trap leads to."""

SAID = {
    "no page_mkwrite": "never asked",
    "yes: VM_FAULT_LOCKED": "yes",
    "VM_FAULT_NOPAGE": "gone: once more",
    "yes: a block is promised": "yes: promised",
}
"""Answers that have a shorter word."""


def asks(function: str, step: str) -> bool:
    """Whether a step asks for room in a fault, or says what was answered; at writeback nobody asks."""
    return step in ("enough_space", "vm_fault", "answered", "accounted") or function.endswith(
        ("enough_space", "page_mkwrite")
    )


def owner(function: str) -> str:
    """The kind of journey that a function begins; empty for one that belongs to its caller's."""
    return "writeback" if function.endswith(WRITERS) else OWNERS.get(function, "")
