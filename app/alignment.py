"""Lining up runs: which step of one stands beside which step of another. Pure: it knows names, and no kernel.

    align([[("a", 1), ("a", 2), ("b", 1)], [("a", 1), ("b", 1)]])
    -> [(0, 0), (1, None), (2, 1)]

Each step is given as a path of names from the widest (whose script line) to the narrowest (which step). Stretches with
the same name stand side by side; one that has no counterpart is gone through while the other runs wait. Only within
the last but one name are steps of different names put beside each other: there the runs do the same in other words.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import groupby, islice, zip_longest

Path = tuple[Hashable, ...]
Row = tuple[int | None, ...]
"""For each run, which of its steps stands in this row (from 0), or None where the run waits."""
Group = list[tuple[int, Path]]
Line = tuple[Hashable, list[Group | None]]
"""Groups that stand side by side, under their name; None where a run has none."""

LARGEST = 1_000_000
"""The most pairs of groups that are weighed against each other; above, only what both have at the ends is matched."""


def align(runs: Sequence[Sequence[Path]]) -> list[Row]:
    """The rows in which the runs stand side by side. Each run's steps come in order, each exactly once.

    Args:
        runs: the path of each step of each run; all paths have the same length, at least one.
    """
    return _merge([list(enumerate(run)) for run in runs], 0)


def _merge(runs: Sequence[Group], depth: int) -> list[Row]:
    """The rows of stretches whose paths are the same above `depth`."""
    length = next((len(path) for run in runs for _, path in run), depth + 1)
    last = depth == length - 1
    lines = _line_up([_groups(run, depth, single=last) for run in runs], pair=last)
    if last:
        return [tuple(group[0][0] if group else None for group in groups) for _, groups in lines]
    return [row for _, groups in lines for row in _merge([group or [] for group in groups], depth + 1)]


def _groups(run: Group, depth: int, *, single: bool) -> list[tuple[Hashable, Group]]:
    """A run cut where the name at `depth` changes; each step by itself if `single`."""
    if single:
        return [(step[1][depth], [step]) for step in run]
    return [(name, list(steps)) for name, steps in groupby(run, key=lambda step: step[1][depth])]


def _line_up(runs: Sequence[list[tuple[Hashable, Group]]], *, pair: bool) -> list[Line]:
    """All runs side by side: each in turn is put beside those before it."""
    found: list[Line] = []
    for place, run in enumerate(runs):
        common = matches([name for name, _ in found], [name for name, _ in run])
        done, at, merged = 0, 0, list[Line]()
        for left, right in [*common, (len(found), len(run))]:
            merged += _between(found[done:left], run[at:right], place, pair=pair)
            if left < len(found):
                merged.append((found[left][0], [*found[left][1], run[right][1]]))
            done, at = left + 1, right + 1
        found = merged
    return found


def _between(lines: list[Line], run: list[tuple[Hashable, Group]], place: int, *, pair: bool) -> list[Line]:
    """What stands between two matches: one after the other, or side by side if `pair`."""
    if pair:
        empty: Line = (None, [None] * place)
        both = zip_longest(lines, run)
        return [((line or (own and own[0], empty[1]))[0], [*(line or empty)[1], own[1] if own else None])
                for line, own in both]  # fmt: skip
    waiting: list[Line] = [(name, [*groups, None]) for name, groups in lines]
    return [*waiting, *((name, [*[None] * place, group]) for name, group in run)]


def matches(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The longest way to match equal names of two lists in order, as pairs of places; of several the earliest."""
    start = _same(left, right)
    end = min(_same(left[::-1], right[::-1]), len(left) - start, len(right) - start)
    a, b = left[start : len(left) - end], right[start : len(right) - end]
    middle = _longest(a, b) if len(a) * len(b) <= LARGEST else []
    return [
        *((at, at) for at in range(start)),
        *((start + i, start + j) for i, j in middle),
        *((len(left) - at, len(right) - at) for at in range(end, 0, -1)),
    ]


def _same(left: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """How many names are the same from the beginning."""
    return next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _longest(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The longest common subsequence, by the length that is still to come from each pair of places."""
    to_come = [[0] * (len(right) + 1)]
    for name in reversed(left):
        below, row = to_come[-1], [0]
        for place, other in enumerate(reversed(right), 1):
            row.append(below[place - 1] + 1 if name == other else max(below[place], row[place - 1]))
        to_come.append(row)
    return list(_walk(left, right, to_come))


def _walk(left: Sequence[Hashable], right: Sequence[Hashable], to_come: list[list[int]]) -> list[tuple[int, int]]:
    """The matches on the way that leaves most to come."""
    found, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        a, b = len(left) - i, len(right) - j
        if left[i] == right[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif to_come[a - 1][b] >= to_come[a][b - 1]:
            i += 1
        else:
            j += 1
    return found


def counts(rows: Sequence[Row], runs: int) -> list[tuple[int, ...]]:
    """How many steps each of the `runs` has made after each row, the beginning first: the common sequence of beats."""
    now = [0] * runs
    found = [tuple(now)]
    for row in rows:
        now = [step + 1 if step is not None else before for step, before in zip(row, now, strict=True)]
        found.append(tuple(now))
    return found


def nearest(beats: Sequence[Sequence[int]], run: int, step: int) -> int:
    """The first beat at which a run has made `step` steps; the last beat for one it never makes."""
    return next((at for at, beat in enumerate(islice(beats, len(beats))) if beat[run] >= step), len(beats) - 1)
