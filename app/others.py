"""What comes of the same script on other kernels: a card each, with the outcome and what was answered for space.

The page does not wait for these runs. It shows what is known already; for the rest it asks again when it is there. What
a run came to is kept by its content, so that it is worked out once for all pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import engine
from app import catalogue, stations
from app.links import CompareLink
from app.orders import Order
from app.runs import Shelf
from engine import Kernel, Limits, Trace

KEPT = 8_000
"""How many results are kept: two short texts each."""
OUTCOMES = {
    "": "…",
    "kept": "kept",
    "refused": "refused, nothing lost",
    "lost-told": "lost, and told",
    "lost-silent": "lost in silence",
    "lost-lied": "lost behind a 0",
    "lost-unsynced": "lost with the power",
    "open": "not all on disk",
    "broken": "breaks copy-on-write",
}
WORST_ANSWERS = ("no:", "never", "raced", "yes")


@dataclass(frozen=True, slots=True)
class Result:
    """What comes of the same script on one kernel: its outcome, and what was answered to the question for space."""

    outcome: str
    line: str

    @property
    def word(self) -> str:
        """The outcome in words."""
        return OUTCOMES.get(self.outcome, self.outcome)


UNKNOWN = Result("", "not run yet, a moment")


@dataclass(frozen=True, slots=True)
class Card:
    """A kernel, where this run is on it, and what comes of it there; `href_here` keeps the meaning of the step."""

    kernel: Kernel
    href: str
    href_here: str
    current: bool
    result: Result


@dataclass(frozen=True)
class Others:
    """The cards of an order, beside the step with this event."""

    order: Order
    event: str
    results: Mapping[str, Result]

    @property
    def cards(self) -> list[Card]:
        """A card for each kernel."""
        return [self._card(engine.find_kernel(name), result) for name, result in self.results.items()]

    def _card(self, kernel: Kernel, result: Result) -> Card:
        there = self.order.link.under(kernel.id)
        return Card(kernel, there.plain(), there.url(at=self.event), kernel.id == self.order.kernel, result)

    @property
    def pending(self) -> bool:
        """Whether some results are not there yet."""
        return UNKNOWN in self.results.values()

    @property
    def url(self) -> str:
        """Where they are all worked out."""
        return self.order.link.others()

    @property
    def compare(self) -> str:
        """Where this run stands beside those that say most."""
        link, scenario = self.order.link, self.order.scenario
        kernels = catalogue.abreast(scenario, scenario.filesystem.type, engine.find_kernel(self.order.kernel))
        kinds, switches = (tuple(filter(None, [said])) for said in (link.filesystem, link.switch))
        names = tuple(kernel.id for kernel in kernels)
        there = CompareLink(link.scenario, names, kinds, switches, link.link)
        return there.url() if len(names) in catalogue.COLUMNS else ""

    @property
    def as_it_was(self) -> str:
        """Where a run that goes another way stands beside the one it was forked from; empty for any other."""
        link = self.order.link
        kinds = tuple(filter(None, [link.filesystem]))
        there = CompareLink(link.scenario, (self.order.kernel,), kinds, ("", link.switch), link.link)
        return there.url() if link.switch else ""


def kernels(order: Order) -> tuple[Kernel, ...]:
    """The kernels that a run is compared with: those that say most, of those that have its filesystem."""
    return catalogue.compared(engine.find_kernel(order.kernel), order.scenario)


_results: Shelf[Result] = Shelf(KEPT, KEPT, lambda _: 1)


def known(order: Order, trace: Trace | None = None) -> dict[str, Result]:
    """The result on every kernel, as far as it is known; the trace of the order itself makes one more known."""
    key = _key(order)
    if trace is not None:
        _results.put(key + order.kernel, result_of(trace))
    return {kernel.id: _results.get(key + kernel.id) or UNKNOWN for kernel in kernels(order)}


def all_results(order: Order, limits: Limits) -> dict[str, Result]:
    """The result on every kernel; those that are not known are worked out."""
    key, found = _key(order), known(order)
    for kernel, result in found.items():
        if result is UNKNOWN:
            found[kernel] = _run(order, kernel, limits)
            _results.put(key + kernel, found[kernel])
    return found


def _key(order: Order) -> str:
    """What determines the results but for the kernel."""
    return replace(order, kernel="").id + " "


def _run(order: Order, kernel: str, limits: Limits) -> Result:
    try:
        return result_of(engine.run(order.scenario, kernel, order.schedule, limits))
    except engine.EngineError as error:
        return Result("open", str(error))


def result_of(trace: Trace) -> Result:
    """What a run came to."""
    leaked = any(store.fate == "leaked" for store in trace.stores)
    return Result("broken" if leaked else trace.outcome, _question(trace))


def _question(trace: Trace) -> str:
    """What enough_space answered in a run, worst answer first."""
    asked = [step.answer or "" for step in trace.steps if stations.asks(step.function, step.name)]
    answers = [stations.SAID.get(answer, answer) for answer in asked]
    for start in WORST_ANSWERS:
        found = next((answer for answer in answers if answer.startswith(start)), None)
        if found:
            return f"enough_space? {found}"
    return "enough_space? nothing to ask" if any(answers) else "no fault asks"
