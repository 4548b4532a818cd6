"""The rail: the same stations under every kernel, and every step of a fault stands at one of them."""

from functools import cache
from typing import Any

import pytest

import engine
from app.catalogue import kernels_with
from app.orders import order
from app.rail import Journey
from app.view import View, build_view
from engine import Trace, gallery

FEW = ("mail", "mail-store-first", "room-enough", "quota", "fork", "truncate-race", "last-block")
FAULTS = [(name, kernel.id) for name in FEW for kernel in kernels_with(gallery()[name].filesystem.type)]
GATES = ("pte_none?", "enough_space?", "set_pte")


@cache
def run(scenario: str, kernel: str, filesystem: str = "") -> tuple[Trace, View]:
    chosen = order(scenario, kernel, filesystem).scenario
    trace = engine.run(chosen, kernel)
    return trace, build_view(trace, chosen, engine.find_kernel(kernel))


def faults(view: View) -> list[Journey]:
    """The accesses that needed a fault, each once."""
    found = {id(journey): journey for journey in view.journeys if journey.kind == "fault" and not journey.quiet}
    return list(found.values())


def rail(view: View, step: int) -> dict[str, tuple[str, str | None]]:
    """(state, answer) by station, the last of a name."""
    state: dict[str, Any] = view.state_at(step)
    places = [f"rail/{place}" for place in range(10) if f"rail/{place}.label" in state]
    return {state[f"{at}.label"]: (state[f"{at}.state"], state.get(f"{at}.answer")) for at in places}


def gates(scenario: str, kernel: str, filesystem: str, line: int) -> dict[str, tuple[str, str | None]]:
    """How the gates stand when the fault of a script line of A is over."""
    trace, view = run(scenario, kernel, filesystem)
    journey = next(j for j in faults(view) if j.task == "A" and trace.steps[j.points[0][0] - 1].line == line)
    return rail(view, journey.points[-1][0])


@pytest.mark.parametrize(("scenario", "kernel"), FAULTS)
def test_every_step_of_a_fault_stands_at_a_station_and_no_gate_is_missing(scenario: str, kernel: str) -> None:
    _, view = run(scenario, kernel)
    assert faults(view) or kernel == "mmap-reserve", "which refuses the mapping"
    for journey in faults(view):
        labels = [station.label for station in journey.stations]
        anonymous = "alloc_page" in labels
        assert [label for label in GATES if label not in labels] == (["enough_space?"] if anonymous else [])
        for n, point, _ in journey.points:
            state = view.state_at(n)
            assert sum(state.get(f"rail/{place}.now") is True for place in range(10)) == 1, f"{n} {point}"


@pytest.mark.parametrize(("scenario", "kernel"), FAULTS)
def test_a_fault_that_ends_has_passed_each_gate_or_was_refused(scenario: str, kernel: str) -> None:
    _, view = run(scenario, kernel)
    for journey in faults(view):
        names = {point.partition(".")[2] for _, point, _ in journey.points}
        if not names & {"write", "read", "signal"}:
            continue  # cut off: by the power, or by the end of the run
        shown = rail(view, journey.points[-1][0])
        assert shown["pte_none?"][0] in ("done", "skipped")
        if "enough_space?" in shown:
            assert shown["enough_space?"][1], journey.points
        if not {"signal", "back_out"} & names and "no: a sibling was faster" not in str(journey.points):
            assert shown["set_pte"][0] == "done", journey.points


@pytest.mark.parametrize(
    ("kernel", "filesystem", "said"),
    [
        ("linux-2.6.9", "ext2", ("unasked", "never asked")),
        ("wli-corrected", "ext2", ("refused", "no: ENOSPC")),
        ("linux-2.6.18", "ext2", ("unasked", "never asked")),
        ("linux-2.6.18", "ext2-mkwrite", ("refused", "no: ENOSPC")),
        ("linux-6.18", "ext2", ("unasked", "never asked")),
        ("linux-6.18", "ext4", ("refused", "no: ENOSPC")),
        ("linux-6.18", "ext4-nodelalloc", ("refused", "no: ENOSPC")),
        ("linux-6.18", "tmpfs", ("refused", "no: ENOSPC")),
        ("linux-6.18", "xfs", ("refused", "no: ENOSPC")),
        ("linux-6.18", "btrfs", ("refused", "no: ENOSPC")),
        ("linux-6.18", "fuse", ("unasked", "never asked")),
        ("linux-6.18", "nfs", ("unasked", "never asked")),
        ("linux-6.18", "minix", ("unasked", "never asked")),
        ("linux-2.6.23", "xfs", ("refused", "no: ENOSPC")),
    ],
)
def test_a_filesystem_without_an_opinion_was_never_asked(
    kernel: str, filesystem: str, said: tuple[str, str | None]
) -> None:
    shown = gates("mail-store-first", kernel, filesystem, 2)
    assert shown["enough_space?"] == said
    assert shown["set_pte"][0] == ("skipped" if said[0] == "refused" else "done")


def test_a_promise_and_a_block_are_told_apart() -> None:
    assert gates("room-enough", "linux-6.18", "ext4", 3)["enough_space?"] == ("done", "yes: promised")
    said = gates("room-enough", "linux-6.18", "ext4-nodelalloc", 3)["enough_space?"]
    assert said[0] == "done"
    assert str(said[1]).startswith("yes: block")


def test_a_fault_that_begins_again_goes_round_once_more_and_says_so() -> None:
    trace, view = run("mail-store-first", "linux-6.18", "ext4")
    retry = next(step.n for step in trace.steps if step.name == "retry" and step.answer)
    before, after = view.state_at(retry), view.state_at(retry + 1)
    assert "rail.note" not in before
    assert after["rail.note"] == "round 2: VM_FAULT_RETRY"
    assert {label: how for label, (how, _) in rail(view, retry + 1).items() if how == "now"} == {"find_vma": "now"}
    assert rail(view, retry + 1)["enough_space?"] == ("ahead", None)


def test_a_kernel_that_asks_before_it_locks_shows_the_order() -> None:
    _, old = run("mail-store-first", "linux-2.6.9")
    _, new = run("mail-store-first", "linux-6.18", "ext4")
    order = [[station.label for station in faults(view)[0].stations] for view in (old, new)]
    assert sorted(order[0]) == sorted(order[1])
    assert [labels.index("enough_space?") < labels.index("lock") for labels in order] == [False, True]
