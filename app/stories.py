"""The story of a run: a few telling steps, and what is said at each. Written by hand in the scenario, else made here.

A hand-written story belongs to the run that its scenario is about: its own kernel, filesystem and schedule. Any other
run gets one that is made from its trace: where a fault begins, what is answered to the question for room, what becomes
writable, how fates change, what calls answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import engine
from app import catalogue
from app.stations import asks
from app.wording import fate_sentence
from engine import FateChange, Kernel, Scenario, Step, Trace
from engine.beats import END, START

FEWEST, MOST = 3, 14
WORDS = 180
"""How many beats a story made here has, without its ends and with them; and how many words a minute has room for."""
FATES: Mapping[str, str] = {
    "at-risk": "at risk: only memory has it",
    "backed": "backed: there is a block for it, or the promise of one",
    "durable": "safe on the disk",
    "clean-unsaved": "not on the disk, and nothing will try again",
    "lost": "lost",
    "refused": "",
    "replaced": "replaced, as the program wanted",
}
"""What has become of a store, in a story; what was refused is said by the step."""
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
LOSS, FATE, RESULT, GATE, ENTRY, FAULT = 5, 4, 3, 2, 1, 0
GRAVE = {"lost", "clean-unsaved", "leaked", "refused"}


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
    texts = {store.id: store.text for store in trace.stores}
    said = {step.n: _said(step, sentences, texts) for step in trace.steps}
    end = " ".join([said[last], OUTCOMES.get(trace.outcome, "")]).strip() if last else ""
    room = WORDS - len(f"{scenario.story} {end}".split())
    for step in sorted(_telling(trace.steps, said, room)):
        yield Beat(step, said[step])
    if last:
        yield Beat(last, end)


def _said(step: Step, sentences: Sequence[str], texts: Mapping[str, str]) -> str:
    """The sentence of a step, and what becomes of stores there: those with one fate together, by what they stored."""
    found: dict[str, list[FateChange]] = {}
    for change in step.fates:
        found.setdefault(change.new, []).append(change)
    parts = [sentences[step.n - 1]]
    for fate, changes in found.items():
        told = [f"“{texts[change.store]}”" for change in changes if texts.get(change.store)]
        if fate not in FATES or len(told) < len(changes):
            parts += map(fate_sentence, changes)
        elif FATES[fate]:
            named = told[0] in sentences[step.n - 1] and not told[1:]
            parts.append(f"{'It' if named else _listed(told)} {'are' if told[1:] else 'is'} {FATES[fate]}.")
    return " ".join(parts)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _telling(steps: Sequence[Step], said: Mapping[int, str], room: int) -> list[int]:
    """The steps that tell most, as many as there is room for words besides the beginning and the end."""
    weights = {step.n: weight for step, weight in _weighed(steps) if 0 < step.n < len(steps)}
    chosen = sorted(weights, key=lambda n: (-weights[n], n))[: MOST - 2]
    while len(chosen) > FEWEST and sum(len(said[n].split()) for n in chosen) > room:
        chosen.pop()
    return chosen


def _weighed(steps: Sequence[Step]) -> Iterator[tuple[Step, int]]:
    """Each telling step with its weight. What is much like a step before it is told once."""
    gates = _gates(steps)
    unasked = {(step.task, step.line) for step in gates if (step.answer or "").startswith("never")}
    seen: set[tuple[str, str, str | None]] = set()
    for step in steps:
        weight = _weight(step, gates, unasked)
        like = (step.function, step.name, step.answer)
        if weight is not None and (weight >= RESULT or like not in seen):
            seen.add(like)
            yield step, weight


def _weight(step: Step, gates: Collection[Step], unasked: Collection[tuple[str, int]]) -> int | None:
    """How much a step tells; None where it is no moment of a story.

    Where nobody asks for room, the entry that becomes writable says so: the question is no beat of its own.
    """
    entry = step.name == "set_pte" and any("/pte/" in at for at, _, _ in step.writes)
    open_to = (step.task, step.line) in unasked
    if step.fates:
        return LOSS if any(change.new in GRAVE for change in step.fates) else FATE
    if step.answer and any(at.endswith(".result") for at, _, _ in step.writes):
        return RESULT
    if step in gates and not (step.answer or "").startswith("never"):
        return GATE
    if entry:
        return GATE if open_to else ENTRY
    return FAULT if step.name == "read_cr2" else None


def _gates(steps: Sequence[Step]) -> Collection[Step]:
    """Where the question for room is answered: once in the fault of a script line, never asked or for good."""
    gates: dict[tuple[str, int], Step] = {}
    for step in steps:
        if step.answer and asks(step.function, step.name):
            known = gates.get((step.task, step.line))
            if known is None or not (known.answer or "").startswith(("never", "no: E")):
                gates[step.task, step.line] = step
    return list(gates.values())


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
