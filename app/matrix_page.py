"""The pages of all verdicts: what is known is there at once, and what is missing is searched when somebody asks."""

from __future__ import annotations

from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import engine
from app import answers, catalogue, forms, matrix, orders, serving, standing, templating
from app.answers import HTML, Body
from app.matrix import Board, Now
from app.search_page import VARY, Asked
from app.troubles import Trouble
from engine import KERNELS, OFFERS, PROPERTIES, EngineError, Scenario

EVERY = "2s"
"""How often a page asks what has changed."""

matrix_pages = APIRouter(include_in_schema=False)


@matrix_pages.get("/matrix")
async def whole(request: Request) -> Response:
    """One property, the whole gallery on every kernel."""
    return await _page(request, _board(request.query_params.get("property", ""), request.query_params.getlist("offer")))


@matrix_pages.post("/matrix")
async def fill_whole(request: Request) -> Response:
    """Search what is missing, or stop that; and lead back to the page."""
    return await _fill(request, "")


@matrix_pages.get("/matrix/{scenario}")
async def of_scenario(request: Request, scenario: str) -> Response:
    """One scenario, each property on every kernel."""
    given = orders.gallery_scenario(scenario)
    return await _page(request, _board("", request.query_params.getlist("offer"), given.id))


@matrix_pages.post("/matrix/{scenario}")
async def fill_scenario(request: Request, scenario: str) -> Response:
    """Search what is missing, or stop that; and lead back to the page."""
    return await _fill(request, orders.gallery_scenario(scenario).id)


def _board(name: str, offers: list[str], scenario: str = "") -> Board:
    """The matrix that is asked for.

    Raises:
        Trouble: for a property or an offer that there is not, or an offer that this one scenario has no room for.
    """
    asked = Asked.of(name, offers)
    for offer in asked.offers:
        if offer not in OFFERS:
            raise _refused(engine.UnknownOffer(offer))
    return Board(asked.offers, "" if scenario else asked.property, scenario)


def _refused(error: EngineError) -> Trouble:
    return Trouble("bad-request", error.message, cure=error.cure)


async def _fill(request: Request, scenario: str) -> Response:
    serving.own_site(request)
    said = await forms.lists(request)
    board = _board(said.get("property", [""])[-1], said.get("offer", []), scenario)
    searches = standing.searches(request)
    if said.get("do", [""])[-1] == "stop":
        searches.stop(board.id)
    else:
        await to_thread.run_sync(partial(_begin, request, board))
    return RedirectResponse(board.address, status_code=303)


def _begin(request: Request, board: Board) -> None:
    known = board.known(standing.verdicts(request), standing.searches(request).sweeping(board.id))
    wanted = board.missing(known)
    if wanted:
        standing.searches(request).sweep(board.id, board.questions(wanted))


async def _page(request: Request, board: Board) -> Response:
    """The page; for htmx what has changed of it `since` so many cells were searched."""
    since = request.query_params.get("since", "")
    is_swap = request.headers.get("hx-request") == "true" and since.isdecimal() and len(since) < 9
    made = await to_thread.run_sync(partial(_made, request, board, int(since) if is_swap else None))
    return answers.answer(request, Body.of(made, HTML, level=3), cache=answers.NEVER, vary=VARY)


def _made(request: Request, board: Board, since: int | None) -> str:
    sweep = standing.searches(request).sweeping(board.id)
    now = Now.of(sweep)
    known = board.known(standing.verdicts(request), sweep)
    cells = board.cells(known, now)
    context: dict[str, Any] = {
        "board": board, "sweep": sweep, "now": now, "counts": matrix.counts(cells.values()), "every": EVERY,
        "missing": len(board.missing(known)), "properties": PROPERTIES,
    }  # fmt: skip
    if since is not None:
        changed = [cells[place] for place in now.changes(sweep, since)] if sweep else []
        return templating.render("_matrix_changed.html", changed=changed, since=since, **context)
    context |= {"kernels": KERNELS, "offers": OFFERS, "cells": cells, "Place": matrix.Place}
    if board.scenario:
        scenario: Scenario = engine.find_scenario(board.scenario)
        able = {kernel.id for kernel in catalogue.kernels_with(scenario.filesystem.type)}
        return templating.render("matrix_scenario.html", scenario=scenario, able=able, **context)
    return templating.render("matrix.html", chapters=list(matrix.chapters(cells, board.property)), **context)
