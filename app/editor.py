"""The editor: a scenario is written, checked line by line, run and shared. Only what is shared is kept.

Every answer is a whole page for a form, and the part that changed for htmx.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import engine
from app import answers, catalogue, drafts, links, links_edit, orders, results, serving, templating
from app.answers import HTML, Body
from app.drafts import Draft
from app.links import RunLink
from app.troubles import Trouble
from engine import Problem
from engine.vocabulary import calls, keys

editor = APIRouter(include_in_schema=False)

MOST_FIELDS = 64
FRAMES = 6
"""How many pictures the result of a run shows; what is shared shows them all."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What somebody began with: its name as `links_edit.edit` takes it, its title, its text, and its kernel."""

    name: str
    title: str
    text: str
    kernel: str


@editor.get(links_edit.EDIT)
async def new(request: Request) -> Response:
    """A scenario to begin with."""
    return await _opened(request, "")


@editor.get(links_edit.EDIT + "/{scenario}")
async def fork(request: Request, scenario: str) -> Response:
    """A gallery scenario, to change."""
    return await _opened(request, scenario)


@editor.get(links_edit.EDIT + "/s/{link}")
async def fork_link(request: Request, link: str) -> Response:
    """What is kept under a short link, to change."""
    return await _opened(request, f"s/{link}")


async def _opened(request: Request, name: str) -> Response:
    origin = await _origin(request, name)
    kernel = links.kernel_said(request.query_params.get("kernel", "")) or origin.kernel
    draft = await serving.runs(request).apart(lambda _limits: drafts.read(origin.text, kernel))
    return answers.answer(request, Body.of(_page(origin, _context(draft)), HTML))


async def _origin(request: Request, name: str) -> Origin:
    """What is to be changed. Nothing that is not there can be."""
    if not name:
        return Origin("", "", drafts.START, orders.DEFAULT_KERNEL)
    if name.startswith("s/"):
        order = await serving.kept(request, RunLink(link=name.removeprefix("s/")))
        return Origin(name, order.scenario.title, drafts.of_kept(order), order.kernel)
    with orders.in_address():
        scenario = engine.find_scenario(name)
    return Origin(name, scenario.title, engine.scenario_text(name), catalogue.home(scenario).id)


@editor.post(links_edit.CHECK)
async def check(request: Request) -> Response:
    """What is wrong with a text, beside its lines."""
    said = await _said(request)
    return await _answer(request, said, await _draft(request, said), "_edit_checked.html")


@editor.post(links_edit.SET)
async def set_fields(request: Request) -> Response:
    """The text with what its forms say."""
    said = await _said(request)
    wanted = request.query_params.get("field", "")
    values = {name: value for name, value in said.items() if "." in name and wanted in ("", name)}
    text, wrong = await serving.runs(request).aside(lambda: drafts.changed(_text(said), values))
    draft = await _draft(request, {**said, "scenario": text})
    return await _answer(request, said, draft, "_edit_checked.html", rewritten=text, refused=wrong)


@editor.post(links_edit.RUN)
async def run(request: Request) -> Response:
    """What comes of a text. Nothing is kept of it."""
    said = await _said(request)
    draft = await _draft(request, said)
    if draft.order is None:
        return await _answer(request, said, draft, "_edit_result.html")
    made = await serving.runs(request).run(draft.order)
    shown = await serving.runs(request).apart(partial(results.of_run, made, FRAMES), draft.order)
    return await _answer(request, said, draft, "_edit_result.html", result=shown, carried=orders.carried(draft.order))


@editor.post(links_edit.SHARE)
async def share(request: Request) -> Response:
    """A short link to a text and its kernel: this keeps them."""
    said = await _said(request)
    draft = await _draft(request, said)
    if draft.order is None:
        return await _answer(request, said, draft, "_edit_result.html")
    link, _ = await serving.keep(request, draft.order)
    if said.get("then") == "watch":
        return RedirectResponse(links.short(link), status_code=303)
    return await _answer(request, said, draft, "_edit_result.html", shared=link, site=serving.base(request))


async def _said(request: Request) -> dict[str, str]:
    """The fields of a form.

    Raises:
        Trouble: when another site sends it, or it has too many fields.
    """
    serving.own_site(request)
    body = (await request.body()).decode(errors="replace")
    try:
        found = parse_qs(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Trouble("bad-request", "The form has too many fields", cure="Send scenario and kernel") from error
    return {key: values[-1] for key, values in found.items()}


def _text(said: Mapping[str, str]) -> str:
    return said.get("scenario", "").replace("\r\n", "\n")


async def _draft(request: Request, said: Mapping[str, str]) -> Draft:
    return await serving.runs(request).aside(lambda: drafts.read(_text(said), said.get("kernel", "")))


async def _answer(
    request: Request,
    said: Mapping[str, str],
    draft: Draft,
    part: str,
    *,
    refused: tuple[Problem, ...] = (),
    **context: object,
) -> Response:
    """The part that changed for htmx, else the whole page with it."""
    is_part = request.headers.get("hx-request") == "true"
    context = _context(draft) | {"refused": refused} | context
    if is_part:
        return Response(templating.render(part, **context, is_part=True), 200, {"Cache-Control": answers.NEVER}, HTML)
    origin = await _origin(request, said.get("from", ""))
    page = _page(origin, context)
    return Response(page, 422 if draft.problems or refused else 200, {"Cache-Control": answers.NEVER}, HTML)


def _context(draft: Draft) -> dict[str, object]:
    return {"draft": draft, "rewritten": None, "refused": (), "result": None, "shared": "", "site": ""}


def _page(origin: Origin, context: Mapping[str, object]) -> str:
    said = {**context, "origin": origin, "words": words(), "is_part": False}
    return templating.render("edit.html", **said)


def words() -> str:
    """What can be completed, as JSON for the page: calls with their arguments, keys with their values."""
    said = {
        "calls": [
            {
                "name": call.name, "text": str(call), "example": call.examples[0], "says": call.says,
                "arguments": [{"name": each.name, "kind": each.kind, "words": each.words} for each in call.arguments],
            }
            for call in calls()
        ],
        "keys": [
            {"place": key.place, "name": key.name, "kind": key.kind, "words": key.words, "says": key.says}
            for key in keys()
        ],
        "kernels": list(engine.KERNELS),
    }  # fmt: skip
    return msgspec.json.encode(said).decode().replace("<", "\\u003c")
