"""A run as the page shows it: what stays the same for all its steps (Stage), and one step of it (Moment).

A stage is worked out once a run and kept while there is room; it holds the derived cells, as far as they are told, and
the picture's places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import engine
from app import catalogue, forks, rail, runs, stories, timeline, zoom
from app.accounts import Stored
from app.cells import Value
from app.choices import Menus
from app.links import VOICES, Mode, RunLink
from app.moments import CHANGES, DEPTH, LOCKS
from app.payload import payload, shown
from app.scene import Directory, Scene, directories
from app.view import View, build_view, quotas_of
from app.wording import Names, names_in
from engine import FilesystemKind, FunctionSource, Kernel, Scenario, Step, Trace
from engine.fates import CLEAN_UNSAVED, LOST

KEPT, KEPT_STEPS = 6, 1_500
"""How many stages are kept, and how many steps they may have together, as many as a page carries; a step takes 5 KB."""
SIZES = ((1 << 20, "MiB"), (1 << 10, "KiB"), (1, "byte"))
NEAR = 100
"""How many steps the list of a long run has around the present one at first."""
MAX_STEPS = 1_500
"""Steps a page carries: more would be too much for a phone to load."""


class Happening(NamedTuple):
    """A line of the list of steps: who did what, and what was answered.

    `bad` is an answer that bodes ill, `mark` the worst fate that begins here; `opens` says that a journey does.
    """

    at: str
    n: str
    task: str
    hue: int
    name: str
    function: str
    answer: str
    bad: bool
    mark: str
    opens: bool


@dataclass(frozen=True)
class Stage:
    """Everything about a run that does not depend on the step."""

    scenario: Scenario
    kernel: Kernel
    trace: Trace
    view: View

    @cached_property
    def scene(self) -> Scene:
        """The places of the picture."""
        return self.view.cast.places

    @property
    def payload(self) -> str:
        """The JSON for the script, safe inside a script element. What is sent of it is kept elsewhere, packed."""
        return payload(self.trace, self.view)

    def state_at(self, n: int) -> dict[str, Value]:
        """The raw cells that are shown, and the view cells, after step n."""
        raw = {at: value for at, value in self.trace.state_at(n).items() if shown(at)}
        return {**raw, **self.view.state_at(n)}

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What has to be said of the run as a whole, and of functions that do what a kernel must not."""
        asleep = ((step.function, self.kernel.functions.get(step.function)) for step in self.trace.steps)
        said = {
            f"{name}: {kind.sleeps_atomic}": None for name, kind in asleep if kind is not None and kind.sleeps_atomic
        }
        return (*said, *self.trace.notes)

    # -- the picture ------------------------------------------------------------------------------------------------

    @cached_property
    def directories(self) -> tuple[Directory, ...]:
        """The entries above the lowest level that lead to the page tables in the picture."""
        form = self.view.cast.format
        return tuple(directories(self.scene.mappings, self.upper_levels, form.path))

    @cached_property
    def upper_levels(self) -> tuple[str, ...]:
        """The names of the levels above the page table, `pgd` first."""
        return tuple(level.name for level in self.view.cast.format.levels[:-1])

    # -- the kernel's side ------------------------------------------------------------------------------------------

    @cached_property
    def functions(self) -> tuple[FunctionSource, ...]:
        """The sources of the functions that the run passes, in order."""
        names = dict.fromkeys(step.function for step in self.trace.steps)
        return tuple(engine.source(self.kernel, name) for name in names if name in self.kernel.functions)

    @cached_property
    def tasks(self) -> tuple[dict[str, Any], ...]:
        """The processes with their scripts."""
        return tuple(self._tasks())

    def _tasks(self) -> Iterator[dict[str, Any]]:
        for place, (name, task) in enumerate(self.scenario.tasks.items()):
            cpu = place % self.scenario.machine.cpus if task.cpu is None else task.cpu
            kin = [f"thread of {task.thread_of}"] if task.thread_of else []
            kin += [f"child of {task.child_of}"] if task.child_of else []
            yield {
                "name": name,
                "hue": self.hue(name),
                "note": " · ".join([task.user, f"cpu {cpu}", *kin]),
                "lines": [{"n": line.number, "text": line.text} for line in self.scenario.lines(name)],
            }

    @cached_property
    def names(self) -> Names:
        """What this kernel calls tasks and locks."""
        return names_in(self.kernel)

    def called(self, task: str) -> str:
        """The name of a task that people know."""
        return self.names.task(task)

    def hue(self, name: str) -> int:
        """The colour of a task: its own, or that of all kernel threads."""
        return self.view.cast.hues.get(name, 0)

    # -- stores and steps -------------------------------------------------------------------------------------------

    @cached_property
    def stores(self) -> tuple[dict[str, Any], ...]:
        """The rows of the ledger."""
        gone = {store.id for store in self.trace.stores if store.fate in (LOST, CLEAN_UNSAVED)}
        return tuple(self._store(store, goes=store.id in gone) for store in self.view.stores)

    def _store(self, store: Stored, *, goes: bool) -> dict[str, Any]:
        page = store.start // self.view.cast.page_size
        return {
            "id": store.id,
            "task": store.task,
            "hue": self.hue(store.task),
            "text": self.scenario.lines(store.task)[store.line - 1].text.replace(" = ", "="),
            "place": f"page {page} of {store.file}" if store.file else "private memory",
            "goes": goes,
        }

    @cached_property
    def events(self) -> tuple[Happening, ...]:
        """The list of all steps."""
        before = [None, *self.view.journeys]
        return tuple(
            self._event(step, opens=now is not last)
            for step, last, now in zip(self.trace.steps, before, self.view.journeys, strict=False)
        )

    def _event(self, step: Step, *, opens: bool) -> Happening:
        answer = rail.shorten(step.answer) if step.answer else ""
        mark = step.fates[-1].new if step.fates else ""
        at, who, hue = f"step/{step.n}", self.called(step.task), self.hue(step.task)
        bad = answer.startswith(("never", "no: E"))
        return Happening(at, str(step.n), who, hue, step.name, step.function, answer, bad, mark, opens)

    @cached_property
    def lanes(self) -> tuple[timeline.Lane, ...]:
        """The lanes of the timeline."""
        return timeline.lanes(self.trace, self.scenario, self.view.runs, dict(self.view.cast.hues))

    @cached_property
    def marks(self) -> tuple[timeline.Mark, ...]:
        """The marks on them."""
        return timeline.marks(self.trace, self.lanes)


