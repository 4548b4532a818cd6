"""What holds for every answer: who may frame, script and read it, how much a request may carry, and HEAD."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import links

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
EXPOSED = ("ETag", "Link", "Location", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-ID")
FRAMED = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""What is different for a player in a frame of another site, which needs no X-Frame-Options either."""
OPEN_READS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": ", ".join(EXPOSED),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Accept, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
READS = ("GET", "HEAD", "OPTIONS")


class Manners:
    """Security headers on everything, data that any site may read, and HEAD wherever there is GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and dress the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method, is_data = scope["method"], _is_data(scope["path"])
        if method == "OPTIONS" and is_data:
            await _preflight(send)
            return
        extra = _security(scope["path"]) | (OPEN_READS if is_data and method in READS else {})

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(message, extra)
            elif method == "HEAD" and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        asked = {**scope, "method": "GET", "head": True} if method == "HEAD" else scope
        await self.app(asked, receive, dressed)


def _security(path: str) -> dict[str, str]:
    """The security headers of an answer."""
    if not path.startswith(f"{links.EMBED}/"):
        return SECURITY
    return {name: value for name, value in (SECURITY | FRAMED).items() if name != "X-Frame-Options"}


def _is_data(path: str) -> bool:
    """Whether any site may read what is there. A sandboxed frame has no site, and loads our scripts nevertheless."""
    return (
        path.startswith((links.API, links.STATIC))
        or path in (links.OPENAPI, links.OEMBED)
        or path.endswith(links.SUFFIXES)
    )


def _add(message: MutableMapping[str, Any], extra: dict[str, str]) -> None:
    headers = MutableHeaders(raw=message.setdefault("headers", []))
    for name, value in extra.items():
        headers.setdefault(name, value)


async def _preflight(send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in (SECURITY | PREFLIGHT).items()]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


class BodyLimit:
    """Refuse a request that carries more than `limit` bytes, before more than that is read."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received; the application turns the exception into a 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        received = int(declared) if declared.isdigit() and int(declared) > self.limit else 0

        async def counted() -> Message:
            nonlocal received
            message = await receive() if received <= self.limit else {}
            received += len(message.get("body", b""))
            if received > self.limit:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
