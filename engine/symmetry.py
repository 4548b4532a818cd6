"""Equal tasks: who is who does not matter. States that differ only in their names are one state to a search.

A renaming swaps the names of equal tasks wherever a cell has them: in its address (`mm/A/pte/0x40001.entry`), in a
value that names things (`mm/A`, a store's name), as the holder of a lock. The key of the renamed state is kept beside
the state's own; the least of these keys stands for all. (Ip and Dill: Better verification through symmetry, 1996.)

Equal tasks are not equal to a kernel that goes through address spaces one by one, always in the same order. So the way
to a step that touches two of them is gone under the other names too, and has to come to the renamed state.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations, product
from math import factorial, prod
from typing import TYPE_CHECKING, Any

from engine.journal import STATISTICS, digest
from engine.moves import Move, Moves
from engine.operations import Mmap
from engine.scenario import Scenario, to_data
from engine.setup import build

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.telling import Told

MOST = 24
"""So many orders of equal tasks are told apart at most: four equal tasks, or three and two."""
_WORD = re.compile(r"[\w-]+")
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")
CONTENT = (".text", ".result", ".stack")
"""Cells in which a quoted name is no task."""


class Renaming:
    """Other names for equal tasks, and other numbers for the processors that they run on."""

    def __init__(self, tasks: Mapping[str, str], cpus: Mapping[int, int]) -> None:
        """What each becomes; every new name is somebody's old one."""
        self.tasks = tasks
        self.to = {**tasks, **{f"cpu/{old}": f"cpu/{new}" for old, new in cpus.items()}}
        names = "|".join(sorted(map(re.escape, tasks), key=len, reverse=True))
        numbers = "|".join(f"cpu/{number}" for number in cpus) or "(?!)"
        self._named = re.compile(
            rf"(?<=/)(?:{names})(?![\w-])|(?<=store=')(?:{names})(?=\.)|(?<![\w/-])(?:{numbers})(?!\d)"
        )
        self._words = re.compile(rf"(?<![\w-])(?:{names})(?![\w-])")

    def text(self, content: str, *, words: bool = False) -> str:
        """A text with the names renamed where they name things; `words`: wherever they stand."""
        pattern = self._words if words else self._named
        return pattern.sub(lambda found: self.to[found[0]], content)

    def told(self, told: Told) -> Told:
        """The same about stores."""
        return frozenset(self.text(name, words=True) for name in told)

    def change(self, at: str, old: Any, new: Any) -> int:
        """What a write changes in the key of the renamed state."""
        return self._key(at, old) ^ self._key(at, new)

    def _key(self, at: str, value: Any) -> int:
        if value is None or at.endswith(STATISTICS):
            return 0
        names = isinstance(value, str | tuple) and not at.endswith(CONTENT) and "Run(" not in repr(value)
        return digest(f"{self.text(at)}={self.text(repr(value), words=names)}")


class Symmetry:
    """The names under which a machine is the same, and the proof of it on the way. `holds` until that fails."""

    def __init__(self, machine: Machine, others: Sequence[Renaming]) -> None:
        """The machine stands at the beginning; there is one renaming at least."""
        self.others, self.holds = others, True
        names = "|".join(re.escape(name) for name in sorted(others[0].tasks))
        self._owned = re.compile(rf"(?:task|mm|line|store|fd)/({names})(?![\w-])")
        self._twin = Moves(build(machine.scenario, machine.kernel))
        self._proven: set[Move] = set()

    def watch(self, moves: Moves, move: Move) -> None:
        """A move can be made. If it touches two equal tasks, see whether it is the same under other names."""
        if not self.holds or move in self._proven or not move.is_step:
            return
        self._proven.add(move)
        touched = (*map(str, move.looks), *(at for at, _, _ in move.writes))
        owners = {found[1] for at in touched if (found := self._owned.match(at))}
        if len(owners) > 1 or not move.remembered:
            ways = zip(self.others, moves.mirrors, move.mirrors, strict=True)
            self.holds = all(self._comes_to(other, [*moves.trail, move], key ^ change) for other, key, change in ways)

    def _comes_to(self, other: Renaming, trail: Sequence[Move], key: int) -> bool:
        """Whether the way under other names is the same, and comes to the state of this key."""
        twin, made = self._twin, list[Move]()
        for move in trail:
            found = twin.of(twin.machine.tasks[other.to.get(move.task, move.task)])
            if found is None or not found.is_step or (found.function, found.name) != (move.function, move.name):
                break
            twin.make(found)
            made.append(found)
        same = len(made) == len(trail) and twin.key == key
        while made:
            twin.unmake(made.pop())
        return same


def renamings(machine: Machine) -> tuple[Renaming, ...]:
    """Every order of the equal tasks of a machine but the one that they have; none if no two are equal, or too many."""
    groups = _groups(machine.scenario)
    if prod(factorial(len(group)) for group in groups) > MOST:
        return ()
    orders = [[dict(zip(group, order, strict=True)) for order in permutations(group)] for group in groups]
    found = []
    for each in product(*orders):
        tasks = {name: to for part in each for name, to in part.items()}
        cpus = _processors(machine, tasks)
        if cpus is not None and any(name != to for name, to in tasks.items()):
            found.append(Renaming(tasks, cpus))
    return tuple(found)


def _processors(machine: Machine, tasks: Mapping[str, str]) -> dict[int, int] | None:
    """Which processor becomes which when tasks are renamed; None if one would have to become two."""
    found: dict[int, int] = {}
    for name in machine.scenario.tasks:
        if _has_memory(machine.scenario, name):
            old, new = machine.tasks[name].cpu, machine.tasks[tasks.get(name, name)].cpu
            if found.setdefault(old, new) != new:
                return None
    return found if len(set(found.values())) == len(found) else None


def _has_memory(scenario: Scenario, name: str) -> bool:
    """Whether a task may touch memory, and with it the TLB of its processor."""
    task = scenario.tasks[name]
    return bool(task.thread_of or task.child_of) or any(
        isinstance(line.operation, Mmap) for line in scenario.lines(name)
    )


def _groups(scenario: Scenario) -> list[list[str]]:
    """The tasks of which each could be the other: the same in every way, and named nowhere else in the scenario."""
    if any("/" in text or "'" in text for text in _texts(scenario)):
        return []  # what is stored might look like a name
    data = {key: value for key, value in to_data(scenario).items() if key in ("files", "filesystem", "tasks")}
    for file in data.get("files", {}).values():
        file.pop("data", None)
    elsewhere = set(_WORD.findall(_TEXT.sub("", " ".join(_strings(data)))))
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name, task in data["tasks"].items():
        if name not in elsewhere:
            groups[str({**task, "cpu": None})].append(name)
    return [names for names in groups.values() if len(names) > 1]


def _strings(data: Any) -> Iterator[str]:
    """Every text in plain data, the names of tasks left out."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from [] if key == "tasks" else [str(key)]
            yield from _strings(list(value.values()) if key == "tasks" else value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _strings(value)
    else:
        yield str(data)


def _texts(scenario: Scenario) -> Iterator[str]:
    """What files hold, and what scripts store."""
    for file in scenario.files:
        yield from (extent.text for extent in scenario.extents(file))
    for task in scenario.tasks.values():
        for line in task.script:
            yield from (quoted[1:-1] for quoted in _TEXT.findall(line))
