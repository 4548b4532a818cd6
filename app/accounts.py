"""The rules of accounts: blocks, quota, what is promised; and of stores: where each lives, what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.cells import Rle, cut, entry_of, merged, words
from app.rules import Fields, Get, Pages, Rule, bind
from app.wording import FATE_WORDS

MAX_SEGMENTS = 24
FATES = ("leaked", "lost", "clean-unsaved", "at-risk", "refused", "backed", "durable", "replaced", "private")
"""Worst first."""

PLACES = ("tlb", "pte", "page", "block", "disk")


@dataclass(frozen=True, slots=True)
class Stored:
    """One store of the run and where it went: bytes [start, stop) of a file, or virtual pages of an address space."""

    id: str
    task: str
    line: int
    mm: str
    file: str | None
    start: int
    stop: int
    text: str
    vpns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Accounts:
    """The rules of one filesystem's accounts. `quotas` says in how many segments each user's gauge is drawn."""

    pages: Pages
    quotas: Mapping[str, int]

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every (view entity, rule)."""
        for block in self.pages.cast.blocks:
            yield f"bit/{block}", bind(self.bit, block)
        yield "gauge/fs", self.space
        yield "disk-chip", self.chip
        yield "promised", self.promised
        for file in self.pages.cast.errors:
            yield f"told/{file}", bind(self.told, file)
        for user, segments in self.quotas.items():
            yield f"gauge/quota/{user}", bind(self.quota, user)
            for segment in range(segments):
                yield f"quotabit/{user}/{segment}", bind(self.quota_bit, user, segment)

    def bit(self, get: Get, block: int) -> Fields:
        """One block of the bitmap: whose it is; of a free one, whether it is promised, or kept for root or metadata."""
        owner, raw = get(f"block/{block}.owner"), f"block/{block}"
        if owner is None:
            kind = self._free(get, block)
            letter = {"reserved": "root", "pool": "meta", "promised": "?"}.get(kind)
            return {"kind": kind or None, "letter": letter, "raw": f"{raw} fs" if kind else raw}
        file, _, index = owner.partition(":")
        hue = self.pages.cast.hues.get(file, 0)
        if index == "index":
            return {"kind": "index", "hue": hue, "letter": "ix", "raw": raw}
        if others := words(get(f"block/{block}.sharers")):
            letter = f"{file[:1]}+{others[0][:1] if len(others) == 1 else len(others)}"
            return {"kind": "used", "hue": hue, "letter": letter, "raw": raw}
        known = any(file == shown.name for shown in self.pages.cast.files)
        return {"kind": "used" if known else "ballast", "hue": hue, "letter": index or file[:3], "raw": raw}

    def _free(self, get: Get, block: int) -> str:
        """What a free block is counted for: the first ones are promised, the last kept for root or for metadata."""
        promised, reserved, pool = (get(f"fs.{field}") or 0 for field in ("delalloc", "reserved", "pool"))
        if not promised and not reserved and not pool:
            return ""
        free = [other for other in self.pages.cast.blocks if get(f"block/{other}.owner") is None]
        place = free.index(block)
        if place < promised:
            return "promised"
        behind = len(free) - place
        return "reserved" if behind <= reserved else "pool" if behind <= reserved + pool else ""

    def space(self, get: Get) -> Fields:
        """Free blocks in words."""
        free, reserved, pool = (get(f"fs.{field}") or 0 for field in ("free", "reserved", "pool"))
        promised = get("fs.delalloc") or 0
        kept = [f"{promised} promised"] if promised else []
        kept += [f"{min(free, reserved)} for root only"] if reserved else []
        kept += [f"{min(free, pool)} for metadata"] if pool else []
        kept += [f"room below for {get('disk.room')}"] if get("disk.room") is not None else []
        kept += self._trouble(get)
        return {"text": ", ".join([f"{free} of {get('fs.total')} free", *kept])}

    def _trouble(self, get: Get) -> list[str]:
        """What has happened to the filesystem as a whole."""
        said = {"fs.down": "shut down", "fs.aborted": "journal aborted", "fs.readonly": "read-only"}
        return [words for at, words in said.items() if get(at)]

    def chip(self, get: Get) -> Fields:
        """The same in the top bar."""
        promised = get("fs.delalloc") or 0
        said = f", {promised} promised" if promised else ""
        said += f", {get('disk.room')} below" if get("disk.room") is not None else ""
        said += "".join(f", {trouble}" for trouble in self._trouble(get))
        return {"text": f"{_count(get('fs.free') or 0, 'block')} free{said}"}

    def quota(self, get: Get, user: str) -> Fields:
        """A user's quota in words."""
        used, soft, hard = self._quota(get, user)
        limits = [f"{name} {limit}" for name, limit in (("soft", soft), ("hard", hard)) if limit]
        promised = get(f"quota/{user}.promised") or 0
        said = [f"{promised} promised"] if promised else []
        return {"text": " · ".join([f"{used} used", *said, *limits])}

    def quota_bit(self, get: Get, user: str, segment: int) -> Fields:
        """One segment of the gauge."""
        used, soft, hard = self._quota(get, user)
        per = (hard or soft or used or 1) / self.quotas[user]
        filled = used > segment * per
        over = filled and ((soft and (segment + 1) * per > soft) or (hard and used >= hard))
        mark = True if soft and soft < hard and segment == round(soft / per) - 1 else None
        promised = not filled and used + (get(f"quota/{user}.promised") or 0) > segment * per
        state = "over" if over else "used" if filled else "promised" if promised else "free"
        return {"state": state, "soft": mark}

    def _quota(self, get: Get, user: str) -> tuple[int, int, int]:
        used, soft, hard = (get(f"quota/{user}.{field}") or 0 for field in ("used", "soft", "hard"))
        return used, soft, hard

    def promised(self, get: Get) -> Fields:
        """Dirty pages without a block, against the blocks that are free."""
        cast = self.pages.cast
        every = {
            file.name: range(cast.long[file.name]) if file.name in cast.long else file.indices for file in cast.files
        }
        shown = [self.pages.page_state(get, file, index) for file, indices in every.items() for index in indices]
        homeless = [page for page in shown if page.state == "risk"]
        dropped = [page for page in shown if page.state == "unsaved"]
        need, free = sum(page.blocks.count(None) for page in homeless), get("fs.free") or 0
        waiting = sum(page.blocks.count(None) for page in shown if page.promised)
        if waiting and not dropped and not homeless:
            return {"text": f"{_count(waiting, 'block')} that {'is' if waiting == 1 else 'are'} not chosen yet"}
        if dropped and not homeless:
            lacks = "without a block" if any(None in page.blocks for page in dropped) else "that the disk does not have"
            return {
                "text": f"{_count(len(dropped), 'page')} marked clean {lacks}",
                "verdict": "dropped when the frame is needed",
            }
        text = (
            f"{_count(len(homeless), 'dirty page')} without a block" if homeless else "no dirty page waits for a block"
        )
        return {"text": text, "verdict": f"> {free} free: cannot reach the disk" if need > free else None}

    def told(self, get: Get, file: str) -> Fields:
        """An error that writeback noted, and who has heard of it: each open file once, or the first one to ask."""
        noted = str(get(f"mapping/{file}.wb_err") or "")
        if not noted:
            bits = [name.upper() for name in ("enospc", "eio") if get(f"mapping/{file}.{name}")]
            return {"text": f"{' and '.join(bits)}, for the first one who asks"} if bits else {"text": "none"}
        opened = [task for task in self.pages.cast.tasks if get(f"fd/{task}.{file}.opened")]
        said = noted.removesuffix(" seen")
        heard = [str(get(f"fd/{task}.{file}.since") or "").removesuffix(" seen") == said for task in opened]
        who = [f"{task} {'has heard' if knows else 'has not'}" for task, knows in zip(opened, heard, strict=True)]
        return {"text": ": ".join([noted.split(" ", maxsplit=1)[0], ", ".join(who) or "nobody has it open"])}


