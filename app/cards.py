"""What a link says of itself where it is pasted: a title, a sentence and a picture of the step it opens on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import engine
from app import links, narration
from app.runs import Run

WIDE, HIGH = 1200, 630
"""The size of a card's picture, as the sites want it that show cards."""


@dataclass(frozen=True, slots=True)
class Card:
    """The card of a link, with whole addresses."""

    title: str
    sentence: str
    image: str
    oembed: str
    width: int = WIDE
    height: int = HIGH


def card(run: Run, step: int, base: str) -> Card:
    """The card of a run at a step; `base` is the address of this site."""
    order = run.order
    link = order.link.embed(framed=False)
    kernel = engine.find_kernel(order.kernel)
    place = f"step {step} of {len(run.trace.steps)}"
    return Card(
        f"{order.scenario.title}, on {kernel.title}: {place}",
        sentence(run, step),
        base + link.url(step=step, suffix=".card.png"),
        base + links.oembed(base + link.url(step=step)),
    )


def sentence(run: Run, step: int) -> str:
    """What happens at a step, in plain words; at the beginning the story of the scenario."""
    if not step:
        return run.order.scenario.story
    scenario, trace = run.order.scenario, run.trace
    told = narration.own(trace, scenario, engine.find_kernel(run.order.kernel))
    return next(islice(told, step - 1, None)) or narration.developer(trace.steps[step - 1])
