"""The ways that a search has found so far: each told in words at once, and as a run where one can be written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.claims import Property
from engine.errors import ScheduleError
from engine.explore import Search
from engine.kernel import Kernel
from engine.scenario import Scenario
from engine.setup import build
from engine.tour import Found
from engine.witness import NoSchedule, Witness, as_run, preemptions

LONGEST_TOLD = 300
"""A way of more steps is not made a run while the search goes on: that takes longer than who looks would wait."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way that was found: what is wrong at its end, its steps, and its run; None where there is none (yet)."""

    says: str
    steps: int
    witness: Witness | None


class Finds:
    """The different ways a search has found. It never touches the machine that searches, which is in mid-walk."""

    def __init__(self, scenario: Scenario, searched: Scenario, kernel: Kernel, prop: Property) -> None:
        """`searched` is the scenario with what the world may do."""
        self._scenario, self._searched, self._kernel, self._prop = scenario, searched, kernel, prop
        self._found: dict[str, tuple[Found, bool]] = {}
        self._made: dict[Found, Witness | None] = {}
        self._counting: Search | None = None

    def __len__(self) -> int:
        """How many different ways."""
        return len(self._found)

    def note(self, found: Found, *, shortest: bool = False) -> None:
        """Keep a way; the shortest takes the place of the one that was met first."""
        if shortest or found.says not in self._found:
            self._found[found.says] = found, shortest

    def doubt(self) -> None:
        """What was taken for the shortest may not be."""
        self._found = {says: (found, False) for says, (found, _) in self._found.items()}

    def ways(self) -> tuple[Way, ...]:
        """All of them, in the order in which they were met."""
        return tuple(
            Way(says, len(found.moves), self._told(found, shortest=shortest))
            for says, (found, shortest) in self._found.items()
        )

    def witness(self, found: Found, *, shortest: bool) -> Witness:
        """The run of a way. Raises NoSchedule or ScheduleError where none can be written."""
        own, trace = as_run(self._scenario, self._kernel, self._searched, found.moves)
        if self._counting is None:
            self._counting = Search(build(self._searched, self._kernel), self._prop, symmetric=False)
        count = preemptions(self._counting, found.moves)
        return Witness(own, trace.schedule, found.says, len(found.moves), count, shortest)

    def _told(self, found: Found, *, shortest: bool) -> Witness | None:
        if found not in self._made:
            self._made[found] = self._tried(found)
        made = self._made[found]
        return made and replace(made, shortest=shortest)

    def _tried(self, found: Found) -> Witness | None:
        if len(found.moves) > LONGEST_TOLD:
            return None
        try:
            return self.witness(found, shortest=False)
        except (NoSchedule, ScheduleError):
            return None
