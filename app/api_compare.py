"""The API about runs side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app import lineup, links, wire_compare
from app.api import ScenarioName, data, documented, pinned
from app.compare import side_by_side
from app.links import CompareLink

compare_api = APIRouter(prefix=links.API, dependencies=[Depends(pinned)])

Kernels = Annotated[
    str, Query(description="two to four kernels, with commas", examples=["linux-2.6.9,wli-corrected"], max_length=400)
]
Kinds = Annotated[str, Query(alias="fs", description="filesystems, with commas", examples=["ext2"], max_length=200)]
Switches = Annotated[
    list[str] | None, Query(alias="switch", description="a schedule; it may stand repeatedly", max_length=4)
]


@compare_api.get(
    "/compare/{scenario}", summary="Runs of a scenario side by side", responses=documented("ComparisonOut")
)
async def get_comparison(
    request: Request, scenario: ScenarioName, kernels: Kernels = "", fs: Kinds = "", switch: Switches = None
) -> Response:
    """The runs in lock step, where they differ first, and that in a sentence.

    Of kernels, filesystems and schedules one may have several entries: by it the columns differ.
    """
    said = [("kernels", kernels), ("fs", fs), *(("switch", each) for each in switch or ())]
    found = await side_by_side(request, lineup.lineup(CompareLink.parse(scenario, said)))
    return data(request, wire_compare.out(found))
