"""What somebody asks for, as an `Order`: a valid scenario, a kernel and a schedule. It determines a run entirely."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import engine
from app import catalogue, links
from app.links import RunLink
from app.packing import pack
from app.troubles import Trouble, of_engine
from engine import (
    FILESYSTEMS,
    EngineError,
    FilesystemKind,
    Kernel,
    NoSuchCombination,
    Scenario,
    ScenarioError,
    Schedule,
    UnknownScenario,
)
from engine.errors import either, short, suggestion

if TYPE_CHECKING:
    from app.storage import Stored

DEFAULT_KERNEL = "linux-2.6.9"


@dataclass(frozen=True)
class Order:
    """What determines a run. `schedule` is None where it is the scenario's own.

    `address` is where people find the run, if that was said; `edition` that of the engine it was made for.
    """

    scenario: Scenario
    kernel: str
    schedule: Schedule | None = None
    address: RunLink | None = None
    edition: int = engine.EDITION

    @cached_property
    def content(self) -> str:
        """The order as canonical JSON: equal orders have equal texts. The order of tasks and files counts."""
        said = {
            "edition": self.edition,
            "kernel": self.kernel,
            "schedule": None if self.schedule is None else str(self.schedule),
            "scenario": engine.to_data(self.scenario),
        }
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def id(self) -> str:
        """The id of the run; a link to it that is kept has the same."""
        return links.content_id(self.content.encode())

    @property
    def switch(self) -> str:
        """The schedule as an address says it; empty where it is the scenario's own."""
        return "" if self.schedule is None else engine.spelt(self.scenario, self.schedule)

    @property
    def is_gallery(self) -> bool:
        """Whether the scenario is that of the gallery, so that its name says all."""
        return engine.gallery().get(self.scenario.id) == self.scenario

    @property
    def link(self) -> RunLink:
        """Where people find the run: as they came, or by the gallery's name, or by the link of this id."""
        if self.address is not None:
            return self.address
        if self.is_gallery:
            return RunLink(self.scenario.id, self.kernel, switch=self.switch)
        return RunLink(link=self.id)


def order(
    scenario: str | Mapping[str, Any] | Scenario,
    kernel: str = "",
    filesystem: str | None = None,
    schedule: str | Sequence[str] | None = None,
) -> Order:
    """The order that a request or a command means; the arguments are those of `wire.RunIn`.

    Without a kernel it is the one that the scenario names, or else 2.6.9.

    Raises:
        Trouble: naming the field that is wrong, and all that is wrong with it.
    """
    with _about("/scenario"):
        wanted = _scenario(scenario)
    with _about("/filesystem"):
        wanted = _on(wanted, filesystem)
    with _about("/kernel"):
        chosen_kernel = engine.find_kernel(kernel or wanted.kernel or DEFAULT_KERNEL)
    with _about("/filesystem" if filesystem else "/scenario/filesystem"):
        _has(chosen_kernel, wanted.filesystem.type)
    with _about("/schedule"):
        wanted, items = engine.called_in(wanted, _items(schedule))
        chosen = _schedule(wanted, items)
    return Order(wanted, chosen_kernel.id, chosen)


def at_address(address: RunLink) -> Order:
    """The order that an address of a gallery run means.

    Raises:
        Trouble: as `order`; a scenario or kernel that is not there is not found.
    """
    with in_address():
        if not links.is_name(address.scenario):
            raise UnknownScenario(address.scenario, engine.gallery())
        made = order(address.scenario, address.kernel, address.filesystem, address.switch)
    return replace(made, address=address)


def gallery_scenario(name: str) -> Scenario:
    """The scenario of an address.

    Raises:
        Trouble: when the gallery has none of that name.
    """
    with in_address():
        return engine.find_scenario(name)


@contextmanager
def in_address() -> Iterator[None]:
    """Turn a refusal of the engine into an answer: a name that stands in an address, and is not there, is not found."""
    try:
        with _about(""):
            yield
    except Trouble as trouble:
        raise trouble.in_address() from trouble


def see_that_it_runs(scenario: Scenario, items: Sequence[str]) -> None:
    """See that a scenario can go by a schedule with these items.

    Raises:
        Trouble: with the item that makes no sense, and a cure.
    """
    with _about("/if"):
        changed, named = engine.called_in(scenario, items)
        _schedule(changed, named)


def filesystem(name: str) -> FilesystemKind:
    """The filesystem of an address.

    Raises:
        Trouble: when there is none of that name.
    """
    if name not in FILESYSTEMS:
        raise Trouble("not-found", f"There is no filesystem {short(name)}", cure=suggestion(name, FILESYSTEMS))
    return FILESYSTEMS[name]


