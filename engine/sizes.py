"""Sizes as people write them: 4P (pages), 2B (blocks), 8K, 1M, 2G, plain bytes; and times: 30s, 5m, 2h, 8d.

`4P` is not Python, so a script line is first rewritten: every such literal becomes zeroes of the same width,
which Python parses and which keep all columns right; what they meant is kept beside, by column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_BYTES = 2 << 40
"""The largest offset or size, in bytes: 2 TiB, the end of the largest ext2 file with 4 KiB blocks."""

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SCALES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
UNITS = ("P", "B", *SCALES)

SIZE_PATTERN = r"^\d{1,13}[PBKMGT]?$"
TIME_PATTERN = r"^\d{1,13}[smhd]?$"

_LITERAL = re.compile(
    r"""(?P<text>'[^']*'?|"[^"]*"?)|(?P<comment>\#.*)|(?P<plain>0[xX][0-9a-fA-F]+\b|[A-Za-z_]\w*)"""
    r"""|(?P<number>\d+)(?P<unit>[A-Za-z]\w*)|\d\w*"""
)

SIZE_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": MAX_BYTES},
        {"type": "string", "pattern": SIZE_PATTERN},
    ],
    "description": "bytes, or with a unit: 4P (pages), 2B (blocks of the filesystem), 8K, 1M, 2G, 1T",
    "examples": ["4P", 16384],
}
TIME_SCHEMA = {
    "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": TIME_PATTERN}],
    "description": "seconds, or with a unit: 30s, 5m, 2h, 7d",
    "examples": ["7d", 604800],
}


@dataclass(frozen=True, slots=True)
class Geometry:
    """What P and B mean: the size of a page and of a filesystem block, in bytes."""

    page_size: int = 4096
    block_size: int = 4096

    def scale(self, unit: str) -> int | None:
        """How many bytes one of `unit` is; None if there is no such unit."""
        return {"": 1, "P": self.page_size, "B": self.block_size, **SCALES}.get(unit)


@dataclass(frozen=True, slots=True)
class Literal:
    """A number with its unit as it stands in a line, `column` counted from 0."""

    column: int
    number: int
    unit: str


def rewrite(line: str) -> tuple[str, dict[int, Literal]]:
    """Make a script line Python: no comment, sizes as zeroes of the same width, their meaning by column."""
    literals: dict[int, Literal] = {}

    def replace(match: re.Match[str]) -> str:
        if match["comment"] is not None:
            return ""
        if match["number"] is None:
            return match[0]
        literals[match.start()] = Literal(match.start(), int(match["number"][:20]), match["unit"])
        return "0" * len(match[0])

    return _LITERAL.sub(replace, line).rstrip(), literals


def split_literal(text: str) -> Literal | None:
    """A number with an optional unit, from a text of its own; None if it is nothing of the kind."""
    match = re.fullmatch(r"(\d{1,13})([A-Za-z]*)", text.strip(), re.ASCII)
    return Literal(0, int(match[1]), match[2]) if match else None


def unit_cure(literal: Literal) -> str:
    """What to write instead of a unit that is not one."""
    upper = literal.unit.upper()
    if upper in UNITS:
        return f"Write {literal.number}{upper}"
    return "A size is a number and P (pages), B (blocks), K, M, G, or nothing for bytes: 4P"


def spell(size: int, geometry: Geometry) -> str:
    """A size in the largest unit that divides it: 16384 is "4P". Zero is "0"."""
    scales = [
        ("T", 1 << 40),
        ("G", 1 << 30),
        ("M", 1 << 20),
        ("P", geometry.page_size),
        ("B", geometry.block_size),
    ]
    for unit, scale in scales:
        if size and size % scale == 0:
            return f"{size // scale}{unit}"
    return str(size)
