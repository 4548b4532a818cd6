"""block_write_full_folio(): write a page through its buffers. After fs/buffer.c __block_write_full_folio(), 6.x.

The way out for a page without room is that of 2004: its buffers become clean, and it is never tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import Next, ret
from engine.functions.block_write_full_page import BlockWriteFullPage
from engine.functions.page_flags import no_writeback

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class BlockWriteFullFolio(BlockWriteFullPage):
    """Returns "0" or an errno."""

    c_name = "block_write_full_folio"
    source = "fs/buffer.c block_write_full_folio, __block_write_full_folio, 6.x"

    def recover(self, k: Machine) -> Next:
        """No block: the buffers are marked clean, the page stays clean, and nothing will ever try again."""
        self._submit(k)
        no_writeback(k, self.page)
        k.unlock(self.page.locked)
        return ret(self.got)
