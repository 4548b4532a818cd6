"""The description of the API: what FastAPI knows of the routes, with the answers that msgspec knows."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.config import JsonDict

from app import next_steps, outlook, wire, wire_choices, wire_compare, wire_selection, wire_verdicts
from app.openapi_examples import examples
from app.problem_wire import ProblemOut
from app.problems import MEDIA_TYPE
from app.troubles import KINDS

ABOUT = (
    "Run scenarios of Linux page faults and read, store by store, what becomes of every byte. Everything that can be "
    "fetched may be read from any site, and has an ETag. Send Accept: text/plain for text. What goes wrong is "
    "answered with problem JSON (RFC 9457) that lists each problem with its place and a cure."
)
ANSWERS = (
    wire.RunOut,
    wire.MomentOut,
    wire.LinkOut,
    wire_selection.StepsOut,
    wire_selection.DiffOut,
    wire_selection.ProvenanceOut,
    wire_compare.ComparisonOut,
    wire_verdicts.VerdictOut,
    outlook.ForesightOut,
    next_steps.NextStepsOut,
    wire_choices.KernelOut,
    wire_choices.FilesystemOut,
    wire_choices.ScenarioOut,
    ProblemOut,
)
REFUSALS = {
    "get": ("unknown-kernel", "bad-schedule", "other-edition", "too-many", "busy"),
    "post": ("foreign-site", "other-edition", "too-many", "busy", "too-large", "wrong-type", "bad-scenario"),
    "delete": ("wrong-secret", "unknown-link", "other-edition", "too-many"),
}
"""What may be refused where, by one kind for each status."""


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title="Pagefate", version=wire.version(), description=ABOUT, routes=app.routes)
        _, components = msgspec.json.schema_components(ANSWERS, ref_template="#/components/schemas/{name}")
        document["components"]["schemas"] |= _without_tuples(components)
        for kind, answer in examples().items():
            document["components"]["schemas"][kind]["examples"] = [answer]
        for operations in document["paths"].values():
            for method, operation in operations.items():
                _refuse(operation["responses"], REFUSALS.get(method, ()))
        app.openapi_schema = document
    return app.openapi_schema


def _without_tuples(schema: Any) -> Any:
    """A schema with arrays in place of tuples, which many a generator of clients can not read."""
    if isinstance(schema, list):
        return [_without_tuples(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _without_tuples(value) for key, value in schema.items()}
    places = plain.pop("prefixItems", None)
    if places is not None:
        kinds = [kind for place in places for kind in place.get("anyOf", [place])]
        plain["items"] = {"anyOf": [kind for at, kind in enumerate(kinds) if kind not in kinds[:at]]}
    return plain


def _refuse(responses: dict[str, Any], kinds: tuple[str, ...]) -> None:
    """Say what a route answers when it refuses, in place of FastAPI's own 422."""
    responses.pop("422", None)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    for kind in kinds:
        status, title = KINDS[kind]
        responses[str(status)] = {"description": title, "content": content}


def operations(app: FastAPI, base: str) -> list[dict[str, Any]]:
    """The operations one by one, for the page that lists them, each with a command that tries it at `base`."""
    return [
        {
            **operation,
            "method": method.upper(),
            "path": path,
            "parameters": operation.get("parameters", []),
            "fields": _taken(operation)[0].model_json_schema()["properties"] if "requestBody" in operation else {},
            "curl": _curl(method, base + path, operation),
        }
        for path, methods in describe(app)["paths"].items()
        for method, operation in methods.items()
    ]


def _taken(operation: dict[str, Any]) -> tuple[type[BaseModel], JsonDict]:
    """What the body of an operation is, and an example."""
    if operation["operationId"] == "make_verdict":
        return wire_verdicts.VerdictIn, wire_verdicts.EXAMPLE
    return wire.RunIn, wire.EXAMPLE


def _curl(method: str, url: str, operation: dict[str, Any]) -> str:
    """A command line that shows what the operation answers."""
    for parameter in operation.get("parameters", ()):
        examples = parameter["schema"].get("examples") or ["1"]
        url = url.replace(f"{{{parameter['name']}}}", str(examples[0]))
    if method == "get":
        return f"curl -s {url}"
    if method == "delete":
        secret = " -H 'X-Link-Secret: SECRET'" if "/links/" in url else ""
        return f"curl -s -X DELETE {url}{secret}"
    body = msgspec.json.encode(_taken(operation)[1]).decode()
    return f"curl -s {url} -H 'Content-Type: application/json' -d '{body}'"
