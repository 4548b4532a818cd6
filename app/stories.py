"""The story of a run: a few telling steps, and what is said at each. Written by hand in the scenario, else made here.

A hand-written story belongs to the run that its scenario is about: its own kernel, filesystem and schedule. Any other
run gets one that is made from its trace: where a fault begins, what is answered to the question for room, what becomes
writable, how fates change, what calls answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import engine
from app import catalogue
from app.stations import asks
from app.wording import fate_sentence
from engine import Kernel, Scenario, Step, Trace
from engine.beats import END, START

MOST = 14
"""How many beats a story that is made here has at most: so many can be read in about a minute."""
OUTCOMES: Mapping[str, str] = {
    "kept": "Everything that was accepted is where it belongs.",
    "refused": "What there was no room for was refused in time. Nothing that was accepted is lost.",
    "lost-told": "Data is lost, and somebody was told.",
    "lost-silent": "Data is lost, and nobody was told.",
    "lost-lied": "Data is lost, although a call had said that all is well.",
    "lost-unsynced": "Data is lost with the power. Nobody had promised to keep it.",
    "open": "Nothing is lost yet, and not everything is on the disk.",
}
"""What came of a run, in a sentence."""
FATE, RESULT, GATE, ENTRY, FAULT = 4, 3, 2, 1, 0


@dataclass(frozen=True, slots=True)
class Beat:
    """A moment of the story: after which step (0: before the first), and what is said."""

    step: int
    say: str


def story_of(trace: Trace, scenario: Scenario, kernel: Kernel, sentences: Sequence[str]) -> tuple[Beat, ...]:
    """The beats of a run, in order. `sentences` are those of its steps."""
    own = tuple(_written(trace, scenario)) if is_at_home(trace, scenario, kernel) else ()
    return own or tuple(_made(trace, scenario, sentences))


def is_at_home(trace: Trace, scenario: Scenario, kernel: Kernel) -> bool:
    """Whether this is the run that the scenario's own story tells."""
    known = engine.gallery().get(scenario.id)
    same = known is None or known.filesystem == scenario.filesystem
    return same and kernel is catalogue.home(scenario) and trace.schedule == scenario.default_schedule()


def _written(trace: Trace, scenario: Scenario) -> Iterator[Beat]:
    """The beats that stand in the scenario; one whose event does not happen is left out."""
    for beat in scenario.beats:
        step = {START: 0, END: len(trace.steps)}.get(beat.at, trace.find(beat.at))
        if step is not None:
            yield Beat(step, beat.say)


def _made(trace: Trace, scenario: Scenario, sentences: Sequence[str]) -> Iterator[Beat]:
    """A story from the telling steps."""
    yield Beat(0, scenario.story or scenario.title)
    last = len(trace.steps)
    for step in sorted(_telling(trace.steps)):
        if 0 < step < last:
            yield Beat(step, _said(trace.steps[step - 1], sentences))
    if last:
        yield Beat(last, " ".join([_said(trace.steps[-1], sentences), OUTCOMES.get(trace.outcome, "")]).strip())


def _said(step: Step, sentences: Sequence[str]) -> str:
    return " ".join([sentences[step.n - 1], *map(fate_sentence, step.fates)])


def _telling(steps: Sequence[Step]) -> list[int]:
    """The steps that tell most, at most MOST with the beginning and the end; of equals the first."""
    weights = {step.n: weight for step, weight in _weighed(steps)}
    return sorted(weights, key=lambda n: (-weights[n], n))[: MOST - 2]


def _weighed(steps: Sequence[Step]) -> Iterator[tuple[Step, int]]:
    """Each telling step with its weight. In a fault the question for room is told once: where it is answered."""
    gates: dict[tuple[str, int], Step] = {}
    for step in steps:
        if step.fates:
            yield step, FATE
        elif step.answer and any(at.endswith(".result") for at, _, _ in step.writes):
            yield step, RESULT
        elif step.answer and asks(step.function, step.name):
            known = gates.get((step.task, step.line))
            if known is None or not (known.answer or "").startswith(("never", "no: E")):
                gates[step.task, step.line] = step
        elif step.name == "set_pte" and any("/pte/" in at for at, _, _ in step.writes):
            yield step, ENTRY
        elif step.name == "read_cr2":
            yield step, FAULT
    yield from ((step, GATE) for step in gates.values())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step stands in a story: at a beat, or somewhere after one."""

    beats: tuple[Beat, ...]
    step: int

    @property
    def number(self) -> int:
        """The place of the last beat that is not after the step."""
        return max((i for i, beat in enumerate(self.beats) if beat.step <= self.step), default=0)

    @property
    def on_beat(self) -> bool:
        """Whether the step is that beat."""
        return bool(self.beats) and self.beats[self.number].step == self.step

    @property
    def before(self) -> int:
        """The step that a step back in the story leads to."""
        return self.beats[max(0, self.number - 1)].step if self.beats else 0

    @property
    def onward(self) -> int:
        """The step that the story goes on with: the next beat, or, when one has strayed, the beat before."""
        last = len(self.beats) - 1
        return self.beats[min(last, self.number + self.on_beat)].step if self.beats else 0


def cells(beats: Sequence[Beat]) -> dict[int, dict[str, str | bool | None]]:
    """What the page shows of the story, by step: what is said, which beat of how many, whether it is the last."""
    count = len(beats)
    return {
        beat.step: {"say": beat.say, "beat": f"{place} of {count}", "last": True if place == count else None}
        for place, beat in enumerate(beats, 1)
    }
