"""What may go wrong, as one kind of thing: `Trouble`. Every refusal of the engine, the framework and ours becomes one."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from engine.errors import (
    EngineError,
    Panic,
    Problem,
    ScenarioError,
    ScheduleError,
    UnknownKernel,
    UnknownScenario,
    sentence,
    short,
    suggestion,
)

log = logging.getLogger("pagefate")

KINDS = {
    "not-found": (404, "There is nothing at this address"),
    "unknown-link": (404, "No such link is kept here"),
    "unknown-kernel": (404, "There is no such kernel"),
    "unknown-scenario": (404, "The gallery has no such scenario"),
    "bad-scenario": (422, "The scenario can not be run"),
    "bad-schedule": (422, "The schedule can not be followed"),
    "bad-request": (422, "The request does not have the right shape"),
    "too-large": (413, "The request carries too much"),
    "wrong-method": (405, "This address does something else"),
    "foreign-site": (403, "Another site may read here, not write"),
    "storage": (503, "The links can not be reached at the moment"),
    "storage-full": (507, "There is no room for another link"),
    "panic": (500, "The simulated machine came into a state that must not be"),
    "internal": (500, "Something went wrong here, and it is not your doing"),
}
"""The kinds of trouble, each with its status and title. The names are part of the API."""

BODY_CURE = 'Send JSON such as {"scenario": "mail", "kernel": "linux-2.6.9"}, as Content-Type: application/json'


class Trouble(Exception):  # noqa: N818 - it is an answer as much as an error
    """An answer that is not the one asked for.

    `kind` is one of KINDS, `detail` is about this one time, `cure` says what would be right; `problems` list each
    single thing that is wrong; `ticket` finds the log entry of what nobody foresaw.
    """

    def __init__(  # noqa: PLR0913 - the members of RFC 9457, by name
        self,
        kind: str,
        detail: str,
        *,
        cure: str = "",
        status: int = 0,
        problems: Sequence[Problem] = (),
        ticket: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`status` is the usual one of the kind, unless given."""
        usual, self.title = KINDS[kind]
        self.kind, self.detail, self.cure, self.ticket = kind, detail, cure, ticket
        self.status = status or usual
        self.problems = tuple(problems) or (Problem(0, 0, "", detail, cure),)
        self.headers = dict(headers or {})
        super().__init__(detail)

    def lines(self, name: str = "scenario") -> list[str]:
        """Each problem as compilers say it, "name:line:column: message. cure."."""
        return [
            problem.text(name) if problem.line or problem.path else sentence(problem.message, cure=problem.cure)
            for problem in self.problems
        ]


def of_engine(error: EngineError, *, path: str = "", in_address: bool = False) -> Trouble:
    """What the engine refused. `path` is its place in the body, as a JSON pointer.

    A name that nothing has is not found when it stood in the address, and wrong when it stood in the body.
    """
    kind = _kind(error)
    if kind == "panic":
        return unforeseen(error, kind, str(error))
    if isinstance(error, ScenarioError):
        problems = [Problem(p.line, p.column, path + p.path, p.message, p.cure) for p in error.problems]
    else:
        problems = [Problem(0, 0, path, sentence(error.message, error.where), error.cure)]
    status = 0 if in_address else 422
    return Trouble(kind, sentence(error.message, error.where), cure=error.cure, status=status, problems=problems)


def _kind(error: EngineError) -> str:
    names = {Panic: "panic", UnknownKernel: "unknown-kernel", UnknownScenario: "unknown-scenario"}
    return names.get(type(error), "bad-schedule" if isinstance(error, ScheduleError) else "bad-scenario")


def unforeseen(error: BaseException, kind: str = "internal", detail: str = "") -> Trouble:
    """What nobody foresaw: the log keeps all of it, the answer a ticket to find it by."""
    ticket = secrets.token_hex(4)
    log.error("ticket %s: %s", ticket, error, exc_info=error)
    said = detail or "The server met a case it was not made for."
    return Trouble(kind, said, cure=f"If it happens again, report it with the ticket {ticket}", ticket=ticket)


def of_validation(error: RequestValidationError, known: Collection[str]) -> Trouble:
    """A request whose parts have the wrong shape, each named; `known` are the fields there are."""
    problems = [_of_field(found, error.body, known) for found in error.errors()]
    first = problems[0]
    return Trouble(
        "bad-request", sentence(first.message, first.path.strip("/")), cure=first.cure, problems=problems
    )


def _of_field(found: Mapping[str, Any], body: object, known: Collection[str]) -> Problem:
    """One finding of pydantic: where in the body or the query, what is wrong, what would be right."""
    kind, where = str(found["type"]), [str(part) for part in found["loc"]]
    if kind == "json_invalid":
        return _not_json(str(body), int(where[-1]), found["ctx"]["error"])
    path = "".join(f"/{part}" for part in where[1:])
    if not path:
        return Problem(0, 0, "", "the body is not a JSON object", BODY_CURE)
    if kind == "extra_forbidden":
        return Problem(0, 0, path, f"there is no field {short(where[-1])}", suggestion(where[-1], known))
    if kind == "missing":
        return Problem(0, 0, path, "this is missing", BODY_CURE)
    return Problem(0, 0, path, f"{short(found['input'])} does not fit", found["msg"])


def _not_json(text: str, position: int, reason: str) -> Problem:
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    return Problem(line, column, "", f"this is not JSON: {reason}", BODY_CURE)
