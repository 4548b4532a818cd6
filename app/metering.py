"""Every request is counted, timed and logged once, when its last byte is sent; an id finds it again in the log."""

from __future__ import annotations

import logging
import re
import secrets
import time
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.rates import client

access = logging.getLogger("pagefate.access")

ID_HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
STREAM = b"text/event-stream"
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """The figures of one site."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "pagefate_requests", "Requests answered", ("route", "method", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "pagefate_request_seconds", "Seconds to the last byte", ("route",), registry=self.registry, buckets=SECONDS
        )
        self.under_way = Gauge("pagefate_requests_under_way", "Requests being answered", registry=self.registry)
        self.made = Counter("pagefate_runs_made", "Runs made, not found in memory", registry=self.registry)
        self.kept = Gauge("pagefate_runs_in_memory", "Runs in memory, by what is kept", ("as",), registry=self.registry)

    async def serve(self, request: Request) -> Response:
        """The figures as Prometheus reads them."""
        for kind, count in request.app.state.runs.counts().items():
            self.kept.labels(kind).set(count)
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


@dataclass(slots=True)
class Answer:
    """What is known of an answer under way."""

    began: float = field(default_factory=time.perf_counter)
    status: int = 500
    is_stream: bool = False


class Meter:
    """The outermost layer: it sees what the client sees."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(ID_HEADER, "")
        number, answer = given if _ID.fullmatch(given) else secrets.token_hex(8), Answer()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers[ID_HEADER] = number
                answer.status, answer.is_stream = (
                    message["status"],
                    STREAM in dict(headers.raw).get(b"content-type", b""),
                )
            await send(message)

        self.metrics.under_way.inc()
        try:
            await self.app(scope, receive, noted)
        finally:
            self.metrics.under_way.dec()
            self._note(scope, number, answer)

    def _note(self, scope: Scope, number: str, answer: Answer) -> None:
        route = str(getattr(scope.get("route"), "path", "") or "none")
        seconds = time.perf_counter() - answer.began
        self.metrics.requests.labels(route, scope["method"], answer.status).inc()
        if not answer.is_stream:
            self.metrics.seconds.labels(route).observe(seconds)
        query = scope.get("query_string", b"").decode("latin-1")
        said = {
            "request": number, "client": client(scope), "method": scope["method"], "path": scope["path"],
            "query": query, "status": answer.status, "ms": round(seconds * 1e3, 1),
        }  # fmt: skip
        access.info("%(method)s %(path)s %(status)s %(ms)s ms", said, extra={"said": said})
