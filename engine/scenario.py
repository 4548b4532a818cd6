"""The scenario language: one definition for gallery files, command line, API and JSON Schema.

    scenario = load_scenario(text)            YAML or JSON
    scenario = scenario_from_data(data)       a JSON body
    text = to_yaml(scenario)                  and back, an equal scenario
    scenario.lines("A")                       the script of a task as operations

Whatever is wrong comes as one ScenarioError with every problem found, each with its place and a cure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from engine import checks, shape
from engine.beats import Beat, Story
from engine.document import Document, read_document
from engine.errors import Problem, ScenarioError, short, suggestion
from engine.fs.kinds import FILESYSTEMS
from engine.hardware.paging import FORMATS
from engine.kernels import known_names
from engine.operations import Line
from engine.reading import name_problem
from engine.schedule import Schedule
from engine.sizes import (
    MAX_BYTES,
    SECONDS,
    SIZE_SCHEMA,
    TIME_SCHEMA,
    Geometry,
    spell,
    split_literal,
    unit_cure,
)

MAX_TASKS = 8
MAX_LINES = 400
MAX_FILES = 16
MAX_DATA = 64
MAX_PROSE = 4000
MAX_BLOCKS = 16384


def _wrong(message: str, cure: str) -> PydanticCustomError:
    """What a validator raises: pydantic carries message and cure to where problems are made."""
    return PydanticCustomError("scenario", "{message}", {"message": message, "cure": cure})


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        cure = f"Write {1 << value.bit_length() - 1} or {1 << value.bit_length()}"
        raise _wrong(f"{value} is not a power of two", cure)
    return value


def _name(value: str) -> str:
    if problem := name_problem(value):
        raise _wrong(f"{short(value)} cannot be a name: {problem}", "Choose another: A, f, alice")
    return value


def _filesystem(value: str) -> str:
    if value not in FILESYSTEMS:
        raise _wrong(f"there is no filesystem {short(value)}", suggestion(value, FILESYSTEMS))
    return value


def _kernel(value: str) -> str:
    if value and value not in known_names():
        raise _wrong(f"there is no kernel {short(value)}", suggestion(value, known_names()))
    return value


def _arch(value: str) -> str:
    if value not in FORMATS:
        raise _wrong(f"there is no architecture {short(value)}", suggestion(value, FORMATS))
    return value


def _size(value: object) -> object:
    """A size in bytes; pages and blocks are known only inside a scenario, which has resolved them before."""
    if not isinstance(value, str):
        return value
    literal = split_literal(value)
    if literal is None:
        raise _wrong(f"{short(value)} is not a size", "Write 4P (pages), 2B (blocks), 8K, or bytes")
    scale = Geometry().scale(literal.unit)
    if scale is None:
        raise _wrong(f"there is no unit {literal.unit}", unit_cure(literal))
    if literal.unit in ("P", "B"):
        raise _wrong(f"how long {value} is depends on the scenario", "Give bytes to a File made by itself")
    return literal.number * scale


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    literal = split_literal(value)
    scale = SECONDS.get(literal.unit or "s") if literal else None
    if literal is None or scale is None:
        raise _wrong(f"{short(value)} is not a time", "Write 30s, 5m, 2h or 7d")
    return literal.number * scale


Name = Annotated[str, AfterValidator(_name), Field(max_length=64)]
Size = Annotated[int, BeforeValidator(_size), Field(ge=0, le=MAX_BYTES), WithJsonSchema(SIZE_SCHEMA)]
Seconds = Annotated[int, BeforeValidator(_seconds), Field(ge=0, le=10**9), WithJsonSchema(TIME_SCHEMA)]
Blocks = Annotated[int, Field(ge=0, le=MAX_BLOCKS)]
Prose = Annotated[str, Field(max_length=MAX_PROSE)]
Label = Annotated[str, Field(max_length=200)]


class Model(BaseModel):
    """What all parts of a scenario are: strict, frozen, and without keys nobody knows."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Machine(Model):
    """The computer."""

    arch: Annotated[str, AfterValidator(_arch)] = Field(
        default="i386",
        max_length=40,
        description="the format of its page tables: i386 has two levels, i386-pae three, x86-64 four; "
        "mips has two and no hardware that walks them: the kernel fills the TLB",
        json_schema_extra={"enum": list(FORMATS)},
    )
    cpus: int = Field(default=2, ge=1, le=8, description="processors, each with its own TLB")
    frames: int = Field(default=16, ge=4, le=1024, description="page frames of memory")
    readahead: int = Field(default=0, ge=0, le=64, description="later kernels read so many pages around; really 32")
    page_size: Annotated[int, AfterValidator(_power_of_two)] = Field(
        default=4096, ge=16, le=65536, description="bytes in a page: a power of two"
    )


class Quota(Model):
    """The limits of one user, in blocks of the filesystem; 0 is no limit."""

    soft: Blocks = Field(default=0, description="blocks that may be exceeded for the grace period")
    hard: Blocks = Field(default=0, description="blocks that may never be exceeded")
    grace: Seconds = Field(default=604800, description="how long the soft limit may be exceeded")


