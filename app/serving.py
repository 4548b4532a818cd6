"""What pages and API share: finding the order an address means, and sending its run in the form the client wants."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from app import answers, editions, links, orders, outlook, text, wire
from app.answers import JSON, TEXT, Body, Form
from app.editions import Change
from app.links import Mode, RunLink
from app.orders import Order
from app.runs import Run, Runs
from app.settings import Settings
from app.storage import Storage, StorageError, Stored
from app.troubles import Trouble
from engine import EDITION
from engine.foresight import Foresight

FORMS: dict[str, Form] = {".json": "json", ".txt": "text"}
"""Which form a suffix of an address asks for."""


def runs(request: Request) -> Runs:
    """The runs of this server."""
    found: Runs = request.app.state.runs
    return found


def storage(request: Request) -> Storage:
    """What people handed in to this server."""
    found: Storage = request.app.state.storage
    return found


def settings(request: Request) -> Settings:
    """How this server is set."""
    found: Settings = request.app.state.settings
    return found


def base(request: Request) -> str:
    """How the world reaches this site: as the settings say, else as this client did."""
    return settings(request).base_url.rstrip("/") or str(request.base_url).rstrip("/")


def own_site(request: Request) -> None:
    """Refuse what a page of another site makes a browser send: it may read here, and not write.

    Raises:
        Trouble: when the browser says that the request comes from elsewhere.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Trouble("foreign-site", "The request comes from a page of another site", cure="Send it from here")


async def keep(request: Request, order: Order, *, secret: str = "") -> tuple[str, bool]:
    """Keep an order; its id, and whether it is new. It is durable then, and what it shows now is kept beside it.

    Its maker may delete it by the secret.
    """
    link, is_new = await to_thread.run_sync(partial(storage(request).put, order.content, secret=secret))
    if is_new:
        await _note(request, link, order)
    return link, is_new


async def _note(request: Request, link: str, order: Order) -> None:
    """Keep what a link shows now. A link whose run fails, or that has no room for more, is a link nevertheless."""
    with suppress(Trouble, StorageError):
        run = await runs(request).run(order)
        await to_thread.run_sync(storage(request).note, link, editions.record(run))


async def changed(request: Request, run: Run) -> Change | None:
    """What the engine has changed in the run of a short link since it was made; None for one that is of now."""
    order = run.order
    if order.edition == EDITION or not order.link.link or order.link.fields():
        return None
    content = await to_thread.run_sync(storage(request).noted, order.link.link)
    return editions.change(run, editions.recorded(content, order.edition))


async def kept(request: Request, address: RunLink) -> Order:
    """The order under a short link, with the changes the address asks for.

    Raises:
        Trouble: when no such link is kept, or this version can not run it.
    """
    return orders.kept(await stored(request, address.link), address)


async def stored(request: Request, link: str) -> Stored:
    """What is kept under a short link.

    Raises:
        Trouble: when nothing is, or it is not shown any more.
    """
    found = await to_thread.run_sync(storage(request).get, link) if links.is_id(link) else None
    if found is None:
        cure = "Look at it letter by letter (an id has no 0, o, 1 or l), or start from the gallery"
        raise Trouble("unknown-link", f"No link {link[:40]!r} is kept here", cure=cure)
    if found.withdrawn:
        cure = "Its scenario can be handed in again in other words"
        raise Trouble("withdrawn-link", f"This link was withdrawn: {found.withdrawn}", cure=cure)
    return found


async def send(request: Request, order: Order, form: Form, voice: str = "") -> Response:
    """The run as data or as text; not run if the client has it. A `voice` tells each step of a text."""
    form_of = f"{form}-{voice}" if voice and form == "text" else form
    etag = f"{order.id}-{EDITION}-{form_of}"
    kept_for = cache(request)
    if answers.matches(request, etag):
        return answers.not_modified(etag, cache=kept_for, vary=VARY)

    def make(run: Run) -> Body:
        if form == "text":
            return Body.of(text.transcript(run, voice=voice), TEXT, etag=etag)
        return Body.of(msgspec.json.encode(wire.summary(run, trace=True)), JSON, etag=etag)

    return answers.answer(request, await runs(request).body(order, form_of, make), cache=kept_for, vary=VARY)


def address(request: Request, *, scenario: str = "", kernel: str = "", link: str = "") -> RunLink:
    """The run that a page is about: by the names or the short link in its path, and by what stands in its query."""
    query = request.query_params
    kernel = links.kernel_said(query.get("kernel", "")) if link else kernel
    return RunLink(scenario, kernel, query.get("fs", ""), query.get("switch", ""), link, Mode.parse(query))


async def foresight(request: Request, run: Run, offers: Sequence[str] = ()) -> Foresight:
    """The foresight of a run, the world doing what is offered; worked out once while others are served.

    Raises:
        Trouble: for what cannot be offered, and when too many runs wait for theirs.
    """
    known = outlook.known(run, offers)
    if known is not None:
        return known
    name = " ".join([run.order.id, "foresight", *sorted(offers)])
    return await runs(request).slowly(name, lambda: outlook.of(run, offers))


VARY = "Accept, Accept-Encoding"


def cache(request: Request) -> str:
    """For how long an answer may be kept: for ever if the address names the edition of the engine it is asked of.

    Raises:
        Trouble: when it names another one.
    """
    said = request.query_params.get("edition", "")
    if not said:
        return answers.REVALIDATE
    if said != str(EDITION):
        cure = f"Leave edition away for what edition {EDITION} says"
        raise Trouble("other-edition", f"The engine here is of edition {EDITION}, not {said[:20]}", cure=cure)
    return answers.IMMUTABLE


def step_within(run: Run, n: int) -> int:
    """A step's number, if the run has it; 0 is the beginning.

    Raises:
        Trouble: when the run is shorter.
    """
    last = len(run.trace.steps)
    if n > last:
        raise Trouble("not-found", f"There is no step {n}", cure=f"The run has {last} steps; 0 is the beginning")
    return n
