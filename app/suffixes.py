"""The forms of a run beside page, data and text: what a suffix of its address asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app import answers, openings, picture, raster, serving, standalone, static_files, tables
from app.answers import HTML, Body
from app.orders import Order
from app.runs import Run
from app.troubles import Trouble

SVG, PNG = "image/svg+xml; charset=utf-8", "image/png"
CSV = "text/csv; charset=utf-8"
FINE = 2 * picture.WIDE
"""How wide a picture in pixels is: sharp on a screen with two of them a point."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a run is made into something else: at a step, and for a site with this address."""

    media_type: str
    title: str
    make: Callable[[Run, int, str], str | bytes]
    of_step: Callable[[Run, int, str], str | bytes] | None = None
    """How one step is made into it, where that is something else than the run opened there."""
    is_self_contained: bool = False
    """Whether it is a page with its scripts in itself, which the policy of the site would not let run."""


FORMS = {
    ".svg": Form(SVG, "the picture of a step", lambda run, step, _: picture.svg(run, step)),
    ".png": Form(PNG, "the same in pixels", lambda run, step, _: raster.png(picture.svg(run, step), width=FINE)),
    ".csv": Form(
        CSV, "a table of all steps", lambda run, *_: tables.steps(run), lambda run, step, _: tables.cells(run, step)
    ),
    ".html": Form(HTML, "one file that plays it with no network", standalone.page, is_self_contained=True),
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
    tag = static_files.tag(f"{order.id} {order.link.url(step=step)} {suffix} {number} {base}")
    if answers.matches(request, tag):
        return answers.not_modified(tag)
    make = (form.of_step if number else None) or form.make
    body = await kept.page(tag, lambda: _body(make(run, step, base), form.media_type, tag))
    answer = answers.answer(request, body)
    if form.is_self_contained:
        answer.headers["Content-Security-Policy"] = f"{standalone.inside().policy}; frame-ancestors 'none'"
    return answer


def _body(content: str | bytes, media_type: str, tag: str) -> Body:
    if isinstance(content, bytes):
        return Body(content, media_type, tag, packed=False)
    return Body.of(content, media_type, etag=tag)
