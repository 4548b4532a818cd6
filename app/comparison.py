"""Runs side by side: what they have in common, beat by beat, and where they differ first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from app import alignment, differences, facts, paths, theatre
from app.differences import Difference, Said
from app.lineup import Entry, Lineup
from app.others import result_of
from app.runs import Run
from app.theatre import Stage
from engine import FILESYSTEMS, Step


@dataclass(frozen=True)
class Column:
    """One run of several."""

    entry: Entry
    run: Run
    stage: Stage

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps, as many as a page shows."""
        return self.stage.trace.steps


@dataclass(frozen=True)
class Comparison:
    """Two to four runs of one script. A beat is a place in their common sequence; 0 is the beginning."""

    lineup: Lineup
    columns: tuple[Column, ...]

    @cached_property
    def beats(self) -> list[tuple[int, ...]]:
        """How many steps each column has made, beat by beat."""
        stages = [column.stage for column in self.columns]
        rows = alignment.align([paths.paths(stage.trace, stage.view.journeys) for stage in stages])
        return alignment.counts(rows, len(stages))

    @property
    def length(self) -> int:
        """The last beat."""
        return len(self.beats) - 1

    def moved(self, beat: int) -> list[tuple[int, Step]]:
        """The columns that make a step with a beat, and the steps."""
        before, now = self.beats[beat - 1], self.beats[beat]
        every = range(len(self.columns))
        return [(place, self.columns[place].steps[now[place] - 1]) for place in every if now[place] > before[place]]

    @cached_property
    def told(self) -> list[differences.Column]:
        """What each column tells, and when."""
        return [self._told(place) for place in range(len(self.columns))]

    def _told(self, place: int) -> differences.Column:
        stage = self.columns[place].stage
        at: dict[int, int] = {}
        for beat, counts in enumerate(self.beats):
            at.setdefault(counts[place], beat)
        leaves = {(step.task, step.line): at[step.n] for step in stage.trace.steps}
        return differences.Column(
            [(at[fact.n], fact) for fact in facts.facts(stage.trace, stage.view.journeys)], leaves
        )

    @cached_property
    def difference(self) -> Difference | None:
        """The first; None where the runs tell the same."""
        return differences.first_difference(self.told)

    @cached_property
    def sentence(self) -> str:
        """How they differ first, in a sentence."""
        if self.difference is None:
            return "They tell the same from beginning to end."
        return differences.sentence(self.difference, self.told, self._subjects, self._said)

    @property
    def ends(self) -> str:
        """What comes of each run, in a sentence."""
        return differences.ends([result_of(column.run.trace).outcome for column in self.columns], self._subjects)

    @property
    def names(self) -> list[str]:
        """What the columns are called."""
        return [column.entry.name for column in self.columns]

    @property
    def _subjects(self) -> list[str]:
        return [column.entry.subject for column in self.columns]

    @property
    def _said(self) -> Said:
        kinds = [FILESYSTEMS[column.stage.scenario.filesystem.type] for column in self.columns]
        return Said(self._code, self._page, self._stores_to, [kind.title for kind in kinds])

    def line(self, place: tuple[str, int]) -> str:
        """A script line; what a task without a script does has none."""
        task, number = place
        lines = self.lineup.scenario.lines(task) if task in self.lineup.scenario.tasks else ()
        return str(lines[number - 1].text) if 0 < number <= len(lines) else ""

    def _code(self, place: tuple[str, int]) -> str:
        return f"`{self.line(place)}`"

    def _page(self, entry: tuple[str | int, ...]) -> str:
        """The page behind an entry."""
        for column in self.columns:
            for mapping in column.stage.view.cast.mappings:
                index = dict(mapping.pages).get(int(entry[1])) if mapping.mm == entry[0] else None
                if index is not None:
                    return f"page {index}" + ("" if mapping.file else " of its own memory")
        return f"page {int(entry[1]):#x}"

    def _stores_to(self, line: tuple[str, int], entry: tuple[str | int, ...]) -> bool:
        stores = (store for column in self.columns for store in column.stage.view.stores)
        return any((store.task, store.line) == line and store.mm == entry[0] and entry[1] in store.vpns
                   for store in stores)  # fmt: skip


def compare(lineup: Lineup, runs: list[Run]) -> Comparison:
    """The comparison of the runs of a lineup."""
    pairs = zip(lineup.entries, runs, strict=True)
    return Comparison(lineup, tuple(Column(entry, run, theatre.stage_of(run)) for entry, run in pairs))
