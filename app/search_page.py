"""The page that searches: every way to break a property, found in the background, each one a run that opens."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import engine
from app import answers, asking, catalogue, links, links_search, orders, serving, templating
from app.answers import HTML, Body
from app.api_verdicts import out, searches
from app.links import RunLink
from app.orders import Order
from app.searches import Search
from app.troubles import Trouble
from app.wire_verdicts import VerdictOut
from engine import KERNELS, OFFERS, PROPERTIES, Budget, EngineError, Scenario
from engine.curve import BLOCKS, curve
from engine.errors import either, short

WANTED = 8
"""How many different ways the page looks for."""
BUDGET = Budget(states=400_000, seconds=60)
BUDGET_EACH = Budget(states=60_000, seconds=15)
"""For one row of a matrix."""
EVERY = "1s"
ROOM = 8
"""The most room that a curve goes to."""

search_pages = APIRouter(include_in_schema=False)


class Asked(NamedTuple):
    """What the form says."""

    property: str
    offers: tuple[str, ...]


@search_pages.get("/search/{scenario}/{kernel}")
async def search_of_run(request: Request, scenario: str, kernel: str) -> Response:
    """The form for a gallery scenario, and what was found when something was asked."""
    address = RunLink(scenario, kernel, request.query_params.get("fs", ""))
    return await _page(request, orders.at_address(address))


@search_pages.get("/search/{link}")
async def search_of_link(request: Request, link: str) -> Response:
    """The same for the scenario of a short link."""
    said = request.query_params
    address = RunLink(link=link, kernel=links.kernel_said(said.get("kernel", "")), filesystem=said.get("fs", ""))
    return await _page(request, await serving.kept(request, address))


@search_pages.get("/matrix/{scenario}")
async def matrix(request: Request, scenario: str) -> Response:
    """One question to every kernel, a row each. A row is asked for again until it has its verdict."""
    given, asked = orders.gallery_scenario(scenario), _asked(request)
    only, kernels = request.query_params.get("row", ""), catalogue.kernels_with(given.filesystem.type)
    rows = [_row(request, given, kernel.id, asked) for kernel in kernels if only in ("", kernel.id)]
    if not rows:
        raise Trouble("not-found", "The matrix has no such row", cure="Open the whole matrix")
    context = {"scenario": given, "asked": asked, "rows": rows, "row": rows[0], "every": EVERY}
    template = "_matrix_row.html" if only else "matrix.html"
    body = Body.of(templating.render(template, properties=PROPERTIES, **context), HTML)
    return answers.answer(request, body, cache=answers.NEVER)


class Row(NamedTuple):
    """A kernel in the matrix."""

    title: str
    search: str
    found: VerdictOut


def _row(request: Request, scenario: Scenario, kernel: str, asked: Asked) -> Row:
    order = orders.order(scenario.id, kernel)
    question = asking.question(order, asked.property, asked.offers, budget=BUDGET_EACH)
    try:
        found = out(_follow(request, question))
    except Trouble as trouble:
        if trouble.kind != "busy":
            raise
        found = out(Search(question))  # the row asks again
    return Row(KERNELS[kernel].short, links_search.search(order.link, asked.property, asked.offers), found)


@search_pages.get("/curve/{scenario}")
async def loss_curve(request: Request, scenario: str) -> Response:
    """What becomes of a scenario's stores with more and more room, on every kernel that has its filesystem."""
    given, of = orders.gallery_scenario(scenario), request.query_params.get("of", BLOCKS)
    kernels = catalogue.kernels_with(given.filesystem.type)

    def drawn() -> Body:
        found = {kernel.id: list(curve(given, kernel, of, ROOM)) for kernel in kernels}
        context = {"scenario": given, "of": of, "kernels": kernels, "found": found, "BLOCKS": BLOCKS}
        return Body.of(templating.render("curve.html", **context), HTML)

    try:
        body = await serving.runs(request).page(f"{given.id} curve {of}", drawn)
    except EngineError as error:
        raise Trouble("bad-request", error.message, cure=error.cure) from error
    return answers.answer(request, body)


@search_pages.post("/search/{search}/cancel")
async def cancel(request: Request, search: str) -> Response:
    """Stop a search. What it has found is shown."""
    serving.own_site(request)
    found = searches(request).cancel(search)
    asked = found.asked
    back = links_search.search(asked.order.link, asked.property, asked.offers, asked.id)
    return RedirectResponse(back, status_code=303)


async def _page(request: Request, order: Order) -> Response:
    order = replace(order, schedule=None, address=order.address and replace(order.address, switch=""))
    asked = _asked(request)
    said = _ask(request, order, asked) if "property" in request.query_params else None
    template = "_search_found.html" if request.headers.get("hx-request") else "search.html"
    body = Body.of(
        templating.render(
            template, order=order, asked=asked, found=said, properties=PROPERTIES, offers=OFFERS, every=EVERY,
            kernel=engine.find_kernel(order.kernel),
            here=links_search.search(order.link, asked.property, asked.offers, said.id if said else ""),
        ),
        HTML,
    )  # fmt: skip
    return answers.answer(request, body, cache=answers.NEVER, vary="Accept-Encoding, HX-Request")


def _asked(request: Request) -> Asked:
    """What the form says.

    Raises:
        Trouble: for a property that there is not.
    """
    query = request.query_params
    asked = Asked(query.get("property", "no-loss"), tuple(query.getlist("offer")))
    if asked.property not in PROPERTIES:
        cure = f"Ask {either(list(PROPERTIES))}"
        raise Trouble("bad-request", f"There is no property {short(asked.property)}", cure=cure)
    return asked


def _ask(request: Request, order: Order, asked: Asked) -> VerdictOut:
    """The search that answers this; it is begun if it was not yet."""
    question = asking.question(order, asked.property, asked.offers, budget=BUDGET, wanted=WANTED)
    return out(_follow(request, question))


def _follow(request: Request, question: asking.Question) -> Search:
    """The search of a question; however it ended, if the address says that it is that one which is followed."""
    return searches(request).ask(question, look=request.query_params.get("search") == question.id)
