"""What followers and drivers are told of a room: JSON, and the same as an event of a stream."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from app.rooms import Room

PING = b":\n\n"
RETRY_MS = 1_000


class AskOut(Struct, omit_defaults=True, kw_only=True):
    """A question. Followers get `right` and `counts` when the answer is shown; a driver has `counts` at once."""

    step: int
    text: str
    choices: tuple[str, ...]
    right: int | None = None
    counts: list[int] | None = None


class StateOut(Struct, omit_defaults=True, kw_only=True):
    """Where a room is. `followers` is for its driver: how many browsers follow by this process."""

    sequence: int
    run: str
    step: int
    ask: AskOut | None = None
    over: bool = False
    followers: int | None = None


def state(room: Room, counts: Sequence[int] = (), *, followers: int | None = None) -> bytes:
    """The state as JSON; with a number of followers it is the driver's."""
    is_told = not room.is_asked
    ask, said = None, room.question
    if said is not None:
        shown = list(counts) if is_told or followers is not None else None
        ask = AskOut(
            step=said.step, text=said.text, choices=said.choices, right=said.right if is_told else None, counts=shown
        )
    return msgspec.json.encode(
        StateOut(sequence=room.sequence, run=room.run, step=room.step, ask=ask, over=room.is_over, followers=followers)
    )


def event(sequence: int, data: bytes) -> bytes:
    """A state as an event of a stream (text/event-stream); JSON has no line breaks of its own."""
    return b"retry: %d\nid: %d\ndata: %s\n\n" % (RETRY_MS, sequence, data)
