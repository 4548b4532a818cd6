"""Whatever goes wrong becomes an answer that says where, why and what would be right.

A program gets RFC 9457 problem JSON, a person a page, `curl -H "Accept: text/plain"` lines of text. Nobody ever
gets a stack trace.
"""

from __future__ import annotations

import html
from dataclasses import asdict

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from jinja2 import TemplateError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import answers, links, wire
from app.storage import StorageError, StorageFullError
from app.troubles import BODY_CURE, Trouble, log, of_engine, of_validation, unforeseen
from engine.errors import EngineError, short

MEDIA_TYPE = "application/problem+json"


def install(app: FastAPI) -> None:
    """Let the application answer every exception with a problem."""

    async def handle(request: Request, error: Exception) -> Response:  # noqa: RUF029 - the framework awaits it
        return respond(request, trouble_of(error, request))

    for kind in (Trouble, EngineError, StorageError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)
    app.add_middleware(Calm)


class Calm:
    """The last resort: an exception that nobody foresaw becomes an answer too, as long as none was begun."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer for whom failed."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            request = Request(scope, receive)
            await respond(request, trouble_of(error, request))(scope, receive, send)


def trouble_of(error: Exception, request: Request) -> Trouble:
    """Any exception as the trouble it means."""
    match error:
        case Trouble():
            return error
        case EngineError():
            return of_engine(error, in_address=request.method == "GET")
        case StorageError():
            log.error("%s", error)
            kind = "storage-full" if isinstance(error, StorageFullError) else "storage"
            return Trouble(kind, "What is handed in can not be kept or fetched now.", cure="Try again in a while")
        case RequestValidationError():
            return of_validation(error, wire.FIELDS)
        case HTTPException():
            return _of_http(error, request)
    return unforeseen(error)


def _of_http(error: HTTPException, request: Request) -> Trouble:
    """What the framework refused: an unknown address, a wrong method, a body that is too large."""
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            detail = f"Nothing is at {short(request.url.path, 80)}"
            return Trouble("not-found", detail, cure=f"The gallery is at {links.GALLERY}, the API at {links.DOCS}")
        case 405:
            cure = f"Use {headers.get('Allow', 'another method')}"
            return Trouble("wrong-method", f"{request.method} is not taken here", cure=cure, headers=headers)
        case 413:
            limit = request.app.state.settings.max_body
            return Trouble("too-large", "The body is too large", cure=f"Send at most {limit} bytes")
    return Trouble("bad-request", str(error.detail), status=error.status_code, cure=BODY_CURE, headers=headers)


def respond(request: Request, trouble: Trouble) -> Response:
    """The trouble in the form the client wants."""
    form = answers.wanted(request, "json" if request.url.path.startswith(links.API) else "html")
    if request.url.path.startswith(links.API) and form == "html":
        form = "json"
    content, media_type = {"json": _json, "text": _text, "html": _page}[form](request, trouble)
    headers = {"Cache-Control": answers.NEVER, "Vary": "Accept", **trouble.headers}
    return Response(content, trouble.status, headers=headers, media_type=media_type)


def _json(request: Request, trouble: Trouble) -> tuple[bytes, str]:
    document = {
        "type": links.problem(trouble.kind),
        "title": trouble.title,
        "status": trouble.status,
        "detail": trouble.detail,
        "instance": request.url.path,
        "cure": trouble.cure,
        "problems": [asdict(problem) for problem in trouble.problems],
        "limits": request.app.state.settings.limits(),
    }
    return msgspec.json.encode(document | ({"ticket": trouble.ticket} if trouble.ticket else {})), MEDIA_TYPE


def _text(_request: Request, trouble: Trouble) -> tuple[bytes, str]:
    lines = [f"{trouble.status} {trouble.title}", *trouble.lines()]
    return ("\n".join(lines) + "\n").encode(), answers.TEXT


def _page(request: Request, trouble: Trouble) -> tuple[bytes, str]:
    try:
        from app import templating
        page = templating.render("error.html", trouble=trouble, path=request.url.path)
    except (TemplateError, OSError, ImportError):
        log.exception("the page of a problem can not be rendered")
        said = "".join(f"<p>{html.escape(line)}</p>" for line in trouble.lines())
        page = f"<!doctype html><title>Pagefate</title><h1>{html.escape(trouble.title)}</h1>{said}<p><a href=/>Gallery</a>"
    return page.encode(), answers.HTML
