"""A problem as it goes over the wire."""

from __future__ import annotations

from msgspec import Struct

from engine import Problem


class ProblemOut(Struct, omit_defaults=True, kw_only=True):
    """What went wrong (RFC 9457): what, where, why, and what would be right. `limits` are those of this server."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    cure: str
    problems: tuple[Problem, ...]
    limits: dict[str, float]
    ticket: str = ""
