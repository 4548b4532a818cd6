"""Every object of the site in every state, drawn by the partials of the pages themselves.

Nothing here runs: the states are made up, one a row, so that a look at one page tells what a change of a style does.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from app import rail
from app.accounts import PLACES
from app.cells import Value
from app.choices import Choice
from app.scene import File, Mapping, Scene, directories, lay_out
from app.wording import FATE_WORDS

WORDS = {
    "absent": "", "read": "being read", "clean": "clean", "saved": "saved", "written": "written", "private": "private",
    "risk": "only copy", "backed": "dirty", "writing": "being written", "unsaved": "not on disk", "lost": "lost",
    "leaked": "a private store", "refused": "refused",
}  # fmt: skip
"""The states of a page, with the words that stand in its slot."""
PAGES = tuple(WORDS)
BLOCKS = ("hole", "missing", "promised", "backed", "saved")
DISKS = ("saved", "unlinked", "nowhere")
ENTRIES = ("", "P U pfn=1", "P U A pfn=2", "P W U A pfn=3", "P W U A D pfn=4")
TLBS = ("", "yes", "stale")
STATIONS = ("done", "now", "ahead", "skipped", "unasked", "refused", "failed")
FATES = ("durable", "backed", "at-risk", "clean-unsaved", "lost", "leaked", "refused", "replaced", "private")
OUTCOMES = ("kept", "refused", "open", "lost-told", "lost-silent", "lost-lied", "lost-unsynced")
DOTS = ("no", "none", "yes", "dirty", "safe", "promised", "lost")
BITS = ("free", "used", "ballast", "index", "reserved", "promised", "pool")
GAUGE = ("used", "over", "promised", "free")
FILE, MM, FIRST = "f", "A", 0x40000
LOOSE = ("frame/7", "frame/8")


def scene() -> Scene:
    """A picture with a row for each state of a page."""
    pages = tuple((FIRST + place, place) for place in range(len(PAGES)))
    targets = [(MM, f"{FIRST + place:#x}", f"{FILE}/{place}") for place in range(len(PAGES))]
    mapping = Mapping(MM, "m", "m = f", "rw-s", 1, FILE, pages, hidden=3)
    return lay_out([mapping], [File(FILE, "inode f", 2, tuple(range(len(PAGES))), hidden=3)], LOOSE, targets)


def state() -> dict[str, Value]:
    """The cells of everything on the page."""
    said = [*_pages(), *_around(), *_rails(), *_accounts()]
    return {f"{at}.{field}": value for at, fields in said for field, value in fields.items() if value not in (None, "")}


def _pages() -> Iterator[tuple[str, dict[str, Value]]]:
    """A row of the picture for each state, with whatever else can be in a row by turns."""
    for place, page in enumerate(PAGES):
        vpn, key = f"{MM}/{FIRST + place:#x}", f"{FILE}/{place}"
        entry, tlb = ENTRIES[place % len(ENTRIES)], TLBS[place % len(TLBS)]
        block, disk = BLOCKS[place % len(BLOCKS)], DISKS[place % len(DISKS)]
        yield f"vpage/{vpn}", {"state": page, "text": "C"}
        yield f"tlbslot/{vpn}", {"state": tlb, "flags": "W D" if tlb else None, "cpus": "cpu 0" if tlb else None}
        yield f"mm/{MM}/pte/{FIRST + place:#x}", {"entry": entry}
        yield f"pteslot/{vpn}", {"state": page if entry else None, "to": f"→ frame {place}" if entry else None}
        gone = "B" if page == "leaked" else None
        words = {"head": f"{page} · page {place}", "text": "C", "word": WORDS[page], "lost": gone}
        yield f"slot/{key}", {"state": page, **({} if page == "absent" else words)}
        yield f"blockslot/{key}", {"state": block, "text": block, "via": "ix 9" if place == 4 else None}
        held = disk in ("saved", "unlinked")
        yield f"diskslot/{key}", {"state": disk, **({"block": "7", "text": "C"} if held else {"nowhere": disk})}
        yield f"mapping/{key}", {"dirty": place % 3 == 1 or None, "writeback": place % 4 == 2 or None}
        yield f"map/{key}", {"state": page}
        yield f"lru/{place}", {"state": page, "letter": f"{FILE}{place}", "active": place == 1 or None}
        yield f"edge/v/{vpn}", {"state": page if entry else None}
        yield f"edge/p/{vpn}/{key}", {"state": page if entry else None}
        yield f"edge/b/{key}", {"state": block if block != "hole" else None}
        yield f"edge/d/{key}", {"state": "writing" if page == "writing" else "saved" if disk == "saved" else None}


def _around() -> Iterator[tuple[str, dict[str, Value]]]:
    """What is in a picture beside its rows: locks, the token, frames that no file has, the level above."""
    yield f"pagelock/{FILE}/1", {"who": "A"}
    yield f"pagelock/{FILE}/4", {"who": "A", "queue": "B waits"}
    yield f"hold/mm/{MM}.mmap_sem", {"who": "A", "name": "mmap_sem"}
    yield f"hold/mm/{MM}.page_table_lock", {"who": "A", "queue": "B waits", "name": "page_table_lock"}
    yield f"hold/inode/{FILE}.i_sem", {"who": "pdflush", "name": "i_sem"}
    yield f"spot/d/{FILE}/4", {"on": True}
    yield f"slot/{LOOSE[0]}", {"state": "private", "head": "frame 7", "text": "C", "word": "private"}
    yield f"table/{MM}/256", {"state": "yes"}
    for changed, was in (("pteslot/A/0x40002", "none"), (f"slot/{FILE}/2", "zeroes"), ("tlbslot/A/0x40001", "W")):
        yield f"was/{changed}", {"text": was}
    yield "caption", {"picture": "Every state of a page, one below the other."}


def _rails() -> Iterator[tuple[str, dict[str, Value]]]:
    """Two rails, of gates and of stops, each with every state."""
    for kind in ("gate", "stop"):
        for place, station in enumerate(STATIONS):
            words: dict[str, Value] = {"label": station, "answer": "answer", "now": True if station == "now" else None}
            yield f"{kind}/{place}", {"kind": kind, "state": station, **words}


def rails() -> Iterator[tuple[str, dict[str, Value]]]:
    """The cells of each rail, by the kind of its stations, as the partial reads them."""
    cells = dict(_rails())
    for kind in ("gate", "stop"):
        made: dict[str, Value] = {"rail.title": f"Every {kind}", "rail.note": "a note", "rail.kind": "fault"}
        for place in range(len(STATIONS)):
            made |= {f"rail/{place}.{f}": v for f, v in cells[f"{kind}/{place}"].items() if v is not None}
        yield kind, made


def _accounts() -> Iterator[tuple[str, dict[str, Value]]]:
    """The ledger, the blocks, the gauge of a quota."""
    for place, fate in enumerate(FATES):
        told = "told by EIO" if fate == "lost" else None
        yield f"ledger/{fate}", {"fate": fate, "word": FATE_WORDS.get(fate, fate), "told": told}
        for column, name in enumerate(PLACES):
            yield f"ledger/{fate}/{name}", {"state": DOTS[(place + column) % len(DOTS)]}
    for place, kind in enumerate(BITS):
        yield (
            f"bit/{place}",
            {"kind": kind, "letter": FILE if kind in ("used", "ballast", "index", "promised") else None},
        )
    for place in range(8):
        yield f"quotabit/alice/{place}", {"state": GAUGE[place // 2], "soft": place == 1 or None}
    yield "gauge/fs", {"text": "1 of 7 free"}
    yield "gauge/memory", {"text": "13 of 16 frames on the list"}
    yield "gauge/quota/alice", {"text": "2 used · soft 2 · hard 8"}
    yield f"told/{FILE}", {"text": "ENOSPC, for the first one who asks"}
    yield "promised", {"text": "1 dirty page without a block", "verdict": "> 0 free: cannot reach the disk"}


def run() -> SimpleNamespace:
    """What the partials ask of a run."""
    places = scene()
    made = directories(places.mappings, ("pgd",), lambda vpn: (vpn >> 10, vpn & 1023))
    stores = [{"id": fate, "task": "A", "hue": 1, "text": 'm[2P]="C"', "place": "page 2 of f"} for fate in FATES]
    return SimpleNamespace(
        home="Disk", upper_levels=("pgd",), directories=tuple(made), stations=len(STATIONS), stores=stores,
        kind=SimpleNamespace(title="ext2"), block_text="4 KiB", blocks=range(len(BITS)), quotas={"alice": 8},
        told=(FILE,), lru=len(PAGES), long={FILE: len(PAGES)},
    )  # fmt: skip


def menus() -> list[tuple[str, list[Choice]]]:
    """A menu with every kind of line."""
    plain = Choice("A choice", "What it is for.", "#", "#", current=False)
    part = Choice("a part of it", "", "#", "#", current=True, code="W2")
    never = Choice("Never there", "", "#", "#", current=False, reason="this kernel never had it")
    return [("A group", [plain, Choice("The one chosen", "", "#", "#", current=True, parts=(part,)), never])]


def context() -> dict[str, Any]:
    """All that patterns.html shows."""
    assert len(STATIONS) <= rail.STATIONS
    return {
        "run": run(), "scene": scene(), "state": state(), "rails": list(rails()), "menus": menus(),
        "outcomes": OUTCOMES, "fates": {fate: FATE_WORDS.get(fate, fate) for fate in FATES},
    }  # fmt: skip
