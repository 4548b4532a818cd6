"""What may go wrong, as one kind of thing: every refusal of the engine, the framework and ours becomes a `Trouble`."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.errors import (
    EngineError,
    NoSuchCombination,
    Panic,
    Problem,
    ScenarioError,
    ScheduleError,
    UnknownKernel,
    UnknownScenario,
    UnknownSwitch,
    sentence,
)

log = logging.getLogger("pagefate")

LISTED = 40
"""How many single problems an answer lists."""

KINDS = {
    "not-found": (404, "There is nothing at this address"),
    "unknown-link": (404, "No such link is kept here"),
    "unknown-room": (404, "There is no such live room"),
    "room-over": (410, "This live room is over"),
    "no-room": (503, "There can not be another live room now"),
    "room-full": (503, "This live room has as many followers as it may"),
    "not-driver": (403, "Another browser drives this live room"),
    "wrong-code": (403, "This code does not hand over the live room"),
    "not-asked": (409, "Nothing is asked in this live room now"),
    "withdrawn-link": (410, "This link is not shown any more"),
    "wrong-secret": (403, "This is not the secret of the link"),
    "unknown-kernel": (404, "There is no such kernel"),
    "unknown-switch": (404, "The kernel has no such switch"),
    "no-such-combination": (422, "This kernel never had this filesystem"),
    "unknown-scenario": (404, "The gallery has no such scenario"),
    "bad-scenario": (422, "The scenario can not be run"),
    "bad-schedule": (422, "The schedule can not be followed"),
    "bad-request": (422, "The request does not have the right shape"),
    "too-large": (413, "The request carries too much"),
    "wrong-type": (415, "The request is not in JSON"),
    "wrong-method": (405, "This address does something else"),
    "other-edition": (409, "The engine has changed since then"),
    "too-many": (429, "Your address asks too often"),
    "busy": (503, "Too much is being run at the moment"),
    "foreign-site": (403, "Another site may read here, not write"),
    "storage": (503, "The links can not be reached at the moment"),
    "storage-full": (507, "There is no room for another link"),
    "panic": (500, "The simulated machine came into a state that must not be"),
    "internal": (500, "Something went wrong here, and it is not your doing"),
}
"""The kinds of trouble, each with its status and title. The names are part of the API."""

BODY_CURE = 'Send JSON such as {"scenario": "mail", "kernel": "linux-2.6.9"}, as Content-Type: application/json'


class Trouble(Exception):
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

    def in_address(self) -> Trouble:
        """The same of an address: a name that nothing has is not found there, and there are no fields."""
        status = KINDS[self.kind][0] if self.kind.startswith("unknown-") else self.status
        problems = [replace(problem, path="") for problem in self.problems]
        return Trouble(self.kind, self.detail, cure=self.cure, status=status, problems=problems, ticket=self.ticket)

    def lines(self) -> list[str]:
        """Each problem in a sentence or two, with its place in the scenario if it has one."""
        return [
            problem.text("scenario") if problem.line or problem.path else sentence(problem.message, cure=problem.cure)
            for problem in self.problems
        ]


def of_engine(error: EngineError, *, path: str = "") -> Trouble:
    """What the engine refused. `path` is its place in the request, as a JSON pointer."""
    kind = _kind(error)
    if kind == "panic":
        return unforeseen(error, kind, str(error))
    if isinstance(error, ScenarioError):
        problems = [replace(problem, path=path + problem.path) for problem in error.problems[:LISTED]]
        if (more := len(error.problems) - LISTED) > 0:
            problems.append(Problem(0, 0, path, f"{more} more problems are not listed", "Mend these first"))
    else:
        problems = [Problem(0, 0, path, sentence(error.message, error.where), error.cure)]
    return Trouble(kind, sentence(error.message, error.where), cure=error.cure, status=422, problems=problems)


def _kind(error: EngineError) -> str:
    names = {
        Panic: "panic",
        UnknownKernel: "unknown-kernel",
        UnknownSwitch: "unknown-switch",
        UnknownScenario: "unknown-scenario",
        NoSuchCombination: "no-such-combination",
    }
    return names.get(type(error), "bad-schedule" if isinstance(error, ScheduleError) else "bad-scenario")


def unforeseen(error: BaseException, kind: str = "internal", detail: str = "") -> Trouble:
    """What nobody foresaw: the log keeps all of it, the answer a ticket to find it by."""
    ticket = secrets.token_hex(4)
    log.error("ticket %s: %s", ticket, error, exc_info=error)
    said = detail or "The server met a case it was not made for."
    return Trouble(kind, said, cure=f"If it happens again, report it with the ticket {ticket}", ticket=ticket)
