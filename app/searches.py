"""The searches of this server: one at a time, in a process of its own; what was found is kept for a while."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from app.asking import Question
from app.troubles import Trouble

WAITING, SEARCHING, DONE, CANCELLED, FAILED = "waiting", "searching", "done", "cancelled", "failed"
OVER = (DONE, CANCELLED, FAILED)
MOST_WAITING, KEPT = 16, 64
GRACE = 5.0
"""Seconds that a search which was told to stop has to say how far it got."""


class Search:
    """A question on its way to an answer. Threads read it while one writes."""

    def __init__(self, asked: Question) -> None:
        """It waits."""
        self.asked, self.state = asked, WAITING
        self.progress: Mapping[str, Any] = {"states": 0, "found": 0}
        self.answer: Mapping[str, Any] = {}
        self.says = ""
        self.began = self.ended = 0.0
        self.over, self.cancelled = threading.Event(), threading.Event()

    @property
    def seconds(self) -> float:
        """How long it has been searching, or has searched."""
        if not self.began:
            return 0.0
        return (self.ended or time.monotonic()) - self.began

    def end(self, state: str, says: str = "") -> None:
        """It comes to nothing more."""
        self.ended, self.says, self.state = time.monotonic(), says, state
        self.over.set()


class Searches:
    """Takes questions, and works them off in the order in which they come."""

    def __init__(self) -> None:
        """Nothing runs until something is asked."""
        self._known: OrderedDict[str, Search] = OrderedDict()
        self._waiting: deque[Search] = deque()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._closed = False

    def ask(self, asked: Question, *, look: bool = False) -> Search:
        """The search of a question: the one that is under way or was made, unless it was cancelled or failed.

        To `look` is to take that one as well: who follows a search wants to see how it ended.

        Raises:
            Trouble: when too many wait.
        """
        with self._lock:
            known = self._known.get(asked.id)
            if known is not None and (look or known.state not in (CANCELLED, FAILED)):
                self._known.move_to_end(asked.id)
                return known
            if len(self._waiting) >= MOST_WAITING:
                raise Trouble("busy", f"{MOST_WAITING} searches wait", cure="Ask again in a minute")
            search = self._known[asked.id] = Search(asked)
            self._known.move_to_end(asked.id)
            self._waiting.append(search)
            self._forget()
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="searches", daemon=True)
                self._worker.start()
            return search

    def get(self, name: str) -> Search:
        """A search by its id.

        Raises:
            Trouble: when there is none, or none any more.
        """
        with self._lock:
            found = self._known.get(name)
        if found is None:
            raise Trouble("not-found", f"No search {name[:40]!r} is kept here", cure="Ask the question again")
        return found

    def cancel(self, name: str) -> Search:
        """Have a search stop; what it has found by then is its answer."""
        search = self.get(name)
        search.cancelled.set()
        with self._lock:
            if search.state == WAITING:
                self._waiting = deque(other for other in self._waiting if other is not search)
                search.end(CANCELLED)
        return search

    def close(self) -> None:
        """Stop everything, and wait until no process is left."""
        with self._lock:
            self._closed, worker = True, self._worker
            running = [search for search in self._known.values() if not search.over.is_set()]
            self._waiting.clear()
        for search in running:
            search.cancelled.set()
        if worker is not None:
            worker.join(2 * GRACE)

    def _forget(self) -> None:
        """Keep only the last ones; those that are not over stay."""
        over = [name for name, search in self._known.items() if search.over.is_set()]
        for name in over[: max(0, len(self._known) - KEPT)]:
            del self._known[name]

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or self._closed:
                    self._worker = None
                    return
                search = self._waiting.popleft()
                search.state, search.began = SEARCHING, time.monotonic()
            try:
                _perform(search)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next search has its turn
                if not search.over.is_set():
                    search.end(FAILED, f"The search has stopped unexpectedly: {error}")


def _perform(search: Search) -> None:
    """Have a process search, and note what it says."""
    command = [sys.executable, "-m", "app.search_worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        stop = threading.Thread(target=_stop_when_told, args=(search, process), daemon=True)
        try:
            _tell(process, search.asked.content)
            stop.start()
            for line in process.stdout or ():
                _note(search, json.loads(line))
        except (OSError, ValueError) as error:
            search.says = f"The search has stopped unexpectedly: {error}"
        finally:
            process.kill()
    if not search.over.is_set():
        says = search.says or "The search has stopped unexpectedly"
        search.end(*(CANCELLED, "") if search.cancelled.is_set() else (FAILED, says))


def _note(search: Search, line: Mapping[str, Any]) -> None:
    if "done" in line:
        search.answer = line["done"]
        search.end(CANCELLED if search.cancelled.is_set() and line["done"]["stopped"] == "asked to" else DONE)
    elif "failed" in line:
        search.end(FAILED, line["failed"])
    else:
        search.progress = line


def _stop_when_told(search: Search, process: subprocess.Popen[str]) -> None:
    """Pass on that a search shall stop; end its process if it does not."""
    while not search.over.is_set():
        if search.cancelled.wait(0.2):
            try:
                _tell(process, "stop")
            except (OSError, ValueError):  # its end is closed already
                return
            if not search.over.wait(GRACE):
                process.kill()
            return


def _tell(process: subprocess.Popen[str], line: str) -> None:
    if process.stdin is not None:
        process.stdin.write(line + "\n")
        process.stdin.flush()
