"""The forms of a run beside page, data and text: what a suffix of its address asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app import answers, openings, picture, raster, serving, static_files
from app.answers import Body
from app.orders import Order
from app.runs import Run
from app.troubles import Trouble

SVG, PNG = "image/svg+xml; charset=utf-8", "image/png"
FINE = 2 * picture.WIDE
"""How wide a picture in pixels is: sharp on a screen with two of them a point."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a run is made into something else: at a step, and for a site with this address."""

    media_type: str
    title: str
    make: Callable[[Run, int, str], str | bytes]


FORMS = {
    ".svg": Form(SVG, "the picture of a step", lambda run, step, _: picture.svg(run, step)),
    ".png": Form(PNG, "the same in pixels", lambda run, step, _: raster.png(picture.svg(run, step), width=FINE)),
    ".card.png": Form(PNG, "the card that a link shows", lambda run, step, _: raster.png(picture.card(run, step))),
}
"""Every form by its suffix. What is made of a run as a whole takes no notice of the step."""


def known() -> str:
    """All suffixes that a run may have, for a sentence."""
    return ", ".join((*serving.FORMS, *FORMS))


async def send(request: Request, order: Order, suffix: str, number: str | None = None) -> Response:
    """The run in a form, at the step that `number` or else the query names.

    Raises:
        Trouble: when there is no such form, or no such step.
    """
    form = FORMS.get(suffix)
    if form is None:
        raise Trouble("not-found", f"A run has no form {suffix}", cure=f"It has {known()}, and the page")
    query, kept = request.query_params, serving.runs(request)
    run = await kept.run(order)
    step, astray = openings.step(run.trace, number or query.get("step"), query.get("at"))
    if astray:
        raise Trouble("not-found", astray, cure=f"The run has {len(run.trace.steps)} steps; 0 is the beginning")
    base = serving.base(request)
    tag = static_files.tag(f"{order.id} {order.link.url(step=step)} {suffix} {base}")
    if answers.matches(request, tag):
        return answers.not_modified(tag)
    body = await kept.page(tag, lambda: _body(form, run, step, base, tag))
    return answers.answer(request, body)


def _body(form: Form, run: Run, step: int, base: str, tag: str) -> Body:
    content = form.make(run, step, base)
    if isinstance(content, bytes):
        return Body(content, form.media_type, tag, packed=False)
    return Body.of(content, form.media_type, etag=tag)
