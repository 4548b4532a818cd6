"""Call stacks while a trace goes by."""

from __future__ import annotations

from engine import Step, Trace


class Stacks:
    """Every task's call stack while the trace goes by: C names, outermost first."""

    def __init__(self, trace: Trace) -> None:
        self._stack = {
            at: value for at, value in trace.initial.items() if at.startswith("task/") and at.endswith(".stack")
        }

    def before(self, step: Step) -> list[str]:
        """The stack that a step runs on: as it was, with the step's own function on top."""
        names = str(self._stack.get(f"task/{step.task}.stack") or "").split(">")
        return names if names[-1] == step.function else [*filter(None, names), step.function]

    def after(self, step: Step) -> None:
        """Note what a step left."""
        for at, _, new in step.writes:
            if at.startswith("task/") and at.endswith(".stack"):
                self._stack[at] = new
