"""States that must not be, each made on purpose: the machine stops and names the task and the step. Facts 0, 7.1 I5."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine import KERNELS, Machine, Panic, build
from engine.function import WAIT, KernelFunction, Next, may_sleep
from tests.engine.build import make


@dataclass
class OutOfOrder(KernelFunction):
    def take_inner(self, k: Machine) -> Next:
        """page_table_lock first."""
        return k.lock(k.current.mm.page_table_lock)

    def take_outer(self, k: Machine) -> Next:
        """Then mmap_sem, which stands before it in the order, and sleeps."""
        return k.lock(k.current.mm.mmap_sem)


@dataclass
class SleepingOutOfOrder(KernelFunction):
    def take_inner(self, k: Machine) -> Next:
        """The page lock first."""
        return k.lock(k.page(1).locked)

    def take_outer(self, k: Machine) -> Next:
        """Then i_sem, which stands before it: both sleep, the order is wrong all the same."""
        return k.lock(k.inodes["f"].i_sem)


@dataclass
class Sleeper(KernelFunction):
    def take_lock(self, k: Machine) -> Next:
        """A spinlock."""
        return k.lock(k.current.mm.page_table_lock)

    @may_sleep
    def read_disk(self, k: Machine) -> None:
        """And then a step that may sleep."""


@dataclass
class Twice(KernelFunction):
    def take(self, k: Machine) -> Next:
        """Once."""
        return k.lock(k.current.mm.page_table_lock)

    def take_again(self, k: Machine) -> Next:
        """And again."""
        return k.lock(k.current.mm.page_table_lock)


@dataclass
class Stranger(KernelFunction):
    def unlock(self, k: Machine) -> None:
        """A lock that is somebody else's."""
        k.unlock(k.current.mm.page_table_lock)


@dataclass
class PutsFreePage(KernelFunction):
    def put_page(self, k: Machine) -> None:
        """A page that nobody has."""
        k.ram.put(k.page(5))


@dataclass
class Endless(KernelFunction):
    def only_step(self, k: Machine) -> None:
        """It neither returns nor goes anywhere."""


@dataclass
class WritesAndWaits(KernelFunction):
    def step(self, k: Machine) -> Next:
        """A step that waits must have written nothing."""
        k.clock.clock = k.clock.clock + 1
        return WAIT


def machine(function: KernelFunction) -> Machine:
    """A's only line is this function."""
    k = build(make({"A": ["sync()"]}), KERNELS["linux-2.6.9"])
    k.programs["A"] = (function,)
    return k


def run_out(k: Machine) -> None:
    while k.step(k.tasks["A"]) is not None:
        pass


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            OutOfOrder(),
            "A out_of_order.take_outer: lock order: mm/A.mmap_sem is taken while mm/A.page_table_lock is held.",
        ),
        (
            SleepingOutOfOrder(),
            "A sleeping_out_of_order.take_outer: lock order: inode/f.i_sem is taken while page/1.locked is held.",
        ),
        (Sleeper(), "A sleeper.read_disk: may sleep while it holds the spinlock mm/A.page_table_lock."),
        (Twice(), "A twice.take_again: mm/A.page_table_lock: deadlock, the task holds it already."),
        (Stranger(), "A stranger.unlock: mm/A.page_table_lock is not held by this task."),
        (PutsFreePage(), "A puts_free_page.put_page: page/5: put_page() on a free page."),
        (Endless(), "A endless.only_step: fell off the last step."),
    ],
    ids=lambda value: value.c_name if isinstance(value, KernelFunction) else "",
)
def test_a_panic_names_the_task_the_step_and_what_is_wrong(function: KernelFunction, message: str) -> None:
    k = machine(function)
    with pytest.raises(Panic) as caught:
        run_out(k)
    assert str(caught.value) == message


def test_a_step_that_waits_after_writing_is_refused() -> None:
    with pytest.raises(AssertionError, match="a step that waits has written"):
        run_out(machine(WritesAndWaits()))


@pytest.mark.parametrize("function", [OutOfOrder(), Sleeper(), PutsFreePage()], ids=lambda f: str(f.c_name))
def test_undo_takes_a_panic_back(function: KernelFunction) -> None:
    k = machine(function)
    before, key = dict(k.journal.cells), k.journal.key
    with pytest.raises(Panic):
        run_out(k)
    while k.journal.marks:
        k.journal.undo()
    assert (k.journal.cells, k.journal.key) == (before, key)
