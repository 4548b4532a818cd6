"""A crew without processes: workers with memories of their own that do their jobs here, one after the other."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Container
from types import TracebackType
from typing import Any, Self

import pytest

from engine import regions


class Here:
    """`forgets`: before these jobs, counted from 1, a worker forgets everything, as one that was killed and replaced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int = 2, *, forgets: Container[int] = ()) -> None:
        self._memories: dict[str, dict[str, Any]] = {str(number): {} for number in range(count)}
        self._under_way: list[tuple[int, Callable[[Any], Any], bytes, str]] = []
        self._monkeypatch, self._forgets, self.done = monkeypatch, forgets, 0

    def workers(self) -> list[str]:
        return list(self._memories)

    def start(self, number: int, work: Callable[[Any], Any], job: Any, worker: str = "") -> None:
        self._under_way.append((number, work, pickle.dumps(job), worker or "0"))

    def finished(self, seconds: float | None = None) -> list[tuple[int, Any]]:
        del seconds
        if not self._under_way:
            return []
        number, work, job, worker = self._under_way.pop(0)
        self.done += 1
        if self.done in self._forgets:
            self._memories[worker] = {}
        self._monkeypatch.setattr(regions, "_held", self._memories[worker])
        return [(number, pickle.loads(pickle.dumps(work(pickle.loads(job)))))]  # noqa: S301 - our own

    @property
    def remembered(self) -> int:
        """How many searches the workers remember."""
        return sum(len(memory) for memory in self._memories.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass
