"""What the present step has changed in the picture, with what stood there before: `was/slot/f/2` has the text it had.

A mark stays until the next step, so that a paused or a printed picture tells the same as the motion did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.rules import Fields

NOTHING: Fields = {}
SAID = {
    "vpage": (("text",), "empty"),
    "tlbslot": (("flags",), "empty"),
    "pteslot": (("to", "flags"), "none"),
    "slot": (("word", "text"), "empty"),
    "blockslot": (("text",), "empty"),
    "diskslot": (("text", "nowhere"), "empty"),
    "bit": (("letter",), "free"),
}
"""Of each kind of place: what says what is there, of which the first that changes is told; and a word for nothing."""


class Marks:
    """The marks of one run, a step at a time."""

    def __init__(self) -> None:
        self._shown: dict[str, Fields] = {}

    def of(self, before: Mapping[str, Fields], fields: Mapping[str, Fields]) -> Iterator[tuple[str, Fields]]:
        """(view entity, fields) of the marks that come and go, given what the places that changed were, and are."""
        told = ((at, was(at, old, fields.get(at, NOTHING))) for at, old in before.items())
        new = {f"was/{at}": {"text": text} for at, text in told if text}
        yield from ((at, NOTHING) for at in self._shown if at not in new)
        yield from new.items()
        self._shown = new


def was(at: str, old: Fields, new: Fields) -> str:
    """What a place said, in a word or two; empty where it still says so, and for what is no place of the picture."""
    names, nothing = SAID.get(at.partition("/")[0], ((), ""))
    changed = next((name for name in names if old.get(name) != new.get(name)), None)
    return str(old.get(changed) or nothing) if changed else ""
