"""The commands that search: is a property kept whatever happens, on one kernel, or on all of them."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Annotated

import msgspec
import typer

from app import asking, cli_matrix, outlook, runs
from app.cli_crew import ClusterOption, CoresOption, shared
from app.cli_input import (
    FilesystemOption,
    KernelOption,
    OfferOption,
    PropertyOption,
    ScenarioArgument,
    ScheduleOption,
    listed,
    read,
    refuse,
    settings_of,
)
from app.orders import order
from app.troubles import Trouble
from app.wire_verdicts import MOST_WITNESSES, USUAL_SECONDS, USUAL_STATES, VerdictOut, verdict_out
from engine import (
    BROKEN,
    HOLDS,
    UNDECIDED,
    Budget,
    EngineError,
    Progress,
    explore,
)
from engine.curve import BLOCKS, MOST, curve

CODES = {HOLDS: 0, BROKEN: 1, UNDECIDED: 3}
STOPPED = {"asked to": "the search was stopped"}

StatesOption = Annotated[int, typer.Option("--budget", min=1, help="distinct states at most")]
SecondsOption = Annotated[float, typer.Option("--seconds", min=0.1, help="seconds at most")]


def add_to(cli: typer.Typer) -> None:
    """Give the command line these commands."""
    cli.command(name="explore")(explore_command)
    cli.command(name="foresight")(foresight_command)
    cli.command(name="matrix")(cli_matrix.matrix_command)
    cli.command(name="curve")(curve_command)


def explore_command(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    name: PropertyOption = "no-loss",
    offer: OfferOption = "",
    states: StatesOption = USUAL_STATES,
    seconds: SecondsOption = float(USUAL_SECONDS),
    witnesses: Annotated[
        int, typer.Option(min=1, max=MOST_WITNESSES, help="how many different ways are looked for")
    ] = 1,
    cores: CoresOption = None,
    cluster: ClusterOption = "",
    json: Annotated[bool, typer.Option("--json/--text", help="the answer of the API, or lines of text")] = False,
) -> None:
    """Try every way a scenario can go: does a property hold, whoever runs when?

    The exit code is 0 when it holds, 1 when it is broken (the shortest way is told), 2 for bad input, and 3 when the
    budget was spent first.

    \b
    pagefate explore last-block --kernel wli-posted
    pagefate explore mail --kernel wli-corrected --offer writeback,drop-caches
    pagefate explore mine.yaml --property sync-means-durable --json
    pagefate explore last-block --kernel wli-corrected --budget 20000000 --seconds 3600 --cores 0
    """
    offers = listed(offer)
    try:
        given = order(read(scenario), kernel, filesystem)
        budget = Budget(states=states, seconds=seconds)
        asked = asking.question(given, name, offers, budget=budget, wanted=witnesses)
        began = time.monotonic()
        with counting("Searching") as progress, shared(cores, cluster) as crew:
            verdict = explore(
                given.scenario, given.kernel, name, offers=asked.offers, budget=budget, wanted=witnesses,
                progress=progress, crew=crew,
            )  # fmt: skip
    except Trouble as trouble:
        refuse(trouble.in_address())
    except EngineError as error:
        refuse(Trouble("bad-request", error.message, cure=error.cure))
    said, spent = asking.answer(asked, verdict), round(time.monotonic() - began, 3)
    answer = verdict_out(asked.id, said, state="done", seconds=spent, links={})
    if json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    else:
        typer.echo("\n".join(lines(answer)))
    raise typer.Exit(CODES[verdict.verdict])


def foresight_command(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    schedule: ScheduleOption = None,
    offer: OfferOption = "",
    json: Annotated[bool, typer.Option("--json/--text", help="the answer of the API, or lines of text")] = False,
) -> None:
    """Say of each step of a run whether a loss could still happen, or nothing can prevent it any more.

    \b
    pagefate foresight mail
    pagefate foresight mail --kernel wli-corrected --offer power-cut
    """
    offers = listed(offer)
    try:
        run = runs.perform(order(read(scenario), kernel, filesystem, schedule), settings_of().engine_limits())
        found = outlook.of(run, offers)
    except Trouble as trouble:
        refuse(trouble.in_address())
    if json:
        sys.stdout.write(msgspec.json.encode(outlook.told(run, found, offers)).decode() + "\n")
        return
    for step, says in outlook.sentences(run, found):
        typer.echo(f"{step:>5}  {says}")
    if not found.complete:
        known = found.outlook.count("")
        typer.echo(f"       What could follow before step {known} was too much to look through.")


def curve_command(  # noqa: PLR0913, PLR0917 - the options of a command
    scenario: ScenarioArgument,
    kernel: KernelOption = "",
    filesystem: FilesystemOption = None,
    of: Annotated[str, typer.Option(help="what is varied: blocks, or a user with a quota")] = BLOCKS,
    most: Annotated[int, typer.Option("--to", min=0, max=MOST, help="the most room")] = 8,
    cores: CoresOption = None,
    cluster: ClusterOption = "",
    json: Annotated[bool, typer.Option("--json/--text", help="a line of JSON a point, or a table")] = False,
) -> None:
    """Run a scenario with more and more room: how many stores are kept, refused, lost, and refused needlessly?

    \b
    pagefate curve last-block --kernel wli-posted
    """
    try:
        given = order(read(scenario), kernel, filesystem)
        with shared(cores, cluster) as crew:
            points = list(curve(given.scenario, given.kernel, of, most, crew))
    except Trouble as trouble:
        refuse(trouble.in_address())
    except EngineError as error:
        refuse(Trouble("bad-request", error.message, cure=error.cure))
    if json:
        for point in points:
            sys.stdout.write(msgspec.json.encode(point).decode() + "\n")
        return
    typer.echo("room  kept  refused  lost  open  needless  outcome")
    for p in points:
        typer.echo(f"{p.room:>4}  {p.kept:>4}  {p.refused:>7}  {p.lost:>4}  {p.open:>4}  {p.needless:>8}  {p.outcome}")


@contextmanager
def counting(label: str) -> Iterator[Callable[[Progress], bool]]:
    """A line on a terminal that says how far a search is; elsewhere nothing. Control-C stops it, with what it has."""
    shown, stop = sys.stderr.isatty(), Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())

    def progress(now: Progress) -> bool:
        if shown:
            doing = label if now.phase == "search" else "Looking for the shortest way"
            found = f", {now.found} found" if now.found else ""
            sys.stderr.write(f"\r\x1b[K{doing}: {now.states:,} states{found}")
            sys.stderr.flush()
        return not stop.is_set()

    try:
        yield progress
    finally:
        signal.signal(signal.SIGINT, before)
        if shown:
            sys.stderr.write("\r\x1b[K")


def lines(found: VerdictOut) -> Iterator[str]:
    """A verdict in sentences."""
    searched = f"{found.states:,} states, {found.ends:,} ends"
    why = STOPPED.get(found.stopped, f"the budget of {found.stopped} was spent")
    how = {
        HOLDS: f"holds: {searched}." if found.mode == "always" else "holds: there is such a run.",
        BROKEN: "broken." if found.witnesses else f"broken: it happens in none of {searched}.",
        UNDECIDED: f"undecided: {why} after {searched}.",
    }
    yield f"{found.sentence[:-1]}: {how[found.verdict]}"
    if found.endless:
        yield f"{found.endless} loops have no way out."
    for witness in found.witnesses:
        best = "" if witness.shortest else " (there may be a shorter way)"
        yield f"  {witness.says}, after {witness.steps} steps with {times(witness.preemptions)}{best}"
        yield f"    --schedule '{witness.schedule}'"
        yield f"    {witness.url}"


def times(count: int) -> str:
    """`no preemption`, `1 preemption`, `2 preemptions`."""
    return "no preemption" if not count else f"{count} preemption{'s' * (count > 1)}"
