"""The page in question: which page a step is about, and how it stands from the program down to the disk.

Small screens show only this page; what travels in the picture travels between its places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.cast import Cast, where_is
from app.cells import entry_of

Get = Callable[[str], Any]
Fields = dict[str, Any]

_PTE = re.compile(r"mm/([^/]+)/pte/(0x[0-9a-f]+)\.")
_TLB = re.compile(r"cpu/(\d+)/tlb/(0x[0-9a-f]+)\.")
_CACHE = re.compile(r"mapping/(.+)/(\d+)\.")
_FRAME = re.compile(r"page/(\d+)[./]")


@dataclass(frozen=True, slots=True)
class Spot:
    """A page by all its names that are known: virtual page `vpn` of `mm`, page `index` of `file`."""

    mm: str = ""
    vpn: int | None = None
    file: str = ""
    index: int | None = None


def aim(spot: Spot, cells: Iterable[str], get: Get, cast: Cast) -> Spot:
    """The page that the first telling one of these cells belongs to; the one before if none does."""
    found = next((named for at in cells if (named := _named(at, get))), None)
    return spot if found is None else _complete(found, spot, cast)


def _named(at: str, get: Get) -> Spot | None:
    if match := _PTE.match(at):
        return Spot(match[1], int(match[2], 16))
    if match := _TLB.match(at):
        return Spot(str(get(f"cpu/{match[1]}.mm") or ""), int(match[2], 16))
    if match := _CACHE.match(at):
        return Spot(file=match[1], index=int(match[2]))
    if match := _FRAME.match(at):
        file, _, index = where_is(get, int(match[1])).rpartition("/")
        return Spot(file=file, index=int(index)) if file and file != "frame" else None
    return None


def _complete(found: Spot, before: Spot, cast: Cast) -> Spot:
    """A virtual page with the file's page behind it; a file's page with the virtual page in question, or any."""
    pages = [Spot(m.mm, vpn, m.file or "", index) for m in cast.mappings for vpn, index in m.pages if m.file]
    if found.vpn is not None:
        return next((page for page in pages if (page.mm, page.vpn) == (found.mm, found.vpn)), found)
    same = [page for page in pages if (page.file, page.index) == (found.file, found.index)]
    if (before.file, before.index) == (found.file, found.index):
        return before
    return same[0] if same else found


def stage(spot: Spot, writes: Sequence[str], reads: Sequence[str], get: Get) -> str:
    """The place of the token, "spot/p/A/0x40002/f/2", by what a step touches; empty when that is not in the picture."""
    touched = (*writes, *reads)
    by_cpu = any(_TLB.match(at) for at in touched)
    stored = any(_FRAME.match(at) for at in writes)
    if by_cpu and spot.vpn is not None:
        return _to_frame(spot, get) if stored else f"spot/v/{spot.mm}/{spot.vpn:#x}"
    for starts, way in (
        ("disk/", "d"),
        ("inode/", "b"),
        ("block/", "b"),
        ("index/", "b"),
        ("quota/", "b"),
        ("fs.", "b"),
    ):
        if spot.index is not None and any(at.startswith(starts) and ".i_" not in at for at in writes):
            return f"spot/{way}/{spot.file}/{spot.index}"
    if spot.vpn is not None and any(_PTE.match(at) for at in touched):
        return _to_frame(spot, get)
    if spot.vpn is not None and "/frame/" in (way := _to_frame(spot, get)):
        return way
    if spot.index is not None and any(_CACHE.match(at) or _FRAME.match(at) for at in touched):
        return f"spot/b/{spot.file}/{spot.index}"
    return ""


def _to_frame(spot: Spot, get: Get) -> str:
    """The way from an entry: to the frame it names, or to nowhere yet."""
    entry = entry_of(get(f"mm/{spot.mm}/pte/{spot.vpn:#x}.entry"))
    return f"spot/p/{spot.mm}/{spot.vpn:#x}" + (f"/{where_is(get, entry.pfn)}" if entry else "")


def fields(spot: Spot, get: Get, view: Get, actor: str, act: str) -> Iterator[tuple[str, Fields]]:
    """(view entity, fields): the places of the page, and a card for each of them. `actor` does `act` to it."""
    place = f"{spot.mm}/{spot.vpn:#x}" if spot.vpn is not None else ""
    key = f"{spot.file}/{spot.index}" if spot.index is not None else ""
    entry = entry_of(get(f"mm/{spot.mm}/pte/{spot.vpn:#x}.entry")) if place and spot.vpn is not None else None
    slot = where_is(get, entry.pfn) if entry is not None else key
    number = f"page {spot.index}" if key else "no page yet"
    yield "focus", {
        "page": f"vpage/{place}" if place else None,
        "pte": f"pteslot/{place}" if place else None,
        "slot": f"slot/{slot}" if slot else None,
        "block": f"blockslot/{key}" if key else None,
        "disk": f"diskslot/{key}" if key else None,
    }  # fmt: skip

    def shown(entity: str, field: str) -> Any:
        return view(f"{entity}.{field}") if not entity.endswith("/") else None

    yield "focus/task", _card(f"{actor} · {number}", act, "", shown(f"vpage/{place}", "state") or "read")
    flags = " ".join(entry.bits) if entry is not None else "none"
    pte, page = f"pteslot/{place}", f"slot/{slot}"
    yield "focus/pte", _card(f"pte of {number}", flags, shown(pte, "to"), shown(pte, "state"))
    head, text = shown(page, "head"), shown(page, "text")
    cache = f"page cache, {head}" if head else "page cache"
    yield "focus/page", _card(cache, text or "not in memory", shown(page, "word"), shown(page, "state"))
    block = shown(f"blockslot/{key}", "text")
    home = "hole: no block" if block == "hole" else block
    about = f"file {spot.file}, {number}" if spot.file else "file"
    yield "focus/block", _card(about, home, view("disk-chip.text"), shown(f"blockslot/{key}", "state"))
    disk = f"diskslot/{key}"
    yield "focus/disk", _card("disk", shown(disk, "text"), shown(disk, "nowhere"), shown(disk, "state"))


def _card(head: str, text: str | None, word: str | None, state: str | None) -> Fields:
    return {"head": head, "text": text or None, "word": word or None, "state": state or "absent"}
