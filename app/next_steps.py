"""Who can run now, what each would read and write, and who would wait for whom: as data, and for the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from app.cast import Cast, cast_of
from app.forks import on_call
from app.runs import Run
from app.wire import Word
from app.wording import Names, brief, is_quiet, lock_name, name_of, names_in
from engine import find_kernel
from engine.ahead import Ahead, ahead
from engine.objects.locks import LOCK_ORDER

MOST = 4
"""So many cells are named for each task; of the others the number is said."""


class NextOut(Struct):
    """What a task would do next. `waits_for` is the cell that it lacks, null when it can run; `holder` who has it."""

    task: str
    function: str
    step: str
    can_run: bool
    reads: list[str]
    writes: list[tuple[str, Word, Word]]
    waits_for: str | None
    holder: str | None


class NextStepsOut(Struct):
    """What may come after a step."""

    run: str
    step: int
    tasks: list[NextOut]
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A task for the page: what it would do, in words; `lets` says how it is let run.

    "next": it runs next in this run; "fork": a click lets it; empty: it cannot, or nothing else can happen now.
    """

    task: str
    name: str
    does: str
    waits: str
    reads: str
    writes: str
    lets: str


def after(run: Run, step: int) -> tuple[Ahead, ...]:
    """What may come after a step of a run."""
    return ahead(run.order.scenario, run.order.kernel, run.trace.schedule, step)


def told(run: Run, step: int) -> NextStepsOut:
    """As the API gives it."""
    tasks = [
        NextOut(
            each.task, each.function, each.step, each.can_run, list(each.reads),
            list(each.writes), each.waits_for, each.holder,
        )
        for each in after(run, step)
    ]  # fmt: skip
    link = run.order.link
    return NextStepsOut(run.order.id, step, tasks, {"step": link.moment(step), "page": link.url(step=step)})


def choices(run: Run, step: int) -> Iterator[Choice]:
    """For the page: the tasks of the scenario and the kernel's, but for those on call."""
    names, cast = names_in(find_kernel(run.order.kernel)), cast_of(run.trace, run.order.scenario)
    tasks = run.order.scenario.tasks
    for each in after(run, step):
        if each.task in tasks and tasks[each.task].on_call:
            continue
        yield Choice(
            each.task,
            names.task(each.task),
            f"{each.function}, {each.step}" if each.function else "its next line",
            _waits(each, names),
            _listed([name_of(at, cast) for at in _telling(each.reads) if not _is_lock(at)]),
            _listed([_write(cast, names, write) for write in each.writes if not _OWN.match(write[0])]),
            _lets(run, step, each),
        )


_OWN = re.compile(
    r"(task/[^.]+\.(stack|line|locks|state|maj_flt|min_flt)|mm/[^.]+\.dying|oracle/.*|machine\..*|store/.*)$"
)
"""The cells of a task's own book-keeping, and what no kernel knows: they are not worth a word."""
_LOCKS = tuple(f".{lock}" for lock, _ in LOCK_ORDER)


def _is_lock(at: str) -> bool:
    return at.endswith(_LOCKS)


def _telling(cells: Iterable[str]) -> list[str]:
    """The cells that are worth a word, those that the page tells elsewhere last."""
    return sorted((at for at in cells if not _OWN.match(at)), key=is_quiet)


def _lets(run: Run, step: int, each: Ahead) -> str:
    """How a task is let run after a step."""
    steps = run.trace.steps
    if not each.can_run:
        return ""
    if step < len(steps) and steps[step].task == each.task:
        return "next"
    if step == 0:
        return "fork" if each.task in run.order.scenario.tasks else ""
    return "" if steps[step - 1].task in on_call(run.order.scenario) else "fork"


def _write(cast: Cast, names: Names, write: tuple[str, Any, Any]) -> str:
    """What becomes of a cell; of a lock, a call and a thread that is woken, what that means."""
    at, _, new = write
    if _is_lock(at):
        return f"{'lets go of' if new is None else 'takes'} {lock_name(at, names)}"
    entity, _, field = at.rpartition(".")
    if field == "wanted":
        return f"{'wakes' if new else 'is done as'} {names.task(entity.removeprefix('task/'))}"
    if field == "result":
        return f"the call returns {new}"
    return f"{name_of(at, cast)} becomes {brief(at, new if isinstance(new, str | int | bool) else None) or 'nothing'}"


def _waits(each: Ahead, names: Names) -> str:
    """What a task lacks, and who has it."""
    if each.waits_for is None:
        return ""
    if each.waits_for.endswith(".wanted"):
        return f"{names.task(each.waits_for[len('task/') : -len('.wanted')])} to have done its work"
    lock = lock_name(each.waits_for, names) if each.waits_for else "something"
    holder = ", ".join(names.task(name.removesuffix(":r")) for name in each.holder.split(",")) if each.holder else ""
    return f"{lock}, which {holder} has" if holder else lock


def _listed(words: list[str]) -> str:
    shown, more = words[:MOST], len(words) - MOST
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
