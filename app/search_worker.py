"""Searches in a process of their own, so that the server stays responsive: `python -m app.search_worker`.

Each question comes as a line of JSON. Lines of JSON go back: how far it is, now and then, and the answer. The line
`{"stop": ID}` means: let go of that question, and say how far it got. At the end of stdin the process ends.
"""

from __future__ import annotations

import json
import queue
import signal
import sys
import threading
import time
from typing import Any

from app import asking
from app.orders import Order
from engine import Budget, EngineError, Progress, Witness, explore, scenario_from_data

EVERY = 0.25
"""Seconds between two lines that say how far it is."""


class Inbox:
    """What the other side wants: questions, and which of them it does not want any more."""

    def __init__(self) -> None:
        """Listen, in a thread."""
        self.questions: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._stopped: set[str] = set()
        self._gone = False
        threading.Thread(target=self._listen, daemon=True).start()

    def wants(self, name: str) -> bool:
        """Whether a question is still to be answered."""
        return not self._gone and name not in self._stopped

    def _listen(self) -> None:
        for line in sys.stdin:
            said = json.loads(line)
            if "stop" in said:
                self._stopped.add(said["stop"])
            else:
                self.questions.put(said)
        self._gone = True
        self.questions.put(None)


def main() -> None:
    """Answer questions until no more come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C at a terminal is meant for the server, which says stop
    inbox = Inbox()
    while (said := inbox.questions.get()) is not None:
        try:
            search(said["id"], read(json.loads(said["asked"])), inbox)
        except EngineError as error:
            say({"failed": str(error)})


def search(name: str, asked: asking.Question, inbox: Inbox) -> None:
    """Answer one question; `cut` says of the answer that the search was stopped. Raises EngineError."""
    last, order = 0.0, asked.order
    known: dict[tuple[str, int, int, bool], dict[str, Any]] = {}

    def told(witness: Witness) -> dict[str, Any]:
        key = (witness.says, witness.steps, witness.preemptions, witness.shortest)
        if key not in known:
            known[key] = asking.told(order, witness)
        return known[key]

    def progress(now: Progress) -> bool:
        nonlocal last
        if time.monotonic() - last > EVERY:
            say(asking.so_far(asked, now, told))
            last = time.monotonic()
        return inbox.wants(name)

    verdict = explore(
        order.scenario, order.kernel, asked.property, offers=asked.offers, budget=asked.budget,
        wanted=asked.wanted, progress=progress,
    )  # fmt: skip
    say({"done": asking.answer(asked, verdict), "cut": not inbox.wants(name)})


def read(said: dict[str, Any]) -> asking.Question:
    """The question that `Question.content` says."""
    order = Order(scenario_from_data(said["scenario"], said["name"]), said["kernel"])
    budget = Budget(states=said["states"], seconds=said["seconds"])
    return asking.Question(order, said["property"], tuple(said["offers"]), budget, said["wanted"])


def say(line: dict[str, Any]) -> None:
    """Send a line to whoever asked."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
