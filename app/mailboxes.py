"""What a follower's stream waits at: the latest letter, and never more than that one."""

from __future__ import annotations

import asyncio


class Closed(Exception):
    """No letter comes any more."""


class Mailbox:
    """Room for one letter: a newer one takes the place of one that was not fetched.

    So who is slow misses steps, and never the last one. It belongs to one event loop, and one task takes from it.
    """

    __slots__ = ("_closed", "_letter", "_waiter", "shift")

    def __init__(self, shift: int | None = None) -> None:
        """`shift` is when its owner drives, as `Room.shift` counts; None for who follows."""
        self.shift = shift
        self._letter: bytes | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def is_driver(self) -> bool:
        """Whether it gets what only drivers see."""
        return self.shift is not None

    def put(self, letter: bytes) -> None:
        """Leave a letter, in place of one that is still there."""
        self._letter = letter
        self._wake()

    def remind(self, letter: bytes) -> None:
        """Leave a letter that says nothing new; it never takes the place of another."""
        if self._letter is None:
            self.put(letter)

    def close(self) -> None:
        """End it: what lies in it can still be taken."""
        self._closed = True
        self._wake()

    async def take(self) -> bytes:
        """The letter, as soon as there is one.

        Raises:
            Closed: when none comes any more.
        """
        while self._letter is None:
            if self._closed:
                raise Closed
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        letter, self._letter = self._letter, None
        return letter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
