"""A task: whatever can run. A process's thread, or one of the kernel's own (pdflush, kswapd, the disk)."""

from __future__ import annotations

from typing import Any

from engine.errors import Panic
from engine.journal import Cell, Entity, Journal
from engine.objects.mm import Mm

READY, IDLE, DONE, KILLED = "ready", "idle", "done", "killed"


class Task(Entity):
    """`stack` is a linked list of frames: (class, step, locals, into, below); None between two script lines.

    `ahead`: frames whose content is still on its way from the disk, because a fault had neighbours read.
    """

    state = Cell[str]()
    line = Cell[int]()
    stack = Cell[Any]()
    locks = Cell[tuple[str, ...] | None]()
    signal = Cell[str | None]()
    min_flt = Cell[int | None]()
    maj_flt = Cell[int | None]()
    wanted = Cell[bool | str | None]()
    ahead = Cell[tuple[int, ...] | None]()

    def __init__(self, journal: Journal, name: str, *, uid: int, cpu: int, mm: Mm | None) -> None:
        super().__init__(journal, f"task/{name}")
        self.task, self.uid, self.cpu, self.process = name, uid, cpu, mm
        at = self.addresses
        self.rests_by = (at["stack"], at["state"], "disk.queue" if name == "disk" else at["wanted"])
        """The cells that say whether it has anything to do: asked of every task at every state of a search."""

    @property
    def mm(self) -> Mm:
        """The address space it lives in. The kernel's own tasks have none."""
        if self.process is None:
            raise Panic("a kernel task has no address space", self.task)
        return self.process

    @property
    def privileged(self) -> bool:
        """capable(CAP_SYS_RESOURCE): root and kernel threads pass quota limits and the root reserve."""
        return self.uid == 0
