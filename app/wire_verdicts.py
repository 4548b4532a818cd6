"""What goes over the wire about verdicts: the question in (pydantic), the answer out (msgspec)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.orders import DEFAULT_KERNEL
from engine import OFFERS, PROPERTIES, find_property

MOST_STATES, MOST_SECONDS, MOST_WITNESSES = 2_000_000, 300, 20
USUAL_STATES, USUAL_SECONDS = 1_000_000, 60
EXAMPLE: JsonDict = {"scenario": "mail", "kernel": DEFAULT_KERNEL, "property": "no-loss", "offers": ["writeback"]}


class VerdictIn(BaseModel):
    """What a search is asked. Only the scenario is needed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    scenario: Annotated[
        str | dict[str, Any],
        Field(description="the name of a gallery scenario, a scenario as an object, or its YAML text"),
    ]
    kernel: Annotated[str, Field(description="one of /api/v1/kernels", max_length=100)] = ""
    filesystem: Annotated[
        str | None, Field(description="a filesystem in place of the scenario's own", max_length=100)
    ] = None
    property: Annotated[str, Field(description=f"one of {', '.join(PROPERTIES)}", max_length=100)] = "no-loss"
    offers: Annotated[
        list[Annotated[str, Field(max_length=100)]],
        Field(description=f"what the world may do at any moment: {', '.join(OFFERS)}", max_length=len(OFFERS)),
    ] = Field(default_factory=list)
    states: Annotated[int, Field(description="distinct states at most", ge=1, le=MOST_STATES, strict=True)] = (
        USUAL_STATES
    )
    seconds: Annotated[float, Field(description="seconds at most", gt=0, le=MOST_SECONDS)] = USUAL_SECONDS
    witnesses: Annotated[
        int, Field(description="how many different ways are looked for", ge=1, le=MOST_WITNESSES, strict=True)
    ] = 1


class WitnessOut(Struct):
    """A run that shows it: where it opens, its schedule, what is wrong, and after how many steps and preemptions.

    `shortest`: no way has fewer preemptions, nor fewer steps with as many. While a search goes on it may be a longer
    one, and one that is no run yet has an empty `url` and `schedule`.
    """

    url: str
    schedule: str
    says: str
    steps: int
    preemptions: int
    shortest: bool


class VerdictOut(Struct):
    """A search: where it stands (waiting, searching, done, cancelled or failed), and its verdict when it has one.

    `verdict` is holds, broken, undecided, or empty while it is not known; `stopped` says why it is undecided. `endless`
    counts the loops that nobody can leave, `panics` the steps at which the kernel stops. `place` is that in the queue,
    from 1, of one that waits. `phase` of one that searches: search, then witness, when it looks for the shortest ways;
    `witnesses` are those that were found by then.
    """

    id: str
    state: str
    scenario: str
    kernel: str
    property: str
    mode: str
    sentence: str
    offers: list[str]
    verdict: str
    says: str
    stopped: str
    states: int
    transitions: int
    ends: int
    panics: int
    endless: int
    found: int
    seconds: float
    witnesses: list[WitnessOut]
    links: dict[str, str]
    phase: str = ""
    place: int = 0


def verdict_out(  # noqa: PLR0913 - what is known of a search beside its answer
    name: str,
    said: Mapping[str, Any],
    *,
    state: str,
    seconds: float,
    links: dict[str, str],
    says: str = "",
    place: int = 0,
) -> VerdictOut:
    """The search of an id and what it has said so far: its answer (asking.answer), or how far it is (asking.so_far)."""
    prop, witnesses = find_property(said["property"]), said.get("witnesses", ())
    return VerdictOut(
        id=name,
        state=state,
        scenario=said["scenario"],
        kernel=said["kernel"],
        property=prop.id,
        mode=prop.mode,
        sentence=prop.sentence,
        offers=list(said["offers"]),
        verdict=said.get("verdict", ""),
        says=says,
        stopped=said.get("stopped", ""),
        states=said.get("states", 0),
        transitions=said.get("transitions", 0),
        ends=said.get("ends", 0),
        panics=said.get("panics", 0),
        endless=said.get("endless", 0),
        found=said.get("found", len(witnesses)),
        seconds=seconds,
        witnesses=[WitnessOut(**each) for each in witnesses],
        links=links,
        phase=said.get("phase", ""),
        place=place,
    )
