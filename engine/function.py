"""Kernel functions cut into atomic steps.

A kernel function of Linux is a class named after it. Its fields are the function's arguments and locals; its public
methods are its atomic steps in program order; a step's docstring is the caption the page shows. A step is what happens
while nobody else can run in between, and returns one of

    nothing         fall through to the next step
    self.other      go to another step of the same function
    call(f, into)   run another kernel function; its value goes to the field `into`
    tail(f)         run another kernel function and return what it returns
    ret(value)      return to the caller
    WAIT            it cannot go on now; it has written nothing and will be tried again

A subclass overrides steps in their place; steps it adds come after and are reached by goto only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from inspect import getdoc, isfunction
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from engine.errors import Panic

if TYPE_CHECKING:
    from engine.machine import Machine

Next: TypeAlias = "Callable[[Machine], Any] | call | tail | ret | Waiting | None"


class Waiting:
    """The type of WAIT."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "WAIT"


WAIT: Final = Waiting()


@dataclass(slots=True)
class ret:  # noqa: N801 -- it reads as the statement it stands for
    """Return a value to the caller."""

    value: Any = None


@dataclass(slots=True)
class call:  # noqa: N801 -- it reads as the statement it stands for
    """Run another kernel function; its value goes to a field of this frame (or nowhere)."""

    callee: KernelFunction
    into: str | None = None


@dataclass(slots=True)
class tail:  # noqa: N801 -- it reads as the statement it stands for
    """Run another kernel function and return its value as one's own."""

    callee: KernelFunction


class KernelFunction:
    """A kernel function on some task's stack. See the module for what a step may do."""

    c_name: ClassVar[str]
    source: ClassVar[str] = ""
    steps: ClassVar[tuple[str, ...]] = ()
    sleeps_atomic: ClassVar[str] = ""
    """A sentence for kernels that really do sleep under a spinlock; empty where that must not happen."""

    def __init_subclass__(cls) -> None:
        own = [name for name, step in vars(cls).items() if not name.startswith("_") and isfunction(step)]
        if not cls.steps:
            cls.c_name = vars(cls).get("c_name") or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        cls.steps = (*cls.steps, *(name for name in own if name not in cls.steps))


def may_sleep(step: Callable[[Any, Machine], Next]) -> Callable[[Any, Machine], Next]:
    """Mark a step that may sleep: it must not run under a spinlock."""
    step.__dict__["may_sleep"] = True
    return step


@dataclass(frozen=True, slots=True)
class StepInfo:
    """One step as the machine runs it."""

    name: str
    run: Callable[[Any, Any], Any]
    following: str | None
    may_sleep: bool
    caption: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How a kernel function is stored on a stack and which steps it has."""

    c_name: str
    first: str
    steps: dict[str, StepInfo]
    pack: Callable[[Any], tuple[Any, ...]]
    arguments: Callable[[Any], tuple[Any, ...]]
    """The fields without a default: what a caller has to say, whatever the kernel calls the function."""


class Layouts(dict[type[KernelFunction], Layout]):
    """The layout of each class, worked out when it is first wanted."""

    def __missing__(self, kind: type[KernelFunction]) -> Layout:
        made = self[kind] = _lay_out(kind)
        return made


LAYOUTS = Layouts()


def _lay_out(kind: type[KernelFunction]) -> Layout:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every kernel function is a dataclass
    following = dict(zip(kind.steps, (*kind.steps[1:], None), strict=True))
    steps = {
        name: StepInfo(
            name,
            getattr(kind, name),
            following[name],
            getattr(getattr(kind, name), "may_sleep", False),
            caption(kind, name),
        )
        for name in kind.steps
    }
    required = [field.name for field in fields(kind) if field.default is MISSING]  # type: ignore[arg-type]
    return Layout(kind.c_name, kind.steps[0], steps, packer(names), packer(required))


def packer(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that takes a frame's fields as one tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _frame: ()
    get = attrgetter(names[0])
    return lambda frame: (get(frame),)


def caption(kind: type[KernelFunction], name: str) -> str:
    """A step's caption: its docstring, or that of the step it overrides, on one line."""
    for base in kind.__mro__:
        step = vars(base).get(name)
        if step is not None and (doc := getdoc(step)):
            return " ".join(doc.split())
    raise Panic(f"{kind.c_name}.{name} has no caption", step=name)
