"""All ways to hand a run on: short and long links, QR codes, frames, files. And the page that unpacks a long link."""

from __future__ import annotations

from urllib.parse import parse_qs

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import answers, editions, framing, links, openings, orders, qr, serving, suffixes, templating
from app.answers import HTML, TEXT, Body
from app.links import RunLink
from app.orders import Order
from app.packing import pack
from app.troubles import Trouble
from engine import EDITION

sharing = APIRouter(include_in_schema=False)

LONGEST = 48_000
"""Characters behind the # of a long link: more, programs cut off."""


@sharing.get("/run/{scenario}/{kernel}/share")
async def share_run(request: Request, scenario: str, kernel: str) -> Response:
    """How to hand on a gallery run."""
    return await _share(request, orders.at_address(_address(request, RunLink(scenario, kernel))))


@sharing.get("/s/{link}/share")
async def share_link(request: Request, link: str) -> Response:
    """How to hand on the run of a short link."""
    kernel = links.kernel_said(request.query_params.get("kernel", ""))
    return await _share(request, await serving.kept(request, _address(request, RunLink(kernel=kernel, link=link))))


@sharing.get("/s/{link}/then.txt")
async def then(request: Request, link: str) -> Response:
    """What a short link showed when it was made, whatever the engine does today."""
    content = await to_thread.run_sync(serving.storage(request).noted, link) if links.is_id(link) else ""
    if not content:
        cure = "Open the link itself: it shows the run of now"
        raise Trouble("not-found", f"What {link[:40]!r} showed when it was made was not kept", cure=cure)
    return answers.answer(request, Body.of(editions.recorded(content, 0).text, TEXT))


@sharing.get("/qr/{name}")
async def code(request: Request, name: str) -> Response:
    """A short link as a picture that a telephone reads."""
    link, step = name.removesuffix(".svg"), request.query_params.get("step", "")
    if not name.endswith(".svg"):
        raise Trouble("not-found", "A QR code is an SVG", cure=f"Write {links.qr(name[:40])}")
    if step and not (step.isdecimal() and len(step) <= links.DIGITS):
        raise Trouble("bad-request", f"{step[:40]!r} is no number of a step", cure="Write step=1, or leave it out")
    await serving.kept(request, RunLink(link=link))
    whole = serving.base(request) + links.short(link, step=int(step) if step else None)
    return answers.answer(request, Body.of(qr.svg(whole), suffixes.SVG))


@sharing.get(links.LONG)
async def long_link(request: Request) -> Response:
    """The page that unpacks a long link: its script sends here what stands behind the #, which no browser sends."""
    content = templating.render("unpack.html", longest=LONGEST, most=serving.settings(request).max_body)
    return answers.answer(request, Body.of(content, HTML))


@sharing.post(links.LONG)
async def unpacked(request: Request) -> Response:
    """The run that a long link carries. Nothing of it is stored; one of the gallery has an address of its own."""
    serving.own_site(request)
    said = {key: values[-1] for key, values in parse_qs((await request.body()).decode(errors="replace")).items()}
    order, number = orders.unpacked(said.get("run", "")), said.get("step")
    run = await serving.runs(request).run(order)
    step, astray = openings.step(run.trace, number, said.get("at"))
    if order.is_gallery and order.edition == EDITION:
        address = RunLink(order.scenario.id, order.kernel, switch=order.switch)
        return RedirectResponse(address.url(step=step), status_code=303)
    context = templating.player_context(run, step, astray=astray)
    page = templating.environment().get_template("embed.html")
    content = page.render(**context, whole="", theme="", keep=order.content, is_own=True)
    return Response(content, headers={"Cache-Control": answers.NEVER}, media_type=HTML)


def _address(request: Request, said: RunLink) -> RunLink:
    query = request.query_params
    return RunLink(said.scenario, said.kernel, query.get("fs", ""), query.get("switch", ""), said.link)


async def _share(request: Request, order: Order) -> Response:
    """All ways: a part of the dialog for htmx, else a page."""
    run = await serving.runs(request).run(order)
    query = request.query_params
    step, _ = openings.step(run.trace, query.get("step"), query.get("at"))
    base, fragment = serving.base(request), pack(order.content)
    is_part = request.headers.get("hx-request") == "true"
    content = templating.render(
        "_ways.html" if is_part else "share.html",
        link=order.link, title=order.scenario.title, step=step, base=base, forms=suffixes.FORMS,
        long=base + RunLink(packed=fragment).url(step=step) if len(fragment) <= LONGEST else "",
        fields=_fields(order), snippet=framing.snippet(base, order.link, order.scenario.title, step),
    )  # fmt: skip
    return answers.answer(request, Body.of(content, HTML), vary=f"{serving.VARY}, HX-Request")


def _fields(order: Order) -> dict[str, str]:
    """What a form says to make a short link of an order."""
    address = order.link
    if address.link and not address.fields():
        return {}
    return {"run": order.content}
