"""Which steps need not be tried in every order: partial-order reduction from footprints and ownership.

A step is private while no other task that may still run was ever seen to write what it looks at, or to look at what it
writes. It commutes with whatever the others do, so that where one can be made, it alone has to be tried. What tasks
touch is learned on the way: a footprint that refutes an earlier decision makes the search begin again, wiser.
(Clarke, Grumberg, Peled: Model Checking, ch. 10; the conditions C0 to C3 for ample sets.)
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from engine.machine import KERNEL_TASKS
from engine.objects.task import DONE, KILLED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.machine import Machine
    from engine.moves import Move


class Footprints:
    """What each task was seen to touch, cell by cell: sets of script lines, as the bits of a number.

    A kernel task has one line. What a task did on lines that lie behind it, it will not do again.
    """

    def __init__(self, machine: Machine) -> None:
        """Nothing was seen, but what every task looks at to know whether it has anything to do."""
        self.refuted = False
        """Whether a step that was taken for private turned out not to be."""
        self._lines: dict[str, tuple[str, str, tuple[int, ...]]] = {}
        self._own: dict[str, int] = {}
        self._cells = machine.journal.cells
        self._readers: defaultdict[str, int] = defaultdict(int)
        self._writers: defaultdict[str, int] = defaultdict(int)
        self._relied: defaultdict[str, int] = defaultdict(int)
        self._relied_alone: defaultdict[str, int] = defaultdict(int)
        self._relied_on: set[Move] = set()
        self._noted: dict[Move, int] = {}
        self._foes: dict[Move, tuple[int, int]] = {}
        self._version, first = 0, 0
        for name, task in machine.tasks.items():
            count = 1 if name in KERNEL_TASKS else len(machine.programs[name]) + 1
            bits = tuple((1 << count) - (1 << line) << first for line in range(count))
            self._lines[name] = (f"task/{name}.line", task.rests_by[1], bits)
            self._own[name] = bits[0]
            first += count
            for at in task.rests_by:
                self._readers[at] |= bits[0]

    def to_come(self) -> int:
        """The lines that are under way or still to come, of every task."""
        cells, lines = self._cells, 0
        for line, state, bits in self._lines.values():
            if cells.get(state) not in _OVER:
                lines |= bits[min(cells.get(line, 0), len(bits) - 1)]
        return lines

    def _line(self, task: str) -> int:
        """The bit of the line that a task is on."""
        at, _, bits = self._lines[task]
        line = min(self._cells.get(at, 0), len(bits) - 1)
        return bits[line] & ~(bits[line + 1] if line + 1 < len(bits) else 0)

    def note(self, move: Move) -> None:
        """Learn from a move that can be made now, or has to wait, when it is met on a line for the first time."""
        bit, noted = self._line(move.task), self._noted.get(move, 0)
        if noted & bit:
            return
        self._noted[move] = noted | bit
        own = self._own[move.task]
        for at in map(str, move.looks):
            if not self._readers[at] & bit:
                self._readers[at] |= bit
                self._version += 1
                self.refuted |= bool(self._relied_alone[at] & ~own)
        for at in (*_written(move), *_tables(move)):
            if not self._writers[at] & bit:
                self._writers[at] |= bit
                self._version += 1
                self.refuted |= bool((self._relied[at] | self._relied_alone[at] * (not is_table(at))) & ~own)

    def is_private(self, move: Move, to_come: int) -> bool:
        """Whether no other task will have to do with what a move touches, on the lines that are still to come."""
        version, foes = self._foes.get(move, (-1, 0))
        if version != self._version:
            foes = self._foes_of(move)
            self._foes[move] = (self._version, foes)
        return not foes & to_come

    def rely(self, move: Move) -> None:
        """A decision rests on the move's being private."""
        if move in self._relied_on:
            return
        self._relied_on.add(move)
        own = self._own[move.task]
        for at in map(str, move.looks):
            self._relied[at] |= own
        for at in (*_written(move), *_tables(move)):
            self._relied_alone[at] |= own

    def begin_again(self) -> None:
        """Forget the decisions, not what was learned."""
        self._relied.clear()
        self._relied_alone.clear()
        self._relied_on.clear()
        self.refuted = False

    def _foes_of(self, move: Move) -> int:
        foes = 0
        for at in map(str, move.looks):
            foes |= self._writers[at]
        for at in _written(move):
            foes |= self._readers[at] | self._writers[at]
        for at in _tables(move):
            foes |= self._readers[at]
        return foes & ~self._own[move.task]


_OVER = (DONE, KILLED)


def _written(move: Move) -> Iterable[str]:
    return (at for at, _, _ in move.writes)


def _tables(move: Move) -> Iterable[str]:
    """The tables that have an entry more or less after a move: it matters to who goes through all of them."""
    for at, old, new in move.writes:
        if old is None or new is None:
            thing, _, name = at.rpartition("/")
            yield f"{thing}/*.{name.rpartition('.')[2]}"


def is_table(at: str) -> bool:
    """Whether this stands for which entries a table has, not for a cell."""
    return "/*." in at
