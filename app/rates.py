"""How often one client may ask the API. Who asks too often is told when to come back, and everybody else is served."""

from __future__ import annotations

import math
import time
from ipaddress import ip_address, ip_network

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import links, links_edit, links_search, problems
from app.troubles import Trouble


class Rates:
    """Count what a client asks of API and editor, and the searches, links and rooms it makes, in fixed windows."""

    def __init__(self, app: ASGIApp, rate: str) -> None:
        """`rate` is such as "1200/minute"; empty counts nothing."""
        self.app = app
        self._item: RateLimitItem | None = parse(rate) if rate else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with how many are left, or refuse it."""
        if self._item is None or scope["type"] != "http" or not _counts(scope):
            await self.app(scope, receive, send)
            return
        who = client(scope)
        is_within = self._limiter.hit(self._item, who)
        reset, left = self._limiter.get_window_stats(self._item, who)
        seconds = max(0, math.ceil(reset - time.time()))
        said = {
            "RateLimit-Limit": str(self._item.amount),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(seconds),
        }

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message.setdefault("headers", [])).update(said)
            await send(message)

        if is_within:
            await self.app(scope, receive, told)
            return
        cure = f"Ask again in {seconds} s; {self._item} are allowed"
        detail = f"More than {self._item} came from your address"
        trouble = Trouble("too-many", detail, cure=cure, headers={"Retry-After": str(max(1, seconds))})
        await problems.respond(Request(scope, receive), trouble)(scope, receive, told)


def _counts(scope: Scope) -> bool:
    path: str = scope["path"]
    posts = (f"{links_edit.EDIT}/", f"{links_search.SEARCH}/", links_search.MATRIX)
    is_made = scope["method"] == "POST" and (path in (links.MAKE, links.LIVE) or path.startswith(posts))
    return is_made or path.startswith(f"{links.API}/")


def client(scope: Scope) -> str:
    """Who asks: an address, or of IPv6 the network that one household has."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return str(host)
    return str(address if address.version == 4 else ip_network((address, 64), strict=False))
