"""The shape of a scenario's data: what may be left out is put in, what pydantic says is put in our words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import yaml

from engine.document import MAX_DEPTH, pointer
from engine.errors import Problem, near, short, suggestion
from engine.sizes import MAX_BYTES, Geometry, split_literal

Fields: TypeAlias = Mapping[str, Any]
"""The fields of a pydantic model by name, each with `examples` or None."""
Models: TypeAlias = Mapping[tuple[str, ...], Fields]
"""The fields that stand at a place; * is any name."""

WORDS: dict[str, tuple[str, str]] = {
    "missing": ("{key} is missing", "Add {key}: {example}"),
    "extra_forbidden": ("there is no key {key} here", "{near}"),
    "int_type": ("{key} must be a whole number, not {given}", "Write {number}"),
    "int_parsing": ("{key} must be a whole number, not {given}", "Write {number}"),
    "int_from_float": ("{key} must be a whole number, not {given}", "Write {number}"),
    "string_type": ("{key} must be a text, not {given}", "Put {it} in quotes"),
    "string_unicode": ("{key} must be a text, not {given}", "Write characters, not halves of them"),
    "invalid_key": ("{key} must be a text", "Put it in quotes"),
    "literal_error": ("{key} cannot be {given}", "Write {expected}"),
    "greater_than_equal": ("{key} cannot be {given}", "The least is {ge}"),
    "less_than_equal": ("{key} cannot be {given}", "The limit is {le}"),
    "too_long": ("{key} has more than {max_length} items", "The limit is {max_length}"),
    "string_too_long": ("{key} has {length} characters", "The limit is {max_length}"),
    "too_short": ("{key} is empty", "Write at least one: {example}"),
    "string_too_short": ("{key} is empty", "Write at least one character: {example}"),
    "string_pattern_mismatch": ("{key} cannot be {given}", "Write small letters, digits and -"),
    "nothing": ("{key} is empty", "Write something below it, or leave {key} out"),
    "dict_type": ("{key} must be a mapping of key: value, not {given}", "Write key: value, a line each"),
    "model_type": ("{key} must be a mapping of key: value, not {given}", "Write key: value, a line each"),
    "tuple_type": ("{key} must be a list, not {given}", "Write - before each item, a line each"),
}
"""What to say to each of pydantic's kinds of error: what is wrong, and a cure."""


def unfit(data: Mapping[str, Any], fields: Fields) -> list[Problem]:
    """What makes it pointless to look further: data nested too deep, or more items than there may be of a field."""
    if _is_deeper(data, MAX_DEPTH):
        return [Problem(0, 0, "", f"this is nested more than {MAX_DEPTH} deep", "Make it flatter")]
    most = {
        key: limit.max_length
        for key, field in fields.items()
        for limit in field.metadata
        if hasattr(limit, "max_length")
    }
    return [
        Problem(0, 0, pointer(key), f"{key} has more than {limit} items", f"The limit is {limit}")
        for key, limit in most.items()
        if isinstance(data.get(key), dict | list) and len(data[key]) > limit
    ]


def _is_deeper(data: object, levels: int) -> bool:
    if not isinstance(data, dict | list):
        return False
    return levels == 0 or any(
        _is_deeper(value, levels - 1) for value in (data.values() if isinstance(data, dict) else data)
    )


def completed(data: dict[str, Any]) -> dict[str, Any]:
    """The data with what can be left out: a toy machine's block size, a thread's user, sizes in bytes."""
    machine, filesystem, files, tasks = (_mapping(data, key) for key in ("machine", "filesystem", "files", "tasks"))
    page = machine.get("page_size", 4096)
    page = page if type(page) is int and page > 0 else 4096
    if "filesystem" not in data or isinstance(data["filesystem"], dict):
        filesystem = {"block_size": min(4096, page), **filesystem}
        data = {**data, "filesystem": filesystem}
    block = filesystem.get("block_size")
    geometry = Geometry(page, block if type(block) is int else 4096)
    if files:
        data = {**data, "files": {name: _sized(file, geometry) for name, file in files.items()}}
    if tasks:
        data = {**data, "tasks": {name: _with_user(task, tasks) for name, task in tasks.items()}}
    return data


