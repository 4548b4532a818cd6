"""A run as the page shows it: what stays the same for all its steps (Stage), and one step of it (Moment).

A stage is worked out once a run and kept while there is room; it holds the derived cells, the picture's places, and the
JSON that the page carries for its script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import engine
from app import rail
from app.accounts import Stored
from app.cells import Value
from app.links import RunLink
from app.moments import CHANGES, DEPTH, LOCKS, Run
from app.payload import payload, shown
from app.scene import PGD, PTE, Scene
from app.view import View, build_view, quotas_of
from engine import Kernel, Limits, Scenario, Trace

KEPT = 64
OUTCOMES = {
    "kept": "kept",
    "refused": "refused, nothing lost",
    "lost-told": "lost, and told",
    "lost-silent": "lost in silence",
    "lost-lied": "lost behind a 0",
    "lost-unsynced": "lost with the power",
    "open": "not all on disk",
    "broken": "breaks copy-on-write",
}
SIZES = ((1 << 20, "MiB"), (1 << 10, "KiB"), (1, "byte"))
DIAMOND, TRIANGLE, SQUARE, CIRCLE = "M0-6 6 0 0 6-6 0Z", "M0-6 6.5 5h-13Z", "M-5-5H5V5H-5Z", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z"
CROSS = "M-7-4-4-7 0-3 4-7 7-4 3 0 7 4 4 7 0 3-4 7-7 4-3 0Z"
MARKS = {
    "at-risk": TRIANGLE, "clean-unsaved": DIAMOND, "lost": CROSS, "leaked": CROSS, "refused": SQUARE, "durable": CIRCLE,
}  # fmt: skip
LABELLED = {"clean-unsaved": "not on disk", "lost": "lost", "leaked": "in a file", "refused": "refused"}
CROWDED = 0.13
"""Labels nearer to each other than this part of the timeline would overlap."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A scenario or kernel to choose, and where it is; `href_here` keeps the meaning of the step."""

    title: str
    story: str
    href: str
    href_here: str
    current: bool


@dataclass(frozen=True, slots=True)
class Other:
    """What comes of the same script on one kernel."""

    title: str
    line: str
    word: str
    outcome: str
    href: str
    href_here: str
    current: bool