class Filesystem(Model):
    """The filesystem, alone on its disk."""

    type: Annotated[str, AfterValidator(_filesystem)] = Field(
        default="ext2",
        max_length=40,
        description="whose way of allocating and writing",
        json_schema_extra={"enum": list(FILESYSTEMS)},
    )
    blocks: int = Field(default=16, ge=1, le=MAX_BLOCKS, description="blocks for data and index blocks")
    block_size: Annotated[int, AfterValidator(_power_of_two)] = Field(
        default=4096,
        ge=16,
        le=65536,
        description="bytes in a block: a power of two, at most a page; a page if that is smaller",
    )
    reserved: Blocks = Field(default=0, description="the last so many free blocks are for root alone")
    reserved_clusters: Blocks | None = Field(default=None, description="of ext4, for metadata alone; left out, 2 %")
    device_room: Blocks | None = Field(default=None, description="blocks the device below can take; left out, all")
    quota: dict[Name, Quota] = Field(default_factory=dict, description="limits by user", max_length=16)


class File(Model):
    """A file as it is on the disk at the beginning."""

    owner: Name = Field(default="root", description="who is charged for its blocks", examples=["alice"])
    size: Size = Field(examples=["4P", 16384])
    data: dict[str, Annotated[str, Field(max_length=64)]] = Field(
        default_factory=dict,
        max_length=MAX_DATA,
        description="what is not a hole, by offset: one letter fills the page (or the block, if the offset "
        "is in B), a longer text is written as it is and padded with zeroes to the end of its block",
        examples=[{"0P": "a"}],
    )


class Task(Model):
    """A process, or a thread or child of another task."""

    user: Name = Field(description="who runs it; a thread's or child's is its parent's", examples=["alice"])
    cpu: Annotated[int, Field(ge=0, le=7)] | None = Field(default=None, description="the processor it runs on")
    thread_of: Name | None = Field(default=None, description="the task whose address space it shares")
    child_of: Name | None = Field(default=None, description="the task whose fork() makes it")
    on_call: bool = Field(default=False, description="each preemption that names it calls one line, and it hands back")
    on_sigbus: Literal["die", "next"] = Field(default="die", description="die, or go on with the next page or line")
    script: tuple[str, ...] = Field(
        strict=False, min_length=1, max_length=MAX_LINES, description="a line each", examples=[["fsync(f)"]]
    )


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes of a file that are on the disk at the beginning: `text`, filling `length` bytes or zero-padded.

    A single letter fills. `offset` is where a block begins and `length` a whole number of blocks; what lies
    beyond the end of the file is not part of it.
    """

    offset: int
    length: int
    text: str

    @property
    def content(self) -> bytes:
        """The bytes themselves."""
        data = self.text.encode("ascii")
        return data * self.length if len(data) == 1 else data.ljust(self.length, b"\0")


class Scenario(Model):
    """A machine, a filesystem, files, and tasks with their scripts: plain data."""

    id: str = Field(default="scenario", pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", description="its name in addresses")
    order: int = Field(default=0, ge=0, le=9999, description="its place in the gallery")
    title: str = Field(min_length=1, max_length=120, description="its name", examples=["The mail's experiment"])
    chapter: Label = Field(default="", description="its chapter in the gallery")
    story: Prose = Field(default="", description="what happens, in two or three sentences")
    question: Prose = Field(default="", description="what to ask a class before playing it")
    answer: Prose = Field(default="", description="the answer to the question")
    sources: tuple[Label, ...] = Field(default=(), strict=False, max_length=20, description="where the facts come from")
    kernel: Annotated[str, AfterValidator(_kernel)] = Field(
        default="",
        max_length=100,
        description="the kernel it is best shown on, with a switch after a plus; left out, it is linux-2.6.9",
        examples=["linux-6.18", "wli-corrected+X5"],
    )
    machine: Machine = Field(default_factory=Machine)
    filesystem: Filesystem = Field(default_factory=Filesystem)
    files: dict[Name, File] = Field(default_factory=dict, max_length=MAX_FILES, examples=[{"f": {"size": "4P"}}])
    tasks: dict[Name, Task] = Field(
        min_length=1, max_length=MAX_TASKS, examples=[{"A": {"user": "alice", "script": ["fsync(f)"]}}]
    )
    schedule: tuple[Label, ...] = Field(
        default=(),
        strict=False,
        max_length=256,
        description="tasks in the order they are taken up, and preemptions",
        examples=[["B", "A", "A@do_no_page.enough_space>B"]],
    )
    beats: Story = ()

    _lines: dict[str, tuple[Line, ...]] = PrivateAttr(default_factory=dict)
    _schedule: Schedule = PrivateAttr(default_factory=Schedule)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        return shape.completed(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _check(self) -> Scenario:
        found = checks.check(self)
        if found.problems:
            raise ScenarioError(found.problems, name=self.id)
        self._lines, self._schedule = found.lines, found.schedule
        return self

    @property
    def geometry(self) -> Geometry:
        """The sizes of a page and of a block, in bytes."""
        return Geometry(self.machine.page_size, self.filesystem.block_size)

    @property
    def users(self) -> tuple[str, ...]:
        """Everybody the scenario names, root first, then in order of appearance."""
        return checks.users(self)

    def uid(self, user: str) -> int:
        """A user's number: 0 for root, 1000, 1001, ... for the others in order of appearance."""
        return 999 + self.users.index(user) if user != "root" else 0

    def lines(self, task: str) -> tuple[Line, ...]:
        """The script of a task, parsed."""
        return self._lines[task]

    def default_schedule(self) -> Schedule:
        """The schedule the scenario comes with."""
        return self._schedule

    def extents(self, file: str) -> tuple[Extent, ...]:
        """What of a file is on the disk at the beginning, by offset."""
        return tuple(Extent(*extent) for extent in checks.extents(self.files[file].data, self.geometry))


