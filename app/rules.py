"""From the raw cells of the engine to the picture: one rule per page, entry, block and line that has a place.

A rule is a pure function of the state, read through `get(address)`; it returns the fields of its view entity. Which raw
cells it read is noted by the caller (app/view.py), so a rule runs again only when one of them changes. View entities
here: vpage, tlbslot, pteslot (by address space and virtual page), slot, blockslot, diskslot (by file and index), edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app import maps
from app.cast import Cast, where_is
from app.cells import Rle, bytes_of, cut, entry_of, letters, slots_of
from engine import pte_of

Get = Callable[[str], Any]
Fields = dict[str, Any]
Rule = Callable[[Get], Fields]


def bind(rule: Callable[..., Fields], *args: Any) -> Rule:
    """The rule for these arguments."""
    return lambda get: rule(get, *args)


@dataclass(frozen=True, slots=True)
class PageState:
    """How a page stands: its frame, a word for CSS, words to read, its blocks (None: a hole), its letters."""

    pfn: int | None
    state: str
    word: str
    blocks: tuple[int | None, ...]
    text: str = ""
    promised: bool = False
    """Whether each block that it lacks is promised to it."""


def _holds(read: dict[str, Any], get: Get) -> bool:
    """Whether these cells still have these values."""
    for at, value in read.items():  # noqa: SIM110 - this runs some hundred times a page, and all() takes twice as long
        if get(at) != value:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Pages:
    """The rules of pages and of what leads to them, for one run."""

    cast: Cast
    stores: tuple[Any, ...] = ()
    known: dict[tuple[str, int], tuple[PageState, dict[str, Any]]] = field(default_factory=dict)
    """How each page was found to stand, with the cells that this was read from and their values."""

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every (view entity, rule)."""
        for mapping in self.cast.mappings:
            for vpn, _ in mapping.pages:
                yield from self._virtual(mapping.mm, vpn)
        for file in self.cast.files:
            for index in file.indices:
                yield from self._filed(file.name, index)
        for pfn in self.cast.loose:
            yield f"slot/frame/{pfn}", bind(self.loose, pfn)
        for mm, page, place in self.cast.targets:
            yield f"edge/p/{mm}/{page}/{place}", bind(self.aim, mm, int(page, 16), place)
        for mm, way in self.cast.tables:
            yield f"table/{mm}/{way}", bind(self.table, mm, way)

    def _virtual(self, mm: str, vpn: int) -> Iterator[tuple[str, Rule]]:
        key = f"{mm}/{vpn:#x}"
        yield f"vpage/{key}", bind(self.vpage, mm, vpn)
        yield f"tlbslot/{key}", bind(self.tlb, mm, vpn)
        yield f"pteslot/{key}", bind(self.pte, mm, vpn)
        yield f"pteword/{key}", bind(self.word, mm, vpn)
        yield f"edge/v/{key}", bind(self.reach, mm, vpn)

    def _filed(self, file: str, index: int) -> Iterator[tuple[str, Rule]]:
        key = f"{file}/{index}"
        yield f"slot/{key}", bind(self.slot, file, index)
        yield f"blockslot/{key}", bind(self.block, file, index)
        yield f"diskslot/{key}", bind(self.disk, file, index)
        yield f"edge/b/{key}", bind(self.behind, file, index)
        yield f"edge/d/{key}", bind(self.below, file, index)

    # -- translations ---------------------------------------------------------------------------------------------

    def frame(self, get: Get, pfn: int) -> PageState:
        """The state of whatever a frame holds."""
        place = where_is(get, pfn)
        if not place.startswith("frame/"):
            file, _, index = place.rpartition("/")
            return self.page_state(get, file, int(index))
        text = letters(self.held(get, pfn))
        if get(f"page/{pfn}.reserved"):
            return PageState(pfn, "private", "zero page", (), text)
        if get(f"page/{pfn}.mapping") == "anon":
            return PageState(pfn, "private", "private copy", (), text)
        return PageState(pfn, "lost", "of no file now", (), text)

    def vpage(self, get: Get, mm: str, vpn: int) -> Fields:
        """The page as the program sees it: what a load would give, and how safe that is."""
        entry = entry_of(get(f"mm/{mm}/pte/{vpn:#x}.entry"))
        if entry is None:
            return {}
        page = self.frame(get, entry.pfn)
        state = "written" if page.state == "clean" and entry.dirty else page.state
        return {"state": state, "text": page.text, "raw": f"mm/{mm}/pte/{vpn:#x}"}

    def tlb(self, get: Get, mm: str, vpn: int) -> Fields:
        """What the CPUs remember of the translation; stale when the page table says otherwise."""
        cpus = (f"cpu/{n}/tlb/{vpn:#x}" for n in range(self.cast.cpus) if get(f"cpu/{n}.mm") == mm)
        known = [(at, held) for at in cpus if (held := entry_of(get(f"{at}.entry")))]
        if not known:
            return {}
        entry = entry_of(get(f"mm/{mm}/pte/{vpn:#x}.entry"))
        wrong = [(at, held) for at, held in known if not entry or (entry.pfn, entry.write) != (held.pfn, held.write)]
        (_, held), stale = (wrong or known)[0], bool(wrong)
        return {
            "state": "stale" if stale else "yes",
            "flags": "W D" if held.write and held.dirty else "W" if held.write else "r",
            "cpus": "cpu " + " ".join(at.split("/")[1] for at, _ in wrong or known) if self.cast.cpus > 1 else None,
            "raw": " ".join(at for at, _ in known),
        }

    def pte(self, get: Get, mm: str, vpn: int) -> Fields:
        """The entry: which frame it names, coloured as that page is."""
        entry = entry_of(get(f"mm/{mm}/pte/{vpn:#x}.entry"))
        if entry is None:
            return {}
        page = self.frame(get, entry.pfn)
        to = "→ zero page" if page.word == "zero page" else f"→ frame {entry.pfn}"
        state = "clean" if page.state in ("saved", "backed") else page.state
        flags = str(get(f"mm/{mm}/pte/{vpn:#x}.entry")).partition(" pfn")[0].replace(" ", "")
        return {"state": state, "to": to, "flags": flags, "raw": f"mm/{mm}/pte/{vpn:#x} pteword/{mm}/{vpn:#x}"}

    def word(self, get: Get, mm: str, vpn: int) -> Fields:
        """The entry as it lies in memory, in the format of this machine: its word, its bits, the way to it."""
        text, form = get(f"mm/{mm}/pte/{vpn:#x}.entry"), self.cast.format
        if text is None:
            return {}
        entry = pte_of(text)
        way = zip((level.name for level in form.levels), form.path(vpn), strict=True)
        return {
            "word": form.hex(entry),
            "bits": " ".join(f"{bit.name}={bit.mask:#x}" for bit in form.set_bits(entry)),
            "index": " ".join(f"{name}={index}" for name, index in way),
        }

    def reach(self, get: Get, mm: str, vpn: int) -> Fields:
        """The line from a page to its entry: there when the entry is."""
        return {field: value for field, value in self.pte(get, mm, vpn).items() if field == "state"}

    def aim(self, get: Get, mm: str, vpn: int, place: str) -> Fields:
        """The line from an entry to one frame's place: there while the entry points to it."""
        entry = entry_of(get(f"mm/{mm}/pte/{vpn:#x}.entry"))
        if entry is None or where_is(get, entry.pfn) != place:
            return {}
        return self.reach(get, mm, vpn)

    def table(self, get: Get, mm: str, way: str) -> Fields:
        """An entry above the lowest level: there once a table hangs from it."""
        at = f"mm/{mm}/{self.cast.format.levels[way.count('/')].name}/{way}"
        return {"state": "yes", "raw": at} if get(f"{at}.entry") else {}

    # -- pages, blocks, disk ----------------------------------------------------------------------------------------

    def held(self, get: Get, pfn: int) -> Rle:
        """The bytes in a frame."""
        return bytes_of(get(f"page/{pfn}.data"), self.cast.page_size)

    def written(self, get: Get, block: int | None) -> Rle:
        """The bytes the platter has in a block; zeroes for a hole, and for a block never written."""
        return bytes_of(None if block is None else get(f"disk/{block}.data"), self.cast.block_size)

    def blocks(self, get: Get, file: str, index: int) -> tuple[int | None, ...]:
        """The disk blocks behind a page, None for a hole; only those below the end of the file."""
        per = max(1, self.cast.page_size // self.cast.block_size)
        first, end = index * per, -(-(get(f"inode/{file}.size") or 0) // self.cast.block_size)
        return tuple(self._lookup(get, file, iblock) for iblock in range(first, max(first + 1, min(first + per, end))))

    def _lookup(self, get: Get, file: str, iblock: int) -> int | None:
        """The map of the file, followed to one of its blocks."""
        return self._chain(get, file, iblock)[-1]

    def _chain(self, get: Get, file: str, iblock: int) -> list[int | None]:
        """The map of the file, followed to one of its blocks: the index blocks on the way, and it; None: it ends."""
        top, *way = maps.path(self.cast.map, iblock, self.cast.block_size // 4)
        chain = [get(f"inode/{file}/block/{top}.pointer")]
        for slot in way:
            chain.append(None if chain[-1] is None else get(f"index/{chain[-1]}/{slot}.pointer"))
        return [None if block is None else int(block) for block in chain]

    def _via(self, get: Get, file: str, index: int) -> str | None:
        """The index blocks that lead to the first block of a page; None where the inode names it itself."""
        *way, _ = self._chain(get, file, index * max(1, self.cast.page_size // self.cast.block_size))
        return ", ".join(f"ix {block}" for block in way if block is not None) or None

    def page_state(self, get: Get, file: str, index: int) -> PageState:
        """How a page of a file stands: absent, being read, clean, backed, at risk, unsaved, being written.

        Many rules ask. What was found holds as long as each cell that it was read from has the value it had; looking
        at these also notes them as read by who asks now.
        """
        known = self.known.get((file, index))
        if known is not None and _holds(known[1], get):
            return known[0]
        read: dict[str, Any] = {}

        def noting(at: str) -> Any:
            value = read[at] = get(at)
            return value

        state = self._page_state(noting, file, index)
        self.known[file, index] = state, read
        return state

    def _page_state(self, get: Get, file: str, index: int) -> PageState:
        pfn = get(f"mapping/{file}/{index}.page")
        blocks = self.blocks(get, file, index)
        promised = None in blocks and self.is_promised(get, file, index, blocks)
        if pfn is None:
            gone = self.gone(get, file, index)
            return PageState(None, "lost" if gone else "absent", "lost" if gone else "", blocks, gone, promised)
        state = self._cached(get, file, index, pfn, blocks, homeless=None in blocks and not promised)
        return PageState(pfn, *state, blocks, letters(self.held(get, pfn)), promised)

    def is_promised(self, get: Get, file: str, index: int, blocks: tuple[int | None, ...]) -> bool:
        """Whether each block that a page lacks is promised: by delayed allocation, or at mmap to a mapping of it."""
        first = index * max(1, self.cast.page_size // self.cast.block_size)
        lacks = [first + place for place, block in enumerate(blocks) if block is None]
        if all(get(f"inode/{file}/block/{iblock}.delayed") for iblock in lacks):
            return True
        behind = ((m.mm, vpn) for m in self.cast.mappings if m.file == file for vpn, shown in m.pages if shown == index)
        return any(get(f"mm/{mm}/promise/{vpn:#x}.blocks") for mm, vpn in behind)

    def _cached(  # noqa: PLR0913, PLR0911 - a state for each way out
        self, get: Get, file: str, index: int, pfn: int, blocks: tuple[int | None, ...], *, homeless: bool
    ) -> tuple[str, str]:
        """(state, words) of a page that is in the page cache."""
        if self.leaks(get, file, index):
            return "leaked", "a private store"
        if not get(f"page/{pfn}.uptodate"):
            return "read", "out of date" if self._is_mapped(get, pfn) else "being read"
        if get(f"page/{pfn}.writeback"):
            return "writing", "being written"
        if self.cast.home == "memory":
            return "backed", "only in memory"
        if get(f"page/{pfn}.dirty") or get(f"mapping/{file}/{index}.dirty") or self._dirty_entry(get, file, index, pfn):
            same = self.agrees(get, pfn, blocks)
            return ("backed", "dirty") if not homeless else ("clean", "dirty zeroes") if same else ("risk", "only copy")
        if self.agrees(get, pfn, blocks):
            return "clean", "zeroes" if all(block is None for block in blocks) else "clean"
        unmarked = homeless or get(f"page/{pfn}.error") or not get(f"page/{pfn}.locked")
        return ("unsaved", "not on disk") if unmarked else ("backed", "to be written")

    def _is_mapped(self, get: Get, pfn: int) -> bool:
        """Whether some entry points at a frame: nobody maps a page that is not read yet."""
        mapcount = get(f"page/{pfn}.mapcount")
        return mapcount is not None and int(mapcount) >= 0

    def gone(self, get: Get, file: str, index: int) -> str:
        """The letters of stores to this page that are lost, if nothing has taken their place."""
        size = self.cast.page_size
        here = (s for s in self.stores if s.file == file and s.start < (index + 1) * size and s.stop > index * size)
        return letters(tuple((s.text[0], 1) for s in here if get(f"store/{s.id}.fate") == "lost")).replace("0", "")

    def leaks(self, get: Get, file: str, index: int) -> bool:
        """Whether a private store has reached this page of a file: copy-on-write is broken."""
        behind = {(m.mm, vpn) for m in self.cast.mappings if m.file == file for vpn, shown in m.pages if shown == index}
        stores = (s for s in self.stores if s.file is None and any((s.mm, vpn) in behind for vpn in s.vpns))
        return any(get(f"store/{store.id}.fate") == "leaked" for store in stores)

    def _dirty_entry(self, get: Get, file: str, index: int, pfn: int) -> bool:
        """Whether some page table has the page's only dirty mark."""
        for mm, vpn, place in self.cast.targets:
            if place == f"{file}/{index}":
                entry = entry_of(get(f"mm/{mm}/pte/{vpn}.entry"))
                if entry is not None and entry.pfn == pfn and entry.dirty:
                    return True
        return False

    def agrees(self, get: Get, pfn: int, blocks: tuple[int | None, ...]) -> bool:
        """Whether the platter has the page's bytes."""
        held, size = self.held(get, pfn), self.cast.block_size
        if len(blocks) == 1 and size >= self.cast.page_size:
            return held == self.written(get, blocks[0])
        return all(cut(held, i * size, (i + 1) * size) == self.written(get, block) for i, block in enumerate(blocks))

    def slot(self, get: Get, file: str, index: int) -> Fields:
        """The page cache slot."""
        page = self.page_state(get, file, index)
        if page.pfn is None:
            return (
                {"state": page.state, "head": f"page {index}", "text": page.text, "word": page.word}
                if page.text
                else {"state": "absent"}
            )
        return {
            "state": page.state,
            "lost": self.gone(get, file, index) or None,
            "head": f"frame {page.pfn} · page {index}",
            "text": page.text,
            "word": page.word,
            "raw": f"page/{page.pfn} mapping/{file}/{index}",
            "locked": True if get(f"page/{page.pfn}.locked") else None,
        }

    def loose(self, get: Get, pfn: int) -> Fields:
        """A frame outside the page cache, while somebody maps it."""
        mapped = (get(f"page/{pfn}.mapcount") or -1) >= 0 or get(f"page/{pfn}.mapping") or get(f"page/{pfn}.reserved")
        if where_is(get, pfn) != f"frame/{pfn}" or not mapped:
            return {}
        page = self.frame(get, pfn)
        return {
            "state": page.state,
            "head": f"frame {pfn}",
            "text": page.text,
            "word": page.word,
            "raw": f"page/{pfn}",
        }

    def block(self, get: Get, file: str, index: int) -> Fields:
        """Which blocks the inode names for this page."""
        page = self.page_state(get, file, index)
        raw = " ".join([*self._accounts(get, file), *(f"block/{block}" for block in page.blocks if block is not None)])
        if page.promised and all(block is None for block in page.blocks):
            return {"state": "promised", "text": "promised", "raw": raw}
        if None in page.blocks:
            names = " ".join("·" if block is None else str(block) for block in page.blocks)
            text = "hole" if all(block is None for block in page.blocks) else f"→ {names}"
            missing = page.state in ("risk", "unsaved", "lost")
            via = self._via(get, file, index)
            return {"state": "missing" if missing else "hole", "text": text, "via": via, "raw": raw}
        state = "backed" if page.state in ("backed", "writing") else "saved"
        text, via = "→ " + " ".join(str(block) for block in page.blocks), self._via(get, file, index)
        return {"state": state, "text": text, "via": via, "raw": raw}

    def _accounts(self, get: Get, file: str) -> tuple[str, ...]:
        """What the inspector shows of a file: its inode, its errors, and what each open file has heard of them."""
        heard = (f"fd/{task}.{file}" for task in self.cast.tasks if get(f"fd/{task}.{file}.opened"))
        return (f"inode/{file}", f"mapping/{file}", *heard)

    def disk(self, get: Get, file: str, index: int) -> Fields:
        """What the platter holds for this page, and whether the inode on disk leads to it."""
        if self.cast.home == "memory":
            return {}
        page = self.page_state(get, file, index)
        blocks = [block for block in page.blocks if block is not None]
        if not blocks:
            nowhere = page.state in ("risk", "unsaved", "lost") or self.gone(get, file, index)
            return {"state": "nowhere", "nowhere": "nowhere"} if nowhere else {}
        text = letters(tuple(run for block in blocks for run in self.written(get, block)))
        state = "saved" if self._reachable(get, file, index) else "unlinked"
        return {"state": state, "block": str(blocks[0]), "text": text, "raw": f"disk/{blocks[0]}"}

    def _reachable(self, get: Get, file: str, index: int) -> bool:
        """Whether somebody finds the first block of a page after a power cut: the inode on disk names it as written."""
        first = index * max(1, self.cast.page_size // self.cast.block_size)
        if str(first) in str(get(f"disk/inode/{file}.unwritten") or "").split():
            return False
        top = maps.path(self.cast.map, first, self.cast.block_size // 4)[0]
        return top in slots_of(get(f"disk/inode/{file}.pointers"))

    def behind(self, get: Get, file: str, index: int) -> Fields:
        """The line from page to blocks."""
        page = self.page_state(get, file, index)
        if page.pfn is None or (page.state in ("clean", "read") and None in page.blocks):
            return {}
        return {"state": {"risk": "missing", "unsaved": "missing", "writing": "writing"}.get(page.state, "saved")}

    def below(self, get: Get, file: str, index: int) -> Fields:
        """The line from block to disk."""
        page = self.page_state(get, file, index)
        if self.cast.home == "memory" or all(block is None for block in page.blocks):
            return {}
        return {"state": "writing" if page.state == "writing" else "saved"}
