"""The page in question: which page a step is about, and how it stands from the program down to the disk.

Small screens show only this page; what travels in the picture travels between its places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from app.cast import Cast, where_is
from app.cells import Entry, Range, entry_of, ranges_of
from app.maps import DIRECT
from engine import Step

Get = Callable[[str], Any]
Fields = dict[str, Any]
View = Callable[[str], Fields]
"""The fields of a view entity, by its name."""

_PTE = re.compile(r"mm/([^/]+)/pte/(0x[0-9a-f]+)\.")
_TLB = re.compile(r"cpu/(\d+)/tlb/(0x[0-9a-f]+)\.")
_CACHE = re.compile(r"mapping/(.+)/(\d+)\.")
_FRAME = re.compile(r"page/(\d+)[./]")
_BLOCK = re.compile(r"inode/([^/]+)/block/(\d+)\.")
LOOKUPS = frozenset((
    "ext2_get_branch", "ext4_find_extent", "ext4_es_lookup_extent", "xfs_bmapi_read", "btrfs_lookup_file_extent",
    "get_block",
))  # fmt: skip
"""Steps that ask where a part of a file is: the first slot of its map that they read says which part."""
_BELOW = ("disk/", "inode/", "block/", "index/", "quota/", "fs.")


@dataclass(frozen=True, slots=True)
class Spot:
    """A page by all its names that are known: virtual page `vpn` of `mm`, page `index` of `file`."""

    mm: str = ""
    vpn: int | None = None
    file: str = ""
    index: int | None = None


class Touched:
    """The cells that a step wrote and read, with what each belongs to: writes first, of those that say it."""

    def __init__(self, writes: Sequence[str], reads: Sequence[str], asked: str = "") -> None:
        """`asked` is the slot of a file's map that says what a lookup is about."""
        self.writes = writes
        self.written = [place for at in writes if (place := _place(at))]
        self.places = self.written + [place for at in reads if (place := _place(at))]
        if match := _BLOCK.match(asked):
            self.places.append(("block", match[1], int(match[2])))

    @classmethod
    def by(cls, step: Step) -> Touched:
        """What a step touched."""
        asked = next(filter(_BLOCK.match, step.reads), "") if step.name in LOOKUPS else ""
        return cls([at for at, _, _ in step.writes], step.reads, asked)


