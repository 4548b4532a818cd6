"""What becomes of a short link after it was made: its maker may delete it, its readers may report it."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import answers, bodies, forms, links, serving, templating
from app.answers import HTML
from app.links import RunLink
from app.storage import REPORT_LENGTH
from app.troubles import Trouble

keeping = APIRouter(include_in_schema=False)
api = APIRouter(prefix=links.API, route_class=bodies.Route)

MAKER = "maker"
"""The cookie by which a browser may delete a link that it made; only the link's own addresses get it."""
YEAR = 365 * 86_400

LinkId = Annotated[str, Path(description="the id of a short link", examples=["ID"])]
Secret = Annotated[str, Header(alias="X-Link-Secret", description="the `secret` that POST /links gave its maker")]
GONE: dict[int | str, dict[str, Any]] = {204: {"description": "The link is deleted"}}


@api.delete("/links/{link}", summary="Delete a short link", status_code=204, responses=GONE)
async def delete_link(request: Request, link: LinkId, secret: Secret = "") -> Response:
    """Who made it may delete it, by its secret. Handing in the same content again makes the same link again."""
    serving.own_site(request)
    await _delete(request, link, secret)
    return Response(status_code=204)


@keeping.get("/s/{link}/about")
async def about(request: Request, link: str) -> Response:
    """What is kept under a link, and what can be done about it."""
    order = await serving.kept(request, RunLink(link=link))
    days = serving.settings(request).keep_days
    page = templating.render(
        "about_link.html", order=order, link=link, days=days, longest=REPORT_LENGTH,
        is_maker=bool(request.cookies.get(MAKER)), is_reported=request.query_params.get("reported") == "1",
    )  # fmt: skip
    return Response(page, headers={"Cache-Control": answers.NEVER}, media_type=HTML)


@keeping.post("/s/{link}/delete")
async def delete(request: Request, link: str) -> Response:
    """Delete a link, from its page."""
    serving.own_site(request)
    said = (await forms.form(request)).get("secret", "").strip()
    await _delete(request, link, said or request.cookies.get(MAKER, ""))
    return RedirectResponse(links.GALLERY, status_code=303)


@keeping.post("/s/{link}/report")
async def report(request: Request, link: str) -> Response:
    """Report a link, from its page or by a script that sends the same form."""
    serving.own_site(request)
    said = (await forms.form(request)).get("reason", "").strip()
    if not said:
        raise Trouble("bad-request", "The report says nothing", cure="Write what is wrong with the link")
    await _report(request, link, said)
    return RedirectResponse(f"{links.about(link)}?reported=1", status_code=303)


def remember(request: Request, response: Response, link: str, secret: str) -> None:
    """Let the browser that made a link delete it."""
    response.set_cookie(
        MAKER, secret, path=links.short(link), httponly=True, samesite="strict", max_age=YEAR,
        secure=serving.base(request).startswith("https:"),
    )  # fmt: skip


async def _delete(request: Request, link: str, secret: str) -> None:
    await serving.kept(request, RunLink(link=link))
    if not await to_thread.run_sync(serving.storage(request).delete, link, secret):
        cure = "It was told once, to who made the link first; the operator can delete it too"
        raise Trouble("wrong-secret", "This secret does not delete the link", cure=cure)


async def _report(request: Request, link: str, said: str) -> None:
    await serving.kept(request, RunLink(link=link))
    await to_thread.run_sync(serving.storage(request).report, link, said)
