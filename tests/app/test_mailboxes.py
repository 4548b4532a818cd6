"""A mailbox holds the latest letter, and nothing a follower is owed gets lost in it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from anyio.from_thread import start_blocking_portal

from app.mailboxes import Closed, Mailbox


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Let a story happen in a loop of its own."""
    with start_blocking_portal() as portal:
        portal.call(story)


def test_the_latest_letter_wins() -> None:
    async def story() -> None:
        box = Mailbox()
        box.put(b"one")
        box.put(b"two")
        assert await box.take() == b"two"
        waiting = asyncio.ensure_future(box.take())
        await asyncio.sleep(0)
        box.put(b"three")
        box.put(b"four")
        assert await waiting == b"four"

    run(story)


def test_a_sign_of_life_never_takes_the_place_of_a_letter() -> None:
    async def story() -> None:
        box = Mailbox()
        box.put(b"news")
        box.remind(b":")
        assert await box.take() == b"news"
        box.remind(b":")
        box.put(b"more news")
        assert await box.take() == b"more news"
        box.remind(b":")
        assert await box.take() == b":"

    run(story)


def test_what_lies_in_a_closed_one_can_still_be_taken() -> None:
    async def story() -> None:
        box = Mailbox()
        box.put(b"the last")
        box.close()
        assert await box.take() == b"the last"
        with pytest.raises(Closed):
            await box.take()

    run(story)


def test_closing_wakes_who_waits() -> None:
    async def story() -> None:
        box = Mailbox()
        waiting = asyncio.ensure_future(box.take())
        await asyncio.sleep(0)
        box.close()
        with pytest.raises(Closed):
            await waiting

    run(story)


def test_who_gave_up_waiting_does_not_stop_others() -> None:
    async def story() -> None:
        box = Mailbox()
        gone = asyncio.ensure_future(box.take())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        box.put(b"news")
        assert await box.take() == b"news"

    run(story)
