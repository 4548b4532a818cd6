"""The calls a script can make: one row each, with its arguments in order, what they are, and an example.

A row's reader turns an argument's node into a value; its maker turns the values into an operation.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from engine import operations as op
from engine.errors import suggestion
from engine.reading import MAP_FLAGS, OPEN_MODES, PROTS, Reading, Span, Variable
from engine.sizes import spell

Reader: TypeAlias = Callable[[Reading, ast.expr], Any]
Maker: TypeAlias = Callable[[Reading, ast.Call, str, dict[str, Any]], op.Operation]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument; `default` is used when it is left out, unless it is `required`. `words` are those it may be."""

    name: str
    read: Reader
    required: bool = True
    default: Any = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """One call: how it is written, what it makes and takes, whether its result may or must have a name."""

    example: str
    make: Maker
    arguments: tuple[Argument, ...] = ()
    target: Literal["never", "may", "must"] = "never"


def bind(reading: Reading, call: ast.Call, name: str, signature: Signature) -> dict[str, Any]:
    """Give every argument its value, by place or by name, as Python would."""
    nodes = _given(reading, call, name, signature)
    values: dict[str, Any] = {}
    for argument in signature.arguments:
        if argument.name in nodes:
            values[argument.name] = argument.read(reading, nodes[argument.name])
        elif argument.required:
            reading.refuse(call, f"{name} needs {argument.name}", f"Write {signature.example}")
        else:
            values[argument.name] = argument.default
    return values


def _given(reading: Reading, call: ast.Call, name: str, signature: Signature) -> dict[str, ast.expr]:
    """The arguments' nodes by name."""
    cure = f"Write {signature.example}"
    nodes: dict[str, ast.expr] = {}
    for argument, node in zip(signature.arguments, call.args, strict=False):
        if isinstance(node, ast.Starred):
            reading.refuse(node, "* has no meaning here", cure)
        nodes[argument.name] = node
    if len(call.args) > len(signature.arguments):
        count = len(signature.arguments)
        takes = f"takes at most {count} argument{'s' * (count > 1)}" if count else "takes no arguments"
        reading.refuse(call.args[count], f"{name} {takes}", cure)
    for given in call.keywords:
        names = [argument.name for argument in signature.arguments]
        if given.arg not in names:
            reading.refuse(given, f"{name} has no argument {given.arg or '**'}", suggestion(given.arg or "", names))
        if given.arg in nodes:
            reading.refuse(given, f"{given.arg} is given twice", cure)
        nodes[given.arg] = given.value
    return nodes


def _plain(kind: Callable[..., op.Operation]) -> Maker:
    """An operation whose fields are the arguments."""
    return lambda _reading, _call, _target, values: kind(**values)


def _disk_error(reading: Reading, call: ast.Call, _target: str, values: dict[str, Any]) -> op.Operation:
    if values["offset"] is not None and not values["file"]:
        reading.refuse(call, "an offset is one of a file", "Write disk_error(f, 2P)")
    return op.DiskError(**values)


def _mmap(reading: Reading, call: ast.Call, target: str, values: dict[str, Any]) -> op.Operation:
    flags, page = values.pop("flags"), reading.context.geometry.page_size
    shared = "SHARED" in flags
    if values["offset"] % page:
        reading.refuse(call, "the offset of a mapping must be a whole number of pages", "Write 2P")
    context = reading.context
    if values["length"] > context.room:
        most = spell(context.room, context.geometry)
        message = f"a mapping of more than {most} has no place in the address space of {context.arch}"
        reading.refuse(call, message, "Map less, or choose arch: x86-64")
    if "POPULATE" in flags:
        reading.touched(call, 0, values["length"])
    if values["file"] is None and values["offset"]:
        reading.refuse(call, "ANON has no offset", "Leave the offset out")
    if values["file"] is None and shared:
        reading.refuse(call, "shared anonymous memory is not simulated", "Write PRIVATE, or map a file")
    node = call.args[0] if call.args else call.keywords[0].value
    if shared and "WRITE" in values["prot"] and values["file"] is not None:
        reading.writable(node)
    handle = reading.context.variables.get(node.id) if isinstance(node, ast.Name) else None
    may_write = not shared or handle is None or handle.write
    reading.context.variables[target] = Variable("mapping", values["file"], values["length"])
    return op.Mmap(target, shared=shared, populate="POPULATE" in flags, may_write=may_write, **values)


def _open(reading: Reading, _call: ast.Call, target: str, values: dict[str, Any]) -> op.Operation:
    write, direct = "RDWR" in values["mode"], "DIRECT" in values["mode"]
    reading.context.variables[target] = Variable("handle", values["file"], write=write, direct=direct)
    return op.Open(target, values["file"], write, direct)


def _close(reading: Reading, call: ast.Call, _target: str, values: dict[str, Any]) -> op.Operation:
    node, known = (call.args or [keyword.value for keyword in call.keywords])[0], reading.context.variables
    if isinstance(node, ast.Name) and node.id in known:
        known[node.id] = Variable("handle", values["file"], write=known[node.id].write, closed=True)
        return op.Close(values["file"], node.id)
    return op.Close(values["file"])


