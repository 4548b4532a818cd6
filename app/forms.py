"""What a form says. Scripts send the same, so that a page works without them."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

from app.troubles import Trouble
from engine.errors import short


async def form(request: Request) -> dict[str, str]:
    """The fields of a form (application/x-www-form-urlencoded), the last value of each."""
    return {name: values[-1] for name, values in (await lists(request)).items()}


async def lists(request: Request) -> dict[str, list[str]]:
    """The fields of a form with all their values: those of boxes that can be ticked have as many as are ticked."""
    return parse_qs((await request.body()).decode(errors="replace"))


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
