"""A search in a process of its own, so that the server stays responsive: `python -m app.search_worker`.

The question comes as a line of JSON. Lines of JSON go back: how far it is, now and then, and the answer. A further line
on stdin means: stop, and say how far it got.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from typing import Any

from app import asking
from app.orders import Order
from engine import Budget, EngineError, Progress, explore, scenario_from_data

EVERY = 0.25
"""Seconds between two lines that say how far it is."""


def main() -> None:
    """Answer one question."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C at a terminal is meant for the server, which says stop
    asked = read(json.loads(sys.stdin.readline()))
    stop = threading.Event()
    threading.Thread(target=_listen, args=(stop,), daemon=True).start()
    last = 0.0

    def progress(now: Progress) -> bool:
        nonlocal last
        if time.monotonic() - last > EVERY:
            last = time.monotonic()
            say({"phase": now.phase, "states": now.states, "found": now.found})
        return not stop.is_set()

    try:
        order = asked.order
        verdict = explore(
            order.scenario, order.kernel, asked.property, offers=asked.offers, budget=asked.budget,
            wanted=asked.wanted, progress=progress,
        )  # fmt: skip
    except EngineError as error:
        say({"failed": str(error)})
    else:
        say({"done": asking.answer(asked, verdict)})


def read(said: dict[str, Any]) -> asking.Question:
    """The question that `Question.content` says."""
    order = Order(scenario_from_data(said["scenario"], said["name"]), said["kernel"])
    budget = Budget(states=said["states"], seconds=said["seconds"])
    return asking.Question(order, said["property"], tuple(said["offers"]), budget, said["wanted"])


def say(line: dict[str, Any]) -> None:
    """Send a line to whoever asked."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _listen(stop: threading.Event) -> None:
    """Stop when the other side says so, or is gone."""
    sys.stdin.readline()
    stop.set()


if __name__ == "__main__":
    main()
