"""Who holds a lock and who waits for it: at the place of the lock in the picture, and at the task that waits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import engine
from app.cast import Cast
from app.rules import Fields, Get, Rule, bind
from app.wording import Names, lock_name

_PAGE = re.compile(r"page/(\d+)\.(locked|writeback)")
_WANTED = re.compile(r"task/(.+)\.wanted")


@dataclass(frozen=True, slots=True)
class Queues:
    """The rules of a run's locks. `tasks` are the scenario's; the kernel's own tasks may hold and wait as well."""

    cast: Cast
    tasks: tuple[str, ...]
    names: Names

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every (view entity, rule)."""
        for point in self.cast.places.holds:
            yield point.at, bind(self.hold, point.at.removeprefix("hold/"))
        for file in self.cast.files:
            for index in file.indices:
                yield f"pagelock/{file.name}/{index}", bind(self.page, file.name, index)
        for task in self.tasks:
            yield f"waiting/{task}", bind(self.task, task)

    def hold(self, get: Get, lock: str) -> Fields:
        """A lock: who has it, and who waits. Nothing while it is free."""
        who = self.holders(get, lock)
        waits = self.queue(get, lock)
        if not who and not waits:
            return {}
        return {"who": who or "free", "name": self.names.lock(lock.rpartition(".")[2]), "queue": waits or None}

    def page(self, get: Get, file: str, index: int) -> Fields:
        """The lock of a page in the page cache; who waits for its write to end counts as well."""
        pfn = get(f"mapping/{file}/{index}.page")
        if pfn is None:
            return {}
        who = self.holders(get, f"page/{pfn}.locked")
        waits = self.queue(get, f"page/{pfn}.locked") or self.queue(get, f"page/{pfn}.writeback")
        return {"who": who or "disk", "queue": waits or None} if who or waits else {}

    def queue(self, get: Get, lock: str) -> str:
        """`B waits`; empty when nobody does."""
        every = (*self.tasks, *engine.KERNEL_TASKS)
        names = [self.names.task(task) for task in every if get(f"task/{task}.waits") == lock]
        return f"{', '.join(names)} wait{'s' if len(names) == 1 else ''}" if names else ""

    def task(self, get: Get, task: str) -> Fields:
        """What a task waits for, in words; nothing for one that can go on."""
        lock = get(f"task/{task}.waits")
        return {"text": sentence(lock, self.holders(get, lock), self.names)} if lock else {}

    def holders(self, get: Get, lock: str) -> str:
        """Those who hold a lock, by the names that this kernel has for them."""
        return ", ".join(self.names.task(task) for task in holders(get(lock)).split(", "))


def holders(value: object) -> str:
    """Those who hold a lock, from its cell: `A`, or `A, B` for a semaphore that both read under."""
    return str(value).replace(":r", "").replace(",", ", ") if isinstance(value, str) else ""


def sentence(lock: str, who: str, names: Names) -> str:
    """`waits for page_table_lock: B has it`."""
    if wanted := _WANTED.fullmatch(lock):
        return f"waits for {wanted[1]} to finish"
    if (page := _PAGE.fullmatch(lock)) and page[2] == "writeback":
        return f"waits for the disk to write frame {page[1]}"
    name = f"the lock of frame {page[1]}" if page else lock_name(lock, names)
    return f"waits for {name}: {who} {'have' if ',' in who else 'has'} it" if who else f"waits for {name}"