@dataclass(frozen=True)
class Moment:
    """A stage at one step, under the address that people came by."""

    stage: Stage
    link: RunLink
    step: int
    zoom: str = "step"

    depth, locks, changes, stations = DEPTH, LOCKS, CHANGES, rail.STATIONS

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

    @property
    def functions_now(self) -> list[FunctionSource]:
        """The source of the function that runs; none before the first step."""
        name, kernel = self.stage.trace.steps[self.step - 1].function if self.step else "", self.stage.kernel
        return [engine.source(kernel, name)] if name in kernel.functions else []

    @property
    def events_near(self) -> tuple[Happening, ...]:
        """The lines of the list of steps that are needed at first: of a long run those around the step."""
        start = max(0, min(self.step - NEAR, self.steps - 2 * NEAR))
        return self.stage.events[start : start + 2 * NEAR]

    def href(self, step: int) -> str:
        """The address of a step of this run."""
        return self.zoomed(self.zoom, step)

    def zoomed(self, by: str, step: int) -> str:
        """The address of a step of this run, from which one press goes as far as `by` says."""
        return self.link.url(step=max(0, min(step, self.steps)), zoom="" if by == "step" else by)

    @property
    def beside(self) -> tuple[int, int]:
        """The steps that the presses back and forward lead to; who predicts comes no further than a question."""
        stops = zoom.stops(self.zoom, self.stage.trace.steps, self.stage.view.journeys)
        before, after = zoom.beside(stops, self.step)
        asked = [each.step for each in self.stage.view.questions if self.step < each.step <= after]
        return before, max(asked[0] - 1, self.step + 1) if asked and self.link.mode.predict else after

    @property
    def self_url(self) -> str:
        """The address of the run without a step."""
        return self.link.url()

    @property
    def canonical(self) -> str:
        """The address of the run itself, however it is told."""
        return self.link.plain()

    @property
    def voice(self) -> str:
        """Who is told."""
        return self.link.mode.voice or VOICES[0]

    @property
    def place(self) -> stories.Place:
        """Where the step stands in the story."""
        return stories.Place(self.stage.view.beats, self.step)

    @property
    def as_written(self) -> Kernel | None:
        """The kernel on which the story is told that is written in the scenario; None where it is told here."""
        known = engine.gallery().get(self.link.scenario)
        if known is None or not known.beats or stories.is_at_home(self.trace, self.scenario, self.kernel):
            return None
        return catalogue.home(known)

    def story_href(self, step: int) -> str:
        """The address of a step of the story."""
        return self.link.told(replace(self.link.mode, story=True, predict=False)).url(step=step)

    @property
    def predict_href(self) -> str:
        """The address of this step with questions before the answers, or without them where there are."""
        mode = self.link.mode
        return self.link.told(replace(mode, story=False, predict=not mode.predict)).url(step=self.step)

    @property
    def free_href(self) -> str:
        """The address of this step, played freely."""
        return self.link.told(self.link.mode.free()).url(step=self.step)

    @cached_property
    def next_story(self) -> Scenario | None:
        """The scenario of the gallery that comes after this one; none for the last, and for one that is not there."""
        names = list(engine.gallery())
        after = names.index(self.stage.scenario.id) + 1 if self.is_gallery else len(names)
        return engine.gallery()[names[after]] if after < len(names) else None

    def href_to(self, voice: str) -> str:
        """The address of this step, told to another."""
        return self.link.told(replace(self.link.mode, voice=voice)).url(step=self.step)

    @property
    def is_gallery(self) -> bool:
        """Whether the gallery has this scenario, so that there is a page about it."""
        return engine.gallery().get(self.stage.scenario.id) == self.stage.scenario

    @cached_property
    def menus(self) -> Menus:
        """What else there is to choose."""
        return Menus(self.stage.scenario, self.stage.kernel, self.link, self.event)

    @property
    def offers(self) -> dict[str, list[forks.Offer]]:
        """What may happen from here, in groups."""
        return forks.offers(self.stage.scenario)

    @property
    def on_call(self) -> list[str]:
        """The tasks in whose steps nothing else can happen: what was asked for is going on."""
        return forks.on_call(self.stage.scenario)

    @property
    def done(self) -> int:
        """The next step of a task that was not called; 0 where none comes any more."""
        return next((step.n for step in self.trace.steps[self.step :] if step.task not in self.on_call), 0)

    @property
    def kind(self) -> FilesystemKind:
        """The filesystem."""
        return engine.FILESYSTEMS[self.stage.scenario.filesystem.type]

    @property
    def home(self) -> str:
        """What the last column is: the disk, the server's, or none."""
        return {"disk": "Disk", "memory": "No disk", "server": "Server"}[self.stage.view.cast.home]

    @property
    def told(self) -> tuple[str, ...]:
        """The files of which an error is noted at some step."""
        return self.stage.view.cast.errors

    @property
    def block_text(self) -> str:
        """The size of its blocks."""
        return size_text(self.stage.scenario.filesystem.block_size)

    @property
    def blocks(self) -> tuple[int, ...]:
        """The blocks of the bitmap that are shown."""
        return self.stage.view.cast.blocks

    @property
    def lru(self) -> int:
        """How many places the list that reclaim scans has on the page."""
        return self.stage.view.cast.lru

    @property
    def long(self) -> Mapping[str, int]:
        """The files whose pages are summed up, and how many pages of each."""
        return self.stage.view.cast.long

    @property
    def quotas(self) -> dict[str, int]:
        """The users with a quota, and the segments of its gauge."""
        return quotas_of(self.stage.scenario, self.stage.trace)


