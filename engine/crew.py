"""Who does large work: the machine's cores, or the workers of a Dask scheduler (`pip install pagefate[cluster]`).

A job is plain data, and a module's function says what becomes of it. A worker is a process with a name; when one dies
another begins its job again, up to three times. What a worker remembers from one job to the next is gone then.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from engine.errors import EngineError

A = TypeVar("A")
B = TypeVar("B")
SECONDS, TRIES = 10, 3
"""How long a cluster may take to answer, and how often a job is begun whose worker dies."""
TOO_MUCH = "Give the machine more memory, or the search a smaller budget"


class Crew(Protocol):
    """Some workers. Each should have one job at a time."""

    def workers(self) -> list[str]:
        """The names of those that are there now."""

    def start(self, number: int, work: Callable[[A], Any], job: A, worker: str = "") -> None:
        """Have a job done, by a worker of that name if it is still there. Whoever asks numbers the jobs."""

    def finished(self, seconds: float | None = None) -> list[tuple[int, Any]]:
        """What was done since, by number, as soon as there is something; or nothing after so many seconds."""

    def __enter__(self) -> Self:
        """The workers are there."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nobody wants more from them."""


def each(crew: Crew, work: Callable[[A], B], jobs: Iterable[A]) -> Iterator[tuple[int, B]]:
    """The place of each job in the order, and what became of it, as they are done."""
    waiting, under_way = enumerate(jobs), 0
    more = True
    while more or under_way:
        while more and under_way < len(crew.workers()):
            number, job = next(waiting, (-1, None))
            more = job is not None
            if job is not None:
                crew.start(number, work, job)
                under_way += 1
        if under_way:
            done = crew.finished()
            under_way -= len(done)
            yield from done


class _Work:
    """A job under way, and how often it was begun."""

    __slots__ = ("job", "lane", "number", "times", "work")

    def __init__(self, number: int, work: Callable[[Any], Any], job: Any, lane: str) -> None:
        self.number, self.work, self.job, self.lane, self.times = number, work, job, lane, 1


class Cores:
    """Processes of this machine, one for each core or as many as one says, each with a lane of its own for its jobs."""

    def __init__(self, count: int = 0) -> None:
        """`count`: how many; 0: as many as there are cores."""
        self._lanes = {str(number): _lane() for number in range(count or os.cpu_count() or 1)}
        self._under_way: dict[Future[Any], _Work] = {}

    def __enter__(self) -> Self:
        """Each begins with its first job."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing more is begun; what is under way comes to its end."""
        for lane in self._lanes.values():
            lane.shutdown(cancel_futures=True)

    def workers(self) -> list[str]:
        """One for each lane; that a process dies does not change its name."""
        return list(self._lanes)

    def start(self, number: int, work: Callable[[A], Any], job: A, worker: str = "") -> None:
        """As in Crew. Without a name the lane with the least to do takes it."""
        busy = [each.lane for each in self._under_way.values()]
        self._begin(_Work(number, work, job, worker or min(self._lanes, key=busy.count)))

    def _begin(self, work: _Work) -> None:
        with _out_of_hearing():
            try:
                future = self._lanes[work.lane].submit(work.work, work.job)
            except BrokenProcessPool:  # it died while it had nothing to do
                self._lanes[work.lane] = _lane()
                future = self._lanes[work.lane].submit(work.work, work.job)
        self._under_way[future] = work

    def finished(self, seconds: float | None = None) -> list[tuple[int, Any]]:
        """As in Crew. Raises EngineError where three processes died of the same job."""
        done, found = wait(self._under_way, seconds, FIRST_COMPLETED).done, []
        for future in done:
            work = self._under_way.pop(future)
            try:
                found.append((work.number, future.result()))
            except BrokenProcessPool as error:
                if work.times == TRIES:
                    raise EngineError(f"a process died {TRIES} times at the same job", cure=TOO_MUCH) from error
                work.times += 1
                self._lanes[work.lane] = _lane()
                self._begin(work)
        return found


def _lane() -> ProcessPoolExecutor:
    """One process, which begins with its first job."""
    return ProcessPoolExecutor(1, get_context("spawn"))


@contextmanager
def _out_of_hearing() -> Iterator[None]:
    """A process that begins meanwhile hears of no Control-C: that is for whoever began it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Cluster:
    """The workers of a Dask scheduler."""

    def __init__(self, address: str) -> None:
        """Raises EngineError without the extra, where nobody answers, and where there are no workers."""
        try:
            self._dask: Any = import_module("distributed")
        except ImportError as error:
            raise EngineError("a cluster needs Dask", cure="pip install 'pagefate[cluster]'") from error
        self._address, self._under_way = address, dict[Any, int]()
        try:
            self._client = self._dask.Client(address, timeout=SECONDS)
        except (OSError, ValueError) as error:
            cure = "Start `dask scheduler`, and give its address as tcp://HOST:8786"
            raise EngineError(f"no cluster answers at {address}", cure=cure) from error
        try:
            self._client.wait_for_workers(1, timeout=SECONDS)
        except TimeoutError as error:
            self._client.close()
            cure = f"Start `dask worker {address}`"
            raise EngineError(f"the cluster at {address} has no workers", cure=cure) from error

    def __enter__(self) -> Self:
        """They are there."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """What is under way is given up; the workers stay for others."""
        self._client.cancel(list(self._under_way), force=True)
        self._client.close()

    def workers(self) -> list[str]:
        """Their addresses; at least one, for another may come where all have gone."""
        return list(self._client.scheduler_info()["workers"]) or [""]

    def start(self, number: int, work: Callable[[A], Any], job: A, worker: str = "") -> None:
        """As in Crew."""
        where = {"workers": [worker], "allow_other_workers": True} if worker else {}
        self._under_way[self._client.submit(work, job, pure=False, **where)] = number

    def finished(self, seconds: float | None = None) -> list[tuple[int, Any]]:
        """As in Crew. Raises EngineError where a job fails at every worker, or the scheduler goes."""
        try:
            done = self._dask.wait(list(self._under_way), timeout=seconds, return_when="FIRST_COMPLETED").done
            return [(self._under_way.pop(future), future.result()) for future in done]
        except TimeoutError:
            return []
        except EngineError:
            raise
        except (CancelledError, OSError) as error:
            raise EngineError(f"the cluster at {self._address} has gone", cure="Look at its scheduler") from error
        except self._dask.KilledWorker as error:
            raise EngineError("workers of the cluster died again and again at the same job", cure=TOO_MUCH) from error
        except Exception as error:  # whatever the job itself could do wrong it says as an EngineError
            cure = "Install the same version of pagefate on each"
            raise EngineError(f"a worker of the cluster failed: {error}", cure=cure) from error
