"""The pages that show runs side by side, and the same as data."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

import engine
from app import answers, catalogue, comparison, lineup, links, serving, templating, wire_compare
from app.answers import HTML, JSON, Body
from app.lineup import Lineup
from app.links import CompareLink
from app.lockstep_page import LockstepPage
from app.runs import Run, Shelf
from app.storage import Stored
from app.troubles import Trouble

KEPT, KEPT_BEATS = 8, 3_000
"""How many comparisons are kept for who steps without scripts, and how many beats of columns they may have in all."""

router = APIRouter(include_in_schema=False)


@router.get("/compare/{scenario}")
async def compare(request: Request, scenario: str) -> Response:
    """Two to four runs of a gallery scenario side by side."""
    name, suffix = links.split_suffix(scenario)
    return await _compare(request, CompareLink.parse(name, request.query_params.multi_items()), suffix)


@router.get("/s/{link}/compare")
async def compare_link(request: Request, link: str) -> Response:
    """Two to four runs of a short link's script side by side."""
    return await _compare(request, CompareLink.parse("", request.query_params.multi_items(), link))


@router.get("/s/{link}/compare.json")
async def compare_link_data(request: Request, link: str) -> Response:
    """The same as data."""
    return await _compare(request, CompareLink.parse("", request.query_params.multi_items(), link), ".json")


async def _compare(request: Request, link: CompareLink, suffix: str = "") -> Response:
    if suffix not in ("", ".json"):
        raise Trouble("not-found", f"A comparison has no form {suffix}", cure="It has .json, and the page")
    form = "json" if suffix else answers.wanted(request, "html")
    stored = await serving.stored(request, link.link) if link.link else None
    try:
        wanted = lineup.lineup(link, stored)
    except Trouble as trouble:
        if form == "html" and (stored or link.scenario in engine.gallery()):
            return _refused(link, stored, trouble)
        raise
    found = await side_by_side(request, wanted)
    beat = _beat(request.query_params.get("step", ""), found)
    if form != "html":
        return answers.answer(request, Body.of(msgspec.json.encode(wire_compare.out(found)), JSON), vary=serving.VARY)
    body = await serving.runs(request).page(
        f"compare {wanted.key} {wanted.link.url(step=beat)}",
        lambda: Body.of(templating.render("compare.html", **context(found, beat)), HTML, level=4),
    )
    return answers.answer(request, body, vary=serving.VARY)


_kept: Shelf[LockstepPage] = Shelf(KEPT, KEPT_BEATS, lambda page: page.length * len(page.columns))


async def side_by_side(request: Request, wanted: Lineup) -> LockstepPage:
    """The comparison of a lineup, from the shelf if it is there."""
    key = f"{wanted.key} {wanted.link.url()}"
    page = _kept.get(key)
    if page is None:
        done = [await serving.runs(request).run(entry.order) for entry in wanted.entries]
        page = await serving.runs(request).apart(lambda _: _made(wanted, done))
        _kept.put(key, page)
    return page


def _made(wanted: Lineup, done: list[Run]) -> LockstepPage:
    """A comparison with all that takes time worked out."""
    page = LockstepPage(comparison.compare(wanted, done))
    _ = page.reel, page.comparison.sentence
    return page


def _beat(text: str, page: LockstepPage) -> int:
    """The beat to open on: the one that the address names, else the first difference.

    Raises:
        Trouble: when what it names is no number.
    """
    if not text:
        return page.opening
    try:
        return max(0, min(int(text[:12]), page.length))
    except ValueError as error:
        cure = f"Write step=1 to step={page.length}"
        raise Trouble("bad-request", f"{text[:40]!r} is no number of a step", cure=cure) from error


def context(page: LockstepPage, beat: int) -> dict[str, object]:
    """What compare.html shows of a comparison at a beat."""
    cells = templating.Cells(page.reel.at(beat))
    every = list(engine.gallery().values())
    return {"page": page, "beat": beat, "attrs": cells.attrs, "cell": cells.cell, "all_scenarios": every}


def _refused(link: CompareLink, stored: Stored | None, trouble: Trouble) -> Response:
    """The page of a comparison that can not be: why not, and which can."""
    likely = CompareLink(link.scenario, link=link.link)
    scenario = lineup.lineup(likely, stored).scenario
    kind = link.filesystems[0] if link.filesystems and link.filesystems[0] in engine.FILESYSTEMS else ""
    filesystem = engine.FILESYSTEMS[kind or scenario.filesystem.type]
    content = templating.render(
        "compare_refused.html", trouble=trouble, scenario=scenario, filesystem=filesystem, link=link,
        able=catalogue.kernels_with(filesystem.id), likely=likely,
    )  # fmt: skip
    return Response(content, trouble.status, {"Cache-Control": answers.NEVER, "Vary": serving.VARY}, HTML)
