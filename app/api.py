"""The API for scripts, /api/v1: nouns that can be fetched, and two that can be made, runs and links."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic.config import JsonDict

import engine
from app import answers, bodies, links, orders, serving, text, tokens, wire, wire_choices
from app.answers import JSON, TEXT, YAML
from app.links import RunLink
from app.orders import Order
from app.wire import RunIn

ONE_EDITION: JsonDict = {"enum": ["", str(engine.EDITION)]}
Edition = Annotated[
    str,
    Query(
        description="the engine's edition: the answer may be kept for ever, and is refused when the engine has changed",
        json_schema_extra=ONE_EDITION,
    ),
]


async def pinned(
    request: Request,
    edition: Edition = "",  # noqa: ARG001 - named here for OpenAPI; it is read where the answer is sent
) -> None:
    """Refuse a question to another edition before anything is run."""
    serving.cache(request)


api = APIRouter(prefix=links.API, route_class=bodies.Route, dependencies=[Depends(pinned)])

ScenarioName = Annotated[str, Path(description="a name of /api/v1/scenarios", examples=["mail"])]
KernelName = Annotated[
    str, Path(description="a name of /api/v1/kernels, with +switch behind it if wanted", examples=["linux-2.6.9"])
]
LinkId = Annotated[str, Path(description="the id of a short link, as POST /links gives it", examples=["ID"])]
Number = Annotated[int, Path(ge=0, description="0 is the beginning, where nothing was done yet", examples=[43])]
FilesystemName = Annotated[str, Path(description="a name of /api/v1/filesystems", examples=["ext4"])]
ONE_FILESYSTEM: JsonDict = {"enum": ["", *engine.FILESYSTEMS]}
Filesystem = Annotated[
    str,
    Query(
        alias="fs",
        description="a filesystem in place of the scenario's own",
        json_schema_extra=ONE_FILESYSTEM,
        examples=[""],
    ),
]
Switch = Annotated[str, Query(description='who runs when: "B.A,A@do_no_page.enough_space>B"')]
OtherKernel = Annotated[str, Query(description="a kernel in place of the link's own")]
Include = Annotated[Literal["trace"] | None, Query(description="trace: with every step")]
Wanted = Annotated[RunIn, Body(openapi_examples=wire.EXAMPLES)]


SCHEMA = "application/schema+json"


def documented(kind: str, *others: str, many: bool = False, made: str = "") -> dict[int | str, dict[str, Any]]:
    """The answer of a route for OpenAPI: a struct of `wire` in JSON, and other media types; `made` says what is new."""
    one = {"$ref": f"#/components/schemas/{kind}"}
    content: dict[str, Any] = {JSON: {"schema": {"type": "array", "items": one} if many else one}}
    content |= {media: {"schema": {"type": "string"}} for media in others}
    answer = {"description": "What was asked for", "content": content}
    return {200: answer, 201: {**answer, "description": made}} if made else {200: answer}


RUN = documented("RunOut", TEXT)
MOMENT = documented("MomentOut", TEXT)


def data(request: Request, content: object, *, status: int = 200, location: str = "") -> Response:
    """An answer in JSON."""
    body = answers.Body.of(msgspec.json.encode(content), JSON)
    return answers.answer(request, body, status=status, cache=serving.cache(request), location=location)


# --- runs --------------------------------------------------------------------------------------------------


@api.post("/runs", summary="Run a scenario", responses=documented("RunOut", made="Run, and kept under a new link"))
async def make_run(request: Request, body: Wanted, include: Include = None) -> Response:
    """What comes of a scenario on a kernel: the outcome, and the fate of every store.

    A scenario that is not of the gallery is kept, so that its url can be opened: then the answer is 201.
    """
    serving.own_site(request)
    order = orders.order(body.scenario, body.kernel, body.filesystem, body.schedule)
    run = await serving.runs(request).run(order, watch=body.watch)
    is_new = not order.is_gallery and (await serving.keep(request, order))[1]
    answer = wire.summary(run, trace=include == "trace")
    return data(request, answer, status=201 if is_new else 200, location=answer.url)


@api.get("/runs/{scenario}/{kernel}", summary="A gallery run, step by step", responses=RUN)
async def get_run(
    request: Request, scenario: ScenarioName, kernel: KernelName, fs: Filesystem = "", switch: Switch = ""
) -> Response:
    """The whole trace: the initial cells, and every step with what it read and wrote."""
    order = orders.at_address(RunLink(scenario, kernel, fs, switch))
    return await serving.send(request, order, answers.wanted(request, "json"))


@api.get("/runs/{scenario}/{kernel}/steps/{n}", summary="One step of a gallery run", responses=MOMENT)
async def get_step(  # noqa: PLR0913, PLR0917 - the parts of an address
    request: Request, scenario: ScenarioName, kernel: KernelName, n: Number, fs: Filesystem = "", switch: Switch = ""
) -> Response:
    """What the step did, and every cell as it is after it."""
    return await _moment(request, orders.at_address(RunLink(scenario, kernel, fs, switch)), n)


async def _moment(request: Request, order: Order, n: int) -> Response:
    run = await serving.runs(request).run(order)
    n = serving.step_within(run, n)
    if answers.wanted(request, "json") == "text":
        return answers.answer(request, answers.Body.of(text.moment(run, n), TEXT), vary=serving.VARY)
    return data(request, wire.moment(run, n))


# --- links -------------------------------------------------------------------------------------------------


@api.post("/links", summary="Make a short link", responses=documented("LinkOut", made="A new link"))
async def make_link(request: Request, body: Wanted) -> Response:
    """A link that leads to this run for ever: 201 when it is new, 200 when it was there.

    What determines the run also determines the id. An acknowledged link is on the disk. The answer to who made it has a
    `secret`, which deletes it and is not told again.
    """
    serving.own_site(request)
    order = orders.order(body.scenario, body.kernel, body.filesystem, body.schedule)
    secret = tokens.token()
    link, is_new = await serving.keep(request, order, secret=secret)
    answer = wire.link(order, link, secret=secret if is_new else "")
    return data(request, answer, status=201 if is_new else 200, location=answer.url)


@api.get("/links/{link}", summary="What a short link leads to", responses=documented("LinkOut"))
async def get_link(request: Request, link: LinkId) -> Response:
    """The scenario, the kernel and the schedule; the run itself is at its url with .json behind."""
    return data(request, wire.link(await serving.kept(request, RunLink(link=link)), link))


@api.get("/links/{link}/steps/{n}", summary="One step of what a short link leads to", responses=MOMENT)
async def get_link_step(  # noqa: PLR0913, PLR0917 - the parts of an address
    request: Request, link: LinkId, n: Number, kernel: OtherKernel = "", fs: Filesystem = "", switch: Switch = ""
) -> Response:
    """What the step did, and every cell as it is after it."""
    address = RunLink("", links.kernel_said(kernel), fs, switch, link)
    return await _moment(request, await serving.kept(request, address), n)


# --- what there is -----------------------------------------------------------------------------------------


@api.get("/kernels", summary="The kernels", responses=documented("KernelOut", many=True))
async def get_kernels(request: Request) -> Response:
    """Each kernel with its story, its functions, its switches, its filesystems and why not the others."""
    return data(request, [wire_choices.kernel(kernel) for kernel in engine.KERNELS.values()])


@api.get("/kernels/{kernel}", summary="A kernel", responses=documented("KernelOut"))
async def get_kernel(request: Request, kernel: KernelName) -> Response:
    """Its story, its functions and their steps, and what it leaves out."""
    with orders.in_address():
        return data(request, wire_choices.kernel(engine.find_kernel(kernel)))


@api.get("/filesystems", summary="The filesystems", responses=documented("FilesystemOut", many=True))
async def get_filesystems(request: Request) -> Response:
    """Each filesystem with its story, when it takes space, the kernels that have it and why not the others."""
    return data(request, [wire_choices.filesystem(kind) for kind in engine.FILESYSTEMS.values()])


@api.get("/filesystems/{filesystem}", summary="A filesystem", responses=documented("FilesystemOut"))
async def get_filesystem(request: Request, filesystem: FilesystemName) -> Response:
    """Its story, when it takes space, the kernels that have it and why not the others."""
    return data(request, wire_choices.filesystem(orders.filesystem(filesystem)))


@api.get("/scenarios", summary="The gallery", responses=documented("ScenarioOut", many=True))
async def get_scenarios(request: Request) -> Response:
    """Each scenario of the gallery, with its runs by kernel."""
    return data(request, [wire_choices.scenario(scenario) for scenario in engine.gallery().values()])


@api.get("/scenarios/{scenario}", summary="A scenario", responses=documented("ScenarioOut", YAML))
async def get_scenario(request: Request, scenario: ScenarioName) -> Response:
    """The scenario as JSON, which can be changed and sent to /runs; with .yaml behind its name, as YAML."""
    with orders.in_address():
        found = engine.find_scenario(scenario.removesuffix(".yaml"))
    if scenario.endswith(".yaml"):
        return answers.answer(request, answers.Body.of(engine.to_yaml(found), YAML))
    return data(request, wire_choices.scenario(found))


@api.get("/schema", summary="The scenario language", responses={200: {"content": {SCHEMA: {}}}})
async def get_schema(request: Request) -> Response:
    """The JSON Schema of a scenario, for editors and checkers."""
    return answers.answer(request, answers.Body.of(msgspec.json.encode(engine.json_schema()), SCHEMA))
