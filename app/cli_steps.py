"""The commands about single steps, comparisons and links: what the API has, without a server where none is needed."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer

from app import comparison, lineup, runs, text, wire, wire_compare, wire_selection
from app import next_steps as looking
from app.cli_input import (
    FilesystemOption,
    KernelOption,
    ScenarioArgument,
    ScheduleOption,
    read,
    refuse,
    settings_of,
)
from app.client import HERE, Client, Refused, Unreachable
from app.links import CompareLink
from app.lockstep_page import LockstepPage
from app.orders import order
from app.runs import Run
from app.selection import Wanted, cells_of, select
from app.troubles import Trouble
from engine import to_data
from engine.errors import short, suggestion

JsonOption = Annotated[bool, typer.Option("--json/--text", help="the answer of the API, or lines of text")]


def add_to(cli: typer.Typer) -> None:
    """Give the command line these commands."""
    for command in (step, steps, diff, provenance, compare, link):
        cli.command()(command)
    cli.command(name="next")(next_steps)


def step(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    number: Annotated[int, typer.Argument(min=0, help="which step; 0 is the beginning")],
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    schedule: ScheduleOption = None,
    json: JsonOption = False,
) -> None:
    """Show one step, and every cell after it."""
    made = _run(scenario, kernel, filesystem, schedule)
    n = _within(made, number)
    _say(wire.moment(made, n)) if json else sys.stdout.write(text.moment(made, n))


def steps(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    schedule: ScheduleOption = None,
    first: Annotated[int, typer.Option("--from", min=1, help="the number of the first step")] = 1,
    last: Annotated[int, typer.Option("--to", min=0, help="of the last one; 0 is the end")] = 0,
    task: Annotated[str, typer.Option(help="steps of this task only")] = "",
    function: Annotated[str, typer.Option(help="of this function")] = "",
    name: Annotated[str, typer.Option(help="of this name")] = "",
    touches: Annotated[str, typer.Option(help="that read or write this cell, or one below it: page/3")] = "",
    json: JsonOption = False,
) -> None:
    """List the steps that fit, a line each; with --json, a line of JSON each.

    \b
    pagefate steps mail --function do_no_page
    pagefate steps mail --touches mm/A/pte/0x40002 --json
    """
    made = _run(scenario, kernel, filesystem, schedule)
    for each in select(made.trace, Wanted(first, last, task, function, name, touches)):
        if json:
            _say(wire.step(each))
        else:
            said = f" — {each.answer}" if each.answer else ""
            typer.echo(f"{each.n:>5}  {each.event:<44} {each.caption}{said}")


def next_steps(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    number: Annotated[int, typer.Argument(min=0, help="after which step; 0 is the beginning")],
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    schedule: ScheduleOption = None,
    json: JsonOption = False,
) -> None:
    """Show who can run after a step: what each task would read and write, and who would wait for whom."""
    made = _run(scenario, kernel, filesystem, schedule)
    n = _within(made, number)
    if json:
        _say(looking.told(made, n))
        return
    for each in looking.choices(made, n):
        waits = (
            f"waits for {each.waits}"
            if each.waits
            else f"reads {each.reads or 'nothing'}; {each.writes or 'no change'}"
        )
        typer.echo(f"{each.name:<8} {each.does:<44} {waits}")


def diff(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    before: Annotated[int, typer.Argument(min=0, help="the step to compare with")],
    after: Annotated[int, typer.Argument(min=0, help="the step that is compared")],
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    schedule: ScheduleOption = None,
    touches: Annotated[str, typer.Option(help="only this cell, or those below it: page/3")] = "",
    json: JsonOption = False,
) -> None:
    """Show what stands otherwise after one step than after another."""
    made = _run(scenario, kernel, filesystem, schedule)
    found = wire_selection.diff(made, _within(made, before), _within(made, after), touches)
    if json:
        _say(found)
        return
    for cell, old, new in found.changes:
        typer.echo(f"{cell:<32} {_value(old)} -> {_value(new)}")


def provenance(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    cell: Annotated[str, typer.Argument(help="the address of a cell, as `pagefate step` lists them")],
    at: Annotated[int | None, typer.Option("--step", min=0, help="after which step; left out, at the end")] = None,
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    schedule: ScheduleOption = None,
    json: JsonOption = False,
) -> None:
    """Show who wrote a cell, the last write first."""
    made = _run(scenario, kernel, filesystem, schedule)
    known = cells_of(made.trace)
    if cell not in known:
        cure = suggestion(cell, sorted(known)) or "`pagefate step` lists the cells"
        refuse(Trouble("not-found", f"the run has no cell {short(cell)}", cure=cure))
    found = wire_selection.provenance(made, cell, _within(made, len(made.trace.steps) if at is None else at))
    if json:
        _say(found)
        return
    typer.echo(f"{found.cell} is {_value(found.value)} after step {found.step}")
    for each in found.writes:
        typer.echo(f"{each.step:>5}  {each.event:<44} {_value(each.old)} -> {_value(each.new)}")
    typer.echo(f"    0  at the beginning{'':<28} {_value(found.initial)}")


def compare(
    scenario: Annotated[str, typer.Argument(metavar="NAME", help="a scenario of the gallery")],
    kernels: Annotated[str, typer.Option(help="two to four kernels, with commas")] = "",
    filesystems: Annotated[str, typer.Option(help="filesystems, with commas")] = "",
    json: JsonOption = False,
) -> None:
    """Run a scenario two to four ways, and say where the runs differ first."""
    try:
        wanted = lineup.lineup(CompareLink.parse(scenario, [("kernels", kernels), ("fs", filesystems)]))
        limits = settings_of().engine_limits()
        with typer.progressbar(wanted.entries, label="Running", file=sys.stderr) as entries:
            done = [runs.perform(entry.order, limits) for entry in entries]
    except Trouble as trouble:
        refuse(trouble.in_address())
    answer = wire_compare.out(LockstepPage(comparison.compare(wanted, done)))
    if json:
        _say(answer)
        return
    width = max(len(column.kernel) for column in answer.columns)
    for column in answer.columns:
        typer.echo(f"{column.kernel:{width}}  {column.filesystem}  {column.steps} steps  {column.outcome}")
    if answer.difference is not None:
        typer.echo(answer.difference.sentence)
    typer.echo(answer.outcome)


def link(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    schedule: ScheduleOption = None,
    server: Annotated[str, typer.Option(help="the site that keeps the link")] = HERE,
    json: JsonOption = False,
) -> None:
    """Make a short link on a site, and print its address."""
    given = read(scenario)
    content = given if isinstance(given, str) else to_data(given)
    try:
        made = Client(server).link(content, kernel, filesystem=filesystem, schedule=schedule)
    except (Refused, Unreachable) as error:
        refuse(Trouble("bad-request", str(error).rstrip(".")))
    _say(made) if json else typer.echo(f"{server.rstrip('/')}{made.url}")


def _run(scenario: str, kernel: str, filesystem: str | None, schedule: str | None) -> Run:
    """The run of a scenario; or say what is wrong, and leave."""
    given = read(scenario)
    try:
        return runs.perform(order(given, kernel, filesystem, schedule), settings_of().engine_limits())
    except Trouble as trouble:
        refuse(trouble.in_address())


def _within(run: Run, n: int) -> int:
    """A step's number, if the run has it; or say how many it has, and leave."""
    last = len(run.trace.steps)
    if n > last:
        refuse(Trouble("not-found", f"there is no step {n}", cure=f"The run has {last} steps; 0 is the beginning"))
    return n


def _value(value: wire.Word) -> str:
    return "-" if value is None else str(value)


def _say(answer: object) -> None:
    """An answer as a line of JSON."""
    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
