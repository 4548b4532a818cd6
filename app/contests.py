"""The pages of the challenges: a goal, a scenario to write, and whether a run of it meets the goal. Nothing is kept."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app import answers, links, orders, serving, stories, templating
from app.answers import HTML, Body
from app.challenges import CHALLENGES, Challenge, judge
from app.troubles import Trouble
from engine.errors import short, suggestion

contests = APIRouter(include_in_schema=False)


@contests.get(links.CHALLENGES)
async def all_challenges(request: Request) -> Response:
    """All challenges, each one click away."""
    body = templating.render("challenges.html", challenges=CHALLENGES.values())
    return answers.answer(request, Body.of(body, HTML))


@contests.get("/challenge/{name}")
async def challenge(request: Request, name: str) -> Response:
    """A challenge: its goal, and a scenario to start from."""
    return answers.answer(request, Body.of(_page(_find(name)), HTML))


@contests.post("/challenge/{name}")
async def attempt(request: Request, name: str) -> Response:
    """Run what was handed in, and say which goals it meets; what can not be run comes back with what is wrong."""
    serving.own_site(request)
    found = _find(name)
    said = parse_qs((await request.body()).decode(errors="replace"))
    text = said.get("scenario", [""])[-1].replace("\r\n", "\n")
    try:
        order = orders.order(text if "\n" in text else f"{text}\n", found.kernel)
        run = await serving.runs(request).run(order)
    except Trouble as trouble:
        page, status = _page(found, text=text, trouble=trouble), trouble.status
    else:
        came = stories.OUTCOMES.get(run.trace.outcome, "")
        page, status = _page(found, text=text, goals=tuple(judge(found, order.scenario, run.trace)), came=came), 200
    return Response(page, status, {"Cache-Control": answers.NEVER}, HTML)


def _find(name: str) -> Challenge:
    if name not in CHALLENGES:
        raise Trouble("not-found", f"There is no challenge {short(name)}", cure=suggestion(name, CHALLENGES))
    return CHALLENGES[name]


def _page(challenge: Challenge, text: str = "", **context: object) -> str:
    said = {"goals": (), "came": "", "trouble": None, **context}
    return templating.render("challenge.html", challenge=challenge, text=text or challenge.start, **said)
