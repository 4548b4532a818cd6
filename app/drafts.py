"""A scenario somebody is writing: what is wrong with it line by line, what it names, and its forms. Nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import engine
from app import orders
from app.orders import Order
from app.troubles import LISTED, Trouble
from engine import Problem, ScenarioError
from engine.document import Document, read_document
from engine.vocabulary import KeyHelp, keys

FORMS = ("machine", "filesystem")
"""The parts of a scenario that have a form."""
ROOM = 4
"""The most lines that a note beside the text may take."""
START = """\
title: My own experiment
story: One file with a hole, and one store into it.
machine: {frames: 16}
filesystem: {type: ext2, blocks: 4}
files:
  f: {owner: alice, size: 4P, data: {0P: a}}    # page 0 has a block, pages 1 to 3 are holes
tasks:
  A:
    user: alice
    script:
      - m = mmap(f, 4P, READ|WRITE, SHARED)
      - m[2P] = "C"                             # a store into the hole
      - msync(m, SYNC)
      - exit()
  B:
    user: bob
    script:
      - fill(g)                                 # takes every free block
  C:
    user: bob
    script:
      - drop_caches()                           # clean pages leave memory
schedule: [B, A, C]
"""
"""What a new scenario begins with."""


@dataclass(frozen=True, slots=True)
class Note:
    """What stands beside a line: its problems, and how many lines there are for them before the next note."""

    line: int
    problems: tuple[Problem, ...]
    room: int


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, made from the model: what may be written, and what the text says now."""

    key: KeyHelp
    value: str

    @property
    def name(self) -> str:
        """What the form calls it: "machine.frames"."""
        return f"{self.key.place}.{self.key.name}"


@dataclass(frozen=True)
class Draft:
    """A text and the kernel it is meant for, read: an `order` if it can be run, else what is wrong."""

    text: str
    kernel: str
    order: Order | None
    problems: tuple[Problem, ...] = ()
    document: Document = field(default_factory=lambda: Document(""))

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """The lines that have problems, in their order."""
        by_line: dict[int, list[Problem]] = {}
        for problem in self.problems:
            by_line.setdefault(max(1, problem.line), []).append(problem)
        lines = sorted(by_line)
        after = [*lines[1:], 1 << 30]
        rooms = [min(ROOM, follows - line) for line, follows in zip(lines, after, strict=False)]
        return tuple(Note(line, tuple(by_line[line]), room) for line, room in zip(lines, rooms, strict=True))

    @property
    def data(self) -> Mapping[str, Any]:
        """The text as data, as far as it can be read."""
        return self.document.data if isinstance(self.document.data, dict) else {}

    @property
    def names(self) -> dict[str, list[str]]:
        """What a script may speak of: files, tasks, children and users."""
        tasks, files = (_inner(self.data, part) for part in ("tasks", "files"))
        users = {str(user): None for task in tasks.values() if (user := task.get("user"))}
        owners = {str(owner): None for file in files.values() if (owner := file.get("owner"))}
        children = [name for name, task in tasks.items() if task.get("child_of")]
        return {"file": list(files), "tasks": list(tasks), "task": children, "user": [*({**users, **owners})]}

    @property
    def fields(self) -> dict[str, list[Field]]:
        """The fields of each form."""
        return {part: list(self._fields(part)) for part in FORMS}

    def _fields(self, part: str) -> Iterator[Field]:
        said = self.data.get(part)
        for key in form_keys(part):
            value = said.get(key.name) if isinstance(said, dict) else None
            yield Field(key, str(key.default if value is None else value))


def _inner(data: Mapping[str, Any], part: str) -> dict[str, dict[str, Any]]:
    """The mappings of a part by name; what is none is empty."""
    found = data.get(part)
    items = found.items() if isinstance(found, dict) else ()
    return {str(name): value if isinstance(value, dict) else {} for name, value in items}


def form_keys(part: str) -> list[KeyHelp]:
    """The keys of a part that a form can change: one value each."""
    return [key for key in keys() if key.place == part and not key.kind.startswith("mapping")]


def read(text: str, kernel: str = "") -> Draft:
    """Read a draft as the API would."""
    written = text if text.endswith("\n") else f"{text}\n"
    document = read_document(written)
    try:
        order = orders.order(written, kernel)
    except Trouble as trouble:
        return Draft(text, kernel, None, tuple(_placed(trouble.problems, document)), document)
    return Draft(text, order.kernel, order, (), document)


def _placed(problems: Sequence[Problem], document: Document) -> Iterator[Problem]:
    """Problems with a line, for those that name a place of the request only."""
    for problem in problems:
        if problem.line:
            yield problem
        else:
            path = problem.path.removeprefix("/scenario")
            line, column = document.locate("/filesystem/type" if path == "/filesystem" else path)
            yield replace(problem, line=max(1, line), column=max(1, column))


def changed(text: str, values: Mapping[str, str]) -> tuple[str, tuple[Problem, ...]]:
    """The text with the values of form fields that differ from it, and what was wrong with values."""
    found: list[Problem] = []
    before = {each.name: each for fields in read(text).fields.values() for each in fields}
    for name, said in values.items():
        if name not in before or said.strip() in ("", before[name].value):
            continue
        try:
            text = engine.set_value(text, before[name].key.place, before[name].key.name, _value(said.strip()))
        except ScenarioError as error:
            found += error.problems[:LISTED]
    return text, tuple(found)


def _value(said: str) -> int | str:
    return int(said) if said.isdecimal() and len(said) < 10 else said


def of_kept(order: Order) -> str:
    """The text of what is kept under a link, with the schedule it is run by."""
    data = engine.to_data(order.scenario)
    if order.schedule is not None:
        data["schedule"] = list(order.schedule.items())
    text = engine.to_yaml(engine.scenario_from_data(data))
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("id: "))
