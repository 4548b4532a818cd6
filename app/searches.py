"""The searches of this server: one at a time, in a process of its own; what was found is kept for a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.asking import Question, is_final
from app.search_process import GRACE, Process
from app.sweeps import Sweep
from app.troubles import Trouble

WAITING, SEARCHING, DONE, CANCELLED, FAILED = "waiting", "searching", "done", "cancelled", "failed"
OVER = (DONE, CANCELLED, FAILED)
MOST_WAITING, KEPT = 16, 64
MOST_SWEEPS = 8
"""So many sweeps may be under way; as many that are over are remembered."""
Keep = Callable[[str, Mapping[str, Any]], object]


class Search:
    """A question on its way to an answer. Threads read it while one writes."""

    def __init__(self, asked: Question) -> None:
        """It waits."""
        self.asked, self.state = asked, WAITING
        self.progress: Mapping[str, Any] = asked.about | {"states": 0, "found": 0}
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

    @property
    def is_final(self) -> bool:
        """Whether to ask again would come to the same, or to the search that is under way."""
        return not self.over.is_set() or (self.state == DONE and is_final(self.answer))

    def end(self, state: str, says: str = "") -> None:
        """It comes to nothing more."""
        self.ended, self.says, self.state = self.ended or time.monotonic(), says, state
        self.over.set()


class Searches:
    """Takes questions, and works them off in the order in which they come; those of sweeps when no others wait."""

    def __init__(self, keep: Keep = lambda _name, _answer: None) -> None:
        """Nothing runs until something is asked. `keep` is told what was found, before anybody else is."""
        self._keep = keep
        self._known: OrderedDict[str, Search] = OrderedDict()
        self._waiting: deque[Search] = deque()
        self._sweeps: OrderedDict[str, Sweep] = OrderedDict()
        self._swept: Search | None = None
        """The search that is made for a sweep."""
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._closed = False

    def ask(self, asked: Question) -> Search:
        """The search of a question: the one that is under way or was made, unless another may find more.

        Raises:
            Trouble: when too many wait.
        """
        with self._lock:
            known = self._known.get(asked.id)
            if known is not None and known.is_final:
                self._known.move_to_end(asked.id)
                return known
            if len(self._waiting) >= MOST_WAITING:
                raise Trouble("busy", f"{MOST_WAITING} searches wait", cure="Ask again in a minute")
            search = self._known[asked.id] = Search(asked)
            self._known.move_to_end(asked.id)
            self._waiting.append(search)
            self._forget()
            self._see_that_it_works()
            return search

    def find(self, name: str) -> Search | None:
        """A search by its id, however it ended; None when there is none, or none any more."""
        with self._lock:
            return self._known.get(name)

    def place(self, search: Search) -> int:
        """The place of a search in the queue, from 1; 0 when it does not wait."""
        with self._lock:
            return next((place for place, other in enumerate(self._waiting, 1) if other is search), 0)

    def cancel(self, name: str) -> Search | None:
        """Have a search stop, if there is one; what it has found by then is its answer."""
        search = self.find(name)
        if search is None:
            return None
        search.cancelled.set()
        with self._lock:
            if search.state == WAITING:
                self._waiting = deque(other for other in self._waiting if other is not search)
                search.end(CANCELLED)
        return search

    # -- sweeps -------------------------------------------------------------------------------------------------------

    def sweep(self, name: str, wanted: Sequence[Question]) -> Sweep:
        """The sweep of that name, if it is under way; else a new one over these questions.

        Raises:
            Trouble: when too many are under way.
        """
        with self._lock:
            known = self._sweeps.get(name)
            if known is not None and not known.is_over:
                return known
            if sum(not sweep.is_over for sweep in self._sweeps.values()) >= MOST_SWEEPS:
                raise Trouble("busy", f"{MOST_SWEEPS} matrices are being filled", cure="Stop one, or ask again later")
            sweep = self._sweeps[name] = Sweep(name, wanted)
            self._sweeps.move_to_end(name)
            over = [each.id for each in self._sweeps.values() if each.is_over]
            for old in over[: max(0, len(over) - MOST_SWEEPS)]:
                del self._sweeps[old]
            self._see_that_it_works()
            return sweep

    def sweeping(self, name: str) -> Sweep | None:
        """The sweep of that name, however it ended; None when there is none, or none any more."""
        with self._lock:
            return self._sweeps.get(name)

    def stop(self, name: str) -> None:
        """Have a sweep stop, if there is one. What it has found stays."""
        with self._lock:
            sweep = self._sweeps.get(name)
            if sweep is not None:
                if self._swept is not None and self._swept.asked is sweep.current:
                    self._swept.cancelled.set()
                sweep.is_cancelled, sweep.current = True, None

    # -- the work -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop everything, and wait until no process is left."""
        with self._lock:
            self._closed, worker = True, self._worker
            running = [search for search in self._known.values() if not search.over.is_set()]
            self._waiting.clear()
            running += [self._swept] if self._swept else []
        for search in running:
            search.cancelled.set()
        if worker is not None:
            worker.join(2 * GRACE)

    def _forget(self) -> None:
        """Keep only the last ones; those that are not over stay."""
        over = [name for name, search in self._known.items() if search.over.is_set()]
        for name in over[: max(0, len(self._known) - KEPT)]:
            del self._known[name]

    def _see_that_it_works(self) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="searches", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        process = Process()
        while True:
            search, sweep = self._next()
            if search is None:
                process.close()
                with self._lock:
                    if self._closed or not (self._waiting or any(not each.is_over for each in self._sweeps.values())):
                        self._worker = None
                        return
                continue
            self._perform(process, search)
            if sweep is not None:
                self._note(sweep, search)

    def _next(self) -> tuple[Search | None, Sweep | None]:
        """What is searched next, and for which sweep if it is for one."""
        with self._lock:
            if self._closed:
                return None, None
            search, sweep = (self._waiting.popleft(), None) if self._waiting else self._of_a_sweep()
            if search is not None:
                search.state, search.began = SEARCHING, time.monotonic()
            return search, sweep

    def _of_a_sweep(self) -> tuple[Search | None, Sweep | None]:
        for sweep in self._sweeps.values():
            question = sweep.take()
            if question is not None:
                self._swept = Search(question)
                return self._swept, sweep
        return None, None

    def _note(self, sweep: Sweep, search: Search) -> None:
        with self._lock:
            self._swept = None
            if not sweep.is_cancelled:
                sweep.note(search.asked, search.answer, search.says)

    def _perform(self, process: Process, search: Search) -> None:
        """Have the process search, and note what it says."""
        says = "The search has stopped unexpectedly"
        try:
            for line in process.perform(search.asked.id, search.asked.content, search.cancelled):
                self._hear(search, line)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next search has its turn
            says = f"{says}: {error}"
        if not search.over.is_set():
            search.end(*(CANCELLED, "") if search.cancelled.is_set() else (FAILED, says))

    def _hear(self, search: Search, line: Mapping[str, Any]) -> None:
        if "done" in line:
            search.ended = time.monotonic()
            search.answer = {**line["done"], "seconds": round(search.seconds, 3)}
            if line["cut"]:
                search.end(CANCELLED)
                return
            self._keep(search.asked.id, search.answer)
            search.end(DONE)
        elif "failed" in line:
            search.end(FAILED, line["failed"])
        else:
            search.progress = line
