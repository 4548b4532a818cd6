"""A YAML or JSON text as plain data, with the line and column of every key and value.

Only what scenarios need of YAML: mappings, lists, texts, whole numbers, true, false and null. Anchors, tags
and several documents are refused, and so are duplicate keys. Whatever is wrong is a `Problem`, never an
exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from engine.errors import Problem, short

MAX_CHARACTERS = 1 << 16
"""The largest text that is read: 64 Ki characters."""
MAX_DEPTH = 12
"""The deepest nesting that is read; a scenario needs 4."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_UNPRINTABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value and its key begin, counted from 1, and how a text is quoted ("" for not at all)."""

    line: int
    column: int
    key_line: int
    key_column: int
    quote: str = ""
    container: bool = False


@dataclass(slots=True)
class Document:
    """What a text says, where, and what is wrong with it. Places are by JSON pointer ("" is the whole)."""

    text: str
    data: Any = None
    places: dict[str, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def locate(self, path: str, column: int = 0, *, key: bool = False) -> tuple[int, int]:
        """Line and column of a path, or of the nearest thing around it; `column` counts within a text.

        A mapping or list is found at its key, and so is anything if the `key` itself is meant.
        """
        inside = path
        while inside not in self.places and inside:
            inside = inside.rpartition("/")[0]
        place = self.places.get(inside)
        if place is None:
            return (0, 0)
        if place.container or (key and inside == path):
            return place.key_line, place.key_column
        return place.line, place.column + (self._within(place, column) if column and inside == path else 0)

    def _within(self, place: Place, column: int) -> int:
        """How far from its start in the text the `column`-th character (from 1) of a value stands."""
        if place.quote in ("|", ">"):
            return 0  # a text of several lines is found at its beginning
        if not place.quote:
            return column - 1
        line = self.text.splitlines()[place.line - 1]
        unit = re.compile(r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)|." if place.quote == '"' else r"''|.")
        starts = [match.start() for match in unit.finditer(line, place.column)]
        return (starts[column - 1] if column <= len(starts) else place.column) - (place.column - 1)


def pointer(*parts: str | int) -> str:
    """A JSON pointer from its parts."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def read_document(text: str) -> Document:
    """Read a text. JSON is read as YAML too, so that its places are known."""
    document = Document(text)
    if len(text) > MAX_CHARACTERS:
        message = f"the text has {len(text)} characters, the limit is {MAX_CHARACTERS}"
        document.problems.append(Problem(1, 1, "", message, "Make it shorter"))
        return document
    if match := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, match.start()) + 1
        column = match.start() - text.rfind("\n", 0, match.start())
        message = f"the character {short(match[0])} cannot be in a text"
        document.problems.append(Problem(line, column, "", message, "Write plain text in UTF-8"))
        return document
    try:
        document.data = _Builder(document).build(yaml.parse(text, Loader=_LOADER))
    except _Stop:
        pass
    except yaml.YAMLError as error:
        _explain(document, error)
    return document


def _explain(document: Document, error: yaml.YAMLError) -> None:
    """Say what a text that is no YAML should have been; a text that is JSON after all is taken as such."""
    if document.text.lstrip().startswith("{"):
        try:
            document.data = json.loads(document.text)
        except (json.JSONDecodeError, RecursionError) as wrong:
            if '"' in document.text.lstrip()[1:40].split(":")[0] and isinstance(wrong, json.JSONDecodeError):
                problem = Problem(wrong.lineno, wrong.colno, "", f"this is not JSON: {wrong.msg}", "Mend it here")
                document.problems.append(problem)
                return
        else:
            document.places.clear()
            document.problems.clear()
            return
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    message, cure = _friendly(said, document.text, line)
    document.problems.append(Problem(line, column, "", message, cure))


def _friendly(said: str, text: str, line: int) -> tuple[str, str]:
    """A complaint of the YAML reader in words that help, and what would be right."""
    here = (text.splitlines() or [""])[min(line, len(text.splitlines())) - 1] if text.splitlines() else ""
    if "'\\t'" in said or "tab" in said or re.match(r" *\t", here):
        return "a tab stands where YAML wants spaces", "Indent with spaces"
    if "mapping values" in said:
        return "a colon stands where none can", "Put the text in quotes"
    return (
        f"this is not YAML: {said}",
        "Mend it here; a text with : # [ ] { } or quotes may need quotes around it",
    )


class _Stop(Exception):
    """Reading further makes no sense."""


class _Builder:
    """Turns the events of the YAML reader into data and places; never deeper than the text."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.depth = 0

    def problem(self, event: Any, path: str, message: str, cure: str) -> None:
        mark = event.start_mark
        self.document.problems.append(Problem(mark.line + 1, mark.column + 1, path, message, cure))

    def build(self, events: Iterator[Any]) -> Any:
        """The data of the one document in the stream."""
        data: Any = None
        for seen, event in enumerate(event for event in events if isinstance(event, yaml.DocumentStartEvent)):
            if seen:
                self.problem(event, "", "a second document begins here", "Write one scenario a text")
                raise _Stop
            data = self.value(next(events), events, "", None)
        return data

    def value(self, event: Any, events: Iterator[Any], path: str, key: Any) -> Any:
        """The value that begins with this event, and its place."""
        start, at = event.start_mark, (key or event).start_mark
        style = getattr(event, "style", None) or ""
        if event.end_mark.line != start.line:
            style = "|"
        container = isinstance(event, yaml.CollectionStartEvent)
        place = Place(start.line + 1, start.column + 1, at.line + 1, at.column + 1, style, container)
        self.document.places[path] = place
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self.problem(event, path, "anchors and aliases (& and *) have no meaning here", "Write the value out")
            if isinstance(event, yaml.AliasEvent):
                return None
        if getattr(event, "tag", None) not in (None, "!"):
            self.problem(event, path, f"the tag {short(event.tag)} has no meaning here", "Leave it out")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.problem(event, path, f"this is nested more than {MAX_DEPTH} deep", "Make it flatter")
            raise _Stop
        sequence = isinstance(event, yaml.SequenceStartEvent)
        data = self.sequence(events, path) if sequence else self.mapping(events, path)
        self.depth -= 1
        return data

    def sequence(self, events: Iterator[Any], path: str) -> list[Any]:
        """A list, up to its end."""
        data: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            data.append(self.value(event, events, f"{path}/{len(data)}", None))
        return data

    def mapping(self, events: Iterator[Any], path: str) -> dict[str, Any]:
        """A mapping, up to its end; its keys are texts."""
        data: dict[str, Any] = {}
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                self.problem(key, path, "a key must be a text", "Put a text with [ ] { } or : in quotes")
                raise _Stop
            inside = path + pointer(key.value)
            if key.value in data:
                self.problem(key, inside, f"the key {short(key.value)} stands here twice", "Keep one of them")
            data[key.value] = self.value(next(events), events, inside, key)
        return data


def _scalar(event: Any) -> str | int | bool | None:
    """What a scalar means: quoted, a text; otherwise perhaps a number, true, false or null."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text
