"""A limit gives the beginning of a run: the same steps, the reason, and no word that the end might belie."""

from __future__ import annotations

import pytest

from engine import KERNELS, Limits, find_scenario, gallery, run
from tests.engine.build import MAP, make, possible

WIDE = make(
    {name: ["m = mmap(f, 64P, READ|WRITE, SHARED)", *['m[0:64P] = "x"'] * 20, "fsync(f)"] for name in "ABCDEFGH"},
    size="64P",
    blocks=1024,
    block_size=512,
    machine={"frames": 256},
)
KEPT = make({"A": [MAP, 'm[0] = "C"', "msync(m, SYNC)", 'm[1P] = "D"', "msync(m, SYNC)"]})


def test_work_is_limited_where_steps_are_not() -> None:
    trace = run(WIDE, limits=Limits(steps=1_000_000, work=50_000))
    assert not trace.complete
    [note] = trace.notes
    assert note.startswith(f"The run was stopped after {len(trace.steps)} steps, which took as much work as a run may.")
    again = run(WIDE, limits=Limits(steps=1_000_000, work=50_000))
    assert again == trace
    less = run(WIDE, limits=Limits(work=20_000))
    assert less.steps == trace.steps[: len(less.steps)]


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_gallery_run_comes_near_the_limits(kernel: str) -> None:
    fifth = Limits(steps=Limits().steps // 5, work=Limits().work // 5)
    for scenario in (gallery()[name] for name, _ in possible([kernel])):
        assert run(scenario, kernel, limits=fifth) == run(scenario, kernel)


def test_a_run_cut_short_is_open_until_no_store_can_come() -> None:
    whole = run(KEPT)
    assert whole.outcome == "kept"
    words = [run(KEPT, limits=Limits(steps=n)).outcome for n in range(len(whole.steps) + 1)]
    durable = [n for n, step in enumerate(whole.steps) if any(change.new == "durable" for change in step.fates)]
    assert words[durable[0] + 1] == "open"  # the one store of this beginning is safe; there was more to come
    assert words[-1] == "kept"
    assert set(words) == {"open", "kept"}
    assert words == sorted(words, key=["open", "kept"].index)


def test_what_is_lost_when_a_run_is_cut_stays_lost() -> None:
    whole = run(find_scenario("mail"))
    assert whole.outcome.startswith("lost")
    lost = next(step.n for step in whole.steps if any(change.new == "lost" for change in step.fates))
    assert run(find_scenario("mail"), limits=Limits(steps=lost)).outcome.startswith("lost")


def test_a_refusal_of_a_run_cut_short_is_not_its_outcome_yet() -> None:
    whole = run(find_scenario("mail"), "wli-corrected")
    assert whole.outcome == "refused"
    refused = next(step.n for step in whole.steps if any(change.new == "refused" for change in step.fates))
    cut = run(find_scenario("mail"), "wli-corrected", limits=Limits(steps=refused))
    assert (cut.outcome, cut.complete) == ("open", False)
