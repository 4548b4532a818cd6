"""What a server keeps in memory has a room: by count, and by what it weighs."""

import threading

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from app import orders, runs
from app.orders import Order
from app.runs import Run, Runs, Shelf
from app.settings import Settings
from app.troubles import Trouble
from engine import Limits
from tests.app.conftest import INLINE


def shelf(room: int, carries: int, *words: str) -> Shelf[str]:
    made: Shelf[str] = Shelf(room, carries, len)
    for word in words:
        made.put(word[0], word)
    return made


def test_the_thing_not_used_for_longest_goes_first() -> None:
    kept = shelf(2, 100, "one", "two")
    kept.get("o")
    kept.put("s", "six")
    assert [kept.get(key) for key in "ots"] == ["one", None, "six"]


def test_a_few_heavy_things_make_room_by_weight() -> None:
    kept = shelf(100, 10, "one", "two", "eleven")
    assert [kept.get(key) for key in "ote"] == [None, "two", "eleven"]


def test_what_is_too_heavy_by_itself_is_not_kept() -> None:
    kept = shelf(100, 4, "eleven")
    assert len(kept) == 0
    kept.put("f", "four")
    assert kept.get("f") == "four"


def test_a_thing_put_again_counts_once() -> None:
    kept = shelf(100, 6, "one", "one", "one", "two")
    assert [kept.get(key) for key in "ot"] == ["one", "two"]


def test_a_class_that_opens_a_new_link_at_once_waits_for_one_run() -> None:
    made: list[int] = []
    order = orders.order("mail", "linux-2.6.9")

    async def open_it() -> list[Run]:
        site, found = Runs(Settings(), made=lambda: made.append(1)), list[Run]()

        async def student() -> None:
            found.append(await site.run(order))

        async with anyio.create_task_group() as group:
            for _ in range(30):
                group.start_soon(student)
        return found

    with start_blocking_portal() as portal:
        found = portal.call(open_it)
    assert (len(found), len(made)) == (30, 1)
    assert len({id(run.trace) for run in found}) == 1


def test_strangers_wait_for_each_other_and_the_gallery_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario that keeps its thread busy for ever does not keep the gallery from being run."""
    blocked, perform = threading.Event(), runs.perform

    def held(order: Order, limits: Limits, *, watch: bool = False) -> Run:
        if not order.is_gallery:
            blocked.wait(20)
        return perform(order, limits, watch=watch)

    monkeypatch.setattr(runs, "perform", held)
    monkeypatch.setattr(runs, "WAITING", 3)
    strangers = [orders.order({**INLINE, "title": f"number {n}"}, "linux-2.6.9") for n in range(6)]

    async def visit() -> tuple[Run, list[object]]:
        site, ends = Runs(Settings(), made=lambda: None), list[object]()

        async def stranger(order: Order) -> None:
            try:
                ends.append(await site.run(order))
            except Trouble as trouble:
                ends.append((trouble.kind, trouble.headers))

        async with anyio.create_task_group() as group:
            for order in strangers:
                group.start_soon(stranger, order)
                await anyio.sleep(0.01)
            with anyio.fail_after(10):
                seen = await site.run(orders.order("mail", "linux-2.6.9"))
            blocked.set()
        return seen, ends

    with start_blocking_portal() as portal:
        seen, ends = portal.call(visit)
    assert seen.trace.steps
    assert ends.count(("busy", {"Retry-After": "5"})) == 2  # one runs, three wait
    assert sum(isinstance(end, Run) for end in ends) == 4
