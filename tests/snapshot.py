"""A picture as text that a person can review: a line for each element that says something, its attributes in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

_SPACE = "{http://www.w3.org/2000/svg}"
_DRAWN = {"d", "viewBox", "points", "rx", "r", "role", "aria-hidden", "aria-labelledby", "id"}
"""How a thing is drawn, which a person reviews by eye and not as text."""
_PLACE = re.compile(r"translate\((\S+) (\S+)\)")


def lines(svg: str) -> Iterator[str]:
    """The picture, an element a line: name.class @address place attributes "text", indented as it is nested."""
    yield from _lines(ET.fromstring(svg), 0)


def _lines(element: ET.Element, depth: int) -> Iterator[str]:
    line = _line(element)
    if line:
        yield "  " * depth + line
    for child in element:
        yield from _lines(child, depth + bool(line))


def _line(element: ET.Element) -> str:
    """An element in words; empty for one that only draws."""
    given = dict(element.attrib)
    shown, text = given.pop("data-show", ""), (element.text or "").strip()
    if "data-at" not in given and not shown and not text:
        return ""
    kind = given.pop("class", "").replace(" ", ".")
    name = element.tag.removeprefix(_SPACE) + (f".{kind}" if kind else "")
    words = [name, *([f"@{given.pop('data-at')}"] if "data-at" in given else []), *_place(given)]
    if name != "desc":  # it has the cells of the caption, of which it says only the picture
        words += [
            f"{key.removeprefix('data-')}={_quoted(value)}" for key, value in sorted(given.items()) if key not in _DRAWN
        ]
    return " ".join([*words, *([f"<{shown}>"] if shown else []), *([f'"{text}"'] if text else [])])


def _quoted(value: str) -> str:
    return f"'{value}'" if " " in value else value


def _place(given: dict[str, str]) -> Iterator[str]:
    """Where it stands, in whole units."""
    moved = _PLACE.fullmatch(given.pop("transform", ""))
    x, y = moved.groups() if moved else (given.pop("x", ""), given.pop("y", ""))
    if x and y:
        yield f"({float(x):.0f} {float(y):.0f})"
