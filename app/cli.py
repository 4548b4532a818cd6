"""The command line: `pagefate serve`, and the simulator without a browser.

Exit codes of `pagefate run`: 0 when no accepted data was lost, 1 when some was, 2 for bad input, 3 when a limit cut the
run short and its stores are open. `pagefate check` gives 0 or 2. Problems go to stderr, one a line:
`file:line:column: message. cure`.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app import catalogue, cli_explore, cli_steps, logs, runs, text, wire
from app.cli_input import (
    OUR_FAULT,
    FilesystemOption,
    KernelOption,
    ScenarioArgument,
    ScheduleOption,
    named,
    read,
    read_file,
    refuse,
    settings_of,
)
from app.cli_links import links_cli
from app.links import switched
from app.orders import order
from app.settings import Settings
from app.troubles import Trouble
from engine import FILESYSTEMS, KERNELS, Trace, gallery, json_schema

LOST, CUT_SHORT = 1, 3

cli = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Step through a Linux page fault, and see the fate of every byte.",
)

cli_steps.add_to(cli)
cli_explore.add_to(cli)
cli.add_typer(links_cli, name="links")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pagefate {wire.version()}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print it")] = False,
) -> None:
    """What holds for every command."""


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on [PAGEFATE_HOST]")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="port; 0 takes a free one [PAGEFATE_PORT]")] = None,
    data: Annotated[Path | None, typer.Option(help="folder of what people hand in [PAGEFATE_DATA]")] = None,
) -> None:
    """Serve the site, by default on http://127.0.0.1:8000."""
    settings = settings_of(host=host, port=port, data=data)
    _can_listen(settings)
    from app import server  # noqa: PLC0415 - this and the next take a second to load, which only the server needs
    from app.main import create_app  # noqa: PLC0415

    site = create_app(settings)
    if complaint := site.state.storage.complaint():
        sys.stderr.write(f"pagefate: {complaint} All but short links and live rooms works.\n")
    server.serve(site, host=settings.host, port=settings.port, log_config=logs.config(settings.log))


@cli.command()
def run(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    schedule: ScheduleOption = None,
    watch: Annotated[bool, typer.Option("--watch", help="say at which step which invariant broke")] = False,
    json: Annotated[bool, typer.Option("--json/--text", help="the answer of the API, or columns of text")] = False,
) -> None:
    """Run a scenario: a task a column, a step a line.

    The exit code is 0 when nothing was lost, 1 when data was lost, 2 when the input can not be run, and 3 when a limit
    cut the run short before it was clear.

    \b
    pagefate run mail
    pagefate run mail --kernel wli-corrected --json
    pagefate run lock-drop --schedule "A@enough_space.drop_lock>B"
    pagefate run mine.yaml
    """
    given = read(scenario)
    try:
        made = runs.perform(order(given, kernel, filesystem, schedule), settings_of().engine_limits(), watch=watch)
    except Trouble as trouble:
        refuse(trouble.in_address())
    answer = msgspec.json.encode(wire.summary(made)).decode() + "\n" if json else text.transcript(made, watch=watch)
    sys.stdout.write(answer)
    raise typer.Exit(_verdict(made.trace))


@cli.command()
def export(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    schedule: ScheduleOption = None,
    step: Annotated[str | None, typer.Option(help="its number, or its name: 53, A.3.store.write")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="the file; its ending says the form")] = "run.html",
) -> None:
    """Write a run into a file: by default one page that plays it with no network.

    \b
    pagefate export mail -o mail.html
    pagefate export mail --kernel linux-6.18 --step A.3.store.write -o step.png
    """
    from app import exporting  # noqa: PLC0415 - templates take half a second to load, which the others need not

    try:
        made = runs.perform(order(read(scenario), kernel, filesystem, schedule), settings_of().engine_limits())
        exporting.write(made, step, Path(output))
    except Trouble as trouble:
        refuse(trouble.in_address())
    except OSError as error:
        refuse(Trouble("bad-request", str(error.strerror).lower(), cure="Name another file: -o FILE"), output)
    typer.echo(f"{output}: {made.order.scenario.title} on {made.order.kernel}, {len(made.trace.steps)} steps")


@cli.command()
def check(file: Annotated[str, typer.Argument(metavar="FILE", help="a YAML or JSON file, or - for stdin")]) -> None:
    """Say what is wrong with a scenario, all at once."""
    made = read_file(file)
    typer.echo(f"{file}: {made.title}: nothing is wrong with it")


@cli.command()
def scenarios() -> None:
    """List the gallery."""
    _columns([(name, scenario.title) for name, scenario in gallery().items()])


@cli.command()
def kernels() -> None:
    """List the kernels, with the switches that each has, and its filesystems."""
    rows = []
    for name, kernel in KERNELS.items():
        rows.append((name, f"{kernel.title}. It has {', '.join(kernel.filesystems)}"))
        rows += [(switched(name, each), f"  {switch.title}") for each, switch in kernel.switches.items()]
    _columns(rows)


@cli.command()
def filesystems() -> None:
    """List the filesystems, each with the kernels that have it."""
    able = {name: [kernel.id for kernel in catalogue.kernels_with(name)] for name in FILESYSTEMS}
    _columns([(name, f"{kind.title}. On {named(able[name])}") for name, kind in FILESYSTEMS.items() if able[name]])


@cli.command()
def schema() -> None:
    """Print the JSON Schema of the scenario language."""
    typer.echo(msgspec.json.format(msgspec.json.encode(json_schema())).decode())


def main() -> None:
    """Run the command line. Never a stack trace: PAGEFATE_DEBUG=1 brings it back."""
    try:
        cli()
    except Exception as error:
        if os.environ.get("PAGEFATE_DEBUG"):
            raise
        sys.stderr.write(f"pagefate: {type(error).__name__}: {error}. PAGEFATE_DEBUG=1 shows where.\n")
        sys.exit(OUR_FAULT)


def _verdict(trace: Trace) -> int:
    """The exit code that says what became of the data."""
    if trace.outcome.startswith("lost"):
        return LOST
    return CUT_SHORT if trace.outcome == "open" and not trace.complete else 0


def _can_listen(settings: Settings) -> None:
    """Leave with a sentence when the address is taken or none of this machine, before anything is loaded."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        said = f"can not listen on {settings.host}:{settings.port}: {str(error.strerror).partition(' (')[0].lower()}"
        cure = "--port 0 takes a free one, --host names another address"
        refuse(Trouble("bad-request", said, cure=cure))


def _columns(rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, title in rows:
        typer.echo(f"{name:{width}}  {title}")
