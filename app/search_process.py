"""The process in which a server searches (app/search_worker.py): begun when it is needed, and told what to do."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

GRACE = 5.0
"""Seconds that a search which was told to stop has to say how far it got."""


class Process:
    """At most one process at a time. One thread asks it; another may tell it to stop."""

    def __init__(self) -> None:
        """None yet."""
        self._made: subprocess.Popen[str] | None = None

    def perform(self, name: str, content: str, unwanted: threading.Event) -> Iterator[Mapping[str, Any]]:
        """What is said of a question, line by line, the answer last; it is missing where the process ended before.

        When `unwanted` is set the search is told to stop, and ended if it does not.

        Raises:
            OSError, ValueError: where no process can be begun, or it does not say what it should.
        """
        over = threading.Event()
        try:
            made = self._running()
            _tell(made, {"id": name, "asked": content})
            threading.Thread(target=_stop, args=(made, name, unwanted, over), daemon=True).start()
            for line in made.stdout or ():
                said = json.loads(line)
                yield said
                if "done" in said or "failed" in said:
                    return
            self.close()
        except (OSError, ValueError):
            self.close()
            raise
        finally:
            over.set()

    def close(self) -> None:
        """End it; who asks again gets a new one."""
        made, self._made = self._made, None
        if made is not None:
            made.kill()
            with suppress(OSError):  # what was not yet written is for nobody
                made.communicate()

    def _running(self) -> subprocess.Popen[str]:
        if self._made is None or self._made.poll() is not None:
            self.close()
            command = [sys.executable, "-m", "app.search_worker"]
            self._made = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return self._made


def _stop(made: subprocess.Popen[str], name: str, unwanted: threading.Event, over: threading.Event) -> None:
    """Pass on that a search shall stop; end its process if it does not."""
    while not over.is_set():
        if unwanted.wait(0.2):
            with suppress(OSError, ValueError):  # its end is closed already
                _tell(made, {"stop": name})
            if not over.wait(GRACE):
                made.kill()
            return


def _tell(made: subprocess.Popen[str], said: Mapping[str, Any]) -> None:
    if made.stdin is not None:
        made.stdin.write(json.dumps(said) + "\n")
        made.stdin.flush()
