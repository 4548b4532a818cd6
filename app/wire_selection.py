"""Selected steps, differences and histories as they go over the wire."""

from __future__ import annotations

from msgspec import Struct

from app import wire
from app.runs import Run
from app.selection import Wanted, difference, history, select
from app.wire import StepOut, Word


class StepsOut(Struct, kw_only=True, omit_defaults=True):
    """Steps that were asked for, in order, at most `limit` of them. `next` leads to those that follow, if any do."""

    run: str
    steps: int
    items: list[StepOut]
    links: dict[str, str]
    next: str | None = None


class DiffOut(Struct, kw_only=True):
    """What stands otherwise after step `after` than after step `before`: [cell, there, here]; null is not there."""

    run: str
    before: int
    after: int
    changes: list[tuple[str, Word, Word]]
    links: dict[str, str]


class WriteOut(Struct):
    """One write of a cell: at which step, by whom, and from what to what."""

    step: int
    event: str
    task: str
    function: str
    name: str
    caption: str
    old: Word
    new: Word


class ProvenanceOut(Struct, kw_only=True):
    """Where the value of a cell after a step comes from: every write of it up to there, the last one first.

    `initial` is what it was before the first step.
    """

    run: str
    cell: str
    step: int
    value: Word
    initial: Word
    writes: list[WriteOut]
    links: dict[str, str]


def page(run: Run, wanted: Wanted, limit: int) -> tuple[list[StepOut], int]:
    """The first `limit` steps that fit, and the number of the step to go on with; 0 when those were all."""
    found: list[StepOut] = []
    for step in select(run.trace, wanted):
        if len(found) == limit:
            return found, step.n
        found.append(wire.step(step))
    return found, 0


def diff(run: Run, before: int, after: int, touches: str) -> DiffOut:
    """The difference between two steps of a run."""
    link = run.order.link
    return DiffOut(
        run=run.order.id,
        before=before,
        after=after,
        changes=difference(run.trace, before, after, touches),
        links={"before": link.moment(before), "after": link.moment(after), "page": link.url(step=after)},
    )


def provenance(run: Run, cell: str, n: int) -> ProvenanceOut:
    """Where the value of a cell after step n comes from."""
    link = run.order.link
    writes = [
        WriteOut(step.n, step.event, step.task, step.function, step.name, step.caption, old, new)
        for step, old, new in history(run.trace, cell, n)
    ]
    around = {"step": link.moment(n), "page": link.url(step=writes[0].step if writes else 0)}
    return ProvenanceOut(
        run=run.order.id,
        cell=cell,
        step=n,
        value=run.trace.state_at(n).get(cell),
        initial=run.trace.initial.get(cell),
        writes=writes,
        links=around,
    )
