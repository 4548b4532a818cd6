"""The front door of the search: is a property kept, whatever happens? A verdict, and a witness where it is not.

`holds` says of how many states; `broken` comes with the shortest witness there is, or that was found in the budget;
`undecided` says how far the search got. Of a `sometimes` the witness is what makes it hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.claims import DEFAULT, SOMETIMES, Property, find_property
from engine.crew import Crew
from engine.errors import EngineError, ScheduleError
from engine.explore import Budget, Search
from engine.finds import Finds, Way
from engine.kernel import Kernel
from engine.kernels import find_kernel
from engine.offers import offered
from engine.regions import Question
from engine.scenario import Scenario
from engine.setup import build
from engine.spread import Spread
from engine.tour import Found, Report
from engine.witness import NoSchedule, Ways, Witness

HOLDS, BROKEN, UNDECIDED = "holds", "broken", "undecided"
BUDGET = Budget()
NEAR = 100_000
"""So many states are taken up to find the shortest witness; after that the one that was found is given."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has got: what it is doing (search, then witness), distinct states so far, ways found."""

    phase: str
    states: int
    found: int
    finds: Finds = field(repr=False)

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways, with their runs: made when somebody asks, which takes a moment for each that is new."""
        return self.finds.ways()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a search came to. `asked` is the property's id; `stopped` says which part of the budget was spent.

    `endless` counts the loops that nobody can leave: runs that come there have no end.
    """

    asked: str
    verdict: str
    states: int
    transitions: int
    ends: int
    panics: int
    endless: int
    stopped: str
    witnesses: tuple[Witness, ...]

    @property
    def witness(self) -> Witness | None:
        """The first of them, the shortest."""
        return self.witnesses[0] if self.witnesses else None


def explore(  # noqa: PLR0913 - what is asked, of what, and how far to go
    scenario: Scenario,
    kernel: str | Kernel,
    prop: str | Property = DEFAULT,
    *,
    offers: Iterable[str] = (),
    budget: Budget = BUDGET,
    wanted: int = 1,
    reduced: bool = True,
    progress: Callable[[Progress], bool] | None = None,
    crew: Crew | None = None,
) -> Verdict:
    """Whether a property holds in every run of a scenario on a kernel, or for `sometimes` in one of them.

    `offers` are what the world may do at any moment (engine/offers.py), `wanted` how many different ways in which it
    shows are looked for, each with a witness. `progress` is told now and then, and says whether to go on. A `crew`
    (engine/crew.py) searches by all its workers; the shortest witness is looked for here. Raises UnknownKernel,
    UnknownProperty, UnknownOffer, and Panic where a kernel without known defects stops.
    """
    chosen = find_kernel(kernel) if isinstance(kernel, str) else kernel
    asked = find_property(prop) if isinstance(prop, str) else prop
    offers = tuple(offers)
    world = offered(scenario, offers)
    search = Search(build(world, chosen), asked, budget, wanted=wanted, reduced=reduced, symmetric=crew is None)
    finds = Finds(scenario, world, chosen, asked)
    if progress is not None:
        search.progress = lambda report: progress(_so_far(report, finds))
    if crew is None:
        report = search.run()
    else:
        report = Spread(search, crew, Question(scenario, kernel, prop, offers, reduced, wanted)).run()
    found = _nearest(search, report, wanted, _Teller(finds, progress))
    witnesses = _witnesses(finds, found, report)
    return Verdict(
        asked.id, _word(asked, report), report.states, report.transitions, report.ends, report.panics,
        report.endless, report.stopped, witnesses,
    )  # fmt: skip


def _word(prop: Property, report: Report) -> str:
    if report.found:
        return HOLDS if prop.mode == SOMETIMES else BROKEN
    if not report.complete:
        return UNDECIDED
    return BROKEN if prop.mode == SOMETIMES else HOLDS


def _so_far(report: Report, finds: Finds) -> Progress:
    for found in report.found:
        finds.note(found)
    return Progress("search", report.states, len(finds), finds)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells `progress`, if there is one, of the shortest ways as they become known."""

    finds: Finds
    progress: Callable[[Progress], bool] | None

    def hears(self) -> Callable[[int], bool] | None:
        progress = self.progress
        if progress is None:
            return None
        return lambda states: progress(Progress("witness", states, len(self.finds), self.finds))


def _nearest(search: Search, report: Report, wanted: int, teller: _Teller) -> list[tuple[Found, bool]]:
    """The shortest ways, as far as the budget goes; for states that were not met again the way that was found."""
    if not report.found:
        return []
    for found in report.found:
        teller.finds.note(found)
    near = _near(search, min(wanted, len(report.found)), teller)
    while search.futures.refuted():  # a step that was skipped was not private: once more, wiser
        teller.finds.doubt()
        near = _near(search, min(wanted, len(report.found)), teller)
    met = {found.says for found in near}
    rest = [found for found in report.found if found.says not in met]
    return [*((found, True) for found in near), *((found, False) for found in rest)][: max(1, wanted)]


def _near(search: Search, wanted: int, teller: _Teller) -> list[Found]:
    near: list[Found] = []
    for found in Ways(search, teller.hears()).nearest(min(NEAR, search.budget.most)):
        near.append(found)
        teller.finds.note(found, shortest=True)
        if len(near) >= wanted:
            break
    return near


def _witnesses(finds: Finds, found: list[tuple[Found, bool]], report: Report) -> tuple[Witness, ...]:
    """A run for each way. One that no schedule can say gives way to the longer one that was met first, if that can be.

    Raises the EngineError that says why, if none of them can be said.
    """
    made: list[Witness] = []
    failed: EngineError | None = None
    for way, best in found:
        longer = [(other, False) for other in report.found if other.says == way.says and other.moves != way.moves]
        for each, shortest in [(way, best), *longer]:
            try:
                made.append(finds.witness(each, shortest=shortest))
                break
            except (NoSchedule, ScheduleError) as error:
                failed = error
    if failed is not None and not made:
        raise failed
    return tuple(made)
