"""Where bytes are: by their origin, in frames and blocks, from the step that brought them there to the one that took them."""

import pytest

from engine import find_scenario, kernels_of, run
from engine.fates import AT_RISK, DURABLE, LOST
from engine.whereabouts import BEFORE, BLOCK, FRAME, Place, Stay, holders, places, whereabouts
from tests.engine.build import STOCK, make

MAPPED = "m = mmap(f, 4P, READ|WRITE, SHARED)"


def test_the_bytes_of_the_mail_are_in_one_frame_until_it_is_dropped() -> None:
    scenario = find_scenario("mail")
    trace = run(scenario, STOCK)
    stored = next(step.n for step in trace.steps if step.event == "A.3.store.write")
    dropped = next(
        step.n for step in trace.steps if step.name == "drop_page" and any(c.new == LOST for c in step.fates)
    )
    stays = whereabouts(scenario, STOCK, trace)["A.3"]
    assert stays == (Stay(stored, (Place(FRAME, 1, "f", 2),)), Stay(dropped, ()))
    assert places(stays, stored - 1) == ()
    assert places(stays, dropped - 1) == (Place(FRAME, 1, "f", 2),)


def test_two_stores_of_the_same_letter_are_told_apart() -> None:
    scenario = make({"A": [MAPPED, 'm[1P] = "C"', 'm[2P] = "C"', "msync(m, SYNC)"]}, blocks=4)
    trace = run(scenario, STOCK)
    found = whereabouts(scenario, STOCK, trace)
    first, second = (places(found[store], len(trace.steps)) for store in ("A.2", "A.3"))
    assert {(place.file, place.index) for place in first} == {("f", 1)}
    assert {(place.file, place.index) for place in second} == {("f", 2)}
    assert {place.kind for place in first} == {FRAME, BLOCK}


def test_a_private_copy_is_of_no_file() -> None:
    scenario = make({"A": ["m = mmap(f, 4P, READ|WRITE, PRIVATE)", 'm[0] = "C"']}, blocks=4)
    trace = run(scenario, STOCK)
    made = next(stay for stay in whereabouts(scenario, STOCK, trace)["A.2"] if stay.places)
    assert [(place.kind, place.file, place.private) for place in made.places] == [(FRAME, None, True)]


def test_a_frame_may_have_bytes_of_several_stores_and_of_none() -> None:
    scenario = make({"A": [MAPPED, 'm[0] = "C"', 'm[1] = "D"']}, blocks=4)
    trace = run(scenario, STOCK)
    found, end = whereabouts(scenario, STOCK, trace), len(trace.steps)
    (frame,) = places(found["A.3"], end)
    assert {"A.2", "A.3"} <= set(holders(found, end, (FRAME, frame.number)))
    assert list(holders(found, end, (FRAME, 0))) == []  # the zero page


def test_what_was_there_before_the_run_is_nobodys() -> None:
    scenario = find_scenario("mail")
    assert places(whereabouts(scenario, STOCK, run(scenario, STOCK))[BEFORE], 0) == (Place(BLOCK, 0, "f", 0),)


@pytest.mark.parametrize(
    "name",
    [
        "mail",
        "last-block",
        "memory-pressure",
        "private-and-write",
        "fork",
        "page-of-four-blocks",
        "power-cut",
        "xfstests-generic-325",
    ],
)
def test_where_bytes_are_fits_what_becomes_of_them(name: str) -> None:
    # What is durable is on the disk; the only copy of what is at risk is in memory; what is lost is in no page of its file.
    scenario = find_scenario(name)
    for kernel in kernels_of(scenario):
        trace = run(scenario, kernel)
        found = whereabouts(scenario, kernel, trace)
        for step in trace.steps:
            for change in step.fates:
                where = places(found.get(change.store, ()), step.n)
                if change.new == DURABLE:
                    assert any(place.kind == BLOCK for place in where), (kernel, step.event)
                if change.new == AT_RISK:
                    assert any(place.kind == FRAME for place in where), (kernel, step.event)
