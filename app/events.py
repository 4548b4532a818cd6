"""The name of a step by what happens in it, which stands in addresses; `app.links` has it too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

_SAME = 4  # how near a step is that has the task, line, function and name of an event
_EVENT = re.compile(
    r"(?P<task>[^.]+)\.(?P<line>\d{1,6})(?:\.(?P<function>\w+)(?:\.(?P<step>\w+)(?:#(?P<time>[1-9]\d{0,5}))?)?)?"
)


class Happening(Protocol):
    """What a step of a trace has that an event names it by; `engine.Step` is one."""

    @property
    def n(self) -> int: ...  # noqa: D102
    @property
    def task(self) -> str: ...  # noqa: D102
    @property
    def line(self) -> int: ...  # noqa: D102
    @property
    def function(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Event:
    """A step by what happens in it, "A.2.do_no_page.set_pte": it means the same under another kernel.

    `line` is the 1-based script line of the task; `function` and `step` may be missing. "#2" behind it is the second
    `time` the same happens.
    """

    task: str
    line: int
    function: str = ""
    step: str = ""
    time: int = 1

    def __str__(self) -> str:
        """The event as an address has it."""
        again = f"#{self.time}" if self.time > 1 else ""
        return ".".join(part for part in (self.task, str(self.line), self.function, self.step) if part) + again

    @classmethod
    def parse(cls, text: str) -> Event | None:
        """The event that `text` spells, or None when it spells none."""
        match = _EVENT.fullmatch(text)
        if match is None:
            return None
        place = match["task"], int(match["line"]), match["function"] or "", match["step"] or ""
        return cls(*place, int(match["time"] or 1))

    def find(self, steps: Iterable[Happening]) -> int | None:
        """The number of the step that comes nearest to this event, the first of equals; None when none does.

        Nearest is the same step of the same function on the same script line (of several the `time`-th, or the last
        there is), then a step of this name in another function, then the same function, then the beginning of the line.
        """
        best, nearest, times = 0, None, 0
        for step in steps:
            if (step.task, step.line) != (self.task, self.line):
                continue
            nearness = 1 + (step.function == self.function) + 2 * (bool(self.step) and step.name == self.step)
            times += nearness == _SAME
            if nearness > best or (nearness == _SAME and times <= self.time):
                best, nearest = nearness, step.n
        return nearest
