"""A run into a file, in the form that the ending of its name says."""

from __future__ import annotations

from pathlib import Path

import msgspec

from app import links, openings, suffixes, text, wire
from app.runs import Run
from app.troubles import Trouble


def write(run: Run, step: str | None, file: Path) -> None:
    """Write a run; `step` is the number or the name of the step that it is opened on.

    Raises:
        Trouble: when the name has no ending that says a form, or there is no such step.
        OSError: when the file can not be written.
    """
    suffix = links.split_suffix(file.name)[1]
    is_number = (step or "").isdecimal()
    found, astray = openings.step(run.trace, step if is_number else None, None if is_number else step)
    if astray:
        raise Trouble("not-found", astray, cure=f"The run has {len(run.trace.steps)} steps; 0 is the beginning")
    file.write_bytes(_content(run, suffix, found))


def _content(run: Run, suffix: str, step: int) -> bytes:
    if suffix == ".json":
        return msgspec.json.encode(wire.summary(run, trace=True))
    if suffix == ".txt":
        return text.transcript(run).encode()
    if suffix not in suffixes.FORMS:
        raise Trouble("bad-request", "The name of the file says no form", cure=f"End it in {suffixes.known()}")
    made = suffixes.FORMS[suffix].make(run, step, "")
    return made if isinstance(made, bytes) else made.encode()
