"""Followers of a live room without a browser: raw sockets, read by one epoll loop in a process of its own.

    python -m tests.bench.followers PORT PATH COUNT

It says "ready" when every follower has its first event, then for each line on its standard input how long each follower
waited: the line is the number of the sequence to wait for, and the answer is one line with the time of each arrival
(CLOCK_MONOTONIC, in seconds), which all processes of a machine share.
"""

from __future__ import annotations

import re
import resource
import select
import socket
import sys
import time

AT_ONCE = 100
PATIENCE = 30.0
ID = re.compile(rb"id: (\d+)\n")


def main(port: int, path: str, count: int) -> None:
    """Follow, and report."""
    raise_limit()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
    poll, sockets = select.epoll(), dict[int, socket.socket]()
    while len(sockets) < count:
        fresh = [socket.create_connection(("127.0.0.1", port)) for _ in range(min(AT_ONCE, count - len(sockets)))]
        for each in fresh:
            each.sendall(request)
            poll.register(each.fileno(), select.EPOLLIN)
            sockets[each.fileno()] = each
        arrivals(poll, sockets, 0, len(fresh))
    say("ready")
    for line in sys.stdin:
        say(" ".join(f"{when:.6f}" for when in arrivals(poll, sockets, int(line), count)))


def arrivals(poll: select.epoll, sockets: dict[int, socket.socket], sequence: int, count: int) -> list[float]:
    """When so many followers got an event of this number or a later one."""
    came: dict[int, float] = {}
    until = time.monotonic() + PATIENCE
    while len(came) < count and time.monotonic() < until:
        for number, _ in poll.poll(1):
            found = ID.findall(sockets[number].recv(65536))
            if found and int(found[-1]) >= sequence:
                came.setdefault(number, time.monotonic())
    return list(came.values())


def say(line: str) -> None:
    """A line to who asked."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def raise_limit() -> None:
    """As many open files as the system lets this process have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