def kept(stored: Stored, differently: RunLink) -> Order:
    """The order that is kept under a link; `differently` says what the address wants changed.

    Raises:
        Trouble: when this version can not run it (any more), or a change makes no sense.
    """
    said = json.loads(stored.content)
    try:
        made = order(
            said["scenario"],
            differently.kernel or said["kernel"],
            differently.filesystem,
            differently.switch or said["schedule"],
        )
    except Trouble as trouble:
        if said["edition"] == engine.EDITION:
            raise
        detail = f"This link was made with edition {said['edition']}; this is {engine.EDITION}. {trouble.detail}"
        cure = f"What it showed then is at {differently.path()}/then.txt. {trouble.cure}"
        raise Trouble(trouble.kind, detail, cure=cure, status=410, problems=trouble.problems) from trouble
    return replace(made, address=differently, edition=said["edition"])


def carried(order: Order) -> str:
    """The address of a run that carries it, so that nothing is stored."""
    return RunLink(packed=pack(order.content)).url()


def unpacked(text: str) -> Order:
    """The order in a long link, as `Order.content` has it; its address is that link.

    Raises:
        Trouble: when it is no order, or this version can not run it.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not (isinstance(said, dict) and {"scenario", "kernel", "schedule", "edition"} <= said.keys()):
        cure = "Copy the link as a whole: a program may have cut off its end"
        raise Trouble("bad-request", "The link does not carry a run", cure=cure)
    kernel, schedule, edition = said["kernel"], said["schedule"], said["edition"]
    is_sound = isinstance(kernel, str) and isinstance(schedule, str | None) and isinstance(edition, int)
    if not (is_sound and isinstance(said["scenario"], dict)):
        raise Trouble("bad-request", "The link does not carry a run", cure="Share the run again")
    made = replace(order(said["scenario"], kernel, None, schedule), edition=edition)
    return replace(made, address=RunLink(packed=pack(made.content)))


@contextmanager
def _about(path: str) -> Iterator[None]:
    """Turn a refusal of the engine into a trouble with the field of the request."""
    try:
        yield
    except EngineError as error:
        raise of_engine(error, path=path) from error


def _scenario(given: str | Mapping[str, Any] | Scenario) -> Scenario:
    if isinstance(given, Scenario):
        return given
    if not isinstance(given, str):
        return engine.scenario_from_data(given)
    if not links.is_name(given):
        return engine.load_scenario(given)
    if given not in engine.gallery():
        raise UnknownScenario(given, engine.gallery())
    return engine.gallery()[given]


def _on(scenario: Scenario, filesystem: str | None) -> Scenario:
    """The scenario on another filesystem."""
    if not filesystem or filesystem == scenario.filesystem.type:
        return scenario
    data = engine.to_data(scenario)
    try:
        return engine.scenario_from_data(data | {"filesystem": _as(data.get("filesystem", {}), filesystem)})
    except ScenarioError as error:  # its places are those of the scenario, and the choice alone is new
        raise ScenarioError([replace(problem, path="") for problem in error.problems], name="filesystem") from error


def _as(disk: dict[str, Any], kind: str) -> dict[str, Any]:
    """A disk with another filesystem, without what only the one before could have."""
    known = FILESYSTEMS.get(kind)
    dropped = () if known is not None and known.spare is not None else ("reserved_clusters",)
    return {key: value for key, value in disk.items() if key not in dropped} | {"type": kind}


def _has(kernel: Kernel, filesystem: str) -> None:
    """See that the kernel has the filesystem; what would be right are the kernels that do, and what this one has."""
    try:
        kernel.ops(filesystem)
    except NoSuchCombination as error:
        able = [each.id for each in catalogue.kernels_with(filesystem)]
        others = f"{either(able)} {'has' if len(able) == 1 else 'have'} it; " if able else ""
        error.cure = f"{others}{kernel.id} has {', '.join(kernel.filesystems)}"
        raise


def _items(given: str | Sequence[str] | None) -> list[str]:
    """The items of a schedule, given as a text or as a list."""
    text = given if isinstance(given, str) else ",".join(given or ())
    return engine.split_schedule(text) if text.strip() else []


def _schedule(scenario: Scenario, items: Sequence[str]) -> Schedule | None:
    """The schedule in place of the scenario's own; None if it is the same."""
    if not items:
        return None
    chosen = engine.parse_schedule(",".join(items), tasks=scenario.tasks, steps=engine.known_steps())
    return None if chosen == scenario.default_schedule() else chosen
