"""A run as a player in a frame of another site: it starts paused, keeps nothing, and leads back to the whole page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app import answers, links, openings, orders, serving, static_files, templating
from app.answers import HTML, Body
from app.links import RunLink
from app.orders import Order
from app.runs import Run
from app.troubles import Trouble
from engine.errors import either, short

embed = APIRouter(include_in_schema=False)

THEMES = ("light", "dark")


@embed.get("/embed/s/{link}")
async def of_link(request: Request, link: str) -> Response:
    """The run of a short link in a frame."""
    kernel = links.kernel_said(request.query_params.get("kernel", ""))
    return await _framed(request, await serving.kept(request, _address(request, RunLink(kernel=kernel, link=link))))


@embed.get("/embed/{scenario}/{kernel}")
async def of_run(request: Request, scenario: str, kernel: str) -> Response:
    """A gallery run in a frame."""
    return await _framed(request, orders.at_address(_address(request, RunLink(scenario, kernel))))


def _address(request: Request, said: RunLink) -> RunLink:
    query = request.query_params
    return RunLink(said.scenario, said.kernel, query.get("fs", ""), query.get("switch", ""), said.link, framed=True)


async def _framed(request: Request, order: Order) -> Response:
    query = request.query_params
    theme = _theme(query.get("theme", ""))
    run = await serving.runs(request).run(order)
    step, astray = openings.step(run.trace, query.get("step"), query.get("at"))
    key = f"{order.id} {order.link.url(step=step)} player {theme} {astray}"
    tag = static_files.tag(key)
    if answers.matches(request, tag):
        return answers.not_modified(tag)
    body = await serving.runs(request).page(
        key, lambda: Body.of(page(run, step, theme=theme, astray=astray), HTML, etag=tag, level=5)
    )
    return answers.answer(request, body)


def page(run: Run, step: int, *, theme: str = "", astray: str = "") -> str:
    """The page of a run in a frame, at a step; `theme` is one of THEMES, or empty for what the reader's system says."""
    whole = run.order.link.embed(framed=False).url(step=step)
    said = templating.player_context(run, step, astray=astray)
    return templating.environment().get_template("embed.html").render(**said, whole=whole, theme=theme)


def _theme(said: str) -> str:
    """The theme that a query asks for.

    Raises:
        Trouble: when there is none of that name.
    """
    if said and said not in THEMES:
        cure = f"Write {either([f'theme={name}' for name in THEMES])}, or leave it out"
        raise Trouble("bad-request", f"There is no theme {short(said)}", cure=cure)
    return said
