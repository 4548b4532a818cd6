"""A run on paper: a film strip, a frame for each fault and each fate; or a handout with blanks, and a key to them."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app import answers, orders, serving, strip, theatre
from app.answers import HTML, Body
from app.cells import Value
from app.links import RunLink
from app.orders import Order
from app.runs import Run
from app.templating import Cells, render

paper = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Frame:
    """A step on paper: how it stands, as drawn, and the answers that its blanks leave out."""

    number: int
    moment: theatre.Moment
    full: Cells
    shown: Cells
    answers: tuple[strip.Answer, ...]


@paper.get("/print/{scenario}/{kernel}")
async def of_run(request: Request, scenario: str, kernel: str) -> Response:
    """A gallery run on paper."""
    return await _strip(request, orders.at_address(serving.address(request, scenario=scenario, kernel=kernel)))


@paper.get("/print/{link}")
async def of_link(request: Request, link: str) -> Response:
    """The run of a short link on paper."""
    return await _strip(request, await serving.kept(request, serving.address(request, link=link)))


async def _strip(request: Request, order: Order) -> Response:
    blanks = request.query_params.get("blanks", "") not in ("", "0")
    run = await serving.runs(request).run(order)
    base = serving.base(request).rstrip("/")
    body = await serving.runs(request).page(
        f"{order.id} {order.link.url()} print {blanks} {base}",
        lambda: Body.of(page(run, base, blanks=blanks), HTML, level=4),
    )
    return answers.answer(request, body)


def page(run: Run, base: str, *, blanks: bool) -> str:
    """The page of a run on paper; `base` is what its addresses begin with."""
    stage = theatre.stage_of(run)
    steps, more = strip.frames(stage.trace.steps, stage.view.journeys)
    found = [_frame(stage, run.order.link, number, step, blanks) for number, step in enumerate(steps, 1)]
    first = theatre.Moment(stage, run.order.link, 0)
    return render("print.html", run=first, scene=stage.scene, frames=found, more=more, blanks=blanks, site=base)


def _frame(stage: theatre.Stage, link: RunLink, number: int, step: int, blanks: bool) -> Frame:
    state: dict[str, Value] = stage.state_at(step)
    shown = strip.blanked(state) if blanks else state
    left_out = tuple(strip.answers(state, stage.stores))
    return Frame(number, theatre.Moment(stage, link, step), Cells(state), Cells(shown), left_out)
