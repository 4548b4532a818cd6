"""How far one press goes: the stops of a run by step, by function and by fault."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from fastapi.testclient import TestClient

import engine
from app.rail import Journey
from app.view import build_view
from app.zoom import ZOOMS, beside, stops

Run = tuple[engine.Trace, tuple[Journey, ...]]
MAIL = "/run/mail/linux-2.6.9"


@pytest.fixture(scope="module")
def mail() -> Run:
    scenario = engine.gallery()["mail"]
    trace = engine.run(scenario)
    return trace, build_view(trace, scenario, engine.KERNELS["linux-2.6.9"]).journeys


@pytest.mark.parametrize("zoom", ZOOMS)
def test_every_zoom_begins_at_the_beginning_and_comes_to_the_end(mail: Run, zoom: str) -> None:
    trace, journeys = mail
    found = stops(zoom, trace.steps, journeys)
    assert found[0] == 0
    assert found[-1] == len(trace.steps)
    assert found == sorted(set(found))


def test_a_press_by_function_stops_where_another_function_goes_on(mail: Run) -> None:
    trace, journeys = mail
    for n in stops("function", trace.steps, journeys)[1:-1]:
        here, after = trace.steps[n - 1], trace.steps[n]
        assert (here.task, here.function) != (after.task, after.function)


def test_a_press_by_fault_takes_the_whole_fault_of_the_mail(mail: Run) -> None:
    """From the load that misses to the load that reads: do_page_fault, do_no_page and all they call."""
    trace, journeys = mail
    load = [step.n for step in trace.steps if (step.task, step.line) == ("A", 2)]
    found = stops("fault", trace.steps, journeys)
    assert load[-1] in found
    assert not [n for n in found if load[0] <= n < load[-1]]


def test_wider_zooms_have_fewer_stops(mail: Run) -> None:
    trace, journeys = mail
    step, function, fault = (len(stops(zoom, trace.steps, journeys)) for zoom in ZOOMS)
    assert step > function > fault > 2


def test_beside_a_step_are_the_stops_before_and_after_it() -> None:
    assert [beside([0, 4, 9], n) for n in (0, 1, 4, 9)] == [(0, 4), (0, 4), (0, 9), (4, 9)]


def test_the_links_of_the_page_go_as_far_as_the_address_says(client: TestClient) -> None:
    """Step 12 is in handle_mm_fault: the next press ends where the run leaves that function."""
    steps = engine.run(engine.gallery()["mail"]).steps
    leaves = next(a.n for a, b in pairwise(steps[11:]) if (a.task, a.function) != (b.task, b.function))
    page = client.get(f"{MAIL}?step=12&zoom=function").text
    [after] = re.findall(r'rel="next" href="([^"]+)"', page)
    assert after == f"{MAIL}?step={leaves}&amp;zoom=function"
    [plain] = re.findall(r'rel="next" href="([^"]+)"', client.get(f"{MAIL}?step=12").text)
    assert plain == f"{MAIL}?step=13"


def test_an_unknown_zoom_is_refused_with_a_cure(client: TestClient) -> None:
    response = client.get(f"{MAIL}?zoom=galaxy")
    assert 400 <= response.status_code < 500
    assert "zoom=function" in response.text
