"""What the page of a comparison shows at each beat, as cells: `col/0/gate/1.state`, `col/2/pte.text`, `act.line`.

All columns show the same page of the same file: the one that the beat is about. Their cells are made from the cells of
their runs (app/view.py), so that a state looks here as it looks there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app import focus
from app.accounts import Stored
from app.comparison import Column, Comparison
from app.focus import Spot
from app.rail import Journey
from app.view import Delta
from app.wording import names_in

Value = str | int | bool | None
Fields = dict[str, Any]
Frame = dict[str, Value]

GATES = 4
"""The most stations of a journey that stand out."""
ROWS = ("store", "pte", "page", "block", "disk")
NOTHING: Fields = {}


@dataclass(frozen=True, slots=True)
class Reel:
    """The cells of a whole comparison: those before the first beat, and what each beat changes (None: gone)."""

    initial: Frame
    changes: tuple[Frame, ...]

    def at(self, beat: int) -> Frame:
        """Every cell at a beat; 0 is the beginning."""
        state = dict(self.initial)
        for change in self.changes[:beat]:
            state.update(change)
        return {at: value for at, value in state.items() if value is not None}

    def history(self, cell: str) -> list[Value]:
        """What a cell is at each beat, the beginning first."""
        found = [self.initial.get(cell)]
        for change in self.changes:
            found.append(change.get(cell, found[-1]))
        return found


def reel(comparison: Comparison) -> Reel:
    """Play all runs side by side, and note what is to be seen."""
    played = Played(comparison)
    before = initial = played.frame(0)
    changes: list[Frame] = []
    for beat in range(1, comparison.length + 1):
        now = played.frame(beat)
        gone: Frame = dict.fromkeys(at for at in before if at not in now)
        changes.append(gone | {at: value for at, value in now.items() if before.get(at) != value or at not in before})
        before = now
    return Reel(initial, tuple(changes))


class Player:
    """One column while its run goes by: raw cells, view entities, and the journey whose gates are shown."""

    def __init__(self, column: Column) -> None:
        """Nothing has happened yet. All steps are told first: the journeys are known to their ends then."""
        self.column, self.n = column, 0
        stage, self.told = column.stage, column.stage.view.steps
        self.raw: dict[str, Any] = dict(stage.trace.initial)
        self.entities: dict[str, Fields] = {}
        self._put((at, None, value) for at, value in stage.view.initial.items())
        faults = (journey for journey in stage.view.journeys if journey.kind == "fault" and not journey.quiet)
        self.journey = next(faults, None)

    def step(self) -> None:
        """Go one step on."""
        stage, self.n = self.column.stage, self.n + 1
        step, journey = stage.trace.steps[self.n - 1], stage.view.journeys[self.n - 1]
        self.raw.update((at, new) for at, _, new in (*step.writes, *step.derived))
        self._put(self.told[self.n - 1])
        self.journey = journey if journey.kind != "call" else self.journey

    def _put(self, deltas: Iterator[Delta] | tuple[Delta, ...]) -> None:
        for at, _, value in deltas:
            entity, _, field = at.rpartition(".")
            self.entities.setdefault(entity, {})[field] = value

    def view(self, entity: str) -> Fields:
        """The fields of a view entity."""
        return self.entities.get(entity, NOTHING)

    def gates(self) -> Iterator[tuple[str, Fields]]:
        """The stations that matter most of the journey under way, or of the last one."""
        if self.journey is None:
            return
        head, stations = self.journey.at(self.n)
        yield "rail", {"title": head["title"] if self._begun(self.journey) else f"To come: {head['title']}",
                       "kind": head["kind"], "note": head["note"]}  # fmt: skip
        keys = [fields for _, fields in stations if fields.get("key")]
        yield from ((f"gate/{place}", fields) for place, fields in enumerate(keys[:GATES]))

    def _begun(self, journey: Journey) -> bool:
        return journey.points[0][0] <= self.n

    @property
    def ended(self) -> bool:
        """Whether there is no step to come."""
        return self.n == len(self.column.steps)


class Played:
    """All columns while the beats go by, in order."""

    def __init__(self, comparison: Comparison) -> None:
        """Nothing has happened yet."""
        self.comparison = comparison
        self.players = [Player(column) for column in comparison.columns]
        self.pages = focus.Spots(*(column.stage.view.cast for column in comparison.columns))
        self.called = names_in(comparison.columns[-1].stage.kernel).task
        self.spot = self._first_spot()
        stores = {store.id: store for column in comparison.columns for store in column.stage.view.stores}
        self.stores, self.begun = stores, dict[str, Stored]()

    def _first_spot(self) -> Spot:
        """The page whose entry is written first."""
        for column in self.comparison.columns:
            writes = (at for step in column.steps for at, _, _ in step.writes if "/pte/" in at)
            if entry := next(writes, None):
                return focus.aim(Spot(), focus.Touched([entry], ()), lambda _: None, self.pages)
        return Spot()

    def frame(self, beat: int) -> Frame:
        """Go on to a beat, and tell its cells."""
        moved = self.comparison.moved(beat) if beat else []
        for place, _ in moved:
            self.players[place].step()
        if moved:
            place, step = moved[0]
            self.spot = focus.aim(self.spot, focus.Touched.by(step), self.players[place].raw.get, self.pages)
        entities = dict(self._common(beat))
        for place, player in enumerate(self.players):
            waits = beat > 0 and place not in {place for place, _ in moved}
            entities.update((f"col/{place}/{name}", fields) for name, fields in self._column(player, waits=waits))
        self._mark(entities)
        return {f"{name}.{field}": value for name, fields in entities.items()
                for field, value in fields.items() if value is not None}  # fmt: skip

    def _common(self, beat: int) -> Iterator[tuple[str, Fields]]:
        moved = self.comparison.moved(beat) if beat else []
        task, line = (moved[0][1].task, moved[0][1].line) if moved else ("", 0)
        said = self.comparison.line((task, line)) or (moved[0][1].function if moved else "before the first step")
        page = "no page yet" if self.spot.index is None else f"page {self.spot.index}"
        where = f"{page} of {self.spot.file}" if self.spot.file else page
        yield "act", {"task": self.called(task) or None, "line": said, "page": where, "hue": self._hue(task)}
        yield "time", {"step": beat, "valuetext": f"{beat} of {self.comparison.length}, {self.called(task)} {said}"}
        found = self.comparison.difference
        yield "difference", {"now": True if found and found.beat == beat else None}

    def _hue(self, task: str) -> int:
        return self.comparison.columns[0].stage.hue(task)

    def _column(self, player: Player, *, waits: bool) -> Iterator[tuple[str, Fields]]:
        yield "run", {"waits": ("at its end" if player.ended else "waits") if waits else None, "step": player.n}
        yield "badge", player.view("badge")
        yield from player.gates()
        yield "store", self._store(player)
        cards = dict(focus.fields(focus.look(self.spot, player.raw.get, player.view), "", ""))
        yield from ((row, dict(cards[f"focus/{row}"])) for row in ("pte", "page", "disk"))
        block = cards["focus/block"]
        yield "block", {**block, "text": "hole" if str(block["text"]).startswith("hole") else block["text"]}
        caption = player.view("caption")
        yield "caption", {name: caption.get(name) for name in ("task", "where", "text", "why", "defect", "fate")}

    def _store(self, player: Player) -> Fields:
        """The last store to the page at issue, or the first one to come, and what has become of it."""
        for name, made in self.stores.items():
            if name not in self.begun and any(each.view(f"ledger/{name}").get("fate") for each in self.players):
                self.begun[name] = made
        every = (*reversed(self.begun.values()), *self.stores.values())
        store = next((each for each in every if self._is_here(each)), None)
        if store is None:
            return {"head": "no store to this page", "state": "absent"}
        line = self.comparison.line((store.task, store.line))
        head = {"task": store.task, "hue": self._hue(store.task), "head": line}
        now = player.view(f"ledger/{store.id}")
        if not now.get("fate"):
            return {**head, "text": "never made" if player.ended else "not yet", "state": "absent"}
        return {**head, "text": now.get("word"), "word": now.get("told"), "state": "made", "fate": now.get("fate")}

    def _is_here(self, store: Stored) -> bool:
        """Whether a store goes to the page at issue."""
        spot, size = self.spot, self.comparison.columns[0].stage.view.cast.page_size
        if store.file is not None and spot.file:
            return store.file == spot.file and store.start // size <= (spot.index or 0) <= (store.stop - 1) // size
        return spot.vpn in store.vpns and store.mm == spot.mm

    def _mark(self, entities: dict[str, Fields]) -> None:
        """Mark the rows that are not alike in all columns."""
        for row in ROWS:
            cards = [entities[f"col/{place}/{row}"] for place in range(len(self.players))]
            alike = len({_gist(row, card) for card in cards}) == 1
            for card in cards:
                card["differs"] = None if alike else True


def _gist(row: str, card: Fields) -> tuple[Any, ...]:
    """What counts of a row: frames and blocks may have other numbers, and mean the same."""
    if row in ("page", "pte"):
        return (card.get("text"), card.get("word") if row == "page" else None, card["state"])
    return (card.get("text") if row == "store" else None, card["state"])