class Spots:
    """Every page of a file that is ever mapped, by each of its names."""

    def __init__(self, *casts: Cast) -> None:
        mappings = [mapping for cast in casts for mapping in cast.mappings]
        every = [Spot(m.mm, vpn, m.file or "", index) for m in mappings for vpn, index in m.pages if m.file]
        self._virtual = {(spot.mm, spot.vpn): spot for spot in reversed(every)}
        self._filed: dict[tuple[str, int | None], list[Spot]] = {}
        for spot in every:
            self._filed.setdefault((spot.file, spot.index), []).append(spot)
        self._blocks_per_page = casts[0].page_size // casts[0].block_size
        self._direct = DIRECT.get(casts[0].map)

    def named(self, kind: str, of: str, which: int, get: Get) -> Spot | None:
        """The page by the name that a touched cell gives it; None for a cell that gives none."""
        if kind == "block":
            is_data = self._direct is None or which < self._direct
            return _spot("", None, of, which // self._blocks_per_page) if is_data else None
        return _named(kind, of, which, get)

    def complete(self, found: Spot, before: Spot, get: Get) -> Spot:
        """A virtual page with the file's page behind it; a file's page with the virtual page in question, or any.

        An address shows the page of the file that is mapped there now: another one may have been, or will be.
        """
        if found.vpn is not None:
            return self._behind(found, before, get)
        if (before.file, before.index) == (found.file, found.index):
            return before
        near = self._filed.get((found.file, found.index), [])
        return next((spot for spot in near if mapped(spot, get) is not None), near[0] if near else found)

    def _behind(self, found: Spot, before: Spot, get: Get) -> Spot:
        """A virtual page with what is mapped there; with what was or will be, where nothing is."""
        vma = _range_at(found.mm, found.vpn or 0, get)
        if vma is None:
            same = (before.mm, before.vpn) == (found.mm, found.vpn)
            return before if same else self._virtual.get((found.mm, found.vpn), found)
        return _spot(found.mm, found.vpn, vma.file, vma.index(found.vpn or 0)) if vma.file else found


def mapped(spot: Spot, get: Get) -> Range | None:
    """The mapping that shows a page at its address now; None where none does, or one of another file."""
    vma = _range_at(spot.mm, spot.vpn, get) if spot.vpn is not None else None
    if vma is None or not spot.file:
        return vma
    return vma if (vma.file, vma.index(spot.vpn or 0)) == (spot.file, spot.index) else None


def _range_at(mm: str, vpn: int, get: Get) -> Range | None:
    """The mapping that a virtual page lies in."""
    return next((vma for vma in ranges_of(get(f"mm/{mm}.vmas")) if vma.start <= vpn < vma.end), None)


def aim(spot: Spot, touched: Touched, get: Get, spots: Spots) -> Spot:
    """The page that the first telling one of the touched cells belongs to; the one before if none does.

    A step that looks at several pages and writes to none is about the one before, if that is among them.
    """
    named = (spots.complete(found, spot, get) for place in touched.places if (found := spots.named(*place, get)))
    first = next(named, spot)
    return spot if not touched.written and spot in named else first


@lru_cache(maxsize=8192)
def _place(at: str) -> tuple[str, str, int] | None:
    """What a cell belongs to: (kind, of what, which); None where that is no page, entry or frame."""
    if match := _PTE.match(at):
        return "pte", match[1], int(match[2], 16)
    if match := _TLB.match(at):
        return "tlb", f"cpu/{match[1]}.mm", int(match[2], 16)
    if match := _CACHE.match(at):
        return "cache", match[1], int(match[2])
    if match := _FRAME.match(at):
        return "frame", "", int(match[1])
    return None


def _named(kind: str, of: str, which: int, get: Get) -> Spot | None:
    match kind:
        case "pte":
            return _spot(of, which)
        case "tlb":
            return _spot(str(get(of) or ""), which)
        case "cache":
            return _spot("", None, of, which)
        case _:
            file, _, index = where_is(get, which).rpartition("/")
            return _spot("", None, file, int(index)) if file and file != "frame" else None


_spot = lru_cache(maxsize=4096)(Spot)


def stage(spot: Spot, touched: Touched, get: Get) -> str:
    """The place of the token, "spot/p/A/0x40002/f/2", by what a step touches; empty when that is not in the picture."""
    writes, kinds = touched.writes, {kind for kind, _, _ in touched.places}
    if "tlb" in kinds and spot.vpn is not None:
        stored = any(kind == "frame" for kind, _, _ in touched.written)
        return _to_frame(spot, get) if stored else f"spot/v/{spot.mm}/{spot.vpn:#x}"
    below = [at for at in writes if at.startswith(_BELOW) and ".i_" not in at] if spot.index is not None else []
    if below:
        way = "d" if any(at.startswith("disk/") for at in below) else "b"
        return f"spot/{way}/{spot.file}/{spot.index}"
    if spot.vpn is not None and "pte" in kinds:
        return _to_frame(spot, get)
    if spot.vpn is not None and "/frame/" in (way := _to_frame(spot, get)):
        return way
    if spot.index is not None and ("cache" in kinds or "frame" in kinds):
        return f"spot/b/{spot.file}/{spot.index}"
    return ""


@lru_cache(maxsize=4096)
def _entry_at(mm: str, vpn: int) -> str:
    return f"mm/{mm}/pte/{vpn:#x}.entry"


def _to_frame(spot: Spot, get: Get) -> str:
    """The way from an entry: to the frame it names, or to nowhere yet."""
    entry = entry_of(get(_entry_at(spot.mm, spot.vpn or 0)))
    return f"spot/p/{spot.mm}/{spot.vpn:#x}" + (f"/{where_is(get, entry.pfn)}" if entry else "")


class Look(NamedTuple):
    """A page as it stands: its entry, where its frame has its place, and the fields of all its places."""

    spot: Spot
    entry: Entry | None
    slot: str
    vpage: Fields
    pte: Fields
    page: Fields
    block: Fields
    disk: Fields
    chip: Fields


def look(spot: Spot, get: Get, view: View) -> Look:
    """How a page stands."""
    place = f"{spot.mm}/{spot.vpn:#x}" if spot.vpn is not None else ""
    key = f"{spot.file}/{spot.index}" if spot.index is not None else ""
    entry = entry_of(get(_entry_at(spot.mm, spot.vpn))) if spot.vpn is not None else None
    slot = where_is(get, entry.pfn) if entry is not None else key
    places = (f"vpage/{place}", f"pteslot/{place}", f"slot/{slot}", f"blockslot/{key}", f"diskslot/{key}", "disk-chip")
    return Look(spot, entry, slot, *map(view, places))


def fields(seen: Look, actor: str, act: str) -> Iterator[tuple[str, Fields]]:
    """(view entity, fields): the places of the page, and a card for each of them. `actor` does `act` to it."""
    spot, entry = seen.spot, seen.entry
    place = f"{spot.mm}/{spot.vpn:#x}" if spot.vpn is not None else ""
    key = f"{spot.file}/{spot.index}" if spot.index is not None else ""
    number = f"page {spot.index}" if key else "no page yet"
    yield "focus", {
        "page": f"vpage/{place}" if place else None,
        "pte": f"pteslot/{place}" if place else None,
        "slot": f"slot/{seen.slot}" if seen.slot else None,
        "block": f"blockslot/{key}" if key else None,
        "disk": f"diskslot/{key}" if key else None,
    }  # fmt: skip

    yield "focus/task", _card(f"{actor} · {number}", act, "", seen.vpage.get("state") or "read")
    flags = " ".join(entry.bits) if entry is not None else "none"
    yield "focus/pte", _card(f"pte of {number}", flags, seen.pte.get("to"), seen.pte.get("state"))
    page, block, disk = seen.page.get, seen.block.get, seen.disk.get
    cache = f"page cache, {head}" if (head := page("head")) else "page cache"
    yield "focus/page", _card(cache, page("text") or "not in memory", page("word"), page("state"))
    home = "hole: no block" if block("text") == "hole" else block("text")
    about = f"file {spot.file}, {number}" if spot.file else "file"
    yield "focus/block", _card(about, home, seen.chip.get("text"), block("state"))
    yield "focus/disk", _card("disk", disk("text"), disk("nowhere"), disk("state"))


def _card(head: str, text: str | None, word: str | None, state: str | None) -> Fields:
    return {"head": head, "text": text or None, "word": word or None, "state": state or "absent"}
