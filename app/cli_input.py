"""What every command of the command line reads: a scenario by name or from a file, the settings; and how it refuses."""

from __future__ import annotations

import errno
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from app.links import is_name
from app.settings import Settings
from app.troubles import Trouble, of_engine
from engine import KERNELS, OFFERS, PROPERTIES, EngineError, Problem, Scenario, gallery, load_scenario
from engine.document import MAX_CHARACTERS

BAD_INPUT, OUR_FAULT = 2, 70
SUFFIXES = (".yaml", ".yml", ".json")
MAX_BYTES = 1 << 20
"""More than any scenario may have, whatever its letters: what is beyond is not read."""


def _names(known: list[str], begun: str) -> list[str]:
    return [name for name in known if name.startswith(begun)]


KERNEL_HELP = "the kernel to run it on, with +switch; see `pagefate kernels`"
ScenarioArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME-OR-FILE",
        help="a scenario of the gallery, a YAML file, or - for stdin",
        autocompletion=lambda incomplete: _names(list(gallery()), incomplete),
    ),
]
KernelOption = Annotated[
    str,
    typer.Option(
        "--kernel",
        help=KERNEL_HELP,
        show_default="the scenario's own, or linux-2.6.9",
        autocompletion=lambda incomplete: _names(list(KERNELS), incomplete),
    ),
]
FilesystemOption = Annotated[
    str | None, typer.Option("--filesystem", help="in place of the scenario's own; see `pagefate filesystems`")
]
ScheduleOption = Annotated[
    str | None, typer.Option("--schedule", help='who runs when: "B.A,A@do_no_page.enough_space>B"')
]
PropertyOption = Annotated[
    str,
    typer.Option(
        "--property",
        help=f"what is asked: {', '.join(PROPERTIES)}",
        autocompletion=lambda incomplete: _names(list(PROPERTIES), incomplete),
    ),
]
OfferOption = Annotated[
    str, typer.Option("--offer", help=f"what the world may do at any moment, with commas: {', '.join(OFFERS)}")
]


def listed(said: str) -> list[str]:
    """What an option says with commas."""
    return [each.strip() for each in said.split(",") if each.strip()]


def settings_of(**given: Any) -> Settings:
    """The settings by the environment, with what the command line says in their place."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for found in error.errors():
            name = "_".join(str(part) for part in found["loc"]).upper()
            sys.stderr.write(f"PAGEFATE_{name}: {found['msg']}, not {found['input']!r}.\n")
        sys.exit(BAD_INPUT)


def read(scenario: str) -> str | Scenario:
    """The name of a gallery scenario as it is, or the scenario in a file."""
    looks_like_file = scenario == "-" or not is_name(scenario) or Path(scenario).suffix in SUFFIXES
    if scenario not in gallery() and (looks_like_file or Path(scenario).is_file()):
        return read_file(scenario)
    return scenario


def read_file(file: str) -> Scenario:
    """The scenario in a file, or on the standard input; or say what is wrong with it, and leave."""
    try:
        return load_scenario(_text(file), file)
    except EngineError as error:
        refuse(of_engine(error), file)
    except OSError as error:
        cure = "Name a scenario of the gallery (see `pagefate scenarios`) or a YAML file"
        refuse(Trouble("bad-scenario", str(error.strerror).lower(), cure=cure), file)


def _text(file: str) -> str:
    """What a file says; or say where it is no text, and leave."""
    content = _bytes(file)
    if len(content) > MAX_BYTES:
        cure = f"A scenario has at most {MAX_CHARACTERS} characters"
        refuse(Trouble("bad-scenario", f"the file has more than {MAX_BYTES >> 20} MiB", cure=cure), file)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line, before = content.count(b"\n", 0, error.start) + 1, content.rfind(b"\n", 0, error.start)
        problem = Problem(line, error.start - before, "", "this byte is no UTF-8", "Save the text as UTF-8")
        refuse(Trouble("bad-scenario", problem.message, problems=[problem]), file)


def _bytes(file: str) -> bytes:
    """The beginning of a file: more than any scenario may have, and no more than is needed to say so."""
    if file != "-":
        with Path(file).open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    if sys.stdin is None:
        raise OSError(errno.EBADF, "there is no standard input")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def refuse(trouble: Trouble, name: str = "pagefate") -> NoReturn:
    """Say each problem on a line of its own, and leave."""
    for problem in trouble.problems:
        sys.stderr.write(f"{problem.text(name[:200])}\n")
    sys.exit(OUR_FAULT if trouble.status >= HTTPStatus.INTERNAL_SERVER_ERROR else BAD_INPUT)


def named(kernels: list[str]) -> str:
    """Kernels in words, also where all or none are meant."""
    return "all kernels" if len(kernels) == len(KERNELS) else ", ".join(kernels)
