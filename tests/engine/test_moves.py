"""What is remembered of a step is what the kernel's code does, in every state that a walk comes to."""

from __future__ import annotations

import pytest

from app.catalogue import home
from engine import KERNELS, Machine, build, find_kernel, gallery
from engine.moves import Move, Moves
from engine.objects.task import Task
from engine.perft import Budget, Walk
from tests.engine.test_perft import COUNTS, SCENARIOS


class Doubting(Moves):
    """Makes every step as well, and compares."""

    hits = 0

    def of(self, task: Task) -> Move | None:
        """What is remembered, if it is what happens."""
        made = self.made
        move = super().of(task)
        if self.made == made:
            self.hits += move is not None
            assert _told(move) == _told(self.try_(task)), (task, self.machine.journal.cells)
        return move


def _told(move: Move | None) -> object:
    if move is None:
        return None
    return move.function, move.name, set(move.looks), set(move.writes), move.change, move.blocked_on, repr(move.panic)


def doubted(machine: Machine, states: int) -> Doubting:
    """A walk of so many states, in which every memory was checked."""
    walk = Walk(machine)
    walk.moves = moves = Doubting(machine)
    walk.run(Budget(states))
    return moves


@pytest.mark.parametrize("name", gallery())
def test_every_scenario_of_the_gallery_on_its_own_kernel(name: str) -> None:
    scenario = gallery()[name]
    moves = doubted(build(scenario, home(scenario)), 600)  # the first way to an end alone may be as long
    assert moves.made > 1


@pytest.mark.parametrize(("name", "kernel"), [key for key in COUNTS if COUNTS[key][0] < 5_000])
def test_every_state_of_a_small_world(name: str, kernel: str) -> None:
    assert doubted(build(SCENARIOS[name], find_kernel(kernel)), 5_000).hits


def test_a_walk_leaves_the_machine_as_it_was() -> None:
    machine = build(SCENARIOS["mail"], KERNELS["linux-2.6.9"])
    cells = dict(machine.journal.cells)
    walk = Walk(machine)
    key = walk.moves.key
    walk.run(Budget(500))
    assert machine.journal.cells == cells
    assert walk.moves.key == key == machine.journal.key


def test_the_kernel_runs_once_for_what_is_met_a_thousand_times() -> None:
    walk = Walk(build(SCENARIOS["last-block"], KERNELS["linux-2.6.9"]))
    count = walk.run(Budget())
    assert walk.moves.made * 20 < count.transitions
