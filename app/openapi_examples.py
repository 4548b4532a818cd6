"""What the API answers about the mail's experiment: the examples of the OpenAPI document, made by running it."""

from __future__ import annotations

from typing import Any

import msgspec

import engine
from app import asking, links, orders, outlook, runs, wire, wire_choices, wire_selection
from app.orders import Order
from app.problem_wire import ProblemOut
from app.selection import Wanted
from app.settings import Settings
from app.troubles import Trouble
from app.wire_verdicts import VerdictOut, verdict_out

KERNEL = "linux-2.6.9"
ASKED, FILLED = 42, 43
"""The steps of the mail's experiment where nobody asks for room, and where the entry becomes writable all the same."""
ENTRY = "mm/A/pte/0x40002.entry"


def examples() -> dict[str, Any]:
    """An answer of each kind by the name of its schema, as plain data."""
    order = orders.order("mail", KERNEL)
    run = runs.perform(order, engine.Limits())
    items, _ = wire_selection.page(run, Wanted(function="do_no_page", name="set_pte"), 1)
    found: dict[str, object] = {
        "RunOut": wire.summary(run),
        "MomentOut": wire.moment(run, FILLED),
        "LinkOut": wire.link(order, order.id),
        "DiffOut": wire_selection.diff(run, ASKED, FILLED, ""),
        "ProvenanceOut": wire_selection.provenance(run, ENTRY, FILLED),
        "StepsOut": wire_selection.StepsOut(
            run=order.id, steps=len(run.trace.steps), items=items, links={"page": order.link.url()}
        ),
        "VerdictOut": verdict(order),
        "ForesightOut": outlook.told(run, outlook.of(run)),
        "FilesystemOut": wire_choices.filesystem(engine.FILESYSTEMS["ext2"]),
        "ScenarioOut": wire_choices.scenario(order.scenario),
        "ProblemOut": problem(),
    }
    return {kind: msgspec.to_builtins(answer) for kind, answer in found.items()}


def verdict(order: Order) -> VerdictOut:
    """The answer to who asks whether the mail's kernel can lose anything."""
    asked = asking.question(order)
    said = asking.answer(asked, engine.explore(order.scenario, order.kernel))
    here = links.api("verdicts", asked.id)
    return verdict_out(asked.id, said, state="done", seconds=0.1, links={"self": here})


def problem() -> ProblemOut:
    """The answer to who asks for a kernel that there is not."""
    try:
        orders.order("mail", "linux-2.7")
    except Trouble as trouble:
        return ProblemOut(
            type=links.problem(trouble.kind), title=trouble.title, status=trouble.status, detail=trouble.detail,
            instance=links.api("runs"), cure=trouble.cure, problems=trouble.problems, limits=Settings().limits(),
        )  # fmt: skip
    raise AssertionError("there is a linux-2.7")
