"""A process of a row on this machine's kernel: a `toucher` (toucher.c) that is told what to do, a line at a time."""

from __future__ import annotations

import os
import select
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PAGE = 4096
PATIENCE = 8.0
"""Seconds after which a call that has not come back counts as hanging."""
PRESENT, PFN = 1 << 63, (1 << 55) - 1
DIRTY, WRITEBACK, ANON = 1 << 4, 1 << 8, 1 << 12
"""Bits of /proc/kpageflags (include/uapi/linux/kernel-page-flags.h)."""


class Hang(Exception):
    """A call does not come back."""


class Process:
    """`ask` tells it a line and returns the words of its answer."""

    def __init__(self, read: int, write: int, pid: int, child: subprocess.Popen[bytes] | None = None) -> None:
        """File descriptors to read its answers from and to write to."""
        self.read, self.write, self.pid, self.child = read, write, pid, child
        self._said = b""

    @classmethod
    def start(cls, toucher: Path, uid: int) -> Process:
        """A new one, of a user."""
        child = subprocess.Popen([toucher], stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=uid, group=uid)
        assert child.stdin is not None
        assert child.stdout is not None
        return cls(child.stdout.fileno(), child.stdin.fileno(), child.pid, child)

    def fork(self, folder: Path) -> Process:
        """Its child."""
        ways = [folder / name for name in ("in", "out")]
        for way in ways:
            way.unlink(missing_ok=True)
            os.mkfifo(way)
            way.chmod(0o666)
        self.ask("fork", *ways)
        write, read = os.open(ways[0], os.O_WRONLY), os.open(ways[1], os.O_RDONLY)
        made = Process(read, write, 0)
        made.pid = int(made.line())
        return made

    def ask(self, *words: object) -> list[str]:
        """Raises Hang."""
        os.write(self.write, (" ".join(map(str, words)) + "\n").encode())
        return self.line().split()

    def line(self) -> str:
        """The next line it says. Raises Hang, or EOFError if it has ended."""
        until = time.monotonic() + PATIENCE
        while b"\n" not in self._said:
            if not select.select([self.read], [], [], max(0.0, until - time.monotonic()))[0]:
                raise Hang
            if not (more := os.read(self.read, 1 << 16)):
                raise EOFError("the process has ended")
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()

    def end(self, *, kill: bool = False) -> None:
        """It exits, or is killed; afterwards it is gone."""
        if kill:
            os.kill(self.pid, 9)
        os.close(self.write)
        if self.child is not None:
            self.child.wait(PATIENCE)
        while self.child is None and _is_alive(self.pid):
            time.sleep(0.005)
        os.close(self.read)

    def entries(self, address: int, pages: int) -> str:
        """The page table entries of a mapping, a letter a page, as the rows show them."""
        return "".join(self._letters(address // PAGE, pages))

    def _letters(self, first: int, pages: int) -> Iterator[str]:
        with Path(f"/proc/{self.pid}/pagemap").open("rb") as table, Path("/proc/kpageflags").open("rb") as flags:
            table.seek(first * 8)
            for (entry,) in struct.iter_unpack("Q", table.read(pages * 8)):
                if not entry & PRESENT:
                    yield "-"
                    continue
                flags.seek((entry & PFN) * 8)
                (bits,) = struct.unpack("Q", flags.read(8))
                yield "a" if bits & ANON else "w" if bits & WRITEBACK else "d" if bits & DIRTY else "c"


def _is_alive(pid: int) -> bool:
    """A grandchild of ours that nobody has waited for yet counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
