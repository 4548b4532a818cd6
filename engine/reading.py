"""Reading the arguments of a script line: from nodes of Python's `ast` to sizes, names and flags.

Nothing is evaluated. A `Reading` knows the line and what is declared around it (`Context`). Its methods take
one node and give one value, or raise `Refused` with the node's column and what would be right.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal as Word
from typing import NoReturn

from engine.errors import either, near, suggestion
from engine.hardware.paging import FORMATS
from engine.sizes import MAX_BYTES, SECONDS, Geometry, Literal, spell, unit_cure

PROTS = ("READ", "WRITE", "EXEC")
OPEN_MODES = ("RDWR", "RDONLY")
MAP_FLAGS = ("SHARED", "PRIVATE", "POPULATE")
MAX_TEXT = 64
"""The longest text of a store, in characters."""
MAX_SPAN = 256
"""The most pages one line may touch."""
MAX_SECONDS = 10 * 365 * 86400


class Refused(Exception):
    """A line cannot be taken: what is wrong at which column (from 0), and what would be right."""

    def __init__(self, column: int, message: str, cure: str = "") -> None:
        """Columns are counted from 0, in characters of the line."""
        self.column, self.message, self.cure = column, message, cure
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Variable:
    """What a name of the script stands for; `length` of a mapping in bytes, as long as it ever gets."""

    kind: Word["mapping", "handle", "value", "unknown"]
    file: str | None = None
    length: int = 0
    write: bool = True
    closed: bool = False
    direct: bool = False


@dataclass(slots=True)
class Context:
    """What a line may speak of: declared files, users and children, and the variables assigned so far.

    `parse_line` adds to `variables`; all else is only read.
    """

    files: Collection[str] = ()
    users: Collection[str] = ("root",)
    children: Collection[str] = ()
    geometry: Geometry = field(default_factory=Geometry)
    variables: dict[str, Variable] = field(default_factory=dict)
    arch: str = "i386"

    @property
    def room(self) -> int:
        """How many bytes a mapping may have on this architecture: what lies above the mapping base."""
        form = FORMATS[self.arch]
        return (form.task_size - form.mapping_base) * self.geometry.page_size


@dataclass(frozen=True, slots=True)
class Span:
    """A mapping, or a part [start, stop) of it; stop None is its end."""

    var: str
    start: int = 0
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One line being read."""

    context: Context
    literals: Mapping[int, Literal]

    def refuse(self, node: ast.AST, message: str, cure: str = "") -> NoReturn:
        """Refuse the line because of this node."""
        raise Refused(getattr(node, "col_offset", 0), message, cure)

    def number(self, node: ast.expr, what: str) -> tuple[int, str]:
        """A number and its unit ("" for none)."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            self.refuse(node, f"{what} cannot be negative", "Count from 0")
        if not (isinstance(node, ast.Constant) and type(node.value) is int):
            self.refuse(node, f"{what} must be a whole number", "Write it as 4P, 2B, 8K or plain bytes")
        literal = self.literals.get(node.col_offset, Literal(0, node.value, ""))
        if literal.number > MAX_BYTES:
            self.refuse(node, f"{what} cannot be beyond 2T, the end of the largest file", "Write a smaller one")
        return literal.number, literal.unit

    def size(self, node: ast.expr) -> int:
        """A size or offset in bytes; sums, differences and products of sizes are sizes."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
            left, right = self.size(node.left), self.size(node.right)
            if isinstance(node.op, ast.Mult):
                size = left * right
            else:
                size = left + right if isinstance(node.op, ast.Add) else left - right
            if size < 0:
                self.refuse(node, "a size cannot be negative", "Count from 0")
        else:
            number, unit = self.number(node, "a size")
            scale = self.context.geometry.scale(unit)
            if scale is None:
                self.refuse(node, f"there is no unit {unit}", unit_cure(Literal(0, number, unit)))
            size = number * scale
        if size > MAX_BYTES:
            self.refuse(node, f"{size} bytes is beyond 2T, the largest file there is")
        return size

    def length(self, node: ast.expr) -> int:
        """A size that must not be 0."""
        return self.size(node) or self.refuse(node, "a length cannot be 0", "Write at least 1 (one byte)")

    def blocks(self, node: ast.expr) -> int:
        """A number of blocks: plain, or a size that is a whole number of them."""
        number, unit = self.number(node, "a number of blocks")
        if not unit:
            return number
        blocks, rest = divmod(self.size(node), self.context.geometry.block_size)
        if rest:
            self.refuse(node, f"{number}{unit} is not a whole number of blocks", "Write the number of blocks: 9")
        return blocks

    def seconds(self, node: ast.expr) -> int:
        """A time in seconds: 30 or 30s, 5m, 2h, 8d."""
        number, unit = self.number(node, "a time")
        scale = SECONDS.get(unit or "s")
        if scale is None:
            self.refuse(node, f"there is no unit of time {unit}", "Write 30s, 5m, 2h or 8d")
        if number * scale > MAX_SECONDS:
            self.refuse(node, "a sleep of more than ten years", "sleep(8d) outlives every grace period here")
        return number * scale

    def name(self, node: ast.expr, what: str, example: str) -> str:
        """A bare name."""
        if not isinstance(node, ast.Name):
            self.refuse(node, f"{what} must be a name", f"Write {example}, without quotes")
        return node.id

    def one_of(self, node: ast.expr, what: str, words: Collection[str]) -> str:
        """One of the given capital words."""
        name = self.name(node, what, either(list(words)))
        if name not in words:
            self.refuse(node, f"{name} is not {what}", suggestion(name, words))
        return name

    def words(self, node: ast.expr, what: str, words: Collection[str]) -> list[ast.Name]:
        """The names of `A|B|C`, each one of the given words and none twice."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            found = self.words(node.left, what, words) + self.words(node.right, what, words)
        else:
            self.one_of(node, what, words)
            found = [node] if isinstance(node, ast.Name) else []
        for later in found[1:]:
            if later.id in {name.id for name in found[: found.index(later)]}:
                self.refuse(later, f"{later.id} stands here twice", "Write it once")
        return found

    def prot(self, node: ast.expr) -> frozenset[str]:
        """Rights: NONE, or READ, WRITE and EXEC joined by |."""
        found = self.words(node, "a right of a mapping", (*PROTS, "NONE"))
        names = frozenset(name.id for name in found)
        if "NONE" in names and len(names) > 1:
            self.refuse(node, "NONE goes with no other right", "Write NONE alone, or READ|WRITE")
        return names - {"NONE"}

    def flags(self, node: ast.expr) -> frozenset[str]:
        """SHARED or PRIVATE, with POPULATE or without."""
        names = frozenset(name.id for name in self.words(node, "a flag of mmap", MAP_FLAGS))
        if len(names & {"SHARED", "PRIVATE"}) != 1:
            self.refuse(node, "a mapping is either SHARED or PRIVATE", "Write one of them: SHARED or SHARED|POPULATE")
        return names

    def mode(self, node: ast.expr) -> frozenset[str]:
        """RDWR or RDONLY, with DIRECT or without."""
        names = frozenset(name.id for name in self.words(node, "a mode of open", (*OPEN_MODES, "DIRECT")))
        if len(names & set(OPEN_MODES)) != 1:
            self.refuse(node, "a file is opened either RDWR or RDONLY", "Write one of them: RDWR or RDWR|DIRECT")
        return names

    def text(self, node: ast.expr) -> str:
        """A text in quotes: 1 to 64 characters of printable ASCII."""
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            self.refuse(node, "what is written must be a text in quotes", 'Write "C"')
        if not node.value:
            self.refuse(node, "the text is empty", 'Write at least one character: "C"')
        if len(node.value) > MAX_TEXT:
            self.refuse(node, f"the text has {len(node.value)} characters, the limit is {MAX_TEXT}", 'Write "C" * 4P')
        return node.value

    def bytes(self, node: ast.expr) -> tuple[str, int]:
        """What a write writes: a text, or a text times a length in bytes; the text and its whole length."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            text, times = (node.right, node.left) if _is_text(node.right) else (node.left, node.right)
            pattern = self.text(text)
            return pattern, len(pattern) * self.length(times)
        pattern = self.text(node)
        return pattern, len(pattern)

    def variable(self, node: ast.expr, what: str, example: str) -> Variable:
        """A variable assigned before."""
        name = self.name(node, what, example)
        if name not in self.context.variables:
            self._unassigned(node, name, what)
        return self.context.variables[name]

    def _unassigned(self, node: ast.expr, name: str, what: str) -> NoReturn:
        if name in self.context.files:
            self.refuse(
                node,
                f"{name} is a file, not {what}",
                f"Map it first: m = mmap({name}, 4P, READ|WRITE, SHARED)",
            )
        cure = f"Assign it first: {name} = mmap(f, 4P, READ|WRITE, SHARED)"
        if near(name, self.context.variables):
            cure = suggestion(name, self.context.variables)
        self.refuse(node, f"{name} is used before it is assigned", cure)

    def span(self, node: ast.expr) -> Span:
        """A mapping `m`, or a part of it: `m[2P:3P]`."""
        if isinstance(node, ast.Subscript):
            start, stop = self.range(node)
            return Span(self.span(node.value).var, start, stop)
        variable = self.variable(node, "a mapping", "m")
        name = self.name(node, "a mapping", "m")
        if variable.kind not in ("mapping", "unknown"):
            is_ = "an open file" if variable.kind == "handle" else "a value that was read"
            self.refuse(node, f"{name} is {is_}, not a mapping", "Use the variable that mmap was assigned to")
        return Span(name)

    def range(self, node: ast.Subscript) -> tuple[int, int]:
        """The bytes that `m[a]` (one) or `m[a:b]` means, within the mapping."""
        span = self.span(node.value)
        variable = self.context.variables[span.var]
        if not isinstance(node.slice, ast.Slice):
            start = self.size(node.slice)
            stop = start + 1
        else:
            if node.slice.step is not None:
                self.refuse(node.slice.step, "a range has no step", "Write m[0:2P]")
            start = self.size(node.slice.lower) if node.slice.lower else 0
            stop = self.size(node.slice.upper) if node.slice.upper else self.end(variable)
            if stop <= start:
                self.refuse(node.slice, "the range is empty", "A range goes up: m[2P:3P] is page 2")
        self.within(node.slice, span.var, stop)
        return start, stop

    def end(self, variable: Variable) -> int:
        """Where a mapping ends: mappings are made of whole pages."""
        page = self.context.geometry.page_size
        return -(-variable.length // page) * page

    def within(self, node: ast.expr, name: str, stop: int) -> None:
        """Refuse what lies beyond the end of a mapping."""
        variable = self.context.variables[name]
        if variable.kind == "mapping" and stop > self.end(variable):
            end = spell(self.end(variable), self.context.geometry)
            self.refuse(
                node,
                f"this is beyond the end of {name}",
                f"{name} is {end} long: stay below {end} or map more",
            )

    def touched(self, node: ast.AST, start: int, stop: int) -> None:
        """Refuse to touch more pages than a line may."""
        page = self.context.geometry.page_size
        pages = -(-stop // page) - start // page
        if pages > MAX_SPAN:
            self.refuse(node, f"this touches {pages} pages, the limit is {MAX_SPAN} a line", "Use a smaller range")

    def file(self, node: ast.expr) -> str:
        """A file of the scenario, by its name or by a handle that is open for it."""
        name = self.name(node, "a file", either(list(self.context.files)[:3] or ["f"]))
        variable = self.context.variables.get(name)
        if variable is None and name in self.context.files:
            return name
        if variable is None:
            self.refuse(node, f"there is no file {name}", suggestion(name, self.context.files))
        if variable.kind in ("mapping", "value"):
            is_ = "a mapping" if variable.kind == "mapping" else "a value that was read"
            self.refuse(node, f"{name} is {is_}, not a file", suggestion(name, self.context.files))
        if variable.closed:
            self.refuse(node, f"{name} is closed", f"Open it again, or use the file: {variable.file}")
        return variable.file or ""

    def writable(self, node: ast.expr) -> str:
        """A file, not by a handle that is open for reading only."""
        file = self.file(node)
        name = self.name(node, "a file", "f")
        if name in self.context.variables and not self.context.variables[name].write:
            self.refuse(node, f"{name} is open for reading only", "Open it with RDWR")
        return file

    def file_or_anon(self, node: ast.expr) -> str | None:
        """A file, or ANON for none."""
        return None if isinstance(node, ast.Name) and node.id == "ANON" else self.file(node)

    def user(self, node: ast.expr) -> str:
        """A user of the scenario."""
        name = self.name(node, "a user", "alice")
        if name not in self.context.users:
            self.refuse(node, f"there is no user {name}", suggestion(name, self.context.users))
        return name

    def child(self, node: ast.expr) -> str:
        """A task that is declared as a child of this one."""
        name = self.name(node, "a child", "B")
        if name not in self.context.children:
            cure = suggestion(name, self.context.children) if self.context.children else "Write child_of in that task"
            self.refuse(node, f"no task {name} is declared as a child of this one", cure)
        return name

    def ballast(self, node: ast.expr) -> str:
        """The name of what fills the disk: any name that is not a file's or a variable's."""
        name = self.name(node, "ballast", "g")
        if name in self.context.files or name in self.context.variables:
            self.refuse(node, f"{name} is taken", "Ballast needs a name of its own: g")
        return name


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


RESERVED = frozenset(
    (
        "ANON", "NONE", *PROTS, "SHARED", "PRIVATE", "POPULATE", *OPEN_MODES, "DIRECT", "SYNC", "ASYNC", "INVALIDATE",
        "KEEP_SIZE",
    )
)  # fmt: skip


def name_problem(name: str) -> str:
    """Why a name cannot name a task, file, user or variable; empty if it can."""
    if not (name.isascii() and name.isidentifier()):
        return "a name is letters, digits and _, and begins with a letter"
    if len(name) > 16:
        return f"a name has at most 16 characters, this one {len(name)}"
    if keyword.iskeyword(name) or name in RESERVED:
        return f"{name} means something else in scripts"
    return ""
