"""What somebody asks a search: a scenario on a kernel, a property, what the world may do, and how far to go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import engine
from app import links, orders
from app.links import RunLink
from app.orders import Order, carried
from app.troubles import Trouble
from engine import Budget, EngineError, Verdict, Witness
from engine.offers import PREFIX, offered

BUDGET = Budget()


@dataclass(frozen=True)
class Question:
    """A search, entirely determined. Equal questions have equal ids."""

    order: Order
    property: str = "no-loss"
    offers: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    wanted: int = 1

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


def answer(asked: Question, verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data, its witnesses as addresses."""
    return {
        "verdict": verdict.verdict,
        "stopped": verdict.stopped,
        "states": verdict.states,
        "transitions": verdict.transitions,
        "ends": verdict.ends,
        "panics": verdict.panics,
        "endless": verdict.endless,
        "witnesses": [
            {
                "url": address(asked.order, witness),
                "schedule": engine.spelt(witness.scenario, witness.schedule),
                "says": witness.says,
                "steps": witness.steps,
                "preemptions": witness.preemptions,
                "shortest": witness.shortest,
            }
            for witness in verdict.witnesses
        ],
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
