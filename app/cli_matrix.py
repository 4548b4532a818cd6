"""The command that searches scenarios on kernels, on all cores or a cluster, and keeps what it finds for a site."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Annotated

import msgspec
import typer

from app import asking
from app.cli_crew import ClusterOption, CoresOption, shared
from app.cli_input import OUR_FAULT, OfferOption, listed, refuse, settings_of
from app.orders import order
from app.troubles import Trouble
from app.verdicts import Verdicts
from engine import KERNELS, PROPERTIES, UNDECIDED, Budget, EngineError, find_property, find_scenario, gallery
from engine.matrix import Cell, Job, jobs, worked_out

ALL = "all"
USUAL = asking.BUDGET_CELL

Table = Sequence[Sequence[Cell]]


def matrix_command(  # noqa: PLR0913, PLR0917 - the options of a command
    scenarios: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="scenarios; left out, the gallery")
    ] = None,
    kernels: Annotated[str, typer.Option(help="kernels, with commas; left out, all")] = "",
    name: Annotated[
        str, typer.Option("--property", help=f"what is asked, with commas: {', '.join(PROPERTIES)}; or {ALL}")
    ] = "no-loss",
    offer: OfferOption = "",
    states: Annotated[int, typer.Option("--budget", min=1, help="distinct states at most, of a cell")] = USUAL.states,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="seconds at most, of a cell")] = USUAL.seconds,
    cores: CoresOption = None,
    cluster: ClusterOption = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="keep the verdicts for the site of this machine's settings, see /matrix")
    ] = False,
    json: Annotated[bool, typer.Option("--json/--text", help="a line of JSON a cell, or a table")] = False,
) -> None:
    """Search scenarios on kernels for one property or several, and show the verdicts as tables.

    With --keep the site that has the same PAGEFATE_DATA or PAGEFATE_DATABASE shows them at once, at /matrix.

    \b
    pagefate matrix mail last-block quota
    pagefate matrix --kernels linux-2.6.9,linux-6.18 --property no-loss-untold --json
    pagefate matrix --property all --keep
    """
    offers, budget = listed(offer), Budget(states=states, seconds=seconds)
    chosen, asked = listed(kernels) or list(KERNELS), list(PROPERTIES) if name == ALL else listed(name)
    kept = _Keeper(offers, budget) if keep else None
    try:
        for each in asked:
            find_property(each)
        wanted = [find_scenario(each) for each in scenarios or gallery()]
        cells = [cell for each in asked for cell in jobs(wanted, chosen, each, offers, budget)]
        work = [each for each in cells if isinstance(each, Job)]
        found = {_place(cell): cell for cell in cells if isinstance(cell, Cell)}
        with shared(0 if cores is None and not cluster else cores, cluster) as crew:
            coming = worked_out(work, crew)
            with typer.progressbar(coming, length=len(work), label="Searching", file=sys.stderr) as done:
                for made in done:
                    found[_place(made)] = made
                    if kept:
                        kept.keep(made)
    except EngineError as error:
        refuse(Trouble("bad-request", error.message, cure=error.cure))
    tables = {each: [[found[scenario.id, kernel, each] for kernel in chosen] for scenario in wanted] for each in asked}
    _print(tables, chosen, json=json)
    if kept:
        kept.end()


class _Keeper:
    """Keeps the verdicts of cells as the site does: under the ids of the same questions."""

    def __init__(self, offers: list[str], budget: Budget) -> None:
        settings = settings_of()
        self._verdicts = Verdicts(settings.data, url=settings.database)
        self._offers = offers
        self._is_thorough = budget.states >= USUAL.states and budget.seconds >= USUAL.seconds
        self.kept = self.lost = 0

    def keep(self, cell: Cell) -> None:
        """Keep one; not what is undecided after less than a site would have spent on it."""
        if cell.found is None or (cell.verdict == UNDECIDED and not self._is_thorough):
            return
        question = asking.cell(order(cell.scenario, cell.kernel), cell.asked, self._offers)
        answer = asking.answer(question, cell.found) | {"seconds": round(cell.seconds, 3)}
        is_kept = self._verdicts.put(question.id, answer)
        self.kept += is_kept
        self.lost += not is_kept

    def end(self) -> None:
        """Say how many, and leave with an error if some could not be kept."""
        with closing(self._verdicts):
            place = self._verdicts.database.dialect.place
        sys.stderr.write(f"{self.kept} verdicts are kept in {place}\n")
        if self.lost:
            sys.stderr.write(f"pagefate: {self.lost} verdicts could not be kept there.\n")
            raise typer.Exit(OUR_FAULT)


class CellOut(msgspec.Struct):
    """A cell of a matrix; `url` opens its witness."""

    scenario: str
    kernel: str
    property: str
    verdict: str
    states: int
    says: str
    url: str


def cell_out(cell: Cell) -> CellOut:
    """A cell as JSON has it."""
    witness = cell.found.witness if cell.found else None
    url = asking.address(order(cell.scenario, cell.kernel), witness) if witness else ""
    return CellOut(cell.scenario, cell.kernel, cell.asked, cell.verdict, cell.states, cell.says, url)


def columns(kernels: Sequence[str], table: Table) -> Iterator[str]:
    """A line a scenario, a column a kernel."""
    first = max(len(row[0].scenario) for row in table)
    widths = [max(len(kernel), *(len(row[place].verdict) for row in table)) for place, kernel in enumerate(kernels)]
    yield "  ".join(
        [" " * first, *(f"{kernel:{width}}" for kernel, width in zip(kernels, widths, strict=True))]
    ).rstrip()
    for row in table:
        cells = (f"{cell.verdict:{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join([f"{row[0].scenario:{first}}", *cells]).rstrip()


def _print(tables: dict[str, list[list[Cell]]], kernels: list[str], *, json: bool) -> None:
    """A table; of several properties one each, under its sentence."""
    if json:
        cells: Iterable[Cell] = (each for table in tables.values() for row in table for each in row)
        sys.stdout.writelines(msgspec.json.encode(cell_out(each)).decode() + "\n" for each in cells)
        return
    for place, (name, table) in enumerate(tables.items()):
        if len(tables) > 1:
            typer.echo(("\n" if place else "") + find_property(name).sentence)
        typer.echo("\n".join(columns(kernels, table)))


def _place(cell: Cell) -> tuple[str, str, str]:
    return cell.scenario, cell.kernel, cell.asked
