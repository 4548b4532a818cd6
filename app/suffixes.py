"""The forms of a run beside page, data and text: what a suffix of its address asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app import (
    animation,
    answers,
    links,
    openings,
    picture,
    raster,
    replay,
    report,
    serving,
    standalone,
    static_files,
    tables,
    traces,
)
from app.answers import HTML, Body
from app.orders import Order
from app.runs import Run
from app.troubles import Trouble

SVG, PNG = "image/svg+xml; charset=utf-8", "image/png"
CSV = "text/csv; charset=utf-8"
MARKDOWN = "text/markdown; charset=utf-8"
Span = tuple[int | None, int | None]
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
    of_range: Callable[[Run, int, Span], str] | None = None
    """How it is made of the steps that the query names by `from` and `to`."""
    is_self_contained: bool = False
    """Whether it is a page with its scripts in itself, which the policy of the site would not let run."""


def _animated(run: Run, step: int, span: Span) -> str:
    return animation.svg(run, *animation.span_of(run, step, *span))


FORMS = {
    ".svg": Form(SVG, "the picture of a step", lambda run, step, _: picture.svg(run, step)),
    ".png": Form(PNG, "the same in pixels", lambda run, step, _: raster.png(picture.svg(run, step), width=FINE)),
    ".csv": Form(
        CSV, "a table of all steps", lambda run, *_: tables.steps(run), lambda run, step, _: tables.cells(run, step)
    ),
    ".html": Form(HTML, "one file that plays it with no network", standalone.page, is_self_contained=True),
    ".md": Form(MARKDOWN, "a report", report.markdown),
    ".anim.svg": Form(
        SVG,
        "the steps from=… to=… as a moving picture",
        lambda run, step, _: _animated(run, step, (None, None)),
        of_range=_animated,
    ),
    ".perfetto.json": Form(answers.JSON, "for Perfetto and Chrome's trace viewer", traces.perfetto),
    ".itf.json": Form(answers.JSON, "for the tools of TLA+ (ITF)", traces.itf),
    ".c": Form("text/x-c; charset=utf-8", "a program that does it on a real machine", replay.program),
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
    span = _number(query.get("from")), _number(query.get("to"))
    tag = static_files.tag(f"{order.id} {order.link.url(step=step)} {suffix} {number} {base} {span}")
    if answers.matches(request, tag):
        return answers.not_modified(tag)
    body = await kept.page(tag, lambda: _body(_made(form, run, step, base, span, bool(number)), form.media_type, tag))
    answer = answers.answer(request, body)
    if form.is_self_contained:
        answer.headers["Content-Security-Policy"] = f"{standalone.inside().policy}; frame-ancestors 'none'"
    return answer


def _made(form: Form, run: Run, step: int, base: str, span: Span, is_step: bool) -> str | bytes:  # noqa: PLR0913, PLR0917
    if form.of_range is not None:
        return form.of_range(run, step, span)
    return ((form.of_step if is_step else None) or form.make)(run, step, base)


def _number(said: str | None) -> int | None:
    """The number of a step that a query names.

    Raises:
        Trouble: when it is none.
    """
    if not said:
        return None
    if not said.isdecimal() or len(said) > links.DIGITS:
        raise Trouble("bad-request", f"{said[:40]!r} is no number of a step", cure="Write from=1&to=20")
    return int(said)


def _body(content: str | bytes, media_type: str, tag: str) -> Body:
    if isinstance(content, bytes):
        return Body(content, media_type, tag, packed=False)
    return Body.of(content, media_type, etag=tag)
