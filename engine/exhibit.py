"""Kernel functions as exhibits: the code of each step, as the page shows it beside the picture."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from inspect import getdoc, getsource
from textwrap import dedent

from engine.function import KernelFunction, caption
from engine.kernel import Kernel


@dataclass(frozen=True, slots=True)
class StepSource:
    """One step: its name, its caption, its code without docstring, and whether this kernel changed it."""

    name: str
    caption: str
    code: str
    changed: bool


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """A kernel function: its C name, where it comes from, what it promises, its steps in order."""

    name: str
    file: str
    doc: str
    steps: tuple[StepSource, ...]


def source(kernel: Kernel, function: str) -> FunctionSource:
    """The exhibit of one function of a kernel. Raises KeyError if the kernel has none of that name."""
    kind = kernel.functions[function]
    if kind not in _EXHIBITS:
        _EXHIBITS[kind] = _exhibit(kind)
    return _EXHIBITS[kind]


_EXHIBITS: dict[type[KernelFunction], FunctionSource] = {}


def _exhibit(kind: type[KernelFunction]) -> FunctionSource:
    plain = kind.__mro__[1] is KernelFunction or not kind.__mro__[1].__dict__.get("steps")
    steps = tuple(
        StepSource(name, caption(kind, name), _code(kind, name), name in vars(kind) and not plain)
        for name in kind.steps
    )
    return FunctionSource(kind.c_name, kind.source, " ".join((getdoc(kind) or "").split()), steps)


def _code(kind: type[KernelFunction], name: str) -> str:
    """The body of a step, without its docstring; a step that does nothing says so."""
    text = dedent(getsource(getattr(kind, name)))
    definition = ast.parse(text).body[0]
    assert isinstance(definition, ast.FunctionDef)
    body = [
        node for node in definition.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    if not body:
        return "pass"
    lines = text.splitlines()[body[0].lineno - 1 :]
    return dedent("\n".join(lines)).replace("self.", "").rstrip()
