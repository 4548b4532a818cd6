"""What comes of a run, for who has just written it: the outcome, the stores, the calls, and some pictures. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app import stories, strip, text, theatre
from app.runs import Run
from app.templating import Cells
from engine import Limits, StoreInfo


@dataclass(frozen=True, slots=True)
class Call:
    """A script line and what it answered; "ok" where it answered 0."""

    task: str
    line: int
    text: str
    answer: str


@dataclass(frozen=True)
class Frame:
    """A picture of the run: the step it shows, and how it stands."""

    number: int
    moment: theatre.Moment
    cells: Cells


@dataclass(frozen=True)
class Result:
    """All that is shown of a run. `more` pictures are left out; `transcript` is the run as text."""

    run: Run
    outcome: str
    sentence: str
    stores: tuple[StoreInfo, ...]
    texts: Mapping[str, str]
    calls: tuple[Call, ...]
    frames: tuple[Frame, ...]
    more: int
    stage: theatre.Stage
    transcript: str


def of_run(run: Run, pictures: int, _limits: Limits) -> Result:
    """The result of a run, with so many pictures at most."""
    trace, scenario = run.trace, run.order.scenario
    stage = theatre.stage_of(run)
    steps, more = strip.frames(stage.trace.steps, stage.view.journeys)
    shown = sorted(sorted(steps, key=lambda n: _weight(run, n), reverse=True)[:pictures])
    frames = tuple(
        Frame(number, theatre.Moment(stage, run.order.link, step), Cells(stage.state_at(step)))
        for number, step in enumerate(shown, 1)
    )
    return Result(
        run,
        trace.outcome,
        stories.OUTCOMES.get(trace.outcome, ""),
        trace.stores,
        {store.id: scenario.tasks[store.task].script[store.line - 1] for store in trace.stores},
        tuple(_calls(run)),
        frames,
        more + len(steps) - len(shown),
        stage,
        text.transcript(run, voice=""),
    )


def _weight(run: Run, n: int) -> tuple[int, int]:
    """How much a picture tells: what decides over a store goes first, then what comes early."""
    fates = run.trace.steps[n - 1].fates
    return sum(2 if change.new in strip.GRAVE else 1 for change in fates), -n


def _calls(run: Run) -> Iterator[Call]:
    final = run.trace.state_at(len(run.trace.steps))
    for task, spec in run.order.scenario.tasks.items():
        for line, said in enumerate(spec.script, 1):
            result = final.get(f"line/{task}.{line}.result")
            answer = "not reached" if result is None else "ok" if result == "0" else str(result)
            yield Call(task, line, said, answer)
