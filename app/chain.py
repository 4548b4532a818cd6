"""Who lost my byte: the way of a store's bytes, from the line that made it to its fate, each link of it a step.

A link is a step that mattered to the bytes: it let them in, brought them to another frame or block or took them from
one, changed their fate, told somebody, or was the last at which they could have been saved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.rail import shorten
from app.runs import Run
from engine import Step, StoreInfo
from engine.fates import CLEAN_UNSAVED, LOST
from engine.foresight import DOOMED, Doom, Foresight
from engine.whereabouts import BLOCK, FRAME, Place, Stay, places, whereabouts

NAMES = {
    "at-risk": "At risk",
    "backed": "Backed",
    "durable": "On the disk",
    "clean-unsaved": "Not on the disk",
    "lost": "Lost",
    "replaced": "Replaced",
    "refused": "Refused",
    "private": "Private",
    "leaked": "In a file",
}
"""What a link is called after the fate that begins there."""
BLOCKS = {"disk": "disk block", "server": "block of the server", "memory": "block"}
"""What a block is called, by the home of files (app/cast.py)."""

Stays = Mapping[str, Sequence[Stay]]
"""Where the bytes of each store are, as engine/whereabouts.py tells it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A step that mattered to the bytes. `fate` begins here, empty where none does; `where` the bytes are after it."""

    step: int
    event: str
    word: str
    fate: str
    says: str
    where: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The way of a store's bytes. `fate` is that at the end of the run; `told` says who learned of a loss.

    `doom` says when it was doomed where no link does: before the first step, or nobody knows.
    """

    store: str
    title: str
    target: str
    fate: str
    links: tuple[Link, ...]
    told: str
    doom: str = ""

    def back(self, step: int) -> tuple[Link, ...]:
        """Where they came from: the links up to a step. The last of them says how they stand there."""
        return tuple(link for link in self.links if link.step <= step)

    def forward(self, step: int) -> tuple[Link, ...]:
        """What becomes of them after a step."""
        return tuple(link for link in self.links if link.step > step)


def stays_of(run: Run) -> Stays:
    """Where the bytes of each store of a run are; that takes some milliseconds."""
    return whereabouts(run.order.scenario, run.order.kernel, run.trace)


def chains(run: Run, stays: Stays, home: str, found: Foresight | None = None) -> Iterator[Chain]:
    """The way of every store. `home` is where files live; without foresight nothing is said of when it was doomed."""
    dooms = {each.store: each for each in found.stores} if found else {}
    size = run.order.scenario.machine.page_size
    for store in run.trace.stores:
        doom = dooms.get(store.id)
        links = tuple(_links(run, store, stays.get(store.id, ()), home, doom.doomed if doom else None))
        target = f"page {store.start // size} of {store.file}" if store.file else "private memory"
        title = f"{store.id} “{shorten(store.text)}”"
        yield Chain(store.id, title, target, store.fate, links, _told(store), _doom(doom) if doom else "")


def _doom(doom: Doom) -> str:
    if doom.doomed is None:
        return "When it was doomed is not known: there was too much to look through."
    return "" if doom.doomed else "It was doomed before the first step."


def _told(store: StoreInfo) -> str:
    if store.fate not in (LOST, CLEAN_UNSAVED):
        return ""
    return f"Told by {store.told}." if store.told else "Nobody was told."


def _links(run: Run, store: StoreInfo, stays: Sequence[Stay], home: str, doomed: int | None) -> Iterator[Link]:
    is_made = False
    for step in run.trace.steps:
        fate = next((change for change in reversed(step.fates) if change.store == store.id), None)
        made = list(_letting_in(run, store, step))
        moved = [] if made else list(_moved(places(stays, step.n - 1), places(stays, step.n), home))
        told = [f"Told by {new}." for at, _, new in step.derived if at == f"store/{store.id}.told"]
        words = [NAMES.get(fate.new, fate.new)] if fate else ["Made"] * bool(made) or ["Moved"] * bool(moved)
        words = words or ["Told"] * bool(told)
        is_made = is_made or bool(made) or fate is not None
        hope = ["From here on nothing can save them, whoever runs when."] if step.n == doomed else []
        if not words and not hope:
            continue
        word = ", ".join([*words, *(["doomed"] if words else ["Doomed"]) * bool(hope)])
        says = " ".join([*made, *moved, *([fate.why] if fate else []), *told, *hope])
        kind = fate.new if fate else DOOMED if hope else ""
        where = places(stays, step.n)
        lies = f"in {listed(where, home)}" if where else "nowhere" if is_made else "not made yet"
        yield Link(step.n, f"{step.function}.{step.name}", word, kind, says, lies)


def _letting_in(run: Run, store: StoreInfo, step: Step) -> Iterator[str]:
    """The step that lets the bytes in, or a part of them."""
    accepted = next((old for at, old, _ in step.writes if at == f"store/{store.id}.accepted"), ...)
    if accepted is None:
        yield f"Made by {store.task}, line {store.line}: {run.order.scenario.lines(store.task)[store.line - 1].text}."
    elif accepted is not ...:
        yield "More of them are let in."


def _moved(before: Sequence[Place], after: Sequence[Place], home: str) -> Iterator[str]:
    """What has come and gone from one stay to the next."""
    was, now = ({(each.kind, each.number) for each in stay} for stay in (before, after))
    came = [place for place in after if (place.kind, place.number) not in was]
    gone = [place for place in before if (place.kind, place.number) not in now]
    if came:
        yield f"Copied to {listed(came, home)}."
    if gone:
        yield f"Gone from {_and([brief(place, home) for place in gone])}."
    if before != after and not came and not gone:
        yield "They stay where they are, and that is something else now."


def listed(where: Sequence[Place], home: str) -> str:
    """Places in words."""
    return _and([name_of(place, home) for place in where])


def name_of(place: Place, home: str) -> str:
    """A place in words: `frame 1 (page 2 of f)`, `disk block 4 (no file leads there)`."""
    if place.file is not None:
        about = f"page {place.index} of {place.file}"
    elif place.kind == FRAME:
        about = "private copy" if place.private else "of no file now"
    else:
        about = "no file leads there"
    return f"{brief(place, home)} ({about})"


def brief(place: Place, home: str) -> str:
    """The frame or block alone: `frame 1`."""
    return f"{BLOCKS[home] if place.kind == BLOCK else place.kind} {place.number}"


def _and(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if words[1:] else "") + "".join(words[-1:])