def landing(stage: Stage, mode: Mode, step: int) -> int:
    """Where who comes for what happens at a step begins: at the beat of a story, and before a question."""
    if mode.story:
        place = stories.Place(stage.view.beats, step)
        return place.beats[place.number].step
    return step - (mode.predict and any(each.step == step for each in stage.view.questions))


_stages: runs.Shelf[Stage] = runs.Shelf(KEPT, KEPT_STEPS, lambda stage: len(stage.trace.steps))


def stage_of(run: runs.Run) -> Stage:
    """The stage of a run, from the shelf if it is there."""
    stage = _stages.get(run.order.id)
    if stage is None:
        stage = make_stage(run)
        _stages.put(run.order.id, stage)
    return stage


def make_stage(run: runs.Run) -> Stage:
    """Work out the stage of a run."""
    order, trace = run.order, run.trace
    kernel = engine.find_kernel(order.kernel)
    if len(trace.steps) > MAX_STEPS:
        note = f"The run has {len(trace.steps)} steps. The picture shows the first {MAX_STEPS}; its data has them all."
        trace = replace(trace, steps=trace.steps[:MAX_STEPS], notes=(*trace.notes, note))
    return Stage(order.scenario, kernel, trace, build_view(trace, order.scenario, kernel))


def size_text(size: int) -> str:
    """`4 KiB`."""
    unit, name = next((unit, name) for unit, name in SIZES if size >= unit)
    return f"{size // unit} {name}"
