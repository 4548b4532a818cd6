"""The API about verdicts: a search is asked for, followed, and may be cancelled."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response

from app import answers, asking, bodies, links, next_steps, orders, outlook, serving, standing
from app.answers import JSON
from app.api import Number, data, documented, pinned
from app.api_steps import GalleryRun, LinkedRun
from app.runs import Run
from app.searches import OVER
from app.wire_verdicts import EXAMPLE, VerdictIn, VerdictOut
from engine import Budget

verdicts = APIRouter(prefix=links.API, route_class=bodies.Route, dependencies=[Depends(pinned)])

SearchId = Annotated[str, Path(description="the id that POST /verdicts gives", examples=["ID"])]
Asked = Annotated[VerdictIn, Body(openapi_examples={"mail": {"summary": "the mail's experiment", "value": EXAMPLE}})]
Offered = Annotated[tuple[str, ...], Query(description="what the world may do at any moment", examples=["power-cut"])]

ANSWER = documented("VerdictOut")
UNDER_WAY: dict[int | str, Any] = {
    202: {**ANSWER[200], "description": "The search is under way: look again at its Location"}
}


@verdicts.post("/verdicts", summary="Ask whether a property holds", responses=ANSWER | UNDER_WAY)
async def make_verdict(request: Request, body: Asked) -> Response:
    """Search every way the scenario can go. The answer has the verdict if it comes within a second.

    Else it is 202, and says where to look again; `state` is `waiting` or `searching` meanwhile, and `witnesses` has
    the ways that were found so far. A known verdict is not searched for again, unless the time was too short for it.
    """
    serving.own_site(request)
    order = orders.order(body.scenario, body.kernel, body.filesystem)
    budget = Budget(states=body.states, seconds=body.seconds)
    asked = asking.question(order, body.property, body.offers, budget=budget, wanted=body.witnesses)
    found = await standing.begin(request, asked)
    return _answer(request, found, status=200 if found.state in OVER else 202)


@verdicts.get("/verdicts/{search}", summary="How far a search is, or its verdict", responses=documented("VerdictOut"))
async def get_verdict(request: Request, search: SearchId) -> Response:
    """Verdicts are kept, the last twenty thousand; a question that is asked again has the same id."""
    return _answer(request, await standing.named(request, search))


@verdicts.delete("/verdicts/{search}", summary="Cancel a search", responses=documented("VerdictOut"))
async def cancel_verdict(request: Request, search: SearchId) -> Response:
    """It stops. Its answer has the ways that were found, and how far it got; without a way it is undecided."""
    serving.own_site(request)
    stopped = standing.searches(request).cancel(search)
    return _answer(request, standing.out(request, stopped) if stopped else await standing.named(request, search))


@verdicts.get(
    "/runs/{scenario}/{kernel}/foresight",
    summary="What could still become of a gallery run, step by step",
    responses=documented("ForesightOut"),
)
async def get_foresight(request: Request, run: GalleryRun, offer: Offered = ()) -> Response:
    """Each step is safe, at risk or doomed by the ends still in reach; where it turns; what dooms a store."""
    return await _foresight(request, run, list(offer))


@verdicts.get(
    "/links/{link}/foresight",
    summary="What could still become of a short link's run, step by step",
    responses=documented("ForesightOut"),
)
async def get_link_foresight(request: Request, run: LinkedRun, offer: Offered = ()) -> Response:
    """Each step is safe, at risk or doomed by the ends still in reach; where it turns; what dooms a store."""
    return await _foresight(request, run, list(offer))


@verdicts.get(
    "/runs/{scenario}/{kernel}/steps/{n}/next",
    summary="Who can run after a step of a gallery run",
    responses=documented("NextStepsOut"),
)
async def get_next(request: Request, run: GalleryRun, n: Number) -> Response:
    """What each task would do next, what that reads and writes; who would have to wait, and for whom."""
    return data(request, next_steps.told(run, serving.step_within(run, n)))


@verdicts.get(
    "/links/{link}/steps/{n}/next",
    summary="Who can run after a step of a short link's run",
    responses=documented("NextStepsOut"),
)
async def get_link_next(request: Request, run: LinkedRun, n: Number) -> Response:
    """What each task would do next, what that reads and writes; who would have to wait, and for whom."""
    return data(request, next_steps.told(run, serving.step_within(run, n)))


async def _foresight(request: Request, run: Run, offers: list[str]) -> Response:
    """Worked out once for each run, while others are served."""
    found = await serving.foresight(request, run, offers)
    body = answers.Body.of(msgspec.json.encode(outlook.told(run, found, offers)), JSON)
    return answers.answer(request, body, cache=serving.cache(request))


def _answer(request: Request, found: VerdictOut, *, status: int = 200) -> Response:
    body = answers.Body.of(msgspec.json.encode(found), JSON)
    return answers.answer(request, body, status=status, cache=answers.NEVER, location=found.links["self"])
