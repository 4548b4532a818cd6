"""Every change of the picture leaves a mark with what stood there before, until the next step."""

from __future__ import annotations

import pytest

import engine
from app.view import View, build_view


@pytest.fixture(scope="module")
def mail() -> tuple[engine.Trace, View]:
    scenario = engine.gallery()["mail"]
    trace = engine.run(scenario)
    return trace, build_view(trace, scenario, engine.KERNELS["linux-2.6.9"])


def marks(view: View, n: int) -> dict[str, object]:
    return {at[4:-5]: value for at, value in view.state_at(n).items() if at.startswith("was/")}


def step(trace: engine.Trace, event: str) -> int:
    return next(step.n for step in trace.steps if step.event == event)


def test_filling_the_entry_is_marked_where_it_stands(mail: tuple[engine.Trace, View]) -> None:
    trace, view = mail
    n = step(trace, "A.2.do_no_page.set_pte")
    assert marks(view, n)["pteslot/A/0x40002"] == "none"
    assert "pteslot/A/0x40002" not in marks(view, n + 1)


def test_the_dirty_bit_alone_is_a_change(mail: tuple[engine.Trace, View]) -> None:
    trace, view = mail
    found = marks(view, step(trace, "A.3.store.write"))
    assert found["pteslot/A/0x40002"] == "PWUA"
    assert found["slot/f/2"] == "zeroes"


def test_the_lost_page_says_what_it_was(mail: tuple[engine.Trace, View]) -> None:
    trace, view = mail
    lost = next(each.n for each in trace.steps if any(fate.new == "lost" for fate in each.fates))
    assert marks(view, lost)["slot/f/2"] == "not on disk"


def test_a_mark_says_what_the_step_before_showed(mail: tuple[engine.Trace, View]) -> None:
    """No mark without a change, and none that says what did not stand there."""
    trace, view = mail
    for n in range(1, len(trace.steps) + 1):
        before, now = view.state_at(n - 1), view.state_at(n)
        for at, text in marks(view, n).items():
            was = {value for name, value in before.items() if name.startswith(f"{at}.")}
            assert text in was or text in {"empty", "none", "free"}, (n, at)
            assert was != {value for name, value in now.items() if name.startswith(f"{at}.")}, (n, at)