def _by_handle(kind: Callable[..., op.Operation]) -> Maker:
    """An operation on a file that may be given by a handle: which one it was matters for who hears of errors."""

    def make(reading: Reading, call: ast.Call, _target: str, values: dict[str, Any]) -> op.Operation:
        node = (call.args or [keyword.value for keyword in call.keywords])[0]
        by_handle = isinstance(node, ast.Name) and node.id in reading.context.variables
        return kind(**values, var=node.id if isinstance(node, ast.Name) and by_handle else "")

    return make


def _pwrite(reading: Reading, call: ast.Call, _target: str, values: dict[str, Any]) -> op.Operation:
    text, length = values["data"]
    reading.touched(call, values["offset"], values["offset"] + length)
    return op.Pwrite(values["file"], text, length, values["offset"], _by_direct(reading, call))


def _pread(reading: Reading, call: ast.Call, target: str, values: dict[str, Any]) -> op.Operation:
    reading.touched(call, values["offset"], values["offset"] + values["length"])
    return op.Pread(target or None, **values, direct=_by_direct(reading, call))


def _by_direct(reading: Reading, call: ast.Call) -> bool:
    """Whether a call's file is given by a handle that was opened with DIRECT."""
    given = {argument.arg: argument.value for argument in call.keywords}
    node = call.args[0] if call.args else given["file"]
    known = reading.context.variables.get(node.id) if isinstance(node, ast.Name) else None
    return known is not None and known.direct


def _ranged(kind: Callable[..., op.Operation], *, word: str = "") -> Maker:
    """An operation on a mapping or a part of it, given as m[a:b] or as start and stop."""

    def make(reading: Reading, call: ast.Call, _target: str, values: dict[str, Any]) -> op.Operation:
        span: Span = values["mapping"]
        start, stop = values["start"], values["stop"]
        if (start, stop) == (0, None):
            start, stop = span.start, span.stop
        elif span.stop is not None:
            reading.refuse(call, "the range is given twice", "Write m[2P:3P], or m and start and stop")
        if stop is not None and stop <= start:
            reading.refuse(call, "the range is empty", "A range goes up: m[2P:3P] is page 2")
        reading.within(call, span.var, start + 1 if stop is None else stop)
        return kind(span.var, *([values[word]] if word else []), start, stop)

    return make


def _readinto(reading: Reading, call: ast.Call, _target: str, values: dict[str, Any]) -> op.Operation:
    span: Span = values["mapping"]
    stop = reading.context.variables[span.var].length if span.stop is None else span.stop
    reading.within(call, span.var, stop)
    return op.ReadInto(span.var, span.start, stop, values["data"][0])


def _mremap(reading: Reading, call: ast.Call, target: str, values: dict[str, Any]) -> op.Operation:
    span: Span = values["mapping"]
    if span.stop is not None or target not in ("", span.var):
        reading.refuse(call, "mremap keeps the mapping whole and its name", f"Write mremap({span.var}, 8P)")
    before = reading.context.variables[span.var]
    longest = max(before.length, values["length"])
    reading.context.variables[span.var] = Variable(before.kind, before.file, longest)
    return op.Mremap(span.var, values["length"])


def _set_quota(reading: Reading, call: ast.Call, _target: str, values: dict[str, Any]) -> op.Operation:
    if values["soft"] is None and values["hard"] is None:
        reading.refuse(call, "quota needs a limit", "Write quota(alice, hard=9)")
    return op.SetQuota(**values)


def _fallocate(reading: Reading, call: ast.Call, _target: str, values: dict[str, Any]) -> op.Operation:
    reading.touched(call, values["offset"], values["offset"] + values["length"])
    return op.Fallocate(values["file"], values["offset"], values["length"], values["mode"] == KEEP_SIZE)


def _giving_blocks(kind: Callable[..., op.Operation]) -> Maker:
    """An operation that gives each page of a range its place."""

    def make(reading: Reading, call: ast.Call, _target: str, values: dict[str, Any]) -> op.Operation:
        reading.touched(call, values["offset"], values["offset"] + values["length"])
        return kind(**values)

    return make


def _one_of(what: str, words: tuple[str, ...]) -> Reader:
    return lambda reading, node: reading.one_of(node, what, words)


KEEP_SIZE = "KEEP_SIZE"
FILE = Argument("file", Reading.file)
ANY_FILE = Argument("file", Reading.file, required=False, default="")
WRITABLE = Argument("file", Reading.writable)
MAPPING = Argument("mapping", Reading.span)
LENGTH = Argument("length", Reading.length)
OFFSET = Argument("offset", Reading.size)
START = Argument("start", Reading.size, required=False, default=0)
STOP = Argument("stop", Reading.size, required=False)
PROT = Argument("prot", Reading.prot, words=(*PROTS, "NONE"))
BALLAST = Argument("name", Reading.ballast)
BLOCKS = Argument("blocks", Reading.blocks)
MODE = Argument("mode", _one_of("a mode of msync", get_args(op.SyncMode)), words=get_args(op.SyncMode))
ADVICE = Argument("advice", _one_of("advice", get_args(op.Advice)), words=get_args(op.Advice))