@dataclass(frozen=True, slots=True)
class Ledger:
    """The rules of stores: in which places each one's bytes are, its fate, and the worst of all."""

    pages: Pages
    stores: tuple[Stored, ...]

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every (view entity, rule)."""
        for store in self.stores:
            yield f"ledger/{store.id}", bind(self.fate, store)
            for place in PLACES:
                yield f"ledger/{store.id}/{place}", bind(self.lives, store, place)
        yield "badge", self.badge

    def fate(self, get: Get, store: Stored) -> Fields:
        """What became of it so far, and who was told of a loss."""
        fate, told = get(f"store/{store.id}.fate"), get(f"store/{store.id}.told")
        news = f"told by {told}" if told else "nobody was told" if fate == "lost" else None
        return {"fate": fate, "word": FATE_WORDS.get(fate, fate), "told": news}

    def lives(self, get: Get, store: Stored, place: str) -> Fields:
        """Whether one place has the bytes: none (does not apply), no, yes, dirty (only here), safe, promised, lost."""
        fate = get(f"store/{store.id}.fate")
        if fate is None:
            return {"state": "no"}
        if place == "disk" and self.pages.cast.home == "memory":
            return {"state": "none"}
        if (place in ("block", "disk") and store.file is None) or (place in ("tlb", "pte") and not store.vpns):
            return {"state": "none"}
        if fate == "refused":
            return {"state": "no"}
        match place:
            case "tlb":
                state = self._tlb(get, store)
            case "pte":
                state = self._pte(get, store, fate)
            case "page":
                state = self._page(get, store, fate)
            case "block":
                state = self._block(get, store, fate)
            case _:
                state = "safe" if fate == "durable" else "no"
        return {"state": state}

    def _tlb(self, get: Get, store: Stored) -> str:
        held = (self.pages.tlb(get, store.mm, vpn) for vpn in store.vpns)
        return "yes" if any(fields.get("state") == "yes" for fields in held) else "no"

    def _pte(self, get: Get, store: Stored, fate: str) -> str:
        entries = [entry_of(get(f"mm/{store.mm}/pte/{vpn:#x}.entry")) for vpn in store.vpns]
        if fate == "at-risk" and any(entry is not None and entry.dirty for entry in entries):
            return "dirty"
        return "yes" if any(entry is not None for entry in entries) else "no"

    def _page(self, get: Get, store: Stored, fate: str) -> str:
        if fate == "lost":
            return "lost"
        if not any(self._has(get, store, pfn, index) for pfn, index in self._frames(get, store)):
            return "no"
        return {"at-risk": "dirty", "clean-unsaved": "lost", "durable": "safe", "backed": "yes"}.get(fate, "yes")

    def _block(self, get: Get, store: Stored, fate: str) -> str:
        blocks = [block for index in self._indices(store) for block in self.pages.blocks(get, store.file or "", index)]
        if not blocks or None in blocks:
            pages = [self.pages.page_state(get, store.file or "", index) for index in self._indices(store)]
            kept = pages and all(page.promised or None not in page.blocks for page in pages)
            return "promised" if kept else "no"
        return "safe" if fate == "durable" else "promised"

    def _indices(self, store: Stored) -> range:
        """The pages of the file that the store is bound for."""
        size = self.pages.cast.page_size
        return range(store.start // size, -(-store.stop // size))

    def _frames(self, get: Get, store: Stored) -> Iterator[tuple[int, int]]:
        """(frame, page of the file) where the bytes should be: in the page cache, or a private frame."""
        for place, index in enumerate(self._indices(store)):
            pfn = get(f"mapping/{store.file}/{index}.page") if store.file else None
            if pfn is None and place < len(store.vpns):
                entry = entry_of(get(f"mm/{store.mm}/pte/{store.vpns[place]:#x}.entry"))
                pfn = entry.pfn if entry is not None else None
            if pfn is not None:
                yield pfn, index

    def _has(self, get: Get, store: Stored, pfn: int, index: int) -> bool:
        """Whether a frame holds the store's bytes for a page."""
        size = self.pages.cast.page_size
        low, high = max(store.start, index * size), min(store.stop, (index + 1) * size)
        return cut(self.pages.held(get, pfn), low - index * size, high - index * size) == _pattern(store, low, high)

    def badge(self, get: Get) -> Fields:
        """The worst fate of all, and how many stores share it."""
        fates = [get(f"store/{store.id}.fate") for store in self.stores]
        worst = next((fate for fate in FATES if fate in fates), None)
        if worst is None:
            return {"text": "nothing stored yet", "short": "none yet"}
        word = FATE_WORDS.get(worst, worst)
        return {"fate": worst, "text": f"{_count(fates.count(worst), 'store')} {word}", "short": word}


def _pattern(store: Stored, low: int, high: int) -> Rle:
    """The store's own bytes in [low, high)."""
    if len(set(store.text)) == 1:
        return ((store.text[0], high - low),)
    return merged((store.text[(at - store.start) % len(store.text)], 1) for at in range(low, high))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
