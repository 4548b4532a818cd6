"""The view is told as far as somebody asks, in order, and goes on where it stopped."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import engine
from app.view import Delta, Telling, View, build_view
from engine import KERNELS, Trace, gallery


def whole(scenario: str) -> tuple[Trace, View]:
    """A run with its view, all of it told."""
    trace = engine.run(gallery()[scenario], "linux-2.6.9")
    view = build_view(trace, gallery()[scenario], KERNELS["linux-2.6.9"])
    assert len(view.steps) == len(trace.steps)
    return trace, view


def test_a_step_is_told_when_somebody_asks_for_it() -> None:
    trace, known = whole("mail")
    view = build_view(trace, gallery()["mail"], KERNELS["linux-2.6.9"])
    assert len(view.telling.until(0)) == 0
    assert view.state_at(43) == known.state_at(43)
    assert len(view.telling.until(0)) == 43
    assert view.state_at(7) == known.state_at(7)
    assert view.state_at(len(trace.steps) + 1) == known.state_at(len(trace.steps))
    assert list(view.steps) == list(known.steps)


def test_threads_that_ask_at_once_are_told_the_same() -> None:
    trace, known = whole("last-block")
    view = build_view(trace, gallery()["last-block"], KERNELS["linux-2.6.9"])
    wanted = [*range(0, len(trace.steps), 10)] * 2
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(view.state_at, wanted))
    assert found == [known.state_at(n) for n in wanted]


def test_a_telling_that_breaks_off_says_so_each_time() -> None:
    def steps() -> Iterator[tuple[Delta, ...]]:
        yield ()
        raise ZeroDivisionError

    telling = Telling(steps())
    assert len(telling.until(1)) == 1
    for _ in range(2):
        with pytest.raises((ZeroDivisionError, LookupError)):
            telling.until(2)
