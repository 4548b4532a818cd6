"""ext4_page_mkwrite(): the fault asks for room. After fs/ext4/inode.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, may_sleep, ret
from engine.functions.file_update_time import file_update_time
from engine.functions.linux6.block_page_mkwrite import BlockPageMkwrite
from engine.objects.mm import Vma
from engine.objects.page import Page
from engine.values import LOCKED

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Ext4PageMkwrite(KernelFunction):
    """Returns LOCKED with the page locked, RACED, or an errno."""

    source = "fs/ext4/inode.c ext4_page_mkwrite, 6.x"
    vma: Vma
    vpn: int
    page: Page
    room: str = LOCKED

    def sb_start_pagefault(self, k: Machine) -> Next:
        """The file counts as changed from now on."""
        file_update_time(k, self.vma.file or "")

    @may_sleep
    def invalidate_lock_shared(self, k: Machine) -> Next:
        """Share the lock that truncate and punch take alone: blocks cannot go meanwhile."""
        return k.down_read(k.mappings[self.vma.file or ""].invalidate_lock)

    def enough_space(self, k: Machine) -> Next:
        """May this page become dirty? Every block under it gets its place now, in the program's own name."""
        return call(BlockPageMkwrite(self.vma, self.vpn, self.page), into="room")

    def invalidate_unlock_shared(self, k: Machine) -> Next:
        """Hand over the answer."""
        k.up_read(k.mappings[self.vma.file or ""].invalidate_lock)
        k.answer("yes" if self.room == LOCKED else f"no: {self.room}")
        return ret(self.room)


@dataclass
class UdfPageMkwrite(Ext4PageMkwrite):
    """Returns LOCKED with the page locked, RACED, or an errno. Since 6.3; before, UDF asked nobody."""

    c_name = "udf_page_mkwrite"
    source = "fs/udf/file.c udf_page_mkwrite, 6.14"
