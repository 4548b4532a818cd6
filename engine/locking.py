"""Taking locks and letting go of them: who has to wait, in which order locks may be taken, and who may not sleep.

The order is that of `engine.objects.locks`; every violation panics with the step that made it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Panic
from engine.function import WAIT, Waiting
from engine.objects.locks import LOCK_ORDER, SLEEPING, SPIN, Lock, readers

if TYPE_CHECKING:
    from engine.objects.task import Task


class Locking:
    """What a machine can do with locks. `blocked_on` names the cell a task waits for."""

    current: Task
    blocked_on: str | None = None

    def lock(self, lock: Lock) -> Waiting | None:
        """Take a spinlock or a sleeping lock for oneself alone; WAIT while another holds it."""
        holder = lock.holder
        if holder is not None:
            if holder == self.current.task:
                raise Panic(f"{lock}: deadlock, the task holds it already", self.current.task)
            self.blocked_on = lock.at
            return WAIT
        self._may_take(lock)
        lock.holder = self.current.task
        self.current.locks = (*(self.current.locks or ()), lock.at)
        return None

    def trylock(self, lock: Lock) -> bool:
        """Take a lock if it is free. Never waits."""
        if lock.holder is not None:
            return False
        lock.holder = self.current.task
        self.current.locks = (*(self.current.locks or ()), lock.at)
        return True

    def unlock(self, lock: Lock) -> None:
        """Let go of a lock. The page lock may be released by whoever completes the work, the others by the holder."""
        held = self.current.locks or ()
        if lock.at not in held:
            raise Panic(f"{lock} is not held by this task", self.current.task)
        lock.holder = None
        self.current.locks = tuple(at for at in held if at != lock.at) or None

    def free_lock(self, lock: Lock) -> bool:
        """Whether a lock could be taken and dropped within this step; if not, the step has to WAIT."""
        if lock.holder is not None and lock.holder != self.current.task:
            self.blocked_on = lock.at
            return False
        return True

    def down_read(self, lock: Lock) -> Waiting | None:
        """Share a semaphore with other readers; WAIT while a writer has it."""
        holder = lock.holder
        if holder is not None and not holder.endswith(":r"):
            self.blocked_on = lock.at
            return WAIT
        self._may_take(lock)
        names = (*readers(holder), self.current.task)
        lock.holder = ",".join(f"{name}:r" for name in names)
        self.current.locks = (*(self.current.locks or ()), f"{lock.at}:r")
        return None

    def up_read(self, lock: Lock) -> None:
        """Leave the readers."""
        left = [name for name in readers(lock.holder) if name != self.current.task]
        lock.holder = ",".join(f"{name}:r" for name in left) or None
        held = f"{lock.at}:r"
        self.current.locks = tuple(at for at in self.current.locks or () if at != held) or None

    def _may_take(self, lock: Lock) -> None:
        for at in self.current.locks or ():
            rank, kind = place(at)
            if rank > lock.rank:
                raise Panic(f"lock order: {lock} is taken while {at} is held", self.current.task)
            if kind == SPIN and lock.kind == SLEEPING:
                raise Panic(f"{lock} may sleep and is taken under the spinlock {at}", self.current.task)


_PLACES = {name: (rank, kind) for rank, (name, kind) in enumerate(LOCK_ORDER)}


def place(at: str) -> tuple[int, str]:
    """Rank and kind of a held lock, given its entry in task.locks (`mm/A.mmap_sem:r`)."""
    field = at.rpartition(".")[2]
    return _PLACES[field.removesuffix(":r")]
