"""Lining up runs: nothing is left out, nothing goes backwards, and what is alike stands side by side."""

import itertools
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import alignment
from app.alignment import Path, align, counts, matches
from app.comparison import Comparison
from tests.app.side_by_side import side_by_side

PATHS = st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 3))
RUNS = st.lists(st.lists(PATHS, max_size=12), min_size=2, max_size=4)
NAMES = st.lists(st.sampled_from("abc"), max_size=9)


@given(RUNS)
def test_every_run_goes_through_all_its_steps_in_order(runs: list[list[Path]]) -> None:
    rows = align(runs)
    for place, run in enumerate(runs):
        assert [row[place] for row in rows if row[place] is not None] == list(range(len(run)))


@given(RUNS)
def test_somebody_moves_in_every_row(runs: list[list[Path]]) -> None:
    assert all(any(step is not None for step in row) for row in align(runs))


@given(RUNS)
def test_what_stands_in_a_row_is_alike_but_for_the_last_name(runs: list[list[Path]]) -> None:
    for row in align(runs):
        assert len({runs[place][step][:-1] for place, step in enumerate(row) if step is not None}) == 1


@given(st.lists(PATHS, max_size=12), st.integers(2, 4))
def test_equal_runs_never_wait(run: list[Path], columns: int) -> None:
    assert align([run] * columns) == [(at,) * columns for at in range(len(run))]


@given(RUNS)
def test_beats_only_go_up_and_end_at_the_end(runs: list[list[Path]]) -> None:
    beats = counts(align(runs), len(runs))
    assert beats[0] == (0,) * len(runs)
    assert beats[-1] == tuple(map(len, runs))
    for before, now in itertools.pairwise(beats):
        assert all(new - old in (0, 1) for old, new in zip(before, now, strict=True))
        assert before != now


@given(NAMES, NAMES)
def test_matches_are_the_longest_there_are(left: list[Hashable], right: list[Hashable]) -> None:
    found = matches(left, right)
    assert all(left[i] == right[j] for i, j in found)
    assert all(a < c and b < d for (a, b), (c, d) in itertools.pairwise(found))
    assert len(found) == longest(left, right)


def longest(left: list[Hashable], right: list[Hashable]) -> int:
    """The length of the longest common subsequence, by its definition."""
    if not left or not right:
        return 0
    if left[-1] == right[-1]:
        return longest(left[:-1], right[:-1]) + 1
    return max(longest(left[:-1], right), longest(left, right[:-1]))


def test_a_run_without_a_counterpart_waits() -> None:
    assert align([[("a", 1), ("a", 2), ("b", 1)], [("a", 1), ("b", 1)]]) == [(0, 0), (1, None), (2, 1)]


def test_within_a_station_other_words_stand_side_by_side() -> None:
    assert align([[("a", "lock"), ("a", "get")], [("a", "lock"), ("a", "fetch")]]) == [(0, 0), (1, 1)]


def test_what_is_too_much_to_weigh_is_matched_at_its_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "LARGEST", 3)
    assert matches("axxb", "ayyxb") == [(0, 0), (2, 3), (3, 4)]


@pytest.mark.parametrize("scenario", ["mail", "last-block", "memory-pressure", "truncate-race"])
def test_the_kernels_stand_side_by_side_at_each_script_line(scenario: str) -> None:
    found = side_by_side(scenario)
    laws(found)
    together = [{(step.task, step.line) for _, step in found.moved(beat)} for beat in range(1, found.length + 1)]
    assert all(len(lines) == 1 or any("exit" in found.line(line) for line in lines) for lines in together)


def laws(found: Comparison) -> None:
    """What holds for the beats of any comparison."""
    assert found.beats[-1] == tuple(len(column.steps) for column in found.columns)
    for place, column in enumerate(found.columns):
        made = [step.n for beat in range(1, found.length + 1) for who, step in found.moved(beat) if who == place]
        assert made == [step.n for step in column.steps]
