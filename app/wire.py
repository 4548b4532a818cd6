"""What goes over the wire: request bodies in (pydantic), answers out (msgspec). Nothing here computes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

EXAMPLE = {"scenario": "mail", "kernel": "linux-2.6.9"}
EXAMPLE_INLINE = {
    "scenario": {
        "title": "One page too many",
        "filesystem": {"type": "ext2", "blocks": 8},
        "files": {"f": {"owner": "alice", "size": "2P"}},
        "tasks": {"A": {"user": "alice", "script": ["m = mmap(f, 2P, READ|WRITE, SHARED)", 'm[0] = "C"']}},
    },
    "kernel": "linux-2.6.9",
    "schedule": "A",
}


class RunIn(BaseModel):
    """What determines a run. Only the scenario is needed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE, EXAMPLE_INLINE]})

    scenario: Annotated[
        str | dict[str, Any],
        Field(description="the name of a gallery scenario, a scenario as an object, or its YAML text"),
    ]
    kernel: Annotated[str, Field(description="one of /api/v1/kernels", max_length=100)] = "linux-2.6.9"
    filesystem: Annotated[
        str | None, Field(description="a filesystem in place of the scenario's own", max_length=100)
    ] = None
    schedule: Annotated[
        str | list[str] | None,
        Field(description='who runs when, in place of the scenario\'s own: "A@do_no_page.enough_space>B"'),
    ] = None


FIELDS = tuple(RunIn.model_fields)
