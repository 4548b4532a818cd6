"""Script lines: a small subset of Python's syntax, parsed with `ast` and never evaluated.

    m = mmap(f, 4P, READ|WRITE, SHARED)     a call, its result named
    m[2P] = "C"                             a store of the CPU
    x = m[2P]                               a load of the CPU
    msync(m, SYNC)                          a call

`parse_line` turns one line into one operation and notes in the context what it assigns. The calls are the
table in `engine.calls`; the operations are in `engine.operations` and can be had from here.
"""

from __future__ import annotations

import ast
import re

from engine.calls import CALLS, bind
from engine.errors import Problem, ScenarioError, short, suggestion
from engine.operations import (
    Advice,
    Clone,
    Close,
    DeviceRoom,
    DiskError,
    DiskHeals,
    DropCaches,
    Exit,
    Fallocate,
    Fdatasync,
    Fill,
    Fork,
    Free,
    Fsync,
    Ftruncate,
    Line,
    Load,
    Madvise,
    Mmap,
    Mprotect,
    Mremap,
    Msync,
    Munmap,
    Open,
    Operation,
    PowerFails,
    Pread,
    Prot,
    Punch,
    Pwrite,
    ReadInto,
    Reclaim,
    Remount,
    SetQuota,
    Shutdown,
    Sleep,
    Store,
    Sync,
    Syncfs,
    SyncMode,
    Take,
    Writeback,
    Zero,
)
from engine.reading import Context, Reading, Refused, Variable, name_problem
from engine.sizes import rewrite

__all__ = [
    "MAX_LINE",
    "Advice",
    "Clone",
    "Close",
    "Context",
    "DeviceRoom",
    "DiskError",
    "DiskHeals",
    "DropCaches",
    "Exit",
    "Fallocate",
    "Fdatasync",
    "Fill",
    "Fork",
    "Free",
    "Fsync",
    "Ftruncate",
    "Line",
    "Load",
    "Madvise",
    "Mmap",
    "Mprotect",
    "Mremap",
    "Msync",
    "Munmap",
    "Open",
    "Operation",
    "PowerFails",
    "Pread",
    "Prot",
    "Punch",
    "Pwrite",
    "ReadInto",
    "Reclaim",
    "Remount",
    "SetQuota",
    "Shutdown",
    "Sleep",
    "Store",
    "Sync",
    "SyncMode",
    "Syncfs",
    "Take",
    "Variable",
    "Writeback",
    "Zero",
    "parse_line",
    "plain",
]

MAX_LINE = 200
"""The longest line of a script, in characters."""

FORMS = 'A line is a call, x = a call, m[2P] = "C" or x = m[2P]'


def parse_line(text: str, context: Context) -> Operation:
    """Turn a line into what it asks for; `context.variables` learns what it assigns.

    Raises ScenarioError with one problem; its line is 1 and its column counts within `text`.
    """
    try:
        return _parse(text, context)
    except Refused as refused:
        _assume(text, context)
        problem = Problem(1, refused.column + 1, "", refused.message, refused.cure)
        raise ScenarioError([problem], name="line") from None


def plain(text: str) -> str:
    """The line as written, without its comment."""
    code, _ = rewrite(text)
    return text[: len(code)].strip()


def _parse(text: str, context: Context) -> Operation:
    if len(text) > MAX_LINE:
        raise Refused(0, f"the line has {len(text)} characters, the limit is {MAX_LINE}", "Make it shorter")
    for column, character in enumerate(text):
        if not " " <= character <= "~" or character == "\\":
            raise Refused(column, f"the character {short(character)} has no place in a script", "Write plain ASCII")
    code, literals = rewrite(text)
    if not code.strip():
        raise Refused(0, "the line is empty", "Remove it")
    indent = len(code) - len(code.lstrip())
    statement = _syntax(code, indent)
    shifted = {column - indent: literal for column, literal in literals.items()}
    try:
        return _statement(statement, Reading(context, shifted))
    except Refused as refused:
        refused.column += indent
        raise


