"""oEmbed: a site that is given an address of ours asks here how to show it (https://oembed.com)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree as ET

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app import answers, cards, framing, links, openings, orders, serving
from app.answers import JSON, Body
from app.links import RunLink
from app.orders import Order
from app.runs import Run
from app.troubles import Trouble
from engine.errors import short

XML = "text/xml; charset=utf-8"
DAY = 86_400
WHERE = "Give the address of a run: /run/mail/linux-2.6.9, or /s/ and an id"

oembed = APIRouter(include_in_schema=False)


@oembed.get(links.OEMBED)
async def show(request: Request) -> Response:
    """How another site shows a run."""
    query = request.query_params
    form = query.get("format", "json")
    if form not in ("json", "xml"):
        cure = "Write format=json or format=xml"
        raise Trouble("bad-request", f"oEmbed has no format {short(form)}", cure=cure, status=501)
    size = _room(query, "maxwidth", framing.WIDTH), _room(query, "maxheight", framing.HEIGHT)
    base, asked = serving.base(request), query.get("url", "")
    address, said = _meant(asked, base)
    order = await _order(request, address)
    run = await serving.runs(request).run(order)
    step, _ = openings.step(run.trace, said.get("step"), said.get("at"))
    found = _answer(run, step, base, size)
    body = Body.of(msgspec.json.encode(found), JSON) if form == "json" else Body.of(_xml(found), XML)
    return answers.answer(request, body)


async def _order(request: Request, address: RunLink) -> Order:
    return await serving.kept(request, address) if address.link else orders.at_address(address)


def _room(query: Mapping[str, str], name: str, usual: int) -> int:
    """The most pixels that the other site has, if it says so.

    Raises:
        Trouble: when it is no number.
    """
    text = query.get(name, "")
    if text and not (text.isdecimal() and len(text) <= links.DIGITS):
        raise Trouble("bad-request", f"{name} is {short(text)}", cure=f"Write {name}={usual}")
    return min(usual, int(text)) if text else usual


def _meant(url: str, base: str) -> tuple[RunLink, dict[str, str]]:
    """The run that an address of this site means, and the rest of what it says.

    Raises:
        Trouble: when it is none of ours, or none of a run.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.netloc and parts.netloc != urlsplit(base).netloc:
        raise Trouble("not-found", f"{short(url, 80)} is not an address of this site", cure=WHERE)
    said = dict(parse_qsl(parts.query))
    changed = (links.kernel_said(said.get("kernel", "")), said.get("fs", ""), said.get("switch", ""))
    match [unquote(part) for part in parts.path.removeprefix(links.EMBED).strip("/").split("/")]:
        case ["s", link]:
            return RunLink("", *changed, links.split_suffix(link)[0]), said
        case ["run", scenario, kernel] | [scenario, kernel] if scenario:
            return RunLink(scenario, links.split_suffix(kernel)[0], *changed[1:]), said
    raise Trouble("not-found", f"No run stands at {short(url, 80)}", cure=WHERE)


def _answer(run: Run, step: int, base: str, size: tuple[int, int]) -> dict[str, Any]:
    card = cards.card(run, step, base)
    wide, high = max(size[0], framing.NARROWEST), max(size[1], framing.LOWEST)
    return {
        "version": "1.0",
        "type": "rich",
        "provider_name": "Pagefate",
        "provider_url": f"{base}/",
        "title": card.title,
        "description": card.sentence,
        "html": framing.snippet(base, run.order.link, card.title, step, (wide, high)),
        "width": wide,
        "height": high,
        "thumbnail_url": card.image,
        "thumbnail_width": card.width,
        "thumbnail_height": card.height,
        "cache_age": DAY,
    }


def _xml(found: Mapping[str, Any]) -> bytes:
    root = ET.Element("oembed")
    for name, value in found.items():
        ET.SubElement(root, name).text = str(value)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
