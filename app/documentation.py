"""The pages of the documentation, with a list of all of them beside each."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app import answers, assets, links, manual, templating
from app.answers import HTML, Body
from app.troubles import Trouble
from engine.errors import short, suggestion

documentation = APIRouter(include_in_schema=False)


@documentation.get(links.DOCS + "/pictures/{name}")
async def picture(request: Request, name: str) -> Response:
    """A picture that a page shows."""
    known = {path.name: path for path in (assets.docs_dir() / "pictures").iterdir()}
    if name not in known:
        raise Trouble("not-found", f"There is no picture {short(name)}", cure=suggestion(name, known))
    return answers.answer(request, Body.of(known[name].read_bytes(), "image/png"))


@documentation.get(links.DOCS + "/{name:path}")
async def page(request: Request, name: str) -> Response:
    """One page."""
    try:
        found = manual.page(name.removesuffix(".md"))
    except KeyError as error:
        cure = suggestion(name, manual.names())
        raise Trouble("not-found", f"There is no page {short(name)} in the documentation", cure=cure) from error
    order = manual.names()
    at = order.index(found.name)
    beside = {
        "before": manual.page(order[at - 1]) if at else None,
        "after": manual.page(order[at + 1]) if at + 1 < len(order) else None,
    }
    return answers.answer(request, Body.of(templating.render("doc.html", doc=found, **beside), HTML))
