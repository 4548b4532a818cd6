"""A follower's stream over a real socket, event by event."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec


class Stream:
    """Events as they come; each is the state that it carries."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket, self._rest = opened, b""
        self.head = self._until(b"\r\n\r\n").decode()

    def state(self, timeout: float = 20) -> dict[str, Any]:
        """The next state; signs of life are passed over."""
        self._socket.settimeout(timeout)
        while True:
            for line in self._until(b"\n\n").splitlines():
                if line.startswith(b"data: "):
                    found: dict[str, Any] = msgspec.json.decode(line[6:])
                    return found

    def until(self, **wanted: object) -> dict[str, Any]:
        """The first state that says this."""
        while True:
            found = self.state()
            if all(found.get(name) == value for name, value in wanted.items()):
                return found

    def end(self, timeout: float = 20) -> bytes:
        """Wait for the end of the stream; what comes before it."""
        self._socket.settimeout(timeout)
        rest, self._rest = self._rest, b""
        while more := self._socket.recv(65536):
            rest += more
        return rest

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            more = self._socket.recv(65536)
            if not more:
                raise EOFError("the stream has ended")
            self._rest += more
        found, _, self._rest = self._rest.partition(mark)
        return found


@contextmanager
def stream(base: object, room: str, *, cookie: str = "", part: str = "events") -> Iterator[Stream]:
    """A stream of a room of the site at `base`."""
    url = urlsplit(str(base))
    with socket.create_connection((url.hostname or "", url.port or 80), timeout=20) as opened:
        said = f"Cookie: {cookie}\r\n" if cookie else ""
        opened.sendall(f"GET {room}/{part} HTTP/1.1\r\nHost: {url.netloc}\r\n{said}\r\n".encode())
        yield Stream(opened)
