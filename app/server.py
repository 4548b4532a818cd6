"""The server process: uvicorn, with room for a class of thousands, which ends every stream when it is asked to stop."""

from __future__ import annotations

import sys
from socket import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

START_FAILED = 3


class Server(uvicorn.Server):
    """A server of our site. Without this, one that is asked to stop would wait for its streams, which never end."""

    def __init__(self, site: FastAPI, **options: Any) -> None:
        """`options` are those of uvicorn.Config."""
        usual: dict[str, Any] = {"server_header": False, "timeout_graceful_shutdown": 5}
        usual["access_log"] = False  # app/metering.py logs each request, with what it came to
        super().__init__(uvicorn.Config(site, **usual, **options))
        self._site = site

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Tell the followers first: they come back to the next server by themselves."""
        self._site.state.hub.close()
        await super().shutdown(sockets)


def serve(site: FastAPI, **options: Any) -> None:
    """Serve until a signal comes, with options of uvicorn.Config; leave with an error when it could not begin."""
    allow_many_sockets()
    server = Server(site, **options)
    server.run()
    if not server.started:
        sys.exit(START_FAILED)


def allow_many_sockets() -> None:
    """As many open sockets as the system lets this process have: each follower of a live room holds one."""
    try:
        import resource  # noqa: PLC0415 - Windows has none, and no such limit
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
