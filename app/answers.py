"""Answers over HTTP: in which form the client wants one, and the headers that save sending it twice."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

Form = Literal["html", "json", "text"]

HTML = "text/html; charset=utf-8"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
NDJSON = "application/x-ndjson"
YAML = "application/yaml; charset=utf-8"

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
"""May be kept, and is asked about before each use: a 304 if nothing changed."""
PRIVATE = "private, no-cache"
NEVER = "no-store"

_FORMS: dict[str, Form] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/json": "json",
    "application/problem+json": "json",
    "application/*": "json",
    "text/plain": "text",
}
_GZIP_FROM = 1_000  # bytes; below, the header costs more than it saves


def wanted(request: Request, default: Form) -> Form:
    """The form that the client prefers by its Accept header; `default` when it does not mind."""
    best, form = 0.0, default
    for item in request.headers.get("accept", "")[:1000].lower().split(","):
        media_type, *parameters = (part.strip() for part in item.split(";"))
        weight = _weight(parameters)
        offered = default if media_type in ("*/*", "text/*") and default != "json" else _FORMS.get(media_type)
        if media_type == "*/*":
            offered = default
        if offered is not None and weight > best:
            best, form = weight, offered
    return form


def wants_lines(request: Request) -> bool:
    """Whether the client asks for JSON a line at a time."""
    accepted = request.headers.get("accept", "")[:1000].lower()
    return any(part.partition(";")[0].strip() in (NDJSON, "application/ndjson") for part in accepted.split(","))


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


class Head:
    """The beginning of a long answer, which a client can use before the rest is made. It may be empty."""

    def __init__(self, text: str, level: int) -> None:
        """`level` is gzip's, for all of the answer."""
        self.text = text
        self._packer = zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        self.packed = self._packer.compress(text.encode()) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def pack(self, rest: str) -> bytes:
        """The rest, packed to follow the head. It can be done once."""
        return self._packer.compress(rest.encode()) + self._packer.flush()


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of an answer, with their media type and tag; what is long is kept packed, made once and sent often."""

    content: bytes
    media_type: str
    etag: str
    packed: bool

    @classmethod
    def of(cls, content: bytes | str, media_type: str, *, etag: str = "", level: int = 6) -> Body:
        """`etag` names the content, without quotes; it is taken from the bytes when not given. `level` is gzip's."""
        plain = content.encode() if isinstance(content, str) else content
        tag = etag or blake2b(plain, digest_size=12).hexdigest()
        packed = len(plain) >= _GZIP_FROM
        return cls(gzip.compress(plain, level, mtime=0) if packed else plain, media_type, tag, packed)

    @classmethod
    def begun(cls, head: Head, rest: str, media_type: str, etag: str) -> Body:
        """A body of which the head may be sent before the rest is there."""
        return cls(head.packed + head.pack(rest), media_type, etag, packed=True)

    @property
    def plain(self) -> bytes:
        """The bytes as they are."""
        return gzip.decompress(self.content) if self.packed else self.content


def matches(request: Request, etag: str) -> bool:
    """Whether the client says that it has this content already."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or any(tag.strip().removeprefix("W/").strip('"') == etag for tag in given.split(","))


def not_modified(etag: str, *, cache: str = REVALIDATE, vary: str = "Accept-Encoding") -> Response:
    """The answer to a client that has the content already."""
    return Response(status_code=304, headers=_headers(etag, cache, vary))


def answer(  # noqa: PLR0913 - the parts of an answer, each by name
    request: Request,
    body: Body,
    *,
    status: int = 200,
    cache: str = REVALIDATE,
    vary: str = "Accept-Encoding",
    location: str = "",
) -> Response:
    """Send `body`, packed if the client can unpack it, or 304 if it has it already."""
    if request.method == "GET" and matches(request, body.etag):
        return not_modified(body.etag, cache=cache, vary=vary)
    extra = _headers(body.etag, cache, vary) | ({"Location": location} if location else {})
    content = body.content
    if body.packed and "gzip" in request.headers.get("accept-encoding", ""):
        extra["Content-Encoding"] = "gzip"
    elif body.packed:
        content = body.plain
    return Response(content, status, headers=extra, media_type=body.media_type)


def begin(request: Request, head: Head, make: Callable[[], Awaitable[Body]], *, etag: str, vary: str) -> Response:
    """Send the head of a page now, and the rest of its body when it is made."""
    is_packed = "gzip" in request.headers.get("accept-encoding", "")

    async def parts() -> AsyncIterator[bytes]:
        yield head.packed if is_packed else head.text.encode()
        body = await make()
        yield body.content[len(head.packed) :] if is_packed else body.plain[len(head.text.encode()) :]

    extra = {"Content-Encoding": "gzip"} if is_packed else {}
    return StreamingResponse(parts(), headers=_headers(etag, REVALIDATE, vary) | extra, media_type=HTML)


def _headers(etag: str, cache: str, vary: str) -> dict[str, str]:
    return {"ETag": f'W/"{etag}"', "Cache-Control": cache, "Vary": vary}
