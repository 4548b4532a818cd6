"""The page that searches: every way to break a property, found in the background, each one a run that opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import engine
from app import answers, asking, catalogue, forms, links, links_search, orders, serving, standing, templating
from app.answers import HTML, Body
from app.asking import Question
from app.links import RunLink
from app.orders import Order
from app.searches import OVER
from app.troubles import Trouble
from app.wire_verdicts import VerdictOut
from engine import OFFERS, PROPERTIES, EngineError
from engine.curve import BLOCKS, curve
from engine.errors import either, short

EVERY = "1s"
ROOM = 8
"""The most room that a curve goes to."""
VARY = "Accept-Encoding, HX-Request"

search_pages = APIRouter(include_in_schema=False)


class Asked(NamedTuple):
    """What the form says."""

    property: str
    offers: tuple[str, ...]

    @classmethod
    def of(cls, name: str, offers: Sequence[str]) -> Asked:
        """What is asked, if there is such a property; without a name it is that no byte is lost.

        Raises:
            Trouble: for a property that there is not.
        """
        asked = cls(name or "no-loss", tuple(dict.fromkeys(offers)))
        if asked.property not in PROPERTIES:
            cure = f"Ask {either(list(PROPERTIES))}"
            raise Trouble("bad-request", f"There is no property {short(asked.property)}", cure=cure)
        return asked


@search_pages.post("/search/{search}/cancel")
async def cancel(request: Request, search: str) -> Response:
    """Stop a search. What it has found is shown. This stands before the rest: no kernel is called `cancel`."""
    serving.own_site(request)
    found = standing.searches(request).cancel(search)
    if found is None:
        raise standing.unknown(search)
    asked = found.asked
    return _follow(asked.order, Asked(asked.property, asked.offers))


@search_pages.get("/search/{scenario}/{kernel}")
async def search_of_run(request: Request, scenario: str, kernel: str) -> Response:
    """The form for a gallery scenario, and what is known of what it asks."""
    return await _page(request, _gallery_run(request, scenario, kernel))


@search_pages.post("/search/{scenario}/{kernel}")
async def begin_of_run(request: Request, scenario: str, kernel: str) -> Response:
    """Search, and lead to the page that follows the search."""
    return await _begin(request, _gallery_run(request, scenario, kernel))


@search_pages.get("/search/{link}")
async def search_of_link(request: Request, link: str) -> Response:
    """The same for the scenario of a short link."""
    return await _page(request, await _kept_run(request, link))


@search_pages.post("/search/{link}")
async def begin_of_link(request: Request, link: str) -> Response:
    """Search, and lead to the page that follows the search."""
    return await _begin(request, await _kept_run(request, link))


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


async def _begin(request: Request, order: Order) -> Response:
    serving.own_site(request)
    said = await forms.lists(request)
    asked = Asked.of(said.get("property", [""])[-1], said.get("offer", ()))
    await standing.begin(request, *_questions(order, asked))
    return _follow(order, asked)


def _follow(order: Order, asked: Asked) -> Response:
    """Lead to where a search is followed."""
    return RedirectResponse(f"{links_search.search(order.link, *asked)}#found", status_code=303)


async def _page(request: Request, order: Order) -> Response:
    """The page; for htmx the part of it that has changed since it was `seen`."""
    query = request.query_params
    asked = Asked.of(query.get("property", ""), query.getlist("offer"))
    found = await standing.of(request, *_questions(order, asked)) if "property" in query else None
    context = {
        "order": order, "asked": asked, "found": found, "properties": PROPERTIES, "offers": OFFERS, "every": EVERY,
        "is_asked": "property" in query, "kernel": engine.find_kernel(order.kernel), "over": OVER,
        "seen": _seen(found), "here": links_search.search(order.link, asked.property, asked.offers),
        "looks": links_search.search(order.link, asked.property, asked.offers, _seen(found)),
    }  # fmt: skip
    if not request.headers.get("hx-request"):
        body = Body.of(templating.render("search.html", **context), HTML)
        return answers.answer(request, body, cache=answers.NEVER, vary=VARY)
    is_same = found is not None and query.get("seen") == context["seen"]
    template = "_search_progress.html" if is_same else "_search_changed.html"
    body = Body.of(templating.render(template, **context), HTML)
    answer = answers.answer(request, body, cache=answers.NEVER, vary=VARY)
    if not is_same:
        answer.headers.update({"HX-Retarget": "#found", "HX-Reswap": "outerHTML"})
    return answer


def _seen(found: VerdictOut | None) -> str:
    """What a page shows of a search beside figures: when this changes, more of it has to be sent."""
    if found is None:
        return ""
    opens = sum(bool(way.url) for way in found.witnesses)
    best = sum(way.shortest for way in found.witnesses)
    return f"{found.state},{found.phase},{found.found},{opens},{best}"


def _gallery_run(request: Request, scenario: str, kernel: str) -> Order:
    return _any_schedule(orders.at_address(RunLink(scenario, kernel, request.query_params.get("fs", ""))))


async def _kept_run(request: Request, link: str) -> Order:
    said = request.query_params
    address = RunLink(link=link, kernel=links.kernel_said(said.get("kernel", "")), filesystem=said.get("fs", ""))
    return _any_schedule(await serving.kept(request, address))


def _any_schedule(order: Order) -> Order:
    """A search asks of every schedule, so what is asked is the same whatever the run's own is."""
    return replace(order, schedule=None, address=order.address and replace(order.address, switch=""))


def _questions(order: Order, asked: Asked) -> tuple[Question, Question]:
    """What the page asks, and what a matrix asks about the same."""
    return asking.whole(order, *asked), asking.cell(order, *asked)
