"""The menus in the head of a run: each choice with its address, which keeps the step's meaning, or why it can not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import engine
from app import catalogue, links
from app.links import RunLink
from engine import Kernel, Scenario


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose, and where it is; `href_here` keeps the meaning of the step, and how the run is told.

    With a `reason` it can not be chosen. `parts` are choices within this one, `code` is its short name there.
    """

    title: str
    story: str
    href: str
    href_here: str
    current: bool
    reason: str = ""
    code: str = ""
    parts: tuple[Choice, ...] = ()


@lru_cache(maxsize=64)
def _scenarios(kernel: str) -> tuple[tuple[str, list[tuple[str, Choice]]], ...]:
    """The gallery by chapter, as every run on a kernel offers it: (name, choice)."""
    chosen, found = engine.find_kernel(kernel), dict[str, list[tuple[str, Choice]]]()
    for name, scenario in engine.gallery().items():
        fits = scenario.filesystem.type in chosen.filesystems
        there = chosen if fits else catalogue.home(scenario)
        href = RunLink(name, there.id).url()
        choice = Choice(scenario.title, "" if fits else f"On {there.short}.", href, href, current=False)
        found.setdefault(scenario.chapter, []).append((name, choice))
    return tuple(found.items())


@dataclass(frozen=True, slots=True)
class Menus:
    """The menus of one run, opened at an `event` (empty: the beginning)."""

    scenario: Scenario
    kernel: Kernel
    link: RunLink
    event: str

    def scenarios(self) -> Iterator[tuple[str, list[Choice]]]:
        """The gallery by chapter: each on this kernel if it has the filesystem, else where it is at home."""
        for chapter, known in _scenarios(self.kernel.id):
            yield (
                chapter,
                [self._here(choice) if name == self.scenario.id else choice for name, choice in known],
            )

    def _here(self, choice: Choice) -> Choice:
        """The present scenario in the menu: it alone says its question, for there are a hundred others."""
        return replace(choice, story=f"{self.scenario.question} {choice.story}".strip(), current=True)

    def kernels(self) -> Iterator[tuple[str, list[Choice]]]:
        """The kernels by family, each with this scenario; the switches of the one that is chosen are its parts."""
        own = catalogue.base(self.kernel)
        for title, kernels in catalogue.families():
            yield (
                title,
                [self.under(kernel, parts=self._switches(kernel) if kernel is own else ()) for kernel in kernels],
            )

    def under(self, kernel: Kernel, parts: tuple[Choice, ...] = ()) -> Choice:
        """The same run under a kernel."""
        there = self.link.under(kernel.id)
        reason = catalogue.why_not(kernel, self.scenario.filesystem.type)
        current = kernel.id == self.kernel.id
        return Choice(kernel.title, kernel.story, there.plain(), there.url(at=self.event), current, reason, parts=parts)

    def _switches(self, kernel: Kernel) -> tuple[Choice, ...]:
        if not kernel.switches:
            return ()
        return (
            self._switch(kernel, "", "as it is"),
            *(self._switch(kernel, n, s.title) for n, s in kernel.switches.items()),
        )

    def _switch(self, kernel: Kernel, name: str, title: str) -> Choice:
        there = self.link.under(links.switched(kernel.id, name))
        current = there.kernel == self.kernel.id
        return Choice(title, "", there.plain(), there.url(at=self.event), current, code=name)

    def filesystems(self) -> Iterator[tuple[str, list[Choice]]]:
        """The filesystems by kind, each with this scenario and kernel."""
        for title, kinds in catalogue.shelves():
            yield title, [self._on(kind.id) for kind in kinds]

    def _on(self, name: str) -> Choice:
        kind, own = engine.FILESYSTEMS[name], self._own()
        there = self.link.on("" if name == own else name)
        reason = catalogue.why_not(self.kernel, name)
        current = name == self.scenario.filesystem.type
        note = "The scenario's own. " if name == own else ""
        return Choice(kind.title, note + kind.reserves, there.plain(), there.url(at=self.event), current, reason)

    def _own(self) -> str:
        """The filesystem that the scenario has by itself; empty where that is not known here."""
        found = engine.gallery().get(self.link.scenario)
        return found.filesystem.type if found else ""
