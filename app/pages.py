"""The pages for people. A page is a run, or leads to one."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import engine
from app import (
    answers,
    cards,
    catalogue,
    forks,
    framing,
    keeping,
    links,
    next_steps,
    openapi,
    openings,
    orders,
    others,
    outlook,
    patterns,
    serving,
    static_files,
    suffixes,
    templating,
    theatre,
    tokens,
)
from app.answers import HTML, YAML, Body, Head
from app.events import Event
from app.links import Mode, RunLink
from app.orders import Order
from app.others import Others
from app.runs import Run
from app.troubles import KINDS, Trouble
from app.zoom import ZOOMS
from engine import FILESYSTEMS, OFFERS
from engine.errors import either, short

PAGE, PARTIAL = "run.html", "run_partial.html"
PARTS = {"functions": "_functions.html", "events": "_event_list.html", "trace": "_trace.html"}
VARY = f"{serving.VARY}, HX-Request, HX-History-Restore-Request"

pages = APIRouter(include_in_schema=False)


def page(request: Request, template: str, **context: object) -> Response:
    """A page that is the same for everybody until the next release."""
    return answers.answer(request, Body.of(templating.render(template, **context), HTML))


@pages.get(links.GALLERY)
async def gallery(request: Request) -> Response:
    """All scenarios, each one click away."""
    return page(request, "gallery.html", scenarios=engine.gallery())


@pages.get("/run/{scenario}/{kernel}")
async def run(request: Request, scenario: str, kernel: str) -> Response:
    """A run of a gallery scenario."""
    name, suffix = links.split_suffix(kernel)
    address = serving.address(request, scenario=scenario, kernel=name)
    try:
        order = orders.at_address(address)
    except Trouble as trouble:
        if trouble.kind == "no-such-combination" and not suffix and answers.wanted(request, "html") == "html":
            return _refused(address, trouble)
        raise
    return await _run(request, order, suffix)


@pages.get("/s/{link}")
async def short_link(request: Request, link: str) -> Response:
    """The run that a short link leads to."""
    name, suffix = links.split_suffix(link)
    address = serving.address(request, link=name)
    return await _run(request, await serving.kept(request, address), suffix)


@pages.get("/run/{scenario}/{kernel}/others")
async def others_of_run(request: Request, scenario: str, kernel: str) -> Response:
    """What comes of a gallery run on other kernels."""
    return await _others(request, orders.at_address(serving.address(request, scenario=scenario, kernel=kernel)))


@pages.get("/s/{link}/others")
async def others_of_link(request: Request, link: str) -> Response:
    """What comes of the run of a short link on other kernels."""
    address = serving.address(request, link=link)
    return await _others(request, await serving.kept(request, address))


@pages.get("/run/{scenario}/{kernel}/functions")
@pages.get("/run/{scenario}/{kernel}/events")
@pages.get("/run/{scenario}/{kernel}/trace")
async def part_of_run(request: Request, scenario: str, kernel: str) -> Response:
    """A part of the page of a gallery run."""
    return await _part(request, orders.at_address(serving.address(request, scenario=scenario, kernel=kernel)))


@pages.get("/s/{link}/functions")
@pages.get("/s/{link}/events")
@pages.get("/s/{link}/trace")
async def part_of_link(request: Request, link: str) -> Response:
    """A part of the page of a short link."""
    address = serving.address(request, link=link)
    return await _part(request, await serving.kept(request, address))


@pages.get("/run/{scenario}/{kernel}/foresight")
async def foresight_of_run(request: Request, scenario: str, kernel: str) -> Response:
    """What could still become of a gallery run, for its page."""
    return await _foresight(request, orders.at_address(serving.address(request, scenario=scenario, kernel=kernel)))


@pages.get("/s/{link}/foresight")
async def foresight_of_link(request: Request, link: str) -> Response:
    """What could still become of the run of a short link, for its page."""
    address = serving.address(request, link=link)
    return await _foresight(request, await serving.kept(request, address))


async def _foresight(request: Request, order: Order) -> Response:
    """The outlook comes when somebody asks for it: it takes seconds where much can follow."""
    run = await serving.runs(request).run(order)
    offers = request.query_params.getlist("offer")
    found = await serving.foresight(request, run, offers)
    context = {"stretches": list(outlook.stretches(found)), "sentences": list(outlook.sentences(run, found))}
    context |= {"words": outlook.WORDS, "means": outlook.MEANS, "found": found, "asked": offers, "offers": OFFERS}
    return _aside(request, run, len(run.trace.steps), "_foresight.html", "foresight", **context)


@pages.get("/run/{scenario}/{kernel}/next")
async def next_of_run(request: Request, scenario: str, kernel: str) -> Response:
    """Who can run after a step of a gallery run, for its page."""
    return await _next(request, orders.at_address(serving.address(request, scenario=scenario, kernel=kernel)))


@pages.get("/s/{link}/next")
async def next_of_link(request: Request, link: str) -> Response:
    """Who can run after a step of the run of a short link, for its page."""
    address = serving.address(request, link=link)
    return await _next(request, await serving.kept(request, address))


async def _next(request: Request, order: Order) -> Response:
    run = await serving.runs(request).run(order)
    said = request.query_params.get("step", "0")
    step = serving.step_within(run, int(said) if said.isdecimal() and len(said) <= links.DIGITS else 0)
    found = await serving.runs(request).apart(lambda _limits: list(next_steps.choices(run, step)), order)
    return _aside(request, run, step, "_next.html", "who can run now", choices=found)


def _aside(request: Request, run: Run, step: int, part: str, title: str, **context: object) -> Response:
    """A part of a run's page for htmx, else a page of its own."""
    context |= {"run": run, "step": step, "part": part, "title": title, "is_part": _is_swap(request)}
    content = templating.render(part if context["is_part"] else "aside.html", **context)
    return answers.answer(request, Body.of(content, HTML), cache=serving.cache(request), vary=VARY)