def load_scenario(text: str, name: str = "scenario", *, default_id: str | None = None) -> Scenario:
    """Read a scenario from YAML or JSON; `name` is what problems call the text.

    Raises ScenarioError with every problem found, each with its line and column.
    """
    document = read_document(text)
    if not document.problems and not isinstance(document.data, dict):
        cure = "Write title:, files: and tasks: as in the gallery"
        message = "a scenario is a mapping of key: value" if text.strip() else "the text is empty"
        document.problems.append(Problem(1, 1, "", message, cure))
    if not isinstance(document.data, dict):
        raise ScenarioError(document.problems, name=name)
    return _scenario(document, name, default_id)


def scenario_from_data(data: Mapping[str, Any], name: str = "scenario", *, default_id: str | None = None) -> Scenario:
    """Read a scenario from plain data, as a JSON body has it; problems have a path instead of a line."""
    if not isinstance(data, dict):
        raise ScenarioError([Problem(0, 0, "", "a scenario is a mapping of key: value", "Send an object")], name=name)
    return _scenario(Document("", data), name, default_id)


def _scenario(document: Document, name: str, default_id: str | None) -> Scenario:
    data = document.data
    if unfit := shape.unfit(data, Scenario.model_fields):
        raise ScenarioError([_placed(document, problem, key=True) for problem in unfit], name=name)
    if default_id is not None and "id" not in data:
        data = {**data, "id": default_id}
    scenario, found = _validate(data)
    known = {problem.path for problem in document.problems}
    more = [_placed(document, problem, key=key) for problem, key in found if problem.path not in known]
    problems = [*document.problems, *more]
    if problems or scenario is None:
        raise ScenarioError(problems, name=name)
    return scenario


def _validate(data: dict[str, Any]) -> tuple[Scenario | None, list[tuple[Problem, bool]]]:
    """The scenario, or all that is wrong: with its shape and, as far as one can see then, with its sense.

    Beside each problem stands whether a key is meant rather than its value.
    """
    try:
        return Scenario.model_validate(data), []
    except ScenarioError as error:
        return None, [(problem, False) for problem in error.problems]
    except ValidationError as error:
        details = shape.without_echoes([dict(detail) for detail in error.errors(include_url=False)])
        problems = [shape.problem(detail, MODELS) for detail in details]
        mended = checks.mend(data, [detail["loc"] for detail in error.errors(include_url=False)])
    try:
        Scenario.model_validate(mended)
    except ScenarioError as error:
        problems += [(problem, False) for problem in error.problems]
    except ValidationError:
        pass
    return None, problems


def _placed(document: Document, problem: Problem, *, key: bool) -> Problem:
    """The problem with its line and column in the text; what came from plain data keeps its path alone."""
    if problem.line or not document.text:
        return problem
    line, column = document.locate(problem.path, problem.column, key=key)
    return Problem(line, column, problem.path, problem.message, problem.cure)


MODELS: shape.Models = {
    (): Scenario.model_fields,
    ("machine",): Machine.model_fields,
    ("filesystem",): Filesystem.model_fields,
    ("filesystem", "quota", "*"): Quota.model_fields,
    ("files", "*"): File.model_fields,
    ("tasks", "*"): Task.model_fields, ("beats", "*"): Beat.model_fields,
}  # fmt: skip
"""Which fields stand where; * is any name."""


def to_data(scenario: Scenario) -> dict[str, Any]:
    """The scenario as plain data that JSON can hold, without defaults; sizes in the largest unit."""
    data = scenario.model_dump(mode="json", exclude_defaults=True)
    for name, file in scenario.files.items():
        data["files"][name]["size"] = spell(file.size, scenario.geometry)
    data = {"id": scenario.id, **data}
    return {key: value for key, value in data.items() if value not in ({}, [])}


def to_yaml(scenario: Scenario) -> str:
    """The scenario as YAML that `load_scenario` turns into an equal one."""
    return yaml.safe_dump(to_data(scenario), sort_keys=False, allow_unicode=True, width=110)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the language, with descriptions and examples."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