def _mapping(data: Any, key: str) -> dict[str, Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def _sized(file: Any, geometry: Geometry) -> Any:
    """A file whose size is in bytes, if it can be read."""
    size = file.get("size") if isinstance(file, dict) else None
    literal = split_literal(size) if isinstance(size, str) else None
    scale = geometry.scale(literal.unit) if literal else None
    return {**file, "size": literal.number * scale} if literal and scale else file


def _with_user(task: Any, tasks: Mapping[str, Any]) -> Any:
    """A thread or child with the user of the task it comes from; with root if there is no such task."""
    user, seen = task, 0
    while isinstance(user, dict) and "user" not in user and seen < len(tasks):
        user, seen = tasks.get(str(user.get("thread_of") or user.get("child_of"))), seen + 1
    if not isinstance(task, dict) or "user" in task or not (task.get("thread_of") or task.get("child_of")):
        return task
    return {**task, "user": user["user"] if isinstance(user, dict) and "user" in user else "root"}


def without_echoes(details: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The errors without those that only follow from another: a key misspelt is not also missing."""
    extra = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]

    def echo(detail: dict[str, Any]) -> bool:
        *inside, key = detail["loc"] or ("",)
        beside = [str(loc[-1]) for loc in extra if list(loc[:-1]) == inside]
        return detail["type"] == "missing" and bool(near(str(key), beside))

    return [detail for detail in details if not echo(detail)]


def problem(detail: dict[str, Any], models: Models) -> tuple[Problem, bool]:
    """One of pydantic's complaints in our words, and whether a key is meant rather than its value."""
    loc = tuple(part for part in detail["loc"] if part != "[key]")
    message, cure = _reworded(detail, loc, _fields(loc[:-1], models))
    at_key = "[key]" in detail["loc"] or detail["type"] == "extra_forbidden"
    return Problem(0, 0, pointer(*loc), message, cure), at_key


def _fields(path: tuple[str | int, ...], models: Models) -> Fields:
    """The fields of the model at a place; none if there is no model."""
    for pattern, fields in models.items():
        if len(pattern) == len(path) and all(p in ("*", q) for p, q in zip(pattern, path, strict=True)):
            return fields
    return {}


def _reworded(detail: dict[str, Any], loc: tuple[str | int, ...], fields: Fields) -> tuple[str, str]:
    context, given, key = detail.get("ctx", {}), detail["input"], str(loc[-1]) if loc else ""
    kind = "nothing" if given is None and detail["type"] in ("dict_type", "model_type") else detail["type"]
    if kind == "scenario":
        return context["message"], context["cure"]
    message, cure = WORDS.get(kind, (f"{{key}}: {_braced(detail['msg'])}", ""))
    words = {
        **context,
        "key": short(key) if kind == "extra_forbidden" else _called(loc),
        "given": short(given),
        "length": len(given) if isinstance(given, str) else 0,
        "number": "4, without quotes" if isinstance(given, str) else "4",
        "it": "the line" if "script" in loc else "it",
        "le": "2T" if context.get("le") == MAX_BYTES else context.get("le"),
        "near": suggestion(key, fields),
        "example": _example(fields, key),
    }
    return message.format(**words), cure.format(**words)


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _called(loc: tuple[str | int, ...]) -> str:
    """What to call the thing at a place: its key, or which line or item it is."""
    key = loc[-1] if loc else "a scenario"
    if isinstance(key, int):
        return f"line {key + 1}" if "script" in loc else f"item {key + 1}"
    return key if key.isidentifier() or not loc else short(key)


def _example(fields: Fields, key: str) -> str:
    """What one might write for a key."""
    examples = (fields[key].examples if key in fields else None) or ["..."]
    flow: str = yaml.safe_dump(examples[0], default_flow_style=True, width=1000)
    return flow.removesuffix("\n").removesuffix("\n...")