async def _part(request: Request, order: Order) -> Response:
    """What a first view does not need: it comes when the page is there, and needs all steps told."""
    template = PARTS[request.url.path.rpartition("/")[2]]
    found = await serving.runs(request).run(order)
    body = await serving.runs(request).page(
        f"{order.id} {template}", lambda: Body.of(templating.render(template, run=theatre.stage_of(found)), HTML)
    )
    return answers.answer(request, body)


async def _others(request: Request, order: Order) -> Response:
    """The cards: a part of a page for htmx, else a page of their own."""
    event = Event.parse(request.query_params.get("at", ""))
    results = await serving.runs(request).apart(lambda limits: others.all_results(order, limits), order)
    found = Others(order, str(event or ""), results)
    template = "_others.html" if _is_swap(request) else "others.html"
    body = Body.of(templating.render(template, others=found, title=order.scenario.title), HTML)
    return answers.answer(request, body, vary=VARY)


@pages.get("/kernel/{name}")
async def kernel(request: Request, name: str) -> Response:
    """A kernel: its story, its functions, what it leaves out."""
    with orders.in_address():
        found = engine.find_kernel(name)
    return page(request, "kernel.html", kernel=found, base=catalogue.base(found), scenarios=engine.gallery())


@pages.get("/filesystem/{name}")
async def filesystem(request: Request, name: str) -> Response:
    """A filesystem: its story, when it takes space, which kernels have it and which not."""
    kind = orders.filesystem(name)
    return page(request, "filesystem.html", kind=kind, scenarios=engine.gallery())


@pages.get("/scenario/{name}")
async def scenario(request: Request, name: str) -> Response:
    """A scenario: its story, its question, its text; with .yaml behind its name, the text alone."""
    with orders.in_address():
        found = engine.find_scenario(name.removesuffix(".yaml"))
    text = engine.to_yaml(found)
    if name.endswith(".yaml"):
        return answers.answer(request, Body.of(text, YAML))
    return page(request, "scenario.html", scenario=found, text=text)


@pages.get(links.DOCS)
async def docs(request: Request) -> Response:
    """The API for people."""
    kinds = [(kind, status, title) for kind, (status, title) in KINDS.items()]
    listed = openapi.operations(request.app, serving.base(request))
    snippet = framing.snippet(serving.base(request), RunLink("mail", "linux-2.6.9"), "A page fault", step=43)
    return page(request, "docs.html", operations=listed, kinds=kinds, about=openapi.ABOUT, snippet=snippet)


@pages.get(links.PATTERNS)
async def every_pattern(request: Request) -> Response:
    """Every object in every state."""
    shown = patterns.context()
    rails = [(kind, templating.Cells(cells)) for kind, cells in shown["rails"]]
    return page(request, "patterns.html", **{**shown, "rails": rails}, whole=templating.Cells(shown["state"]))


@pages.get(links.FAVICON)
async def favicon() -> Response:
    """For browsers that ask before they read the page."""
    return RedirectResponse(static_files.url("icon.svg"), status_code=301)


