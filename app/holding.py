"""What a thing of the picture holds at a step: whose bytes, and whose it ought to hold and does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.cast import where_is
from app.cells import entry_of
from app.chain import Chain, Stays, brief, name_of
from app.theatre import Stage
from app.troubles import Trouble
from engine.errors import short, suggestion
from engine.whereabouts import BEFORE, BLOCK, FRAME, Place, holders, places

_FRAME = re.compile(r"page/(\d+)")
_BLOCK = re.compile(r"(?:disk|block)/(\d+)")
_ENTRY = re.compile(r"mm/.+/pte/0x[0-9a-f]+|cpu/\d+/tlb/0x[0-9a-f]+")
_FILED = re.compile(r"(?:slot|blockslot|diskslot|map)/(?!frame/)(.+)/(\d+)")
_STORE = re.compile(r"ledger/([^/]+)")
OVER = ("replaced", "refused")
"""The fates of stores that nobody looks for any more."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A thing at a step: what it is, a sentence where it has no store's bytes, the stores it has, those it lacks."""

    what: str
    note: str
    here: tuple[Chain, ...]
    lacks: tuple[Chain, ...] = ()


def of(stage: Stage, stays: Stays, ways: Mapping[str, Chain], thing: str, step: int) -> Holding:
    """What a thing holds after a step. `ways` has the chain of each store of the run.

    Raises:
        Trouble: when the picture has no such thing.
    """
    if match := _STORE.fullmatch(thing):
        return _of_store(ways, match[1])
    known = _things(stage)
    if thing not in known:
        cure = suggestion(thing, sorted(known)) or "Leave of= away for every store of the run"
        raise Trouble("not-found", f"The picture has no {short(thing)}", cure=cure)
    spots = list(_spots(stage, thing, step))
    stores = list(dict.fromkeys(store for spot in spots for store in holders(stays, step, spot)))
    here = tuple(ways[store] for store in stores if store in ways)
    lacks = tuple(ways[store] for store in _bound(stage, thing, step) if store in ways and store not in stores)
    return Holding(_called(stage, stays, spots, step) or _meant(thing), _note(spots, stores), here, lacks)


def _of_store(ways: Mapping[str, Chain], store: str) -> Holding:
    if store not in ways:
        cure = suggestion(store, sorted(ways)) or "This run stores nothing"
        raise Trouble("not-found", f"The run has no way of a store {short(store)}", cure=cure)
    return Holding(f"Store {store}", "", (ways[store],))


def _things(stage: Stage) -> set[str]:
    """Everything that has a place in the picture at some step and may have bytes, or lead to some."""
    cast = stage.view.cast
    rows = [f"{file.name}/{index}" for file in cast.files for index in file.indices]
    pages = [f"{mapping.mm}/{vpn:#x}" for mapping in cast.mappings for vpn, _ in mapping.pages]
    return {
        *(f"{kind}/{row}" for row in rows for kind in ("slot", "blockslot", "diskslot")),
        *(f"{kind}/{page}" for page in pages for kind in ("vpage", "pteslot", "tlbslot")),
        *(f"mm/{mapping.mm}/pte/{vpn:#x}" for mapping in cast.mappings for vpn, _ in mapping.pages),
        *(f"bit/{block}" for block in cast.blocks),
        *(f"slot/frame/{pfn}" for pfn in cast.loose),
        *(f"lru/{place}" for place in range(cast.lru)),
        *(f"map/{file}/{index}" for file, count in cast.long.items() for index in range(count)),
    }


def _spots(stage: Stage, thing: str, step: int) -> Iterator[tuple[str, int]]:
    """The frames and blocks that a thing is, leads to, or stands for."""
    state: dict[str, Any] = stage.trace.state_at(step)
    raw = str(stage.view.state_at(step).get(f"{thing}.raw") or thing)
    for at in dict.fromkeys(raw.split()):
        if match := _FRAME.fullmatch(at):
            yield FRAME, int(match[1])
        elif match := _BLOCK.fullmatch(at):
            yield BLOCK, int(match[1])
        elif _ENTRY.fullmatch(at) and (entry := entry_of(state.get(f"{at}.entry"))):
            yield FRAME, entry.pfn


def _bound(stage: Stage, thing: str, step: int) -> Iterator[str]:
    """The stores that are meant for the page of a file that a thing stands for, and that still matter."""
    match = _FILED.fullmatch(thing)
    if match is None:
        return
    file, low = match[1], int(match[2]) * stage.view.cast.page_size
    high, state = low + stage.view.cast.page_size, stage.trace.state_at(step)
    for store in stage.view.stores:
        fate = state.get(f"store/{store.id}.fate")
        if store.file == file and store.start < high and store.stop > low and fate not in (None, *OVER):
            yield store.id


def _called(stage: Stage, stays: Stays, spots: list[tuple[str, int]], step: int) -> str:
    """The frames and blocks in words."""
    home, get = stage.view.cast.home, stage.trace.state_at(step).get
    known = {(place.kind, place.number): place for stay in stays.values() for place in places(stay, step)}
    said = []
    for kind, number in spots:
        if (kind, number) in known:
            said.append(name_of(known[kind, number], home))
            continue
        file, _, index = where_is(get, number).rpartition("/") if kind == FRAME else ("frame", "", "")
        place = Place(kind, number) if file == "frame" else Place(kind, number, file, int(index))
        said.append(brief(place, home) if file == "frame" else name_of(place, home))
    return " · ".join(said)


def _meant(thing: str) -> str:
    """A place that has no frame or block now, in words."""
    match = _FILED.fullmatch(thing)
    if match is None:
        return "no frame"
    where = "on the disk" if thing.startswith(("blockslot", "diskslot")) else "in memory"
    return f"page {match[2]} of {match[1]} {where}"


def _note(spots: list[tuple[str, int]], stores: list[str]) -> str:
    """What is said where no store's bytes are."""
    if not spots:
        return "No bytes are here now."
    if not stores:
        return "It holds zeroes: no store has put bytes here."
    return "It holds bytes from before the run: no store made them." if stores == [BEFORE] else ""


def everywhere(stays: Stays, step: int, home: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each frame and block that has bytes of a store after a step, in words, with these stores."""
    found: dict[Place, list[str]] = {}
    for store, stay in stays.items():
        for place in places(stay, step) if store != BEFORE else ():
            found.setdefault(place, []).append(store)
    return [(name_of(place, home), tuple(stores)) for place, stores in found.items()]
