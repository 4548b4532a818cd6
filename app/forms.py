"""What a form says. Scripts send the same, so that a page works without them."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

from app.troubles import Trouble
from engine.errors import short


async def form(request: Request) -> dict[str, str]:
    """The fields of a form (application/x-www-form-urlencoded), the last value of each."""
    body = (await request.body()).decode(errors="replace")
    return {name: values[-1] for name, values in parse_qs(body).items()}


def number(said: dict[str, str], name: str) -> int:
    """A field that is a number.

    Raises:
        Trouble: when it is missing, or none.
    """
    text = said.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        cure = f"Send {name}=1 in a form"
        raise Trouble("bad-request", f"{short(text)} is no {name}" if text else f"There is no {name}", cure=cure)
    return int(text)