@dataclass(frozen=True)
class Stage:
    """Everything about a run that does not depend on the step."""

    scenario: Scenario
    kernel: Kernel
    trace: Trace
    view: View
    results: Mapping[str, tuple[str, str]]

    @cached_property
    def scene(self) -> Scene:
        """The places of the picture."""
        return self.view.cast.places

    @cached_property
    def payload(self) -> str:
        """The JSON for the script, safe inside a script element."""
        return payload(self.trace, self.view)

    def state_at(self, n: int) -> dict[str, Value]:
        """The raw cells that are shown, and the view cells, after step n."""
        raw = {at: value for at, value in self.trace.state_at(n).items() if shown(at)}
        return {**raw, **self.view.state_at(n)}

    @cached_property
    def pgds(self) -> tuple[dict[str, Any], ...]:
        """The page directory entries that lead to the tables in the picture, with the line down to the table."""
        return tuple(self._pgds())

    def _pgds(self) -> Iterator[dict[str, Any]]:
        for band in self.scene.mappings:
            slots = {int(row.key, 16) // 1024: row.y for row in reversed(band.rows)}
            for slot, y in slots.items():
                top = band.y + 14 - (y - PGD.tile_height / 2)
                x, to = PGD.tile_width, PTE.x - PGD.tile_x
                bend = f"M{x} {PGD.tile_height / 2:g}C{x + 14:g} {PGD.tile_height / 2:g} {x + 4:g} {top:g} {to:g} {top:g}"
                yield {"at": f"table/{band.key}/{slot}", "label": str(slot), "y": y, "d": bend}

    @cached_property
    def functions(self) -> tuple[Any, ...]:
        """The sources of the functions that the run passes, in order."""
        names = dict.fromkeys(step.function for step in self.trace.steps)
        return tuple(engine.source(self.kernel, name) for name in names if name in self.kernel.functions)

    @property
    def tasks(self) -> Iterator[dict[str, Any]]:
        """The processes with their scripts."""
        for place, (name, task) in enumerate(self.scenario.tasks.items()):
            cpu = place % self.scenario.machine.cpus if task.cpu is None else task.cpu
            kin = f" · thread of {task.thread_of}" if task.thread_of else f" · child of {task.child_of}" if task.child_of else ""
            yield {
                "name": name,
                "hue": self.hue(name),
                "note": f"{task.user} · cpu {cpu}{kin}",
                "lines": [{"n": line.number, "text": line.text} for line in self.scenario.lines(name)],
            }

    def hue(self, name: str) -> int:
        """The colour of a task: its own, or that of all kernel threads."""
        return self.view.cast.hues.get(name, 0)

    @cached_property
    def stores(self) -> tuple[dict[str, Any], ...]:
        """The rows of the ledger."""
        return tuple(
            {
                "id": store.id, "task": store.task, "hue": self.hue(store.task), "text": self._store_text(store),
                "place": f"page {store.start // self.view.cast.page_size} of {store.file}" if store.file else "private memory",
            }
            for store in self.view.stores
        )  # fmt: skip

    def _store_text(self, store: Stored) -> str:
        return self.scenario.lines(store.task)[store.line - 1].text.replace(" = ", "=")

    @cached_property
    def events(self) -> tuple[dict[str, Any], ...]:
        """The list of all steps; `mark` is the worst fate that begins there, `opens` the start of a journey."""
        before: rail.Journey | None = None
        found = []
        for step in self.trace.steps:
            journey = self.view.journeys[step.n - 1]
            found.append(
                {
                    "n": step.n, "task": step.task, "hue": self.hue(step.task), "name": step.name, "function": step.function,
                    "answer": rail.shorten(step.answer) if step.answer else "",
                    "mark": step.fates[-1].new if step.fates else "", "opens": journey is not before,
                }
            )  # fmt: skip
            before = journey
        return tuple(found)

    # -- time -------------------------------------------------------------------------------------------------------

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The stretches of the timeline."""
        return self.view.runs

    @cached_property
    def lanes(self) -> tuple[dict[str, Any], ...]:
        """A lane for every task that runs, with its stretches in per cent of the time."""
        total = max(1, len(self.trace.steps))
        names = [name for name in (*self.scenario.tasks, *engine.KERNEL_TASKS) if any(run.task == name for run in self.runs)]
        return tuple(
            {
                "name": name,
                "hue": self.hue(name),
                "segments": [
                    {"key": run.key, "x": _percent(run.first - 1, total), "width": _percent(run.last - run.first + 1, total)}
                    for run in self.runs
                    if run.task == name
                ],
            }
            for name in names
        )

    @cached_property
    def marks(self) -> tuple[dict[str, Any], ...]:
        """The moments at which a fate changes; of labels that would lie over each other the later, graver one stays."""
        rows = [lane["name"] for lane in self.lanes]
        found: list[dict[str, Any]] = []
        said: dict[str, Any] | None = None
        for step in self.trace.steps:
            change = next((change for change in reversed(step.fates) if change.new in MARKS), None)
            if change is None:
                continue
            mark = self._mark(step, change, rows.index(step.task))
            if said and mark["label"] and step.n - said["n"] < len(self.trace.steps) * CROWDED:
                (mark if change.new == said["fate"] else said)["label"] = ""
            said = mark if mark["label"] else said
            found.append(mark)
        return tuple(found)

    def _mark(self, step: Any, change: Any, lane: int) -> dict[str, Any]:
        total = len(self.trace.steps)
        return {
            "n": step.n,
            "x": _percent(step.n, total),
            "lane": lane,
            "fate": change.new,
            "path": MARKS[change.new],
            "title": f"{change.store}: {change.new}",
            "left": step.n > total * (1 - CROWDED),
            "label": f"{change.store} {LABELLED[change.new]}" if change.new in LABELLED else "",
        }


@dataclass(frozen=True)
class Moment:
    """A stage at one step, under the address that people came by."""

    stage: Stage
    link: RunLink
    step: int

    def __getattr__(self, name: str) -> Any:
        """What does not depend on the step is the stage's."""
        return getattr(self.stage, name)

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.stage.trace.steps)

    @property
    def event(self) -> str:
        """The name of the step in links; empty at the beginning."""
        return self.stage.trace.steps[self.step - 1].event if self.step else ""

    def href(self, step: int) -> str:
        """The address of a step of this run."""
        return self.link.url(step=max(0, min(step, self.steps)))

    @property
    def self_url(self) -> str:
        """The address of the run without a step."""
        return self.link.url()

    @property
    def scenarios(self) -> Iterator[Choice]:
        """The gallery, each under this kernel."""
        for name, scenario in engine.gallery().items():
            href = RunLink(name, self.stage.kernel.id).url()
            yield Choice(scenario.title, scenario.story, href, href, scenario == self.stage.scenario)

    @property
    def kernels(self) -> Iterator[Choice]:
        """The kernels, each with this scenario."""
        for name, kernel in engine.KERNELS.items():
            there = self.link.under(name)
            here = there.url(at=self.event)
            yield Choice(kernel.title, kernel.story, there.url(), here, name == self.stage.kernel.id)

    @property
    def others(self) -> Iterator[Other]:
        """What comes of the same script on each kernel."""
        for choice, (name, (outcome, line)) in zip(self.kernels, self.stage.results.items(), strict=True):
            kernel = engine.KERNELS[name]
            yield Other(kernel.short, line, OUTCOMES.get(outcome, outcome), outcome, choice.href, choice.href_here, choice.current)

    filesystem = property(lambda self: self.stage.scenario.filesystem.type)
    block_text = property(lambda self: size_text(self.stage.scenario.filesystem.block_size))
    blocks = property(lambda self: self.stage.view.cast.blocks)
    quotas = property(lambda self: quotas_of(self.stage.scenario, self.stage.trace))
    stations = property(lambda self: rail.STATIONS)
    depth, locks, changes = DEPTH, LOCKS, CHANGES


