"""Every address of Pagefate, and every name inside one: spelt and parsed here, and nowhere else.

    /                                    the gallery
    /run/{scenario}/{kernel}?fs=&switch=&step=&at=      a run; `at` names a step by its event
    /s/{id}?step=n                       the same run by its short link
    …/others                             behind either: what comes of it on other kernels
    /kernel/{id}  /filesystem/{id}  /scenario/{id}(.yaml)      pages about one of them
    /api/v1/…  /docs  /openapi.json  /healthz  /readyz  /static/{version}/…

A kernel may have one of its switches on: `/run/mail/wli-corrected+N4`. A run or a short link with `.json` or `.txt`
behind its path is the same thing in another form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Protocol
from urllib.parse import quote

GALLERY = "/"
DOCS = "/docs"
OPENAPI = "/openapi.json"
HEALTH = "/healthz"
READY = "/readyz"
FAVICON = "/favicon.ico"
API = "/api/v1"
STATIC = "/static"

SUFFIXES = (".json", ".txt", ".svg")

ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz"
"""The letters of an id: lower case, and none that a reader confuses (0 and o, 1 and l)."""

_SAME = 4  # how near a step is that has the task, line, function and name of an event
_BITS = 5  # the bits that a letter of ALPHABET carries
ID_LENGTHS = (12, 16, 24)
"""The lengths an id may have. The longer ones are for contents whose shorter ids are taken."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ID = re.compile(f"[{ALPHABET}]{{10,32}}")
_EVENT = re.compile(
    r"(?P<task>[^.]+)\.(?P<line>\d{1,6})(?:\.(?P<function>\w+)(?:\.(?P<step>\w+)(?:#(?P<time>[1-9]\d{0,5}))?)?)?"
)


# --- ids ---------------------------------------------------------------------------------------------------


def ids(content: bytes) -> Iterator[str]:
    """The ids that `content` may have, the usual one first: the same content has the same ids for ever."""
    number = int.from_bytes(blake2b(content, digest_size=16).digest())
    letters = "".join(ALPHABET[number >> shift & 31] for shift in range(123, -1, -_BITS))
    for length in ID_LENGTHS:
        yield letters[:length]


def content_id(content: bytes) -> str:
    """The usual id of `content`."""
    return next(ids(content))


