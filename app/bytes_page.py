"""Who lost my byte: the way of the bytes that a thing of the picture holds, as a part of a page or as its own."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app import answers, chain, holding, links, links_bytes, orders, outlook, serving, templating, theatre
from app.answers import HTML, Body
from app.chain import Chain
from app.holding import Holding
from app.orders import Order
from app.runs import Run
from app.troubles import Trouble
from engine.foresight import Foresight

VARY = f"{serving.VARY}, HX-Request"
bytes_pages = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which thing (empty: every store of the run), at which step, and whether to wait for foresight."""

    thing: str
    step: int
    ahead: bool


@bytes_pages.get(f"/run/{{scenario}}/{{kernel}}{links_bytes.PART}")
async def bytes_of_run(request: Request, scenario: str, kernel: str) -> Response:
    """The way of bytes of a gallery run."""
    return await _bytes(request, orders.at_address(serving.address(request, scenario=scenario, kernel=kernel)))


@bytes_pages.get(f"/s/{{link}}{links_bytes.PART}")
async def bytes_of_link(request: Request, link: str) -> Response:
    """The way of bytes of the run of a short link."""
    return await _bytes(request, await serving.kept(request, serving.address(request, link=link)))


async def _bytes(request: Request, order: Order) -> Response:
    """The way comes at once; the step at which a store was doomed, as soon as that is known."""
    kept = serving.runs(request)
    run = await kept.run(order)
    asked = _asked(request, run)
    found = await serving.foresight(request, run) if asked.ahead else outlook.known(run)
    is_part = request.headers.get("hx-request") == "true"
    body = await kept.apart(lambda _limits: _made(run, asked, found, is_part=is_part), order)
    return answers.answer(request, body, cache=serving.cache(request), vary=VARY)


def _asked(request: Request, run: Run) -> Asked:
    """What the query says.

    Raises:
        Trouble: when it names a step that is none, or that the run has not.
    """
    query = request.query_params
    said = query.get("step") or str(len(run.trace.steps))
    if not said.isdecimal() or len(said) > links.DIGITS:
        raise Trouble("bad-request", f"{said[:40]!r} is no number of a step", cure="Write step=53")
    return Asked(query.get("of", ""), serving.step_within(run, int(said)), query.get("ahead") == "1")


def _made(run: Run, asked: Asked, found: Foresight | None, *, is_part: bool) -> Body:
    stage = theatre.stage_of(run)
    stays = chain.stays_of(run)
    ways = {each.store: each for each in chain.chains(run, stays, stage.view.cast.home, found)}
    held = holding.of(stage, stays, ways, asked.thing, asked.step) if asked.thing else _every(ways)
    context = {
        "run": run, "held": held, "asked": asked, "found": found, "is_part": is_part, "words": outlook.WORDS,
        "stretches": list(outlook.stretches(found)) if found else [],
        "places": [] if asked.thing else holding.everywhere(stays, asked.step, stage.view.cast.home),
    }  # fmt: skip
    return Body.of(templating.render("_bytes.html" if is_part else "bytes.html", **context), HTML)


def _every(ways: dict[str, Chain]) -> Holding:
    return Holding("Every store of the run", "" if ways else "This run stores nothing.", tuple(ways.values()))
