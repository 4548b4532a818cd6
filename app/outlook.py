"""What could still become of a run, as data and as its page shows it: stretches of the timeline, steps that decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from msgspec import Struct

from app.rail import shorten
from app.runs import Run, Shelf
from app.timeline import percent
from app.troubles import Trouble
from engine import Budget, EngineError
from engine.foresight import AT_RISK, DOOMED, SAFE, UNKNOWN, Doom, Foresight, foresee

BUDGET = Budget(states=40_000, seconds=8)
"""What a page may take to look ahead; the steps that were not reached are said to be unknown."""
KEPT, KEPT_STEPS = 200, 200_000
"""How much foresight is kept, and of how many steps together."""
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

    `offers` are what the world might do besides. `complete` is false where there was too much to look through:
    `outlook` begins with empty ones then.
    """

    run: str
    offers: list[str]
    outlook: list[str]
    turns: list[TurnOut]
    stores: list[DoomOut]
    states: int
    complete: bool
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps with the same outlook, `first` to `last`, on the timeline: in per cent of it."""

    outlook: str
    x: str
    width: str
    says: str
    first: int
    last: int

    @property
    def brief(self) -> str:
        """For who hears the timeline: `doomed from step 57 to 121`."""
        return f"{WORDS[self.outlook]} {_span(self.first, self.last, 'from step {} to {}', 'at step {}')}"


_known: Shelf[Foresight] = Shelf(KEPT, KEPT_STEPS, lambda found: len(found.outlook))


def known(run: Run, offers: Sequence[str] = ()) -> Foresight | None:
    """The foresight of a run, if somebody has asked for it not long ago."""
    return _known.get(_name(run, offers))


def of(run: Run, offers: Sequence[str] = ()) -> Foresight:
    """The foresight of a run, the world doing what is offered; where it is not known, that takes seconds.

    Raises:
        Trouble: for what cannot be offered, or not in this scenario.
    """
    found = known(run, offers)
    if found is None:
        try:
            found = foresee(run.order.scenario, run.order.kernel, run.trace, BUDGET, offers=offers)
        except EngineError as error:
            raise Trouble("bad-request", error.message, cure=error.cure) from error
        _known.put(_name(run, offers), found)
    return found


def _name(run: Run, offers: Sequence[str]) -> str:
    return " ".join([run.order.id, *sorted(set(offers))])


def told(run: Run, found: Foresight, offers: Sequence[str] = ()) -> ForesightOut:
    """The foresight of a run, as the API gives it."""
    return ForesightOut(
        run=run.order.id,
        offers=list(offers),
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
        first, last = (at + 1, at + count) if found.outlook[1:] else (0, 0)
        says = f"{WORDS[outlook]}: {MEANS[outlook]} ({_span(first, last, 'steps {} to {}', 'step {}')})"
        yield Stretch(outlook, percent(at, total), percent(count, total), says, first, last)
        at += count


def _span(first: int, last: int, several: str, one: str) -> str:
    return one.format(first) if first == last else several.format(first, last)


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
