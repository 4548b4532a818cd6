"""truncate_inode_folio(): a page leaves a file for good, and no page table keeps it. After mm/truncate.c, 6.x."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.functions.page_flags import rmap
from engine.functions.try_to_unmap import tear
from engine.functions.vmtruncate import drop

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.page import Page


def truncate_folio(k: Machine, page: Page) -> bool:
    """Unmap a page that a fault has mapped again meanwhile, and drop it. False, and nothing changed, if it is busy."""
    entries = rmap(k, page)
    if page.writeback or not k.free_lock(page.locked):
        k.blocked_on = k.blocked_on or f"{page}.writeback"
        return False
    if not all(k.free_lock(mm.page_table_lock) for mm, _, _ in entries):
        return False
    for mm, vpn, entry in entries:
        tear(k, mm, vpn, entry)
        k.ram.put(page)
    drop(k, page)
    return True
