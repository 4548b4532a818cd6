"""Reading the wire form of cells: page table entries, mappings, runs of bytes. Pure functions of text, cached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

Value = int | str | bool | None
Rle = tuple[tuple[str, int], ...]
"""Bytes as (character, how often), neighbours different; "." is a zero byte."""

_VMA = re.compile(r"(0x[0-9a-f]+)-(0x[0-9a-f]+) (\S+) (\S+)@(\d+)")
_NAME = re.compile(r"(\S+) (0x[0-9a-f]+)-0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A page table entry: its frame and its bits as letters."""

    pfn: int
    bits: str

    @property
    def write(self) -> bool:
        """Whether stores are allowed."""
        return "W" in self.bits

    @property
    def dirty(self) -> bool:
        """Whether a store was noted."""
        return "D" in self.bits


@lru_cache(maxsize=4096)
def entry_of(text: Value) -> Entry | None:
    """`P W U A D pfn=7`; None for an empty entry."""
    if not isinstance(text, str):
        return None
    bits, _, pfn = text.rpartition("pfn=")
    return Entry(int(pfn), bits.replace(" ", ""))


@dataclass(frozen=True, slots=True)
class Range:
    """A mapping: virtual pages [start, end), its rights as in /proc/self/maps, what is behind it from which page on."""

    start: int
    end: int
    rights: str
    file: str | None
    pgoff: int

    def index(self, vpn: int) -> int:
        """The page of the file (or of the mapping) behind a virtual page."""
        return vpn - self.start + self.pgoff


@lru_cache(maxsize=1024)
def ranges_of(text: Value) -> tuple[Range, ...]:
    """`0x40000-0x40004 rw-s f@0 ...`."""
    found = _VMA.findall(text) if isinstance(text, str) else []
    return tuple(
        Range(int(a, 16), int(b, 16), rights, None if f == "anon" else f, int(o)) for a, b, rights, f, o in found
    )


def names_of(text: Value) -> dict[int, str]:
    """`m 0x40000-0x40004 x ...`: the variable that holds a mapping, by its first page."""
    return {int(start, 16): name for name, start in _NAME.findall(text)} if isinstance(text, str) else {}


@lru_cache(maxsize=4096)
def bytes_of(text: Value, size: int) -> Rle:
    """`C`, `C1 .4095`, `.`, or nothing: `size` bytes."""
    if not isinstance(text, str) or text in ("", "."):
        return ((".", size),)
    if len(text) == 1:
        return ((text, size),)
    return merged(run for token in text.split(" ") for run in _token(token))


def _token(token: str) -> Iterator[tuple[str, int]]:
    """One run: a letter with its count, a text with its length, or a text as it is."""
    if token[1:].isdigit():
        yield token[0], int(token[1:])
        return
    pattern, more, length = token.partition("…")
    wanted = int(length) if more else len(pattern)
    yield from ((pattern[i % len(pattern)], 1) for i in range(wanted))


def merged(runs: Iterator[tuple[str, int]]) -> Rle:
    """Neighbours with the same character made one."""
    found: list[tuple[str, int]] = []
    for char, count in runs:
        if found and found[-1][0] == char:
            found[-1] = (char, found[-1][1] + count)
        elif count:
            found.append((char, count))
    return tuple(found)


def cut(runs: Rle, start: int, stop: int) -> Rle:
    """Bytes [start, stop)."""
    found, at = [], 0
    for char, count in runs:
        low, high = max(at, start), min(at + count, stop)
        if low < high:
            found.append((char, high - low))
        at += count
    return tuple(found)


def letters(runs: Rle) -> str:
    """The distinct characters in order, at most four; "0" where all is zero."""
    seen = "".join(dict.fromkeys(char for char, _ in runs if char != "."))
    return (seen if len(seen) <= 4 else seen[:3] + "…") or "0"


def words(text: Value) -> list[str]:
    """A list in wire form."""
    return text.split() if isinstance(text, str) else []


def slots_of(text: Value) -> set[int]:
    """The slots of `0→41 12→44`."""
    return {int(pair.partition("→")[0]) for pair in words(text)}
