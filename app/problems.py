"""Whatever goes wrong becomes an answer that says where, why and what would be right.

A program gets RFC 9457 problem JSON, a person a page, `curl -H "Accept: text/plain"` lines of text. Nobody ever
gets a stack trace.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from jinja2 import TemplateError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import answers, links, templating, wire
from app.answers import Form
from app.database import StorageError, StorageFullError
from app.problem_wire import ProblemOut
from app.troubles import BODY_CURE, Trouble, log, of_engine, unforeseen
from engine import EngineError, Problem
from engine.errors import sentence, short, suggestion

MEDIA_TYPE = "application/problem+json"


def install(app: FastAPI) -> None:
    """Let the application answer every exception with a problem."""

    async def handle(request: Request, error: Exception) -> Response:
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
            return of_engine(error)
        case StorageError():
            log.error("%s", error)
            kind = "storage-full" if isinstance(error, StorageFullError) else "storage"
            return Trouble(kind, "What is handed in can not be kept or fetched now.", cure="Try again in a while")
        case RequestValidationError():
            return _of_validation(error)
        case HTTPException():
            return _of_http(error, request)
    return unforeseen(error)


def _of_http(error: HTTPException, request: Request) -> Trouble:
    """What the framework refused: an unknown address, a wrong method, a body that is too large."""
    headers = dict(error.headers or {})
    if isinstance(error.__cause__, Trouble):
        return error.__cause__
    match error.status_code:
        case 404:
            detail = f"Nothing is at {short(request.url.path, 80)}"
            return Trouble("not-found", detail, cure=f"The gallery is at {links.GALLERY}, the API at {links.DOCS}")
        case 405:
            cure = f"Use {headers.get('Allow', 'another method')}"
            return Trouble("wrong-method", f"{request.method} is not taken here", cure=cure, headers=headers)
        case 400 if request.method == "POST":
            return Trouble("bad-request", f"The body can not be read as JSON: {_unread(error)}", cure=BODY_CURE)
        case 413:
            limit = request.app.state.settings.max_body
            return Trouble("too-large", "The body is too large", cure=f"Send at most {limit} bytes")
    return Trouble("bad-request", str(error.detail), status=error.status_code, cure=BODY_CURE, headers=headers)


def _unread(error: HTTPException) -> str:
    """What stopped the reader of a JSON body."""
    match error.__cause__:
        case UnicodeDecodeError() as wrong:
            return f"byte {wrong.start + 1} is no UTF-8"
        case RecursionError():
            return "it is nested too deep"
        case ValueError():
            return "a number in it is too long"
    return "it breaks off"


def _of_validation(error: RequestValidationError) -> Trouble:
    """A request whose parts have the wrong shape, each named once and where it is narrowest."""
    if isinstance(error.body, bytes):
        return Trouble("wrong-type", "The body is not sent as JSON", cure=BODY_CURE)
    found: dict[str, Problem] = {}
    for problem in (_of_field(each, error.body) for each in error.errors()):
        found.setdefault(problem.path, problem)
    problems = [found[path] for path in found if not any(other.startswith(f"{path}/") for other in found)]
    first = problems[0]
    return Trouble("bad-request", sentence(first.message, first.path.strip("/")), cure=first.cure, problems=problems)


UNION = ("str", "dict[str,any]", "list[str]")
"""What pydantic adds to a place to say which of several types it tried."""


def _of_field(found: Mapping[str, Any], body: object) -> Problem:
    """One finding of pydantic: where in the body or the query, what is wrong, what would be right."""
    kind, where = str(found["type"]), [str(part) for part in found["loc"]]
    if kind == "json_invalid":
        return _not_json(str(body), int(where[-1]), found["ctx"]["error"])
    path = "".join(f"/{part}" for part in where[1:] if part not in UNION)
    if not path:
        return Problem(0, 0, "", "the body is not a JSON object", BODY_CURE)
    if kind == "extra_forbidden":
        return Problem(0, 0, path, f"there is no field {short(where[-1])}", suggestion(where[-1], wire.FIELDS))
    if kind == "missing":
        return Problem(0, 0, path, "this is missing", BODY_CURE)
    field = wire.RunIn.model_fields.get(where[1]) if where[0] == "body" else None
    cure = f"{where[1]} is {field.description}" if field else found["msg"]
    return Problem(0, 0, path, f"{_given(found['input'])} does not fit", cure)


def _given(value: object) -> str:
    """A value as JSON says it, cut to a length that does not drown the sentence."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _not_json(text: str, position: int, reason: str) -> Problem:
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    return Problem(line, column, "", f"this is not JSON: {reason}", BODY_CURE)


def respond(request: Request, trouble: Trouble) -> Response:
    """The trouble in the form the client wants."""
    form = _form(request)
    content, media_type = {"json": _json, "text": _text, "html": _page}[form](request, trouble)
    headers = {"Cache-Control": answers.NEVER, "Vary": "Accept", **trouble.headers}
    return Response(content, trouble.status, headers=headers, media_type=media_type)


def _json(request: Request, trouble: Trouble) -> tuple[bytes, str]:
    answer = ProblemOut(
        type=links.problem(trouble.kind),
        title=trouble.title,
        status=trouble.status,
        detail=trouble.detail,
        instance=request.url.path,
        cure=trouble.cure,
        problems=trouble.problems,
        limits=request.app.state.settings.limits(),
        ticket=trouble.ticket,
    )
    return msgspec.json.encode(answer), MEDIA_TYPE


def _form(request: Request) -> Form:
    """The form a client can read: that of the address it asked, else what it accepts. The API has no pages."""
    path = request.url.path
    if path.endswith((".json", ".txt")):
        return "json" if path.endswith(".json") else "text"
    if path.startswith(links.API):
        return "text" if answers.wanted(request, "json") == "text" else "json"
    return answers.wanted(request, "html")


def _text(_request: Request, trouble: Trouble) -> tuple[bytes, str]:
    lines = [f"{trouble.status} {trouble.title}", *trouble.lines()]
    return ("\n".join(lines) + "\n").encode(), answers.TEXT


def _page(request: Request, trouble: Trouble) -> tuple[bytes, str]:
    try:
        page = templating.render("error.html", trouble=trouble, path=request.url.path)
    except (TemplateError, OSError, KeyError):
        log.exception("the page of a problem can not be rendered")
        said = "".join(f"<p>{html.escape(line)}</p>" for line in trouble.lines())
        title = html.escape(trouble.title)
        head = "<!doctype html><html lang=en><title>Pagefate</title>"
        page = f"{head}<main><h1>{title}</h1>{said}<p><a href=/>Gallery</a></main>"
    return page.encode(), answers.HTML
