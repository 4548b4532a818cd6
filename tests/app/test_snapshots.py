"""The picture at the telling steps, as text: `make snapshots` rewrites the files, and a person reads the difference."""

from collections.abc import Callable

import pytest

from app import templating
from app.orders import order
from app.runs import perform
from app.strip import frames
from app.theatre import make_stage, stage_of
from engine import Limits
from tests.snapshot import lines

RUNS = (("mail", "linux-2.6.9"), ("mail-store-first", "wli-corrected"), ("last-block", "wli-posted"))
TELLING = [
    (scenario, kernel, step)
    for scenario, kernel in RUNS
    for stage in [make_stage(perform(order(scenario, kernel), Limits()))]
    for step in frames(stage.trace.steps, stage.view.journeys)[0]
]


@pytest.mark.parametrize(("scenario", "kernel", "step"), TELLING)
def test_the_picture_is_as_it_was_reviewed(
    is_snapshot: Callable[[str, str], None], scenario: str, kernel: str, step: int
) -> None:
    run = perform(order(scenario, kernel), Limits())
    context = templating.run_context(run, step)
    event = stage_of(run).trace.steps[step - 1].event.replace("#", "-")
    svg = templating.environment().get_template("_scene.svg").render(**context)
    head = f"{context['run'].scenario.title}, on {context['run'].kernel.title}, after step {step}, {event}"
    is_snapshot(f"{scenario}.{kernel}.{event}", "\n".join([head, "", *lines(svg)]) + "\n")
