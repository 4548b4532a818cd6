"""Who learns of a loss: what a call answers for, and which stores an answer tells of or promises to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.answering import concerned
from engine.fates import PRIVATE, REFUSED, SETTLED, byte_fate, pieces, worst
from engine.values import OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.journal import Write
    from engine.machine import Machine, StoreRecord

Told = frozenset[str]
"""The stores of which somebody was told that they are not safe, by name (`A.2`)."""


def fate_of(k: Machine, name: str, record: StoreRecord) -> str | None:
    """The fate of a store: that of its worst byte. None while nothing of it was let through or refused."""
    if not record.accepted:
        return REFUSED if record.refused else None
    if record.file is None:
        return PRIVATE
    return worst({byte_fate(k, record.file, piece) for piece in pieces(k, record.file, name)})


def stores(k: Machine) -> Iterator[tuple[str, StoreRecord]]:
    """Every store that a program has tried, with its record."""
    for name, record in k.stores.items():
        if record.accepted or record.refused:
            yield name.removeprefix("store/"), record


def hears(k: Machine, writes: Iterable[Write], told: Told) -> tuple[Told, tuple[str, ...]]:
    """Who was told after these writes, and the stores that a 0 among them vouched for without reason."""
    heard, vouched = set(told), []
    for at, _, new in writes:
        if new is None:
            continue
        if at.startswith("store/") and at.endswith(".refused"):
            heard.add(at[len("store/") : -len(".refused")])
        elif at.startswith("line/") and at.endswith(".result"):
            for name, promised in concerned(k, at[len("line/") : -len(".result")]):
                if fate_of(k, name, k.stores[f"store/{name}"]) in SETTLED:
                    continue
                if new != OK:
                    heard.add(name)
                elif promised and name not in told:
                    vouched.append(name)
    return (frozenset(heard) if len(heard) > len(told) else told), tuple(vouched)
