"""Call stacks while a trace goes by."""

from __future__ import annotations

from engine import Trace


def stacks_of(trace: Trace) -> list[list[str]]:
    """The stack that each step runs on, C names, outermost first: as it was, with the step's own function on top.

    Steps that run on the same stack share one list.
    """
    now = {at: value for at, value in trace.initial.items() if _is_stack(at)}
    known: dict[tuple[str, str], list[str]] = {}
    found = []
    for step in trace.steps:
        key = str(now.get(f"task/{step.task}.stack") or ""), step.function
        if key not in known:
            known[key] = _with_top(key[0].split(">"), step.function)
        found.append(known[key])
        now.update((at, new) for at, _, new in step.writes if _is_stack(at))
    return found


def _is_stack(at: str) -> bool:
    return at.endswith(".stack") and at.startswith("task/")


def _with_top(names: list[str], function: str) -> list[str]:
    return names if names[-1] == function else [*filter(None, names), function]
