"""The beats of a scenario's story: what is said when an event has happened. Plain data, as the rest of a scenario."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from engine.errors import short

MAX_BEATS = 40
MAX_SAYING = 400

START, END = "start", "end"
"""Beats before the first step, and after the last."""

_EVENT = re.compile(r"[A-Za-z_]\w*\.\d{1,6}\.\w+\.\w+(#[1-9]\d{0,5})?")


def _event(value: str) -> str:
    if value not in (START, END) and not _EVENT.fullmatch(value):
        said = {"message": f"{short(value)} names no event", "cure": "Write start, end, or A.2.do_no_page.set_pte"}
        raise PydanticCustomError("scenario", "{message}", said)
    return value


class Beat(BaseModel):
    """A moment of the story."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    at: Annotated[str, AfterValidator(_event)] = Field(
        max_length=200,
        description="start, end, or the event, as task.line.function.step; the kernel's own tasks have line 0",
        examples=["A.2.do_no_page.set_pte"],
    )
    say: str = Field(
        min_length=1,
        max_length=MAX_SAYING,
        description="what is said then, in a sentence or two",
        examples=["The page becomes writable, and nobody has asked."],
    )


Story = Annotated[
    tuple[Beat, ...],
    Field(
        strict=False,
        max_length=MAX_BEATS,
        description="the story told in a minute: what is said at which step, in the order in which they happen",
        examples=[[{"at": "A.2.do_no_page.set_pte", "say": "The page becomes writable."}]],
    ),
]
