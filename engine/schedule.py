"""Who runs when, written as preemptions: tasks run on until told otherwise.

    B.A,A@do_no_page.enough_space>B

says: B goes first, then A; and when A has done `enough_space` of `do_no_page` for the first time, B runs.
`#2` after the step means the second time. `A@3>B` says: when A has done its third script line, B runs. The same text
stands in scenarios, on command lines and in addresses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.errors import ScheduleError, short, suggestion
from engine.former import present

KERNEL_TASKS = ("pdflush", "kswapd", "disk")
"""Tasks of the kernel itself: no scenario may use their names, every schedule may."""

MAX_SWITCHES = 256
MAX_OCCURRENCE = 1000
MAX_TEXT = 8000

_PREEMPTION = re.compile(
    r"(?P<task>\w+)@(?:(?P<line>[1-9]\d{0,3})|(?P<function>\w+)\.(?P<step>\w+)(?:#(?P<occurrence>[1-9]\d{0,5}))?)"
    r">(?P<to>\w+)",
    re.ASCII,
)
_ORDER = re.compile(r"\w+(?:\.\w+)*", re.ASCII)
FORMS = (
    "An item is an order of tasks (B.A) or a preemption (A@do_no_page.enough_space>B, or A@3>B after A's line 3; "
    "behind the > may stand a call, as power_fails())"
)


@dataclass(frozen=True, slots=True)
class Preemption:
    """After `task` has done the step for the `occurrence`-th time, `to` runs.

    Without a function, `step` is the number of a script line, and `to` runs when that is done.
    """

    task: str
    function: str
    step: str
    occurrence: int = 1
    to: str = ""

    def __str__(self) -> str:
        """As it is written: "A@do_no_page.enough_space#2>B"."""
        times = f"#{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.point}{times}>{self.to}"

    @property
    def point(self) -> str:
        """The place alone: "A@do_no_page.enough_space"."""
        return f"{self.task}@{self.function}.{self.step}" if self.function else f"{self.task}@{self.step}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The order in which tasks are taken up, and the preemptions. Empty: as the scenario lists its tasks."""

    order: tuple[str, ...] = ()
    switches: tuple[Preemption, ...] = ()

    def __str__(self) -> str:
        """As text, which `parse_schedule` turns back into an equal schedule."""
        return ",".join(self.items())

    def items(self) -> Iterator[str]:
        """The order, if there is one, then each preemption."""
        if self.order:
            yield ".".join(self.order)
        for switch in self.switches:
            yield str(switch)

    def complete(self, tasks: Iterable[str]) -> tuple[str, ...]:
        """The order with the tasks it does not name put behind, as they come."""
        return (*self.order, *(task for task in tasks if task not in self.order))


def parse_schedule(
    text: str, *, tasks: Collection[str], steps: Mapping[str, Collection[str]] | None = None
) -> Schedule:
    """Read a schedule from its text: orders and preemptions with commas between.

    `tasks` are the scenario's; the kernel's own tasks may be named in preemptions. With `steps` ({function:
    its steps}) functions and steps are checked as well. Raises ScheduleError with the item, what is wrong and
    a cure.
    """
    if len(text) > MAX_TEXT:
        message = f"the schedule has {len(text)} characters, the limit is {MAX_TEXT}"
        raise ScheduleError(message, where="schedule", cure="Name fewer preemptions")
    return schedule_of([item for item in split(text) if text.strip()], tasks=tasks, steps=steps)


def split(text: str) -> list[str]:
    """The items of a schedule's text: commas part them, but for those between brackets, as in `A@3>take(g, 1)`."""
    items, depth = [""], 0
    for letter in text:
        depth = max(0, depth + (letter == "(") - (letter == ")"))
        if letter == "," and not depth:
            items.append("")
        else:
            items[-1] += letter
    return items


def schedule_of(
    items: Sequence[str], *, tasks: Collection[str], steps: Mapping[str, Collection[str]] | None = None
) -> Schedule:
    """Read a schedule from a list: task names (or orders) and preemptions, mixed."""
    order: list[str] = []
    switches: list[Preemption] = []
    for item in (item.strip() for item in items):
        if "@" in item or ">" in item:
            switches.append(_preemption(item, switches, tasks, steps))
        else:
            _order(item, order, tasks)
    return Schedule(tuple(order), tuple(switches))


def _order(item: str, order: list[str], tasks: Collection[str]) -> None:
    """Add the tasks of "B.A" to the order."""
    if not _ORDER.fullmatch(item):
        raise ScheduleError(f"{short(item)} is no part of a schedule", where="schedule", cure=FORMS)
    for name in item.split("."):
        if name in KERNEL_TASKS:
            cure = f"Name it in a preemption: A@do_no_page.set_pte>{name}"
            raise ScheduleError(f"{name} comes when there is work for it, not in an order", where=item, cure=cure)
        if name not in tasks:
            raise ScheduleError(f"there is no task {short(name)}", where=item, cure=suggestion(name, tasks))
        if name in order:
            raise ScheduleError(f"task {name} stands in the order twice", where=item, cure="Name each task once")
        order.append(name)


def _preemption(
    item: str, before: list[Preemption], tasks: Collection[str], steps: Mapping[str, Collection[str]] | None
) -> Preemption:
    match = _PREEMPTION.fullmatch(item)
    if match is None:
        cure = "Write it as A@do_no_page.enough_space>B, or #2>B for the second time"
        raise ScheduleError(f"{short(item, 80)} is not a preemption", where="schedule", cure=cure)
    occurrence = int(match["occurrence"] or 1)
    function, step = _as_now(match["function"] or "", match["step"] or match["line"], steps)
    switch = Preemption(match["task"], function, step, occurrence, match["to"])
    known = (*tasks, *KERNEL_TASKS)
    for name in (switch.task, switch.to):
        if name not in known:
            raise ScheduleError(f"there is no task {short(name)}", where=item, cure=suggestion(name, known))
    if switch.task == switch.to:
        raise ScheduleError("a task cannot preempt itself", where=item, cure="Name another task after the >")
    if occurrence > MAX_OCCURRENCE:
        raise ScheduleError(f"the limit of # is {MAX_OCCURRENCE}", where=item, cure="Choose an earlier time")
    if any((other.point, other.occurrence) == (switch.point, occurrence) for other in before):
        raise ScheduleError("two preemptions at one place", where=item, cure="Keep one, or write #2 for a later time")
    if len(before) >= MAX_SWITCHES:
        raise ScheduleError(f"more than {MAX_SWITCHES} preemptions", where=item, cure="Use fewer")
    _check_step(switch, steps)
    return switch


def _as_now(function: str, step: str, steps: Mapping[str, Collection[str]] | None) -> tuple[str, str]:
    """A step by its present name, where it has only a former one."""
    return present(function, step) if steps and function and step not in steps.get(function, ()) else (function, step)


def _check_step(switch: Preemption, steps: Mapping[str, Collection[str]] | None) -> None:
    """Refuse a function or step that this kernel has not."""
    if steps is None or not switch.function:
        return
    if switch.function not in steps:
        cure = suggestion(switch.function, steps)
        raise ScheduleError(f"there is no function {short(switch.function)}", where=str(switch), cure=cure)
    if switch.step not in steps[switch.function]:
        message = f"{switch.function} has no step {short(switch.step)}"
        raise ScheduleError(message, where=str(switch), cure=suggestion(switch.step, steps[switch.function]))
