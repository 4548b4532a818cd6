"""The idea of 2004-09-05, corrected: what a working 2.6.9 version needs. Facts 1c.

Its functions are in wli_asking.py; wli_defects.py brings each defect of the patch as posted back alone, as a switch.
"""

from __future__ import annotations

from dataclasses import replace

from engine.functions.block_page_mkwrite import BlockPageMkwrite
from engine.functions.do_mmap_pgoff import DoMmapPgoff
from engine.functions.do_no_page import DoNoPage
from engine.functions.do_wp_page import DoWpPage
from engine.functions.sys_munmap import SysMprotect
from engine.kernel import Kernel
from engine.kernels.linux_2_6_9 import ABSENT, EXT2, EXT3, FUNCTIONS, LEAVES_OUT, table
from engine.kernels.wli_asking import DoMmapNotifying, DoNoPageAsking, DoWpPageAsking, EnoughSpace, MprotectNotifying
from engine.kernels.wli_defects import SWITCHES

CHANGED = (EnoughSpace, BlockPageMkwrite, DoNoPageAsking, DoWpPageAsking, DoMmapNotifying, MprotectNotifying)

WLI_CORRECTED = Kernel(
    id="wli-corrected",
    title="The idea, corrected",
    short="the idea, corrected",
    story=(
        "What the sketch needs to work on 2.6.9: shared mappings start read-only in the page table, the question "
        "really allocates, index blocks and quota included, and after the lock was dropped everything is asked again. "
        "Linux came to it as page_mkwrite, from 2.6.18 on. A store without room is refused: SIGBUS."
    ),
    sources=(
        "kernel-facts 1c",
        "mail-2004-09-05",
        "2.6.18: 9637a5efd4fb; 2.6.21: c3704ceb4ad0; 2.6.23: 5417169026c3",
    ),
    functions={**FUNCTIONS, **table(*CHANGED)},
    filesystems={name: replace(ops, promises=True) for name, ops in (("ext2", EXT2), ("ext3", EXT3))},
    absent=ABSENT,
    replaces={
        DoNoPage: DoNoPageAsking,
        DoWpPage: DoWpPageAsking,
        DoMmapPgoff: DoMmapNotifying,
        SysMprotect: MprotectNotifying,
    },
    leaves_out=(
        *LEAVES_OUT,
        "2.6.18 asks before it takes page_table_lock; here the question keeps its place: the lock is dropped for it.",
    ),
    switches=SWITCHES,
)