def stage_of(run: Any) -> Stage:
    """The stage of a run (app.runs.Run), from the shelf if it is there."""
    key = run.order.id
    stage = _SHELF.pop(key, None) or _stage(run)
    _SHELF[key] = stage
    while len(_SHELF) > KEPT:
        del _SHELF[next(iter(_SHELF))]
    return stage


_SHELF: dict[str, Stage] = {}


def _stage(run: Any) -> Stage:
    order = run.order
    kernel = engine.KERNELS[order.kernel]
    view = build_view(run.trace, order.scenario, kernel)
    return Stage(order.scenario, kernel, run.trace, view, dict(_results(run)))


def _results(run: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """(outcome, what happens at the question) of the same script on every kernel."""
    for name in engine.KERNELS:
        try:
            same = name == run.order.kernel
            trace = run.trace if same else engine.run(run.order.scenario, name, run.order.schedule, Limits())
        except engine.EngineError as error:
            yield name, ("open", str(error))
            continue
        leaked = any(store.fate == "leaked" for store in trace.stores)
        yield name, ("broken" if leaked else trace.outcome, _question(trace))


def _question(trace: Trace) -> str:
    """What enough_space answered in a run, worst answer first."""
    answers = [step.answer for step in trace.steps if step.name == "enough_space" or step.function == "enough_space"]
    said = [answer for answer in answers if answer]
    for start in ("no:", "never", "raced", "yes"):
        found = next((answer for answer in said if answer.startswith(start)), None)
        if found:
            return f"enough_space? {found}"
    return "enough_space? nothing to ask" if said else "no fault asks"


def size_text(size: int) -> str:
    """`4 KiB`."""
    unit, name = next((unit, name) for unit, name in SIZES if size >= unit)
    return f"{size // unit} {name}"


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.3f}".rstrip("0").rstrip(".")


