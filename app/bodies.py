"""JSON bodies, read so that a key that stands twice is refused: readers differ in which of the two they take."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.troubles import Trouble
from engine import Problem
from engine.document import pointer
from engine.errors import sentence, short


class Twice(dict[str, Any]):
    """An object of which some keys stood twice."""

    keys_twice: tuple[str, ...] = ()


class StrictRequest(Request):
    """A request whose body has every key once."""

    async def json(self) -> Any:
        """The body.

        Raises:
            Trouble: naming every key that stands twice.
        """
        data = json.loads(await self.body(), object_pairs_hook=_object)
        cure = "Keep one of them"
        found = [Problem(0, 0, path, f"the key {short(key)} stands here twice", cure) for path, key in _twice(data)]
        if found:
            detail = sentence(found[0].message, found[0].path.strip("/"))
            raise Trouble("bad-request", detail, cure=cure, problems=found)
        return data


class Route(APIRoute):
    """A route that takes such a request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given the request with the strict reader."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strict


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    counts = Counter(key for key, _ in pairs)
    twice = Twice(made)
    twice.keys_twice = tuple(key for key, count in counts.items() if count > 1)
    return twice


def _twice(data: Any) -> Iterator[tuple[str, str]]:
    """(path, key) of every key that stands twice, from the outside in."""
    waiting = [("", data)]
    for path, value in waiting:
        if isinstance(value, Twice):
            yield from ((path + pointer(key), key) for key in value.keys_twice)
        if isinstance(value, dict):
            waiting += [(path + pointer(key), inside) for key, inside in value.items()]
        elif isinstance(value, list):
            waiting += [(path + pointer(place), inside) for place, inside in enumerate(value)]
