"""The rules of memory: the list that reclaim scans, and the pages of a file that is too long for the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.cast import where_is
from app.cells import words
from app.rules import Fields, Get, Pages, Rule, bind


@dataclass(frozen=True, slots=True)
class Memory:
    """The rules of the page frames of a run; its cast says how many have a place."""

    pages: Pages

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every (view entity, rule)."""
        yield "gauge/memory", self.frames
        for place in range(self.pages.cast.lru):
            yield f"lru/{place}", bind(self.listed, place)
        for file, count in self.pages.cast.long.items():
            for index in range(count):
                yield f"map/{file}/{index}", bind(self.page, file, index)

    def frames(self, get: Get) -> Fields:
        """How many frames reclaim could look at, of all there are."""
        count, shown = len(words(get("ram.lru"))), self.pages.cast.lru
        said = f"{count} of {self.pages.cast.frames} frames on the list"
        return {"text": f"{said}, the oldest {shown} shown" if count > shown else said}

    def listed(self, get: Get, place: int) -> Fields:
        """The frame at a place of the list, oldest first: whose page it is, and how that stands."""
        listed = words(get("ram.lru"))
        if place >= len(listed):
            return {}
        pfn = int(listed[place])
        where, state = where_is(get, pfn), self.pages.frame(get, pfn).state
        file, _, index = where.rpartition("/")
        letter = f"{file[:2]}{index}" if file != "frame" else f"#{pfn}"
        return {"state": state, "letter": letter, "active": get(f"page/{pfn}.active"), "raw": f"page/{pfn}"}

    def page(self, get: Get, file: str, index: int) -> Fields:
        """One page of a long file: only how it stands."""
        state = self.pages.page_state(get, file, index)
        return {"state": "saved" if state.state == "absent" and None not in state.blocks else state.state}
