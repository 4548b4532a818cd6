"""What somebody asks a search: a scenario on a kernel, a property, what the world may do, and how far to go."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import engine
from app import links, orders
from app.links import RunLink
from app.orders import Order, carried
from app.troubles import Trouble
from engine import UNDECIDED, Budget, EngineError, Progress, Verdict, Witness
from engine.offers import PREFIX, offered

BUDGET = Budget()
WANTED, BUDGET_WHOLE = 8, Budget(states=400_000, seconds=60)
"""How many different ways the page of a search looks for, and how far it goes."""
BUDGET_CELL = Budget(states=200_000, seconds=20)
"""How far a cell of a matrix goes, for one way."""


@dataclass(frozen=True)
class Question:
    """A search, entirely determined. Equal questions have equal ids."""

    order: Order
    property: str = "no-loss"
    offers: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    wanted: int = 1

    @cached_property
    def about(self) -> dict[str, Any]:
        """What an answer says of its question."""
        return {
            "scenario": self.order.scenario.id,
            "kernel": self.order.kernel,
            "property": self.property,
            "offers": list(self.offers),
        }

    @cached_property
    def content(self) -> str:
        """The question as JSON, for another process, and to know it again."""
        said = {
            "edition": self.order.edition,
            "scenario": engine.to_data(self.order.scenario),
            "name": self.order.scenario.id,
            "kernel": self.order.kernel,
            "property": self.property,
            "offers": self.offers,
            "states": self.budget.states,
            "seconds": float(self.budget.seconds),
            "wanted": self.wanted,
        }
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def id(self) -> str:
        """The id of the search."""
        return links.content_id(self.content.encode())


def question(
    order: Order, name: str = "no-loss", offers: Sequence[str] = (), *, budget: Budget = BUDGET, wanted: int = 1
) -> Question:
    """The question, if it makes sense.

    Raises:
        Trouble: for a property or an offer that there is not, or more offers than a scenario has room for.
    """
    try:
        engine.find_property(name)
        offered(order.scenario, offers)
    except EngineError as error:
        raise Trouble("bad-request", error.message, cure=error.cure) from error
    return Question(order, name, tuple(dict.fromkeys(offers)), budget, wanted)


def whole(order: Order, name: str, offers: Sequence[str]) -> Question:
    """What the page of a search asks. Raises as `question`."""
    return question(order, name, offers, budget=BUDGET_WHOLE, wanted=WANTED)


def cell(order: Order, name: str, offers: Sequence[str]) -> Question:
    """What a cell of a matrix asks. Raises as `question`."""
    return question(order, name, offers, budget=BUDGET_CELL)


def answer(asked: Question, verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data, its witnesses as addresses."""
    return asked.about | {
        "verdict": verdict.verdict,
        "stopped": verdict.stopped,
        "states": verdict.states,
        "transitions": verdict.transitions,
        "ends": verdict.ends,
        "panics": verdict.panics,
        "endless": verdict.endless,
        "witnesses": [told(asked.order, witness) for witness in verdict.witnesses],
    }


def so_far(asked: Question, now: Progress, told: Callable[[Witness], dict[str, Any]]) -> dict[str, Any]:
    """How far a search is, as plain data, with what it has found; a way that is no run yet has no address.

    `told` is the function below, or one that remembers what that has said.
    """
    blank = {"url": "", "schedule": "", "preemptions": 0, "shortest": False}
    return asked.about | {
        "phase": now.phase,
        "states": now.states,
        "found": now.found,
        "witnesses": [
            told(way.witness) if way.witness else {"says": way.says, "steps": way.steps, **blank} for way in now.ways
        ],
    }


def is_final(said: Mapping[str, Any]) -> bool:
    """Whether to search again would come to the same: not where there was too little time."""
    return bool(said["verdict"] != UNDECIDED or said["stopped"] != "seconds")


def told(order: Order, witness: Witness) -> dict[str, Any]:
    """A witness as plain data."""
    return {
        "url": address(order, witness),
        "schedule": engine.spelt(witness.scenario, witness.schedule),
        "says": witness.says,
        "steps": witness.steps,
        "preemptions": witness.preemptions,
        "shortest": witness.shortest,
    }


def address(order: Order, witness: Witness) -> str:
    """Where a witness opens, at its beginning: by the gallery's name, or an address that carries the run in itself."""
    switch = engine.spelt(witness.scenario, witness.schedule)
    known = engine.gallery().get(order.scenario.id)
    in_the_schedule = not any(task.startswith(PREFIX) for task in witness.scenario.tasks)
    if known is not None and in_the_schedule and (order.is_gallery or known.filesystem != order.scenario.filesystem):
        kind = "" if order.is_gallery else order.scenario.filesystem.type
        link = RunLink(known.id, order.kernel, kind, switch)
        if _is_the_same(link, order):
            return link.url()
    return carried(Order(witness.scenario, order.kernel, witness.schedule))


def _is_the_same(link: RunLink, order: Order) -> bool:
    """Whether that address leads to the scenario that was searched."""
    return orders.order(link.scenario, link.kernel, link.filesystem or None).scenario == order.scenario
