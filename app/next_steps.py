"""Who can run now, what each would read and write, and who would wait for whom: as data, and for the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import Struct

from app.cast import Cast, cast_of
from app.runs import Run
from app.wire import Word
from app.wording import Names, brief, is_quiet, lock_name, name_of, names_in
from engine import find_kernel
from engine.ahead import Ahead, ahead

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
    """A task for the page: what it would do, in words."""

    task: str
    name: str
    does: str
    waits: str
    reads: str
    writes: str


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
        does = f"{each.function}, {each.step}" if each.function else "its next line"
        yield Choice(
            each.task,
            names.task(each.task),
            does,
            _waits(each, names),
            _listed([name_of(at, cast) for at in each.reads if not is_quiet(at)]),
            _listed([_write(cast, at, new) for at, _, new in each.writes if not is_quiet(at)]),
        )


def _write(cast: Cast, at: str, new: object) -> str:
    return f"{name_of(at, cast)} becomes {brief(at, new if isinstance(new, str | int | bool) else None)}"


def _waits(each: Ahead, names: Names) -> str:
    if each.waits_for is None:
        return ""
    lock = lock_name(each.waits_for, names) if each.waits_for else "something"
    holder = ", ".join(names.task(name.removesuffix(":r")) for name in each.holder.split(",")) if each.holder else ""
    return f"{lock}, which {holder} has" if holder else lock


def _listed(words: list[str]) -> str:
    shown, more = words[:MOST], len(words) - MOST
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