def _syntax(code: str, indent: int) -> ast.stmt:
    """Python's own parser, with its complaints made ours."""
    try:
        body = ast.parse(code[indent:]).body
    except (SyntaxError, MemoryError, RecursionError) as error:
        column = indent + max((getattr(error, "offset", None) or 1) - 1, 0)
        raise Refused(min(column, len(code)), f"this does not parse: {_said(error)}", FORMS) from None
    if len(body) != 1:
        raise Refused(indent + body[1].col_offset, "this is more than one statement", "Write a line for each")
    return body[0]


def _said(error: Exception) -> str:
    said = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
    return said.removesuffix(" (detected at line 1)")


def _statement(statement: ast.stmt, reading: Reading) -> Operation:
    match statement:
        case ast.Expr(value=ast.Call() as call):
            return _call(call, "", reading)
        case ast.Expr(value=ast.Subscript() as place):
            return _load("", place, reading)
        case ast.Assign(targets=[ast.Name() as target], value=ast.Call() as call):
            return _call(call, _target(target, reading), reading)
        case ast.Assign(targets=[ast.Name() as target], value=ast.Subscript() as place):
            return _load(_target(target, reading), place, reading)
        case ast.Assign(targets=[ast.Subscript() as place], value=value):
            return _store(place, value, reading)
        case ast.Expr(value=ast.Name(id=name)) if name in CALLS:
            reading.refuse(statement, f"{name} is a call", f"Write {CALLS[name].example}")
    raise Refused(statement.col_offset, "this is not a line of the script", FORMS)


def _target(node: ast.Name, reading: Reading) -> str:
    """The name a result goes to."""
    if problem := name_problem(node.id):
        reading.refuse(node, f"{node.id} cannot be a variable: {problem}", "Choose another name")
    if node.id in CALLS or node.id in reading.context.files:
        is_ = "a call" if node.id in CALLS else "a file"
        reading.refuse(node, f"{node.id} is {is_} here and cannot be a variable", "Choose another name: m, x")
    return node.id


def _call(call: ast.Call, target: str, reading: Reading) -> Operation:
    if isinstance(call.func, ast.Attribute):
        reading.refuse(call.func, "a call is written without a module", f"Write {call.func.attr}(...)")
    name = reading.name(call.func, "a call", "its name")
    if name not in CALLS:
        reading.refuse(call, f"there is no call {name}", suggestion(name, CALLS))
    signature = CALLS[name]
    if target and signature.target == "never":
        reading.refuse(call, f"{name} gives nothing to assign", f"Write {signature.example}")
    if not target and signature.target == "must":
        reading.refuse(call, f"what {name} gives needs a name", f"Write {signature.example}")
    operation = signature.make(reading, call, target, bind(reading, call, name, signature))
    if target:
        reading.context.variables.setdefault(target, Variable("value"))
    return operation


def _load(target: str, place: ast.Subscript, reading: Reading) -> Operation:
    start, stop = reading.range(place)
    reading.touched(place, start, stop)
    var = reading.span(place.value).var
    if target:
        reading.context.variables[target] = Variable("value")
    return Load(target or None, var, start, stop)


def _store(place: ast.Subscript, value: ast.expr, reading: Reading) -> Operation:
    start, stop = reading.range(place)
    text, length = reading.bytes(value)
    var = reading.span(place.value).var
    if not isinstance(place.slice, ast.Slice):
        stop = start + length
        reading.within(value, var, stop)
    elif length != len(text) and length != stop - start:
        reading.refuse(
            value, f"the range has {stop - start} bytes, the text {length}", f'Write "{text}": it is repeated'
        )
    reading.touched(place, start, stop)
    return Store(var, start, stop, text)


def _assume(text: str, context: Context) -> None:
    """A refused line still assigns its name, so that one mistake does not become ten."""
    if match := re.match(r"\s*([A-Za-z_]\w*)\s*=(?!=)", text[:MAX_LINE]):
        context.variables.setdefault(match[1], Variable("unknown"))