@pages.post(links.MAKE)
async def make_link(request: Request) -> Response:
    """A short link for a form, which works without scripts: it leads to the run, on the step it was made at."""
    serving.own_site(request)
    said = {key: values[-1] for key, values in parse_qs((await request.body()).decode(errors="replace")).items()}
    address = RunLink(said.get("scenario", ""), said.get("kernel", ""), said.get("fs", ""), said.get("switch", ""))
    order = orders.unpacked(said["run"]) if "run" in said else orders.at_address(address)
    secret = tokens.token()
    link, is_new = await serving.keep(request, order, secret=secret)
    step = said.get("step", "")
    made = RedirectResponse(links.short(link, step=int(step) if step.isdecimal() else None), status_code=303)
    if is_new:
        keeping.remember(request, made, link, secret)
    return made


async def _run(request: Request, order: Order, suffix: str) -> Response:
    """A run in the form that its suffix or else the client asks for."""
    if suffix and suffix not in serving.FORMS:
        return await suffixes.send(request, order, suffix)
    form = serving.FORMS.get(suffix) or answers.wanted(request, "html")
    voice = order.link.mode.voice
    if form != "html":  # data is the same however the run is told
        order = replace(order, address=order.link.told(Mode()))
    number, event, asked = (request.query_params.get(name) for name in ("step", "at", "if"))
    if form != "html" and not (number or event or asked):
        return await serving.send(request, order, form, voice)
    found = await serving.runs(request).run(order)
    told = order.link.mode.story or order.link.mode.predict
    step, astray = openings.step(found.trace, number or ("0" if told and not event else None), event)
    if asked:
        there, at = forks.fork(found, step, asked)
        return RedirectResponse(there.url(step=at, suffix=suffix), status_code=303)
    if form != "html":
        if astray:
            raise Trouble("not-found", astray, cure=f"The run has {len(found.trace.steps)} steps; 0 is the beginning")
        return await serving.send(request, order, form, voice)
    return await _picture(request, found, step, astray, lands=bool(event))


async def _picture(request: Request, found: Run, step: int, astray: str, *, lands: bool) -> Response:
    """The page of a run at a step. One that has to be made first is sent in two parts: its head needs no picture."""
    order, kept, template = found.order, serving.runs(request), PARTIAL if _is_swap(request) else PAGE
    pending = others.UNKNOWN in others.known(order, found.trace).values()
    by = _zoom(request.query_params.get("zoom", ""))
    base, change = serving.base(request), await serving.changed(request, found)
    view = f"{order.link.url(step=step, zoom=by)} {template} {pending} {astray} {lands}"
    key = f"{order.id} {view} {base} {change is not None}"
    tag = static_files.tag(key)
    if answers.matches(request, tag):
        return answers.not_modified(tag, vary=VARY)
    card = None if template is PARTIAL or kept.has_page(key) else cards.card(found, step, base)
    head = Head("" if card is None else templating.opening(order, card), level=5)

    def paint() -> Body:
        shown = {"step": step, "zoom": by, "astray": astray, "lands": lands, "change": change}
        content = templating.render(template, run=found, card=card or cards.card(found, step, base), **shown)
        return Body.begun(head, content[len(head.text) :], HTML, tag)

    def make() -> Awaitable[Body]:
        return kept.page(key, paint)

    if head.text:
        return answers.begin(request, head, make, etag=tag, vary=VARY)
    return answers.answer(request, await make(), vary=VARY)


def _refused(address: RunLink, trouble: Trouble) -> Response:
    """The page of a combination that never was: why not, and which there are of this scenario."""
    found = engine.find_scenario(address.scenario)
    kernel = engine.find_kernel(address.kernel)
    content = templating.render(
        "combination.html", trouble=trouble, scenario=found, kernel=kernel, address=address,
        filesystem=FILESYSTEMS[address.filesystem or found.filesystem.type],
    )  # fmt: skip
    return Response(content, trouble.status, {"Cache-Control": answers.NEVER, "Vary": VARY}, HTML)


def _is_swap(request: Request) -> bool:
    """Whether htmx asks, to put the answer into a page that is there; when it restores history it wants all of it."""
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"


def _zoom(said: str) -> str:
    """How far one press goes."""
    if said and said not in ZOOMS:
        cure = f"Write {either([f'zoom={name}' for name in ZOOMS])}"
        raise Trouble("bad-request", f"One press cannot go by {short(said)}", cure=cure)
    return said or "step"
