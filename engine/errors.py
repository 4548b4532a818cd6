"""What can go wrong, as a drawn tree.

    EngineError                 anything the engine refuses, with where and a cure
    ├── ScenarioError           a scenario that cannot be run: every problem found, not only the first
    ├── ScheduleError           a schedule that names no such task, function or step
    ├── UnknownKernel           no kernel of that name
    ├── UnknownScenario         no scenario of that name in the gallery
    └── Panic                   the simulated machine came into a state that must not be: a bug of ours

Every message says what is wrong; `where` says at which place, `cure` says what would be right.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class EngineError(Exception):
    """Anything the engine refuses to do.

    `message` is what is wrong, `where` the place ("A, line 3") and `cure` what would be right; both may be
    empty.
    """

    def __init__(self, message: str, *, where: str = "", cure: str = "") -> None:
        """Join place, message and cure into one readable text."""
        self.message, self.where, self.cure = message, where, cure
        super().__init__(sentence(message, where, cure))

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling and copying: keyword arguments do not, by themselves."""
        return _rebuild, (type(self), self.args, dict(self.__dict__))


def _rebuild(kind: type[EngineError], args: tuple[object, ...], fields: dict[str, object]) -> EngineError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a scenario.

    `line` and `column` count from 1 and are 0 where unknown. A JSON body has no lines: `path` is where in the
    data, a JSON pointer like "/tasks/A/script/2", and `column` then counts within that line of the script.
    `cure` says what would be right, or is empty.
    """

    line: int
    column: int
    path: str
    message: str
    cure: str = ""

    def text(self, name: str) -> str:
        """The problem as compilers say it: name:line:column: message. cure."""
        return sentence(self.message, self.place(name), self.cure)

    def place(self, name: str) -> str:
        """Where it is, for a person: by line and column if known, otherwise by path."""
        if self.line:
            return f"{name}:{self.line}:{self.column}"
        return f"{name}{self.path}:{self.column}" if self.column else f"{name}{self.path}"


class ScenarioError(EngineError):
    """A scenario that cannot be run, with all its problems in the order of the text."""

    def __init__(self, problems: Sequence[Problem], *, name: str = "scenario") -> None:
        """Keep every problem; the text is one line for each."""
        self.problems = tuple(sorted(problems, key=_reading_order))
        self.name = name
        first = self.problems[0]
        super().__init__(first.message, where=first.place(name), cure=first.cure)
        self.args = ("\n".join(problem.text(name) for problem in self.problems),)


def _reading_order(problem: Problem) -> tuple[int, int]:
    return (problem.line, problem.column) if problem.line else (0, 0)


class ScheduleError(EngineError):
    """A schedule that does not parse, or names a task, function or step that is not there."""


class UnknownKernel(EngineError):
    """No kernel has this name; the cure names near ones."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """`known` are the kernels there are."""
        super().__init__(f"there is no kernel {short(name)}", cure=suggestion(name, known))


class UnknownSwitch(EngineError):
    """A kernel has no switch of this name; the cure names those it has."""

    def __init__(self, kernel: str, name: str, known: Iterable[str]) -> None:
        """`known` are the switches there are."""
        super().__init__(f"{kernel} has no switch {short(name)}", cure=suggestion(name, known))


class NoSuchCombination(EngineError):
    """This kernel never had this filesystem; the message says why, the cure which it has."""

    def __init__(self, kernel: str, filesystem: str, reason: str, known: Iterable[str]) -> None:
        """`known` are the filesystems of the kernel."""
        super().__init__(f"{kernel} has no {filesystem}: {reason}", cure=f"Choose {either(list(known))}")


class UnknownScenario(EngineError):
    """The gallery has no scenario of this name; the cure names near ones."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """`known` are the scenarios there are."""
        super().__init__(f"there is no scenario {short(name)}", cure=suggestion(name, known))


class Panic(EngineError):
    """The simulated machine reached a state that must not be; `task` and `step` say who did what."""

    def __init__(self, message: str, task: str = "", step: str = "") -> None:
        """`step` is the full name, "do_no_page.set_pte"."""
        self.task, self.step = task, step
        super().__init__(message, where=" ".join(part for part in (task, step) if part))


def sentence(message: str, where: str = "", cure: str = "") -> str:
    """Join a place, what is wrong and what would be right: "where: message. cure."."""
    text = f"{where}: {message}" if where else message
    text = text if text.endswith((".", "!", "?")) else f"{text}."
    return f"{text} {cure if cure.endswith(('.', '!', '?')) else cure + '.'}" if cure else text


def short(value: object, limit: int = 40) -> str:
    """A value quoted for a message, cut to a length that does not drown it."""
    text = ascii(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def near(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like `name`, best first; at most `count`."""
    spelt = {candidate.lower(): candidate for candidate in known}
    return [spelt[match] for match in difflib.get_close_matches(name.lower()[:80], spelt, count, 0.5)]


def suggestion(name: str, known: Iterable[str]) -> str:
    """What would be right: the near names if there are any, otherwise all (the first dozen)."""
    names = list(known)
    if matches := near(name, names):
        return f"Did you mean {either(matches)}?"
    if not names:
        return "None is known here"
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"Known: {', '.join(names[:12])}{more}"


def either(names: Sequence[str]) -> str:
    """A list as a person says it: "a, b or c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