def is_id(text: str) -> bool:
    """Whether `text` could be the id of a short link."""
    return _ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether `text` could be the name of a scenario or a kernel, rather than the text of a scenario."""
    return _NAME.fullmatch(text) is not None


# --- events ------------------------------------------------------------------------------------------------


class Happening(Protocol):
    """What a step of a trace has that an event names it by; `engine.Step` is one."""

    @property
    def n(self) -> int: ...  # noqa: D102
    @property
    def task(self) -> str: ...  # noqa: D102
    @property
    def line(self) -> int: ...  # noqa: D102
    @property
    def function(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Event:
    """A step by what happens in it, "A.2.do_no_page.set_pte": it means the same under another kernel.

    `line` is the 1-based script line of the task; `function` and `step` may be missing. "#2" behind it is the second
    `time` the same happens.
    """

    task: str
    line: int
    function: str = ""
    step: str = ""
    time: int = 1

    def __str__(self) -> str:
        """The event as an address has it."""
        again = f"#{self.time}" if self.time > 1 else ""
        return ".".join(part for part in (self.task, str(self.line), self.function, self.step) if part) + again

    @classmethod
    def parse(cls, text: str) -> Event | None:
        """The event that `text` spells, or None when it spells none."""
        match = _EVENT.fullmatch(text)
        if match is None:
            return None
        place = match["task"], int(match["line"]), match["function"] or "", match["step"] or ""
        return cls(*place, int(match["time"] or 1))

    def find(self, steps: Iterable[Happening]) -> int | None:
        """The number of the step that comes nearest to this event, the first of equals; None when none does.

        Nearest is the same step of the same function on the same script line (of several the `time`-th, or the last
        there is), then a step of this name in another function, then the same function, then the beginning of the line.
        """
        best, nearest, times = 0, None, 0
        for step in steps:
            if (step.task, step.line) != (self.task, self.line):
                continue
            nearness = 1 + (step.function == self.function) + 2 * (bool(self.step) and step.name == self.step)
            times += nearness == _SAME
            if nearness > best or (nearness == _SAME and times <= self.time):
                best, nearest = nearness, step.n
        return nearest


# --- addresses ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunLink:
    """The address of a run: what determines it, and the step it is opened on.

    A run has either a `scenario` of the gallery and a `kernel`, or a `link` (the id of a short link), which says
    both. `filesystem` and `switch` (a schedule, written as its preemptions) may be empty; beside a `link` they and
    `kernel` say what is to be different from what is kept under it.
    """

    scenario: str = ""
    kernel: str = ""
    filesystem: str = ""
    switch: str = ""
    link: str = ""

    def url(self, *, step: int | None = None, at: str = "", suffix: str = "") -> str:
        """The address of the run, opened on `step` or on the event `at`, in the form that `suffix` names."""
        if self.link:
            path, kernel = f"/s/{_part(self.link)}", self.kernel
        else:
            path, kernel = f"/run/{_part(self.scenario)}/{_part(self.kernel)}", ""
        return path + suffix + _query(kernel=kernel, fs=self.filesystem, switch=self.switch, step=step, at=at)

    def others(self) -> str:
        """The address of what comes of the same run on other kernels."""
        return self.url(suffix="/others")

    def api(self) -> str:
        """The address of the full trace as data."""
        if self.link:
            return self.url(suffix=".json")
        path = f"{API}/runs/{_part(self.scenario)}/{_part(self.kernel)}"
        return path + _query(fs=self.filesystem, switch=self.switch)

    def moment(self, step: int) -> str:
        """The address of one step as data, with the state after it."""
        if self.link:
            path = f"{API}/links/{_part(self.link)}/steps/{step}"
            return path + _query(kernel=self.kernel, fs=self.filesystem, switch=self.switch)
        path = f"{API}/runs/{_part(self.scenario)}/{_part(self.kernel)}/steps/{step}"
        return path + _query(fs=self.filesystem, switch=self.switch)

    def under(self, kernel: str) -> RunLink:
        """The same scenario and schedule under another kernel."""
        return replace(self, kernel=kernel)

    def on(self, filesystem: str) -> RunLink:
        """The same on another filesystem; empty is the scenario's own."""
        return replace(self, filesystem=filesystem)


def short(link: str, *, step: int | None = None) -> str:
    """The address of a short link, opened on `step`."""
    return RunLink(link=link).url(step=step)


def kernel(name: str) -> str:
    """The page about a kernel."""
    return f"/kernel/{_part(name)}"


def filesystem(name: str) -> str:
    """The page about a filesystem."""
    return f"/filesystem/{_part(name)}"


def switched(kernel: str, switch: str) -> str:
    """The name of a kernel with one of its switches on; without a switch, its own."""
    return f"{kernel}+{switch}" if switch else kernel


def kernel_said(text: str) -> str:
    """The name of a kernel as a query says it, where a plus sign that was not escaped has become a space."""
    return text.replace(" ", "+")


def scenario(name: str, suffix: str = "") -> str:
    """The page about a scenario of the gallery; with the suffix ".yaml", its text."""
    return f"/scenario/{_part(name)}{suffix}"


def slug(title: str) -> str:
    """A title as the name of a place within a page: "Who is told?" is "who-is-told"."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))


def api(*parts: str) -> str:
    """An address of the API: `api("kernels", "linux-2.6.9")`."""
    return "/".join((API, *(_part(part) for part in parts)))


def static(version: str, path: str) -> str:
    """The address of a static file, which never changes its content; `version` names all files together."""
    return f"{STATIC}/{_part(version)}/{quote(path)}"


def problem(kind: str) -> str:
    """The address that explains a kind of problem."""
    return f"{DOCS}#{_part(kind)}"


def split_suffix(name: str) -> tuple[str, str]:
    """The last part of a path, and the form it asks for: "linux-2.6.9.json" is ("linux-2.6.9", ".json")."""
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)], suffix
    return name, ""


def _part(text: str) -> str:
    return quote(text, safe="+")


def _query(**values: object) -> str:
    """The query that says `values`; empty ones are left out. What a reader can read stays readable."""
    said = [f"{key}={quote(str(value), safe='@>.,/')}" for key, value in values.items() if value not in (None, "")]
    return f"?{'&'.join(said)}" if said else ""
