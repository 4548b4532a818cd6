"""What goes over the wire: request bodies in (pydantic), answers out (msgspec). Nothing here computes a run.

`summary` is the one model of a run that the API, the command line and exports share.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Annotated, Any

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.config import JsonDict

import engine
from app import disk, links
from app.orders import DEFAULT_KERNEL, Order
from app.runs import Run
from engine import Breach, FateChange, Scenario, Step, Trace

EXAMPLE: JsonDict = {"scenario": "mail", "kernel": DEFAULT_KERNEL}
EXAMPLE_INLINE: JsonDict = {
    "scenario": {
        "title": "One page too many",
        "filesystem": {"blocks": 1},
        "files": {"f": {"owner": "alice", "size": "2P"}},
        "tasks": {
            "A": {
                "user": "alice",
                "script": ["m = mmap(f, 2P, READ|WRITE, SHARED)", 'm[0] = "C"', 'm[1P] = "D"', "msync(m, SYNC)"],
            }
        },
    },
    "kernel": DEFAULT_KERNEL,
}

Word = int | str | bool | None
"""The wire form of a cell's value."""


class RunIn(BaseModel):
    """What determines a run. Only the scenario is needed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE, EXAMPLE_INLINE]})

    scenario: Annotated[
        str | dict[str, Any],
        Field(description="the name of a gallery scenario, a scenario as an object, or its YAML text"),
    ]
    kernel: Annotated[
        str,
        Field(description=f"one of /api/v1/kernels; left out, the scenario's own or {DEFAULT_KERNEL}", max_length=100),
    ] = ""
    filesystem: Annotated[
        str | None, Field(description="a filesystem in place of the scenario's own", max_length=100)
    ] = None
    schedule: Annotated[
        str | list[str] | None,
        Field(description='who runs when, as a text or a list of texts: "B.A,A@do_no_page.enough_space>B"'),
    ] = None
    watch: Annotated[
        StrictBool, Field(description="say at which step which invariant broke; kernels with defects always say")
    ] = False


FIELDS = tuple(RunIn.model_fields)
EXAMPLES = {
    "gallery": {"summary": "a scenario of the gallery", "value": EXAMPLE},
    "inline": {"summary": "a scenario of one's own", "value": EXAMPLE_INLINE},
}


class ChangeOut(Struct):
    """A step at which the fate of a store changed, and why."""

    step: int
    fate: str
    why: str


class StoreOut(Struct):
    """One write by a program, followed to its fate.

    `start` and `stop` are bytes of `file` (of the address space where that is null), `accepted` how many were taken,
    `refused` why the others were not, `told` the call that said so when it was lost.
    """

    store: str
    task: str
    line: int
    op: str
    file: str | None
    start: int
    stop: int
    accepted: int
    refused: str | None
    fate: str
    told: str | None
    changes: list[ChangeOut]


class CallOut(Struct):
    """A line of a script: what it came to, or null when it was not reached."""

    task: str
    line: int
    op: str
    result: str | None


class FileOut(Struct):
    """What a power cut at the end would leave of a file: its bytes, page by page. A page that is missing is a hole."""

    size: int
    pages: dict[str, str]


class StepOut(Struct, omit_defaults=True):
    """One step: who did what, what it read and wrote. A write is [cell, old, new]; null is a cell that is not there.

    `derived` are the cells that follow from the writes: fates of stores, who was told, who waits for what.
    """

    n: int
    task: str
    function: str
    name: str
    line: int
    event: str
    caption: str
    answer: str | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[tuple[str, Word, Word], ...] = ()
    derived: tuple[tuple[str, Word, Word], ...] = ()
    fates: tuple[FateChange, ...] = ()


class RunOut(Struct, omit_defaults=True, kw_only=True):
    """A run. `initial` and `trace` are there when they were asked for, `violations` when invariants were watched."""

    run: str
    id: str
    url: str
    scenario: str
    title: str
    kernel: str
    filesystem: str
    schedule: str
    edition: int
    steps: int
    outcome: str
    complete: bool
    notes: list[str]
    stores: list[StoreOut]
    calls: list[CallOut]
    disk: dict[str, FileOut]
    links: dict[str, str]
    violations: tuple[Breach, ...] | None = None
    initial: dict[str, Word] | None = None
    trace: list[StepOut] | None = None


class MomentOut(Struct, omit_defaults=True, kw_only=True):
    """One step of a run, and every cell as it is after it. Step 0 is the beginning, where nothing was done."""

    run: str
    step: int
    steps: int
    did: StepOut | None = None
    cells: dict[str, Word]
    links: dict[str, str]


class LinkOut(Struct, omit_defaults=True, kw_only=True):
    """A short link and what it leads to. `secret` is there once, for who made it: it deletes the link."""

    id: str
    url: str
    scenario: str
    title: str
    kernel: str
    filesystem: str
    schedule: str
    edition: int
    secret: str = ""


def version() -> str:
    """The version of this Pagefate."""
    return metadata.version("pagefate")


def summary(run: Run, *, trace: bool = False) -> RunOut:
    """The answer about a run; with `trace`, every step of it."""
    order, found = run.order, run.trace
    final = found.state_at(len(found.steps))
    scenario = order.scenario
    return RunOut(
        run=order.id,
        id=order.id,
        url=order.link.url(),
        **_determined(order),
        steps=len(found.steps),
        outcome=found.outcome,
        complete=found.complete,
        notes=list(found.notes),
        stores=_stores(found, scenario),
        calls=_calls(scenario, final),
        disk=_disk(scenario, final),
        links=_links(order),
        violations=found.violations,
        initial=found.initial if trace else None,
        trace=[step(each) for each in found.steps] if trace else None,
    )


def step(each: Step) -> StepOut:
    """One step."""
    return StepOut(
        n=each.n,
        task=each.task,
        function=each.function,
        name=each.name,
        line=each.line,
        event=each.event,
        caption=each.caption,
        answer=each.answer,
        reads=each.reads,
        writes=each.writes,
        derived=each.derived,
        fates=each.fates,
    )


def moment(run: Run, n: int) -> MomentOut:
    """Step `n` of a run, 0 to the number of steps, and the state after it."""
    steps, link = run.trace.steps, run.order.link
    around = {"self": link.moment(n), "page": link.url(step=n), "run": link.api()}
    if n > 0:
        around["prev"] = link.moment(n - 1)
    if n < len(steps):
        around["next"] = link.moment(n + 1)
    return MomentOut(
        run=run.order.id,
        step=n,
        steps=len(steps),
        did=step(steps[n - 1]) if n else None,
        cells={at: value for at, value in run.trace.state_at(n).items() if value is not None},
        links=around,
    )


def link(order: Order, link_id: str, *, secret: str = "") -> LinkOut:
    """A short link; with the secret for its maker."""
    return LinkOut(
        id=link_id,
        url=links.short(link_id),
        secret=secret,
        **_determined(order),
    )


def _determined(order: Order) -> dict[str, Any]:
    """What determines a run, and what people call it: runs and links say it alike."""
    return {
        "scenario": order.scenario.id,
        "title": order.scenario.title,
        "kernel": order.kernel,
        "filesystem": order.scenario.filesystem.type,
        "schedule": schedule(order),
        "edition": order.edition,
    }


def schedule(order: Order) -> str:
    """Who runs when, as text: the order's schedule, or the scenario's own."""
    return engine.spelt(order.scenario, order.schedule or order.scenario.default_schedule())


def _stores(trace: Trace, scenario: Scenario) -> list[StoreOut]:
    changes: dict[str, list[ChangeOut]] = {store.id: [] for store in trace.stores}
    for each in trace.steps:
        for change in each.fates:
            changes[change.store].append(ChangeOut(each.n, change.new, change.why))
    return [
        StoreOut(
            store=store.id,
            task=store.task,
            line=store.line,
            op=scenario.tasks[store.task].script[store.line - 1],
            file=store.file,
            start=store.start,
            stop=store.stop,
            accepted=store.accepted,
            refused=store.refused,
            fate=store.fate,
            told=store.told,
            changes=changes[store.id],
        )
        for store in trace.stores
    ]


def _calls(scenario: Scenario, final: Mapping[str, Word]) -> list[CallOut]:
    return [
        CallOut(task, line, op, _result(final.get(f"line/{task}.{line}.result")))
        for task, spec in scenario.tasks.items()
        for line, op in enumerate(spec.script, 1)
    ]


def _result(result: Word) -> str | None:
    return None if result is None else "ok" if result == "0" else str(result)


def _disk(scenario: Scenario, final: Mapping[str, Word]) -> dict[str, FileOut]:
    return {
        file: FileOut(
            disk.size_on_disk(final, file),
            {str(index): text for index, text in disk.pages_on_disk(final, scenario, file).items()},
        )
        for file in scenario.files
    }


def _links(order: Order) -> dict[str, str]:
    found = order.link
    around = {"page": found.url(), "trace": found.api(), "text": found.url(suffix=".txt"), "first": found.moment(1)}
    return around | {"kernel": links.api("kernels", order.kernel)}
