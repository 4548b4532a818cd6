"""One step of a run as a page of text: what a terminal, a screen reader and a grader get at `…/step/12.txt`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import answers, links, orders, serving, suffixes, text, theatre
from app.answers import TEXT, Body
from app.links import Mode, RunLink
from app.orders import Order
from app.runs import Run
from app.troubles import Trouble

steps = APIRouter(include_in_schema=False)


@steps.get("/run/{scenario}/{kernel}/step/{n}")
async def step_of_run(request: Request, scenario: str, kernel: str, n: str) -> Response:
    """A step of a gallery run."""
    return await _step(request, orders.at_address(_address(request, RunLink(scenario, kernel))), n)


@steps.get("/s/{link}/step/{n}")
async def step_of_link(request: Request, link: str, n: str) -> Response:
    """A step of the run that a short link leads to."""
    address = RunLink(link=link, kernel=links.kernel_said(request.query_params.get("kernel", "")))
    return await _step(request, await serving.kept(request, _address(request, address)), n)


def _address(request: Request, link: RunLink) -> RunLink:
    """The address of a run with what the query changes."""
    query = request.query_params
    fs, switch = query.get("fs", ""), query.get("switch", "")
    return RunLink(link.scenario, link.kernel, fs, switch, link.link, Mode.parse(query))


async def _step(request: Request, order: Order, name: str) -> Response:
    """The step in the form that its suffix asks for: text, data, or without one the page.

    Raises:
        Trouble: when there is no such step.
    """
    number, suffix = links.split_suffix(name)
    if not number.isdecimal() or len(number) > links.DIGITS or suffix not in ("", *serving.FORMS, *suffixes.FORMS):
        cure = f"Write a number, and {suffixes.known()} or nothing behind it"
        raise Trouble("not-found", f"There is no step {name[:40]!r}", cure=cure)
    n = int(number)
    if suffix in suffixes.FORMS:
        return await suffixes.send(request, order, suffix, number)
    if suffix != ".txt":
        return RedirectResponse(order.link.moment(n) if suffix else order.link.url(step=n), status_code=307)
    run = await serving.runs(request).run(order)
    serving.step_within(run, n)
    body = await serving.runs(request).page(f"{order.id} step {n} text", lambda: Body.of(_text(run, n), TEXT))
    return answers.answer(request, body)


def _text(run: Run, n: int) -> str:
    stage = theatre.stage_of(run)
    shown = stage.view.state_at(min(n, len(stage.trace.steps)))
    return text.moment(run, n, str(shown.get("caption.picture", "")) if n <= len(stage.trace.steps) else "")
