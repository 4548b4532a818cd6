"""Runs: an order becomes a trace, within the limits, and is kept while there is room.

A trace in memory is large, and quick to make again; what is sent of it, packed, is small. So the last few runs are kept
as they are, and a thousand as what is sent. Both have a room in steps or bytes too: a few long runs can not take it
all.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from anyio import CapacityLimiter, to_thread

import engine
from app.orders import Order
from app.settings import Settings
from app.troubles import Trouble, of_engine
from engine import EngineError, Limits, Trace

if TYPE_CHECKING:
    from app.answers import Body

LIVE, LIVE_STEPS = 32, 9_000
"""How many traces are kept as they are, and how many steps they may have together; a step takes half a kilobyte."""
PAGES, PAGES_BYTES = 48, 2 << 20
"""How many pages are kept as they were sent, packed; a gallery run takes 50 KB. A class opens the same one."""
SENT_BYTES = 24 << 20
"""What the data of all kept runs may take together, packed; a gallery run takes 10 KB."""

WAITING = 32
"""How many scenarios of strangers may wait to be run; they have a thread of their own, so the gallery never waits."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """An order and the trace it gives."""

    order: Order
    trace: Trace


class Shelf(Generic[T]):
    """The `room` things last used, by key, as long as they weigh no more than `carries` together; threads may share it.

    `weigh` gives the weight of a thing. One that is too heavy by itself is not kept.
    """

    def __init__(self, room: int, carries: int, weigh: Callable[[T], int]) -> None:
        self._room, self._carries, self._weigh = room, carries, weigh
        self._things: OrderedDict[str, T] = OrderedDict()
        self._load = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> T | None:
        """The thing of this key, which counts as used now; None if it is not here."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
            return self._things.get(key)

    def put(self, key: str, thing: T) -> None:
        """Keep a thing, and let go of those that were not used for longest until there is room."""
        with self._lock:
            if key in self._things:
                self._load -= self._weigh(self._things.pop(key))
            self._things[key] = thing
            self._load += self._weigh(thing)
            while len(self._things) > self._room or self._load > self._carries:
                self._load -= self._weigh(self._things.popitem(last=False)[1])

    def __len__(self) -> int:
        return len(self._things)


class Runs:
    """All runs of a server."""

    def __init__(self, settings: Settings, made: Callable[[], None]) -> None:
        """Nothing is run yet; `made` is called when a run is made."""
        self.limits = settings.engine_limits()
        self._made = made
        self._live: Shelf[Run] = Shelf(min(LIVE, settings.cached_runs), LIVE_STEPS, lambda run: len(run.trace.steps))
        self._sent: Shelf[Body] = Shelf(settings.cached_runs, SENT_BYTES, _size)
        self._pages: Shelf[Body] = Shelf(min(PAGES, settings.cached_runs), PAGES_BYTES, _size)
        self._threads = CapacityLimiter(2)
        self._guests = CapacityLimiter(1)
        self._painter = CapacityLimiter(1)
        self._seer = CapacityLimiter(1)
        self._under_way: dict[str, asyncio.Future[Any]] = {}

    async def run(self, order: Order, *, watch: bool = False) -> Run:
        """The run of an order. Making one takes milliseconds, in which others are served; `watch` as for `perform`.

        Raises:
            Trouble: when the machine panics, the schedule can not be followed, or too many scenarios of strangers wait.
        """
        run = self._live.get(order.id)
        if run is None or (watch and run.trace.violations is None):
            run = await self._once(f"{order.id} {watch}", lambda: self._make(order, watch=watch))
        return replace(run, order=order)

    async def _make(self, order: Order, *, watch: bool) -> Run:
        work = partial(perform, order, self.limits, watch=watch)
        run = await to_thread.run_sync(work, limiter=self._turn(order))
        self._live.put(order.id, run)
        self._made()
        return run

    def _turn(self, order: Order) -> CapacityLimiter:
        """Where an order waits for its turn.

        Raises:
            Trouble: when too many wait there.
        """
        return self._threads if order.is_gallery else self._guest()

    def _guest(self) -> CapacityLimiter:
        """Where strangers wait. Raises Trouble when too many do."""
        if self._guests.statistics().tasks_waiting >= WAITING:
            detail = f"{WAITING} scenarios that are not of the gallery wait for their turn"
            raise Trouble("busy", detail, cure="Try again in a few seconds", headers={"Retry-After": "5"})
        return self._guests

    async def _once(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives, done once for all who ask meanwhile: a class opens a new link within a second."""
        pending = self._under_way.get(key)
        if pending is None:
            pending = self._under_way[key] = asyncio.ensure_future(work())
            pending.add_done_callback(lambda _: self._under_way.pop(key))
        found: T = await asyncio.shield(pending)
        return found

    async def body(self, order: Order, form: str, make: Callable[[Run], Body]) -> Body:
        """What is sent of a run in a certain form, made only once."""
        key = f"{order.id} {form}"
        body = self._sent.get(key)
        if body is None:
            run = await self.run(order)
            body = await to_thread.run_sync(make, run, limiter=self._threads)
            self._sent.put(key, body)
        return body

    def counts(self) -> dict[str, int]:
        """How many runs are in memory, by the form they are kept in."""
        return {"trace": len(self._live), "data": len(self._sent), "page": len(self._pages)}

    def has_page(self, key: str) -> bool:
        """Whether a page is made already."""
        return self._pages.get(key) is not None

    async def page(self, key: str, make: Callable[[], Body]) -> Body:
        """A page of a run, made only once for each key."""
        body = self._pages.get(key)
        return await self._once(key, lambda: self._paint(key, make)) if body is None else body

    async def _paint(self, key: str, make: Callable[[], Body]) -> Body:
        body = await to_thread.run_sync(make, limiter=self._painter)
        self._pages.put(key, body)
        return body

    async def apart(self, work: Callable[[Limits], T], order: Order | None = None) -> T:
        """Do what takes some runs, those of `order` if given, within their limits, while others are served."""
        return await to_thread.run_sync(work, self.limits, limiter=self._turn(order) if order else self._threads)

    async def slowly(self, key: str, work: Callable[[], T]) -> T:
        """Do what takes seconds, once for all who ask meanwhile, in a thread of its own: no page waits for it.

        Raises:
            Trouble: when too much of that waits for its turn.
        """
        if key not in self._under_way and self._seer.statistics().tasks_waiting >= WAITING:
            detail = f"{WAITING} runs wait to be looked through"
            raise Trouble("busy", detail, cure="Try again in a few seconds", headers={"Retry-After": "5"})
        return await self._once(key, lambda: to_thread.run_sync(work, limiter=self._seer))

    async def aside(self, work: Callable[[], T]) -> T:
        """Do what reads the text of a stranger, in the turn of strangers, while others are served.

        Raises:
            Trouble: when too many wait for theirs.
        """
        return await to_thread.run_sync(work, limiter=self._guest())


def _size(body: Body) -> int:
    return len(body.content)


def perform(order: Order, limits: Limits, *, watch: bool = False) -> Run:
    """Run an order. `watch` notes which invariants break; where a kernel breaks some on purpose, that is always noted.

    Raises:
        Trouble: when the machine panics, or the schedule can not be followed.
    """
    try:
        kernel = engine.find_kernel(order.kernel)
        watch = watch or bool(kernel.defects)
        return Run(order, engine.run(order.scenario, kernel, order.schedule, limits, watch=watch))
    except EngineError as error:
        raise of_engine(error) from error
