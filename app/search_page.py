"""The page that searches: every way to break a property, found in the background, each one a run that opens."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import engine
from app import answers, asking, links_search, orders, serving, templating
from app.answers import HTML, Body
from app.api_verdicts import out, searches
from app.links import RunLink
from app.orders import Order
from app.troubles import Trouble
from app.wire_verdicts import VerdictOut
from engine import OFFERS, PROPERTIES, Budget
from engine.errors import either

WANTED = 8
"""How many different ways the page looks for."""
BUDGET = Budget(states=400_000, seconds=60)
EVERY = "1s"

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
    return await _page(request, await serving.kept(request, RunLink(link=link)))


@search_pages.post("/search/{search}/cancel")
async def cancel(request: Request, search: str) -> Response:
    """Stop a search. What it has found is shown."""
    serving.own_site(request)
    found = searches(request).cancel(search)
    back = links_search.search(found.asked.order.link, found.asked.property, found.asked.offers)
    return RedirectResponse(back, status_code=303)


async def _page(request: Request, order: Order) -> Response:
    order = replace(order, schedule=None, address=order.address and replace(order.address, switch=""))
    query = request.query_params
    asked = Asked(query.get("property", "no-loss"), tuple(query.getlist("offer")))
    if asked.property not in PROPERTIES:
        raise Trouble(
            "bad-request", f"There is no property {asked.property[:40]!r}", cure=f"Ask {either(list(PROPERTIES))}"
        )
    said = _ask(request, order, asked) if "property" in query else None
    template = "_search_found.html" if request.headers.get("hx-request") else "search.html"
    body = Body.of(
        templating.render(
            template, order=order, asked=asked, found=said, properties=PROPERTIES, offers=OFFERS, every=EVERY,
            kernel=engine.find_kernel(order.kernel),
            here=links_search.search(order.link, asked.property, asked.offers),
        ),
        HTML,
    )  # fmt: skip
    return answers.answer(request, body, cache=answers.NEVER, vary="Accept-Encoding, HX-Request")


def _ask(request: Request, order: Order, asked: Asked) -> VerdictOut:
    """The search that answers this; it is begun if it was not yet."""
    question = asking.question(order, asked.property, asked.offers, budget=BUDGET, wanted=WANTED)
    return out(searches(request).ask(question))