CALLS: dict[str, Signature] = {
    "mmap": Signature(
        "m = mmap(f, 4P, READ|WRITE, SHARED)",
        _mmap,
        (
            Argument("file", Reading.file_or_anon, words=("ANON",)),
            LENGTH,
            PROT,
            Argument("flags", Reading.flags, words=MAP_FLAGS),
            Argument("offset", Reading.size, required=False, default=0),
        ),
        target="must",
    ),
    "munmap": Signature("munmap(m) or munmap(m[2P:4P])", _ranged(op.Munmap), (MAPPING, START, STOP)),
    "mremap": Signature("mremap(m, 8P)", _mremap, (MAPPING, LENGTH), target="may"),
    "mprotect": Signature("mprotect(m, READ)", _ranged(op.Mprotect, word="prot"), (MAPPING, PROT, START, STOP)),
    "madvise": Signature("madvise(m, DONTNEED)", _ranged(op.Madvise, word="advice"), (MAPPING, ADVICE, START, STOP)),
    "msync": Signature("msync(m, SYNC)", _ranged(op.Msync, word="mode"), (MAPPING, MODE, START, STOP)),
    "open": Signature(
        "h = open(f, RDWR) or h = open(f, RDWR|DIRECT)",
        _open,
        (FILE, Argument("mode", Reading.mode, words=(*OPEN_MODES, "DIRECT"))),
        "must",
    ),
    "close": Signature("close(f)", _close, (FILE,)),
    "pwrite": Signature(
        'pwrite(f, "C", 2P) or pwrite(f, "C" * 4P, 0)',
        _pwrite,
        (WRITABLE, Argument("data", Reading.bytes), OFFSET),
    ),
    "pread": Signature("x = pread(f, 1, 2P)", _pread, (FILE, LENGTH, OFFSET), target="may"),
    "readinto": Signature('readinto(m[2P:3P], "C")', _readinto, (MAPPING, Argument("data", Reading.bytes))),
    "fsync": Signature("fsync(f)", _by_handle(op.Fsync), (FILE,)),
    "fdatasync": Signature("fdatasync(f)", _by_handle(op.Fdatasync), (FILE,)),
    "sync": Signature("sync()", _plain(op.Sync)),
    "syncfs": Signature("syncfs(f)", _by_handle(op.Syncfs), (FILE,)),
    "ftruncate": Signature("ftruncate(f, 8P)", _plain(op.Ftruncate), (WRITABLE, Argument("size", Reading.size))),
    "fallocate": Signature(
        "fallocate(f, 0, 4P) or fallocate(f, 0, 8P, KEEP_SIZE)",
        _fallocate,
        (
            WRITABLE,
            OFFSET,
            LENGTH,
            Argument("mode", _one_of("a mode of fallocate", (KEEP_SIZE,)), required=False, words=(KEEP_SIZE,)),
        ),
    ),
    "punch": Signature("punch(f, 2P, 1P)", _plain(op.Punch), (WRITABLE, OFFSET, LENGTH)),
    "zero": Signature("zero(f, 2P, 1P)", _giving_blocks(op.Zero), (WRITABLE, OFFSET, LENGTH)),
    "clone": Signature("clone(g1, f)", _plain(op.Clone), (WRITABLE, Argument("source", Reading.file))),
    "fork": Signature("fork(B)", _plain(op.Fork), (Argument("child", Reading.child),)),
    "exit": Signature("exit()", _plain(op.Exit)),
    "power_fails": Signature("power_fails()", _plain(op.PowerFails)),
    "reclaim": Signature("reclaim()", _plain(op.Reclaim)),
    "writeback": Signature("writeback()", _plain(op.Writeback)),
    "drop_caches": Signature("drop_caches()", _plain(op.DropCaches)),
    "remount": Signature("remount()", _plain(op.Remount)),
    "disk_error": Signature(
        "disk_error(f, 2P)", _disk_error, (ANY_FILE, Argument("offset", Reading.size, required=False))
    ),
    "disk_heals": Signature("disk_heals(f)", _plain(op.DiskHeals), (ANY_FILE,)),
    "device_room": Signature("device_room(4)", _plain(op.DeviceRoom), (BLOCKS,)),
    "shutdown": Signature("shutdown()", _plain(op.Shutdown)),
    "quota": Signature(
        "quota(alice, hard=9)",
        _set_quota,
        (
            Argument("user", Reading.user),
            Argument("soft", Reading.blocks, required=False),
            Argument("hard", Reading.blocks, required=False),
        ),
    ),
    "free": Signature("free(g, 1)", _plain(op.Free), (BALLAST, BLOCKS)),
    "take": Signature("take(g, 1)", _plain(op.Take), (BALLAST, BLOCKS)),
    "fill": Signature(
        "fill(g) or fill(g, leave=1)",
        _plain(op.Fill),
        (BALLAST, Argument("leave", Reading.blocks, required=False, default=0)),
    ),
    "sleep": Signature("sleep(30s)", _plain(op.Sleep), (Argument("seconds", Reading.seconds),)),
}
"""Every call of the language by its name."""
