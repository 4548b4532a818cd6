"""Which runs an address puts side by side: two to four that differ in one thing alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import engine
from app import catalogue, orders
from app.links import CompareLink, RunLink
from app.orders import Order
from app.troubles import Trouble
from engine import FILESYSTEMS, KERNELS, Kernel, Scenario

if TYPE_CHECKING:
    from app.storage import Stored

Kind = Literal["kernels", "filesystems", "schedules"]
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Entry:
    """One run of several: its order, what it is called where there is room, in a lane, and in a sentence."""

    order: Order
    title: str
    name: str
    subject: str

    @property
    def link(self) -> RunLink:
        """Where the run is by itself."""
        return self.order.link


@dataclass(frozen=True)
class Lineup:
    """The runs of an address. `link` says all that was left open there."""

    link: CompareLink
    scenario: Scenario
    kind: Kind
    entries: tuple[Entry, ...]

    @property
    def key(self) -> str:
        """What determines them."""
        return " ".join(entry.order.id for entry in self.entries)


def lineup(wanted: CompareLink, stored: Stored | None = None) -> Lineup:
    """The runs that an address means; what it leaves open is chosen so that the comparison tells most.

    `stored` is what is kept under its short link, if it has one.

    Raises:
        Trouble: when there are too few or too many, when they differ in two things, or one of them can not be.
    """
    scenario, home = _subject(wanted, stored)
    link = _filled(_single(wanted), scenario, home)
    kind = _kind(link)
    columns = link.runs()
    _count(columns, kind, link, scenario)
    made = [orders.kept(stored, each) if stored else orders.at_address(each) for each in columns]
    return Lineup(link, scenario, kind, tuple(_entry(order, kind) for order in made))


def _subject(wanted: CompareLink, stored: Stored | None) -> tuple[Scenario, Kernel]:
    """The scenario of an address, and the kernel that it is about."""
    if stored:
        order = orders.kept(stored, RunLink(link=wanted.link))
        return order.scenario, engine.find_kernel(order.kernel)
    with orders.in_address():
        scenario = engine.find_scenario(wanted.scenario)
    return scenario, catalogue.home(scenario)


def _single(link: CompareLink) -> CompareLink:
    """The address with each name once, and as it is spelt here."""
    with orders.in_address():
        kernels = dict.fromkeys(engine.find_kernel(name).id for name in link.kernels)
    for name in link.filesystems:
        orders.filesystem(name)
    kinds, switches = dict.fromkeys(link.filesystems), dict.fromkeys(link.switches)
    return replace(link, kernels=tuple(kernels), filesystems=tuple(kinds), switches=tuple(switches))


def _filled(link: CompareLink, scenario: Scenario, home: Kernel) -> CompareLink:
    """The address with its kernels."""
    if link.kernels:
        return link
    kinds = link.filesystems or (scenario.filesystem.type,)
    if len(kinds) > 1 or len(link.switches) > 1:
        every = (home, *reversed(KERNELS.values()))
        able = (kernel for kernel in every if set(kinds) <= set(kernel.filesystems))
        return replace(link, kernels=(next(able, home).id,))
    return replace(link, kernels=tuple(kernel.id for kernel in catalogue.abreast(scenario, kinds[0], home)))


def _kind(link: CompareLink) -> Kind:
    """In what the runs differ."""
    lists: dict[Kind, int] = {
        "kernels": len(link.kernels), "filesystems": len(link.filesystems), "schedules": len(link.switches),
    }  # fmt: skip
    several = [kind for kind, length in lists.items() if length > 1]
    if len(several) > 1:
        cure = f"Name one of the {several[1]}, or one of the {several[0]}"
        raise Trouble("bad-request", f"Several {several[0]} and several {several[1]} are no one comparison", cure=cure)
    return several[0] if several else "kernels"


def _count(columns: list[RunLink], kind: Kind, link: CompareLink, scenario: Scenario) -> None:
    """See that there is something to compare, and not more than can be seen."""
    if len(columns) in catalogue.COLUMNS:
        return
    said = NUMBERS[len(columns)] if len(columns) < len(NUMBERS) else str(len(columns))
    if len(columns) > catalogue.COLUMNS[-1]:
        detail = f"There are {said} {kind}, and no more than four can be seen side by side"
        raise Trouble("bad-request", detail, cure="Name two to four")
    filesystem = link.filesystems[0] if link.filesystems else scenario.filesystem.type
    able = catalogue.kernels_with(filesystem)
    other = next((each.id for each in able if each.id not in link.kernels), "")
    cure = f"Name another, such as {replace(link, kernels=(*link.kernels, other)).url()}"
    if not other:
        cure = f"No other kernel has {FILESYSTEMS[filesystem].title}: compare filesystems, with fs=a,b"
    raise Trouble("bad-request", f"There is {said} of the {kind}, and one alone is no comparison", cure=cure)


def _entry(order: Order, kind: Kind) -> Entry:
    """A run, named by what it has of its own."""
    kernel: Kernel = engine.find_kernel(order.kernel)
    said = catalogue.label(kernel)
    if kind == "filesystems":
        title = FILESYSTEMS[order.scenario.filesystem.type].title
        return Entry(order, title, title, f"{said} on {title}")
    if kind == "schedules":
        title = str(order.scenario.default_schedule() if order.schedule is None else order.schedule)
        return Entry(order, title, title, f"{said} under {title}")
    return Entry(order, kernel.title, said, said)
