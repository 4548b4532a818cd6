"""What can be written in a scenario, as tables: for completion in an editor, for forms, for the reference.

calls()                 every call of a script: its arguments, an example, a sentence
keys()                  every key of the text: its place, its kind, its default, what it means
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from engine.calls import CALLS, Signature
from engine.operations import Operation
from engine.scenario import MODELS, Scenario

MEANS = {
    "file": "a file of the scenario, or a handle that is open for it",
    "mapping": "a variable that mmap was assigned to, or a part of one: m[2P:3P]",
    "size": "a size: 4P (pages), 2B (blocks), 8K, 1M, or bytes; sums and products too",
    "words": "one of the words, or several joined by |",
    "text": 'a text in quotes, or one times a size: "C" * 4P',
    "task": "a task that is declared as a child of this one",
    "user": "a user of the scenario",
    "blocks": "a number of blocks",
    "ballast": "the name of what fills the disk; any that is free",
    "time": "a time: 30s, 5m, 2h, 8d",
}
"""The kinds of arguments, each with what can be written."""

_KINDS = {
    "file": "file", "writable": "file", "file_or_anon": "file", "span": "mapping", "size": "size", "length": "size",
    "prot": "words", "flags": "words", "mode": "words", "bytes": "text", "child": "task", "user": "user",
    "blocks": "blocks", "ballast": "ballast", "seconds": "time",
}  # fmt: skip
"""The kind of an argument by the method of `Reading` that reads it; one that only takes some words is of that kind."""

_SAID = re.compile(r"`(?P<form>[^`]+)`: (?P<says>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ArgumentHelp:
    """One argument of a call: its kind is a key of MEANS, `words` are those it may be, `default` what stands for it."""

    name: str
    kind: str
    words: tuple[str, ...]
    default: str | None

    def __str__(self) -> str:
        """The argument as a signature has it."""
        return self.name if self.default is None else f"{self.name}={self.default}"


@dataclass(frozen=True, slots=True)
class CallHelp:
    """One call: how it is written, what it does, in a sentence, and whether its result may or must have a name."""

    name: str
    examples: tuple[str, ...]
    says: str
    arguments: tuple[ArgumentHelp, ...]
    target: str

    def __str__(self) -> str:
        """The call with its arguments: "msync(mapping, mode, start=0, stop=end)"."""
        return f"{self.name}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """One key of a scenario's text. `place` is where it stands, "files/*"; `words` are all values it may have."""

    place: str
    name: str
    kind: str
    default: str | None
    words: tuple[str, ...]
    says: str
    least: int | None = None
    most: int | None = None


@cache
def calls() -> tuple[CallHelp, ...]:
    """Every call, in the order of the table."""
    said = _sentences()
    return tuple(_call(name, signature, said[name]) for name, signature in CALLS.items())


def _sentences() -> dict[str, str]:
    """What each call does: the first paragraph of the operation that it makes."""
    found: dict[str, str] = {}
    for operation in get_args(Operation):
        match = _SAID.match((operation.__doc__ or "").partition("\n\n")[0])
        name = re.search(r"(\w+)\(", match["form"]) if match else None
        if match and name:
            found[name[1]] = " ".join(match["says"].split())
    return found


def _call(name: str, signature: Signature, says: str) -> CallHelp:
    arguments = tuple(
        ArgumentHelp(
            each.name,
            _KINDS.get(each.read.__name__, "words"),
            each.words,
            None if each.required else "end" if each.name == "stop" else _spelt(each.default),
        )
        for each in signature.arguments
    )
    return CallHelp(name, tuple(signature.example.split(" or ")), says, arguments, signature.target)


def _spelt(value: Any) -> str:
    return "none" if value is None else str(value)


@cache
def keys() -> tuple[KeyHelp, ...]:
    """Every key that a scenario may have, a place after the other."""
    schema = Scenario.model_json_schema()
    return tuple(key for place, fields in MODELS.items() for key in _keys(place, fields, schema))


def _keys(place: tuple[str, ...], fields: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[KeyHelp]:
    """The keys of one model."""
    properties = _model(schema, place)
    for name, field in fields.items():
        shape = properties["properties"][name]
        numbers = next((each for each in shape.get("anyOf", ()) if each.get("type") == "integer"), shape)
        yield KeyHelp(
            "/".join(place), name, _kind(shape, schema), _default(field), tuple(shape.get("enum", ())),
            field.description or _about(shape, schema), numbers.get("minimum"), numbers.get("maximum"),
        )  # fmt: skip


def _model(schema: Mapping[str, Any], place: tuple[str, ...]) -> Mapping[str, Any]:
    """The part of the JSON Schema that describes a place."""
    found: Mapping[str, Any] = schema
    for part in place:
        inner = found.get("items", found)
        inner = inner["additionalProperties"] if part == "*" and "additionalProperties" in inner else inner
        found = inner if part == "*" else inner["properties"][part]
        found = _resolved(found, schema)
    return found


def _resolved(shape: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = shape.get("$ref") or shape.get("allOf", [{}])[0].get("$ref", "")
    found: Mapping[str, Any] = schema["$defs"][reference.rpartition("/")[2]] if reference else shape
    return found


def _about(shape: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What the schema says of a key, or else of the model that stands there."""
    model = _resolved(shape.get("additionalProperties") or shape, schema)
    said: str = shape.get("description") or model.get("description", "")
    return said


def _kind(shape: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a value is, in a word or two."""
    if "$ref" in shape or "allOf" in shape:
        return "mapping"
    if "enum" in shape:
        return "one of some words"
    kinds = [each.get("type") for each in shape.get("anyOf", [shape])]
    if "integer" in kinds and "string" in kinds:
        return "time" if "smhd" in str(shape) else "size"
    first = next((kind for kind in kinds if kind != "null"), "")
    if first == "object":
        return "mapping by name"
    if first == "array":
        return "list of texts" if _resolved(shape["items"], schema).get("type") == "string" else "list of mappings"
    return {"integer": "whole number", "boolean": "true or false"}.get(str(first), "text")


def _default(field: Any) -> str | None:
    """The default as the text would have it; None where there is none."""
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or value == () or not isinstance(value, int | str) else str(value)
