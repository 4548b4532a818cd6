"""Links outlive the engine they were made with: what a link showed then is kept beside it, and compared with now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import zip_longest

from app import text
from app.packing import pack, unpack
from app.runs import Run
from engine import EDITION


@dataclass(frozen=True, slots=True)
class Then:
    """What a link showed when it was made. Without a record only the `edition` is known."""

    edition: int
    outcome: str = ""
    steps: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """How a run differs from what its link once showed; `was` and `now` are the first lines that do, if any."""

    then: Then
    edition: int
    outcome: str
    steps: int
    was: str = ""
    now: str = ""

    @property
    def is_same(self) -> bool:
        """Whether the run is known to be the same."""
        return bool(self.then.text) and self.was == self.now


def record(run: Run) -> str:
    """What a run shows now, to be kept beside its link."""
    trace = run.trace
    said = {
        "record": EDITION,
        "outcome": trace.outcome,
        "steps": len(trace.steps),
        "text": pack(text.transcript(run)),
    }
    return json.dumps(said, separators=(",", ":"))


def recorded(content: str, edition: int) -> Then:
    """What is kept beside a link that was made with `edition`; `content` is empty where nothing is."""
    if not content:
        return Then(edition)
    said = json.loads(content)
    return Then(said["record"], said["outcome"], said["steps"], unpack(said["text"]))


def change(run: Run, then: Then) -> Change:
    """The run of a link now, beside what it was."""
    trace = run.trace
    lines = zip_longest(then.text.splitlines(), text.transcript(run).splitlines(), fillvalue="(the end)")
    was, now = next(((was, now) for was, now in lines if was != now), ("", ""))
    return Change(then, EDITION, trace.outcome, len(trace.steps), was.strip(), now.strip())
