"""What could still become of a run, as data and as its page shows it: stretches of the timeline, steps that decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from msgspec import Struct

from app.rail import shorten
from app.runs import Run
from app.timeline import percent
from engine import Budget
from engine.foresight import AT_RISK, DOOMED, SAFE, UNKNOWN, Doom, Foresight, foresee

BUDGET = Budget(states=40_000, seconds=8)
"""What a page may take to look ahead; the steps that were not reached are said to be unknown."""
WORDS = {SAFE: "safe", AT_RISK: "at risk", DOOMED: "doomed", UNKNOWN: "not known"}
MEANS = {
    SAFE: "from here on no order of events loses anything",
    AT_RISK: "it depends on who runs when",
    DOOMED: "whoever runs when, something is lost at the end",
    UNKNOWN: "there was too much to look through",
}


class TurnOut(Struct):
    """A step at which the outlook changes."""

    step: int
    event: str
    was: str
    now: str


class DoomOut(Struct):
    """A store that is lost: from which step on that was certain, and at which it shows; null where it is not known."""

    store: str
    doomed: int | None
    shows: int | None


class ForesightOut(Struct):
    """The outlook after each step of a run, 0 first: safe, at-risk, doomed, or empty where it is not known.

    `complete` is false where there was too much to look through: `outlook` begins with empty ones then.
    """

    run: str
    outlook: list[str]
    turns: list[TurnOut]
    stores: list[DoomOut]
    states: int
    complete: bool
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps with the same outlook, on the timeline: in per cent of it."""

    outlook: str
    x: str
    width: str
    says: str


def of(run: Run) -> Foresight:
    """The foresight of a run."""
    return foresee(run.order.scenario, run.order.kernel, run.trace, BUDGET)


def told(run: Run) -> ForesightOut:
    """The foresight of a run, as the API gives it."""
    found = of(run)
    return ForesightOut(
        run=run.order.id,
        outlook=list(found.outlook),
        turns=[TurnOut(each.step, run.trace.steps[each.step - 1].event, each.was, each.now) for each in found.turns],
        stores=[DoomOut(each.store, each.doomed, each.shows) for each in found.stores],
        states=found.states,
        complete=found.complete,
        links={"run": run.order.link.api(), "page": run.order.link.url()},
    )


def stretches(found: Foresight) -> Iterator[Stretch]:
    """The timeline by outlook: each step has that which it leads to."""
    total, at = max(1, len(found.outlook) - 1), 0
    for outlook, steps in groupby(found.outlook[1:] or found.outlook):
        count = len(list(steps))
        yield Stretch(outlook, percent(at, total), percent(count, total), f"{WORDS[outlook]}: {MEANS[outlook]}")
        at += count


@dataclass(frozen=True, slots=True)
class Chain:
    """The way of a store's bytes: what was stored where, each step that mattered to it, and who was told of a loss."""

    title: str
    fate: str
    links: tuple[tuple[int, str], ...]
    told: str


def chains(run: Run, found: Foresight) -> Iterator[Chain]:
    """The way of every store into a file, from the step that made it to its fate."""
    size, dooms = run.order.scenario.machine.page_size, {each.store: each.doomed for each in found.stores}
    for store in run.trace.stores:
        if store.file is None or not store.accepted:
            continue
        way = [*_way(run, store.id), *_point_of_no_return(dooms.get(store.id))]
        links = sorted(way, key=itemgetter(0))
        title = f"{store.id}: “{shorten(store.text)}” into page {store.start // size} of {store.file}"
        yield Chain(title, store.fate, tuple(links), store.told or "")


def _way(run: Run, store: str) -> Iterator[tuple[int, str]]:
    accepted = f"store/{store}.accepted"
    for step in run.trace.steps:
        if any(at == accepted for at, _, _ in step.writes):
            yield step.n, f"{step.function}, {step.name}: the bytes are let in."
        for change in step.fates:
            if change.store == store:
                yield step.n, f"{NAMES.get(change.new, change.new)}. {change.why}"


def _point_of_no_return(doomed: int | None) -> Iterator[tuple[int, str]]:
    if doomed:
        yield doomed, "Doomed: from here on nothing can save them."


NAMES = {
    "at-risk": "At risk",
    "backed": "Backed",
    "durable": "On the disk",
    "clean-unsaved": "Not on the disk",
    "lost": "Lost",
    "replaced": "Replaced",
}


def sentences(run: Run, found: Foresight) -> Iterator[tuple[int, str]]:
    """What there is to say, with the step that it is about."""
    first = next((n for n, outlook in enumerate(found.outlook) if outlook), None)
    if first is not None and not found.turns:
        known = found.outlook[first]
        since = f"from step {first} on, the first that is known" if first else "from the beginning"
        yield first, f"{WORDS[known][0].upper()}{WORDS[known][1:]} {since}: {MEANS[known]}."
    for turn in found.turns:
        step = run.trace.steps[turn.step - 1]
        yield turn.step, f"{WORDS[turn.now][0].upper()}{WORDS[turn.now][1:]} from {step.name} on: {MEANS[turn.now]}."
    for store in found.stores:
        yield from _doom(run, store)


def _doom(run: Run, store: Doom) -> Iterator[tuple[int, str]]:
    text = next((each.text for each in run.trace.stores if each.id == store.store), "")
    name = f"Store {store.store} (“{shorten(text)}”)"
    shows = f" It shows at step {store.shows}." if store.shows else ""
    if store.doomed is None:
        yield store.shows or 0, f"{name} is lost; when that became certain is not known.{shows}"
    elif store.doomed == 0:
        yield store.shows or 0, f"{name} never had a chance.{shows}"
    else:
        yield store.doomed, f"{name} is doomed from step {store.doomed} on.{shows}"
