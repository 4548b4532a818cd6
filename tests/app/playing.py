"""Reads the JSON of a run as static/js/trace.js does."""

from collections.abc import Callable, Iterator
from typing import Any


def played(data: dict[str, Any]) -> Iterator[list[tuple[str, Any]]]:
    """The cells with their values, before the first step and then as each step changes them."""
    cell, value = reader(data["cells"]), reader(data["values"])
    for flat in (data["initial"], *data["steps"]):
        yield [(cell(at), value(new)) for at, new in zip(flat[::2], flat[1::2], strict=True)]


def reader(table: list[Any]) -> Callable[[int], Any]:
    """Gives the things of a table by number: the n-th, or for 0 the next that was not given before."""
    unmet = iter(table)
    return lambda n: table[n - 1] if n else next(unmet)
