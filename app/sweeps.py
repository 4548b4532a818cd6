"""A sweep: the cells of a matrix that nobody knows yet, searched one by one while nobody asks for anything else."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from app.asking import Question

FAILED = "failed"


class Sweep:
    """Questions on their way to answers. Threads read it while one writes."""

    def __init__(self, name: str, wanted: Sequence[Question]) -> None:
        """Nothing of it is searched yet."""
        self.id, self.most = name, len(wanted)
        self._left = deque(wanted)
        self.ended: list[str] = []
        """The ids of the questions that are over, in the order in which they were."""
        self.answers: dict[str, Mapping[str, Any]] = {}
        """What came of each, also where it could not be kept; the verdict of one that failed is that."""
        self.current: Question | None = None
        """What is searched now."""
        self.begun: Question | None = None
        """What was begun last."""
        self.is_cancelled = False

    @property
    def is_over(self) -> bool:
        """Whether there will be no more."""
        return self.is_cancelled or len(self.ended) == self.most

    def take(self) -> Question | None:
        """The next question; None if that was all."""
        if self.is_cancelled or not self._left:
            return None
        question = self._left.popleft()
        self.current = self.begun = question
        return question

    def note(self, question: Question, answer: Mapping[str, Any], says: str) -> None:
        """A question is over; with no answer it failed, and `says` why."""
        self.answers[question.id] = answer or {**question.about, "verdict": FAILED, "stopped": says, "states": 0}
        self.ended.append(question.id)
        self.current = None
