"""What there is to choose, as it goes over the wire: kernels with their switches, filesystems, scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from app import catalogue, links
from engine import BuildReport, FilesystemKind, Kernel, Scenario, Switch, to_data


class SwitchOut(Struct, kw_only=True):
    """A named change of a kernel: one defect alone, or one bug of its day. `kernel` is what to ask for to have it on.

    `shown_by` is the scenario of the gallery that is about it, or null.
    """

    kernel: str
    title: str
    story: str
    sources: tuple[str, ...]
    shown_by: str | None


class KernelOut(Struct, kw_only=True):
    """A kernel: its story, its switches, and every function of it with the names of its steps.

    `absent` says of each filesystem that it does not have why; `lock_names` what it calls locks that 2.6.9 knew under
    other names; `switch` is the one that is on.
    """

    id: str
    title: str
    short: str
    family: str
    story: str
    sources: tuple[str, ...]
    filesystems: tuple[str, ...]
    absent: dict[str, str]
    switches: dict[str, SwitchOut]
    switch: str | None
    functions: dict[str, tuple[str, ...]]
    lock_names: Mapping[str, str]
    leaves_out: tuple[str, ...]
    defects: tuple[str, ...]
    build: BuildReport | None
    links: dict[str, str]


class FilesystemOut(Struct, kw_only=True):
    """A filesystem: its story, and when it takes space. `absent` says of each kernel without it why.

    `map` is how a file finds its blocks; without `holes` a file that grows takes its space at once.
    """

    id: str
    title: str
    map: str
    since: str
    until: str
    reserves: str
    story: str
    sources: tuple[str, ...]
    holes: bool
    in_memory: bool
    kernels: tuple[str, ...]
    absent: dict[str, str]
    links: dict[str, str]


class ScenarioOut(Struct, kw_only=True):
    """A scenario of the gallery: what it is about, itself, and where its runs are, by kernel.

    `runs` has the kernels that have its own `filesystem`.
    """

    id: str
    title: str
    chapter: str
    story: str
    question: str
    sources: tuple[str, ...]
    filesystem: str
    scenario: dict[str, Any]
    links: dict[str, str]
    runs: dict[str, str]


def kernel(kernel: Kernel) -> KernelOut:
    """A kernel."""
    own = catalogue.base(kernel)
    family = next(title for title, kernels in catalogue.families() if own in kernels)
    return KernelOut(
        id=kernel.id,
        title=kernel.title,
        short=kernel.short,
        family=family,
        story=kernel.story,
        sources=kernel.sources,
        filesystems=tuple(kernel.filesystems),
        absent=catalogue.absent(kernel),
        switches={name: _switch(own, name, switch) for name, switch in own.switches.items()},
        switch=kernel.switch.name if kernel.switch else None,
        functions={name: function.steps for name, function in kernel.functions.items()},
        lock_names=kernel.lock_names,
        leaves_out=kernel.leaves_out,
        defects=kernel.defects,
        build=kernel.build,
        links={"self": links.api("kernels", kernel.id), "page": links.kernel(kernel.id)},
    )


def _switch(kernel: Kernel, name: str, switch: Switch) -> SwitchOut:
    return SwitchOut(
        kernel=links.switched(kernel.id, name),
        title=switch.title,
        story=switch.story,
        sources=switch.sources,
        shown_by=catalogue.shown_by(kernel.id, name) or None,
    )


def filesystem(kind: FilesystemKind) -> FilesystemOut:
    """A filesystem."""
    return FilesystemOut(
        id=kind.id,
        title=kind.title,
        map=kind.map,
        since=kind.since,
        until=kind.until,
        reserves=kind.reserves,
        story=kind.story,
        sources=kind.sources,
        holes=kind.holes,
        in_memory=kind.in_memory,
        kernels=tuple(kernel.id for kernel in catalogue.kernels_with(kind.id)),
        absent=catalogue.lacking(kind.id),
        links={"self": links.api("filesystems", kind.id), "page": links.filesystem(kind.id)},
    )


def scenario(scenario: Scenario) -> ScenarioOut:
    """A scenario of the gallery."""
    around = {"self": links.api("scenarios", scenario.id), "page": links.scenario(scenario.id)}
    around["yaml"] = links.api("scenarios", f"{scenario.id}.yaml")
    able = catalogue.kernels_with(scenario.filesystem.type)
    return ScenarioOut(
        id=scenario.id,
        title=scenario.title,
        chapter=scenario.chapter,
        story=scenario.story,
        question=scenario.question,
        sources=scenario.sources,
        filesystem=scenario.filesystem.type,
        scenario=to_data(scenario),
        links=around,
        runs={kernel.id: links.RunLink(scenario.id, kernel.id).api() for kernel in able},
    )
