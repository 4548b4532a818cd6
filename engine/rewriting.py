"""One value of a scenario's text changed, and everything else of it left as it is: comments, order, spaces.

text = set_value(text, "machine", "frames", 32)
"""

from __future__ import annotations

import json
import re

from engine.document import Document, pointer, read_document
from engine.errors import Problem, ScenarioError

SECTIONS = ("machine", "filesystem", "files", "tasks")
"""The order in which a text has its parts; a new one goes before the first that comes later."""


def set_value(text: str, section: str, key: str, value: int | str) -> str:
    """The text with `section.key` having this value, whether it was written there before or not.

    Raises ScenarioError when the text cannot be read, or has something else than a mapping in that place.
    """
    document = read_document(text)
    data = document.data
    if document.problems or not isinstance(data, dict):
        raise ScenarioError(document.problems or [Problem(1, 1, "", "the text is empty", "Write title: and tasks:")])
    part = data.get(section)
    if part is not None and not isinstance(part, dict):
        line, column = document.locate(pointer(section))
        raise ScenarioError([Problem(line, column, pointer(section), f"{section} is no mapping", "Mend it first")])
    changed = _changed(document, section, key, value)
    wanted = {**data, section: {**(part or {}), key: value}}
    if read_document(changed).data != wanted:
        cure = f"Write {section}: {{{key}: {value}}} by hand"
        raise ScenarioError([Problem(1, 1, pointer(section), f"{section} stands where no form can change it", cure)])
    return changed


def _changed(document: Document, section: str, key: str, value: int | str) -> str:
    quoted = document.text.lstrip().startswith("{")  # JSON wants its quotes
    said, name = (json.dumps(value), json.dumps(key)) if quoted else (str(value), key)
    part = document.data.get(section)
    if isinstance(part, dict) and key in part:
        start = _at(document, pointer(section, key))
        return _replaced(document.text, start, _end(document.text, start), said)
    if section not in document.data:
        return _added(document, section, f"{name}: {said}", quoted=quoted)
    start = _at(document, pointer(section))
    if not isinstance(part, dict):  # a key with nothing behind it
        return _replaced(document.text, start, _end(document.text, start), f" {{{name}: {said}}}")
    if document.text[start] == "{":
        return _replaced(document.text, start + 1, start + 1, f"{name}: {said}{', ' if part else ''}")
    indent = " " * (document.places[pointer(section)].column - 1)
    return _replaced(document.text, start, start, f"{name}: {said}\n{indent}")


def _at(document: Document, path: str) -> int:
    """Where a value begins, counted in characters of the text."""
    place = document.places[path]
    lines = document.text.splitlines(keepends=True)
    return sum(len(line) for line in lines[: place.line - 1]) + place.column - 1


def _end(text: str, start: int) -> int:
    """Where a scalar that begins there ends: behind its closing quote, or where what belongs to it stops."""
    if text[start : start + 1] in ("'", '"'):
        closing = re.compile(r"'(?:[^']|'')*'" if text[start] == "'" else r'"(?:[^"\\]|\\.)*"', re.DOTALL)
        found = closing.match(text, start)
        return found.end() if found else start
    found = re.compile(r"(?:(?!\s#)[^,}\]\n])*").match(text, start)
    return start + len((found[0] if found else "").rstrip())


def _replaced(text: str, start: int, end: int, by: str) -> str:
    return text[:start] + by + text[end:]


def _added(document: Document, section: str, entry: str, *, quoted: bool) -> str:
    """The text with a section that it did not have, before those that usually come later."""
    if quoted:
        start = document.text.index("{") + 1
        return _replaced(document.text, start, start, f'"{section}": {{{entry}}}{", " if document.data else ""}')
    later = [
        document.places[pointer(each)].key_line for each in SECTIONS[SECTIONS.index(section) :] if each in document.data
    ]
    lines = document.text.splitlines(keepends=True)
    at = min(later, default=len(lines) + 1) - 1
    if at == len(lines) and lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines[:at], f"{section}: {{{entry}}}\n", *lines[at:]])
