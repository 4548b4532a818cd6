"""The API about the steps of a run: some of them, the difference between two, and where a value comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from app import answers, links, orders, serving, wire, wire_selection
from app.answers import JSON, NDJSON, Body
from app.api import Filesystem, KernelName, LinkId, OtherKernel, ScenarioName, Switch, data, documented, pinned
from app.links import RunLink
from app.orders import Order
from app.runs import Run
from app.selection import Wanted, cells_of, select
from app.troubles import Trouble
from engine.errors import short, suggestion

steps = APIRouter(prefix=links.API, dependencies=[Depends(pinned)])

MOST = 500
"""The most steps that one page of them has."""


async def run_of_gallery(
    request: Request, scenario: ScenarioName, kernel: KernelName, fs: Filesystem = "", switch: Switch = ""
) -> Run:
    """The gallery run that an address names."""
    return await _run(request, orders.at_address(RunLink(scenario, kernel, fs, switch)))


async def run_of_link(
    request: Request, link: LinkId, kernel: OtherKernel = "", fs: Filesystem = "", switch: Switch = ""
) -> Run:
    """The run that a short link leads to."""
    address = RunLink("", links.kernel_said(kernel), fs, switch, link)
    return await _run(request, await serving.kept(request, address))


async def _run(request: Request, order: Order) -> Run:
    return await serving.runs(request).run(order)


def wanted(  # noqa: PLR0913, PLR0917 - the parts of a query
    first: Annotated[int, Query(alias="from", ge=1, description="the number of the first step", examples=[1])] = 1,
    last: Annotated[int | None, Query(alias="to", ge=1, description="of the last one; left out, the end")] = None,
    task: Annotated[str, Query(description="steps of this task only", examples=["A"], max_length=64)] = "",
    function: Annotated[str, Query(description="of this function", examples=["do_no_page"], max_length=64)] = "",
    name: Annotated[str, Query(description="of this name", examples=["set_pte"], max_length=64)] = "",
    touches: Annotated[
        str, Query(description="that read or write this cell, or one below it", examples=["page/3"], max_length=200)
    ] = "",
) -> Wanted:
    """Which steps the query asks for."""
    return Wanted(first, last or 0, task, function, name, touches)


Selected = Annotated[Wanted, Depends(wanted)]
GalleryRun = Annotated[Run, Depends(run_of_gallery)]
LinkedRun = Annotated[Run, Depends(run_of_link)]
Cursor = Annotated[int, Query(ge=0, description="where to go on, as `next` of the page before says; 0 at first")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="steps on a page", examples=[100])]
Before = Annotated[int, Query(alias="from", ge=0, description="the step to compare with", examples=[0])]
After = Annotated[
    int | None, Query(alias="to", ge=0, description="the step that is compared; left out, the end", examples=[43])
]
Touches = Annotated[str, Query(description="only this cell, or those below it", examples=["page/3"], max_length=200)]
Cell = Annotated[
    str, Query(description="the address of a cell", examples=["disk/blocks.free"], min_length=1, max_length=200)
]
AtStep = Annotated[int | None, Query(ge=0, description="after which step; left out, at the end", examples=[43])]

STEPS = documented("StepsOut", NDJSON)


@steps.get("/runs/{scenario}/{kernel}/steps", summary="Steps of a gallery run, page by page", responses=STEPS)
async def get_steps(
    request: Request, run: GalleryRun, select: Selected, cursor: Cursor = 0, limit: Limit = 100
) -> Response:
    """The steps that fit, in pages; with Accept: application/x-ndjson all of them, a line each."""
    return _steps(request, run, select, cursor, limit)


@steps.get("/links/{link}/steps", summary="Steps of what a short link leads to, page by page", responses=STEPS)
async def get_link_steps(
    request: Request, run: LinkedRun, select: Selected, cursor: Cursor = 0, limit: Limit = 100
) -> Response:
    """The steps that fit, in pages; with Accept: application/x-ndjson all of them, a line each."""
    return _steps(request, run, select, cursor, limit)


@steps.get(
    "/runs/{scenario}/{kernel}/diff",
    summary="What two steps of a gallery run differ in",
    responses=documented("DiffOut"),
)
async def get_diff(
    request: Request, run: GalleryRun, before: Before = 0, after: After = None, touches: Touches = ""
) -> Response:
    """Every cell that is otherwise after the one step than after the other; `to` left out is the end."""
    return _diff(request, run, before, after, touches)


@steps.get(
    "/links/{link}/diff", summary="What two steps of a short link's run differ in", responses=documented("DiffOut")
)
async def get_link_diff(
    request: Request, run: LinkedRun, before: Before = 0, after: After = None, touches: Touches = ""
) -> Response:
    """Every cell that is otherwise after the one step than after the other; `to` left out is the end."""
    return _diff(request, run, before, after, touches)


@steps.get(
    "/runs/{scenario}/{kernel}/provenance",
    summary="Who wrote a cell of a gallery run",
    responses=documented("ProvenanceOut"),
)
async def get_provenance(request: Request, run: GalleryRun, cell: Cell, step: AtStep = None) -> Response:
    """Every write of a cell up to a step, the last one first: where its value comes from."""
    return _provenance(request, run, cell, step)


@steps.get(
    "/links/{link}/provenance", summary="Who wrote a cell of a short link's run", responses=documented("ProvenanceOut")
)
async def get_link_provenance(request: Request, run: LinkedRun, cell: Cell, step: AtStep = None) -> Response:
    """Every write of a cell up to a step, the last one first: where its value comes from."""
    return _provenance(request, run, cell, step)


def _steps(request: Request, run: Run, select: Wanted, cursor: int, limit: int) -> Response:
    if answers.wants_lines(request):
        return answers.answer(
            request, Body.of(b"".join(_lines(run, select)), NDJSON), cache=serving.cache(request), vary=serving.VARY
        )
    asked = replace(select, first=max(select.first, cursor))
    items, following = wire_selection.page(run, asked, limit)
    here = str(request.url.include_query_params(cursor=following)) if following else ""
    onward = here.removeprefix(str(request.base_url).rstrip("/")) or None
    around = {"run": run.order.link.api(), "page": run.order.link.url()}
    found = wire_selection.StepsOut(
        run=run.order.id, steps=len(run.trace.steps), items=items, next=onward, links=around
    )
    body = Body.of(msgspec.json.encode(found), JSON)
    response = answers.answer(request, body, cache=serving.cache(request), vary=serving.VARY)
    if onward:
        response.headers["Link"] = f'<{onward}>; rel="next"'
    return response


def _lines(run: Run, wanted: Wanted) -> Iterator[bytes]:
    for step in select(run.trace, wanted):
        yield msgspec.json.encode(wire.step(step)) + b"\n"


def _diff(request: Request, run: Run, before: int, after: int | None, touches: str) -> Response:
    ends = [serving.step_within(run, n) for n in (before, len(run.trace.steps) if after is None else after)]
    return data(request, wire_selection.diff(run, ends[0], ends[1], touches))


def _provenance(request: Request, run: Run, cell: str, n: int | None) -> Response:
    step = serving.step_within(run, len(run.trace.steps) if n is None else n)
    known = cells_of(run.trace)
    if cell not in known:
        cure = suggestion(cell, sorted(known)) or f"The cells of a step are at {run.order.link.moment(0)}"
        raise Trouble("not-found", f"The run has no cell {short(cell)}", cure=cure)
    return data(request, wire_selection.provenance(run, cell, step))
