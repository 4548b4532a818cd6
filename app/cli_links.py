"""`pagefate links`: what an operator does about short links, on the machine that keeps them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from pydantic import ValidationError

from app.database import StorageError
from app.links import is_id
from app.settings import Settings
from app.storage import Storage

BAD_INPUT, OUR_FAULT = 2, 70

links_cli = typer.Typer(no_args_is_help=True, help="See, withdraw and restore the short links of this site.")

LinkId = Annotated[str, typer.Argument(metavar="ID", help="what stands behind /s/ in its address")]


@links_cli.command()
def reports() -> None:
    """List what readers said about links, the newest first: link, when, what."""
    with _storage() as storage:
        for report in storage.reports():
            typer.echo(f"{report.link}\t{report.created}\t{' '.join(report.said.split())}")


@links_cli.command()
def withdraw(link: LinkId, why: Annotated[str, typer.Option(help="what readers are told")]) -> None:
    """Show a link no more. It is kept, so that handing it in again does not bring it back."""
    if not why.strip():
        _leave("--why is empty: readers are told it. Write a sentence.", BAD_INPUT)
    with _storage() as storage:
        _found(link, storage.withdraw(link, why.strip()))


@links_cli.command()
def restore(link: LinkId) -> None:
    """Show a link again that was withdrawn."""
    with _storage() as storage:
        _found(link, storage.withdraw(link, ""))


@links_cli.command()
def expire(days: Annotated[int, typer.Option(min=1, help="how long nobody has opened them")]) -> None:
    """Delete the links that nobody has opened for so many days."""
    with _storage() as storage:
        typer.echo(f"{storage.expire(days)} deleted")


@contextmanager
def _storage() -> Iterator[Storage]:
    """The storage by the environment; what goes wrong with it is said in a sentence."""
    try:
        settings = Settings()
        storage = Storage(settings.data, url=settings.database, max_bytes=settings.max_stored)
        try:
            yield storage
        finally:
            storage.close()
    except ValidationError as error:
        found = error.errors()[0]
        _leave(f"PAGEFATE_{str(found['loc'][0]).upper()}: {found['msg']}", BAD_INPUT)
    except StorageError as error:
        _leave(str(error), OUR_FAULT)


def _found(link: str, is_there: bool) -> None:
    if not is_there:
        reason = "is kept here" if is_id(link) else "could be: an id has the letters behind /s/ alone"
        _leave(f"no link {link[:40]!r} {reason}", BAD_INPUT)


def _leave(sentence: str, code: int) -> None:
    sys.stderr.write(f"pagefate: {sentence}\n")
    raise typer.Exit(code)
