"""ext4_writepages(): the dirty pages of a file, unless the filesystem is shut down. After fs/ext4/inode.c, 6.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, ret
from engine.functions.linux6.write_cache_pages import WriteCachePages
from engine.values import OK

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class Ext4Writepages(WriteCachePages):
    """Returns "0" or the first errno. Only pages [index, last) are looked at (last None: to the end)."""

    source = "fs/ext4/inode.c ext4_writepages, ext4_do_writepages, 6.x"

    def pagevec_lookup_tag(self, k: Machine) -> Next:
        """Find the next page with the DIRTY tag. Where no transaction can begin none is touched: they stay dirty."""
        delayed = any(True for _ in k.inodes[self.mapping.file].delayed)
        refusal = k.space.begin_transaction() if delayed else k.space.refusal
        if refusal != OK:
            k.answer(refusal)
            return ret(refusal)
        return super().pagevec_lookup_tag(k)
