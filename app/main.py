"""The application: `create_app()` for a server that sets it up itself, `app` for `uvicorn app.main:app`."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from anyio import to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

import engine
from app import answers, links, problems, static_files, templating
from app.api import api
from app.api_compare import compare_api
from app.api_steps import steps as api_steps
from app.api_verdicts import verdicts
from app.bells import bell_of
from app.bytes_page import bytes_pages
from app.compare import router as compare
from app.contests import contests
from app.documentation import documentation
from app.editor import editor
from app.embed import embed
from app.housekeeping import Housekeeping
from app.hub import Hub
from app.keeping import api as keeping_api
from app.keeping import keeping
from app.live import live
from app.matrix_page import matrix_pages
from app.metering import Meter, Metrics
from app.middleware import BodyLimit, Manners
from app.oembed import oembed
from app.openapi import describe
from app.orders import order
from app.pages import pages
from app.paper import paper
from app.rates import Rates
from app.rooms import Rooms
from app.runs import Runs, perform
from app.search_page import search_pages
from app.searches import Searches
from app.settings import Settings
from app.sharing import sharing
from app.steps import steps
from app.storage import Storage
from app.verdicts import Verdicts
from engine import Limits


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole site, by `settings` or by the environment.

    Raises:
        pydantic.ValidationError: when a PAGEFATE_ variable has a value that does not fit.
    """
    settings = settings or Settings()
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    app.state.storage = Storage(settings.data, url=settings.database, max_bytes=settings.max_stored)
    database = app.state.storage.database
    app.state.rooms = Rooms(database, hours=settings.room_hours, most=settings.max_rooms)
    app.state.hub = Hub(app.state.rooms, bell_of(database.dialect))
    app.state.verdicts = Verdicts(settings.data, url=settings.database)
    app.state.searches = Searches(app.state.verdicts.put)
    problems.install(app)
    app.add_middleware(BodyLimit, limit=settings.max_body)
    app.add_middleware(Rates, rate=settings.rate)
    app.add_middleware(Manners)
    app.state.metrics = Metrics()
    app.add_middleware(Meter, metrics=app.state.metrics)
    app.state.runs = Runs(settings, made=app.state.metrics.made.inc)
    app.include_router(api)
    app.include_router(api_steps)
    app.include_router(compare_api)
    app.include_router(verdicts)
    app.include_router(search_pages)
    app.include_router(matrix_pages)
    app.include_router(pages)
    app.include_router(bytes_pages)
    app.include_router(compare)
    app.include_router(paper)
    app.include_router(steps)
    app.include_router(contests)
    app.include_router(embed)
    app.include_router(oembed)
    app.include_router(sharing)
    app.include_router(live)
    app.include_router(keeping)
    app.include_router(keeping_api)
    app.include_router(editor)
    app.include_router(documentation)
    _add_plumbing(app)
    if settings.metrics:
        app.add_route(links.METRICS, app.state.metrics.serve, include_in_schema=False)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load what every answer needs before the first question comes, and let go of the storage at the end."""
    await to_thread.run_sync(_warm_up)
    gc.freeze()  # what is loaded now stays; the collector need not look at it again
    gc.set_threshold(50_000, 50, 1_000)
    app.state.hub.start()
    state = app.state
    housekeeping = Housekeeping(state.storage, state.rooms, state.verdicts, keep_days=state.settings.keep_days)
    housekeeping.start()
    yield
    housekeeping.stop()
    app.state.hub.close()
    app.state.searches.close()
    app.state.verdicts.close()
    app.state.storage.close()


def _warm_up() -> None:
    """Make what is made once: the gallery, the static files, the templates with the page of the first scenario."""
    first = next(iter(engine.gallery()))
    run = perform(order(first), Limits())
    templating.render("run.html", run=run, step=1)


def _add_plumbing(app: FastAPI) -> None:
    """The addresses that are neither page nor run."""
    app.add_route(links.OPENAPI, _openapi, include_in_schema=False)
    app.add_route(links.HEALTH, _healthz, include_in_schema=False)
    app.add_route(links.READY, _readyz, include_in_schema=False)
    app.add_route(f"{links.STATIC}/{{version}}/{{path:path}}", static_files.serve, include_in_schema=False)


async def _openapi(request: Request) -> Response:
    """The API for machines."""
    content = msgspec.json.encode(describe(request.app))
    return answers.answer(request, answers.Body.of(content, answers.JSON))


async def _healthz(_request: Request) -> Response:
    """The process lives."""
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


async def _readyz(request: Request) -> Response:
    """The site can do all it is for: short links, too."""
    await to_thread.run_sync(request.app.state.storage.check)
    return PlainTextResponse("ready\n", headers={"Cache-Control": "no-store"})


def __getattr__(name: str) -> FastAPI:
    """`app`, made when a server asks for it, and not by an import alone."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
